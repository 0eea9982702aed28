"""Annotations as a Parquet table by picture, in the memory of a few megabytes.

Rows come in the order of their file, as columns, never as objects, and are put
aside as runs that are sorted by picture (`picture_runs.py`). Here the runs are
merged into row groups of a fixed size. Rows of one picture keep the order of
their file, so the table is the same bytes however many rows were held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from vle_bench.arrow_columns import int64s
from vle_bench.atomic import replacing
from vle_bench.data_prep.picture_runs import PICTURE, PictureRuns, Run, sorted_by_picture

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_ROWS_PER_GROUP: Final = 65_536
_NO_BOUND: Final = 1 << 63

_Places = npt.NDArray[np.int64]


def write_by_picture(path: Path, schema: pa.Schema, *parts: PictureRuns) -> int:
    """Writes rows as one Parquet file, those of a picture together and pictures ascending.

    Args:
        path: The file; it appears whole.
        schema: The columns, `image_id` among them.
        parts: The rows; those of an earlier part stand before those of a later one.

    Returns:
        How many rows there are.

    Raises:
        MachineProblem: The disk refuses; nothing is left under the final name.
    """
    import pyarrow.parquet as pq

    with replacing(path) as stream:
        options = {"version": "2.6", "compression": "snappy"}
        with pq.ParquetWriter(stream, schema, use_dictionary=_texts(schema), **options) as writer:
            _write_groups(writer, _groups(_merged(parts, schema), schema))
    return sum(run.rows for part in parts for run in part.runs)


def _write_groups(writer: pq.ParquetWriter, groups: Iterator[pa.Table]) -> None:
    """Writes the groups, each while the next one is merged: both let other threads run."""
    with ThreadPoolExecutor(1) as thread:
        written = thread.submit(writer.write_table, next(groups), row_group_size=_ROWS_PER_GROUP)
        for group in groups:
            written.result()
            written = thread.submit(writer.write_table, group, row_group_size=_ROWS_PER_GROUP)
        written.result()


class _Waiting(NamedTuple):
    """A run that is not open yet; these sort as they are to be opened."""

    first: int
    number: int
    part: PictureRuns
    run: Run


def _merged(parts: Sequence[PictureRuns], schema: pa.Schema) -> Iterator[pa.Table]:
    """All rows in order, in tables of any size; each holds all rows of its pictures."""
    import pyarrow as pa

    runs = enumerate((part, run) for part in parts for run in part.runs)
    # Runs are opened when their pictures come up: of a sorted file, one at a time.
    waiting = sorted(
        (_Waiting(run.first, number, part, run) for number, (part, run) in runs), reverse=True
    )
    cursors: list[_Cursor] = []
    while waiting or cursors:
        bound = min((cursor.bound for cursor in cursors), default=_NO_BOUND)
        if waiting and (not cursors or waiting[-1].first <= bound):
            cursors.append(_Cursor(waiting.pop()))
            cursors.sort(key=lambda cursor: cursor.number)
            continue
        # What stands before the first picture that a run may go on with is complete.
        bound = min(bound, waiting[-1].first) if waiting else bound
        taken = [pieces for cursor in cursors if (pieces := cursor.below(bound))]
        if taken:
            table = pa.Table.from_batches(chain.from_iterable(taken), schema)
            yield table if len(taken) == 1 else sorted_by_picture(table)
        else:
            for cursor in cursors:
                if cursor.bound == bound:
                    cursor.load()
        cursors = [cursor for cursor in cursors if cursor.more()]


class _Cursor:
    """A run that is being read: the blocks of it that are in memory."""

    def __init__(self, waiting: _Waiting) -> None:
        self.number = waiting.number
        self._part = waiting.part
        self._blocks = iter(waiting.run.blocks)
        self._ended = False
        self._held: list[pa.RecordBatch] = []
        self.load()

    @property
    def bound(self) -> int:
        """The last picture in memory, of which more may come; none at the end of the run."""
        return _NO_BOUND if self._ended else int(_pictures(self._held[-1])[-1])

    def more(self) -> bool:
        """Whether any rows are left; then some are in memory."""
        if not self._held:
            self.load()
        return bool(self._held)

    def load(self) -> None:
        """Reads one block more."""
        block = next(self._blocks, None)
        if block is None:
            self._ended = True
        else:
            self._held.append(self._part.read(block))

    def below(self, bound: int) -> list[pa.RecordBatch]:
        """Takes the rows of pictures before `bound`."""
        taken: list[pa.RecordBatch] = []
        while self._held:
            rows = self._held[0]
            pictures = _pictures(rows)
            everything = bound == _NO_BOUND or pictures[-1] < bound
            count = len(rows) if everything else int(np.searchsorted(pictures, bound))
            if count:
                taken.append(rows.slice(0, count))
            if count < len(rows):
                self._held[0] = rows.slice(count)
                break
            del self._held[0]
        return taken


def _pictures(rows: pa.RecordBatch) -> _Places:
    return int64s(rows.column(PICTURE))


def _groups(tables: Iterator[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """The same rows in tables of a fixed size, the last smaller; one empty table where none are."""
    import pyarrow as pa

    held: list[pa.Table] = []
    count, none = 0, True
    for table in tables:
        held.append(table)
        count += len(table)
        while count >= _ROWS_PER_GROUP:
            whole = pa.concat_tables(held)
            yield whole.slice(0, _ROWS_PER_GROUP).combine_chunks()
            held, none = [whole.slice(_ROWS_PER_GROUP)], False
            count -= _ROWS_PER_GROUP
    if count or none:
        yield pa.concat_tables(held or [pa.Table.from_batches([], schema)]).combine_chunks()


def _texts(schema: pa.Schema) -> list[str]:
    """Columns of texts, whose values come again and again."""
    import pyarrow as pa

    fixed = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
    return [
        f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name
        for field in schema
        if not any(is_fixed(field.type) for is_fixed in fixed)
    ]
