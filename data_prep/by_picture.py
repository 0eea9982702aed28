"""Annotations as a Parquet table by picture, in the memory of a few megabytes.

Rows come in the order of their file, as columns, never as objects. A few
megabytes at a time they are sorted by picture and put aside in an unnamed file;
then the sorted runs are merged into row groups of a fixed size. Rows of one
picture keep the order of their file, so the table is the same bytes however
many rows were held.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from vle_bench.arrow_columns import fixed, int64s
from vle_bench.atomic import replacing
from vle_bench.errors import machine_errors
from vle_bench.scratch import scratch_file

if TYPE_CHECKING:
    import pyarrow as pa

PICTURE: Final = "image_id"
"""The column that tables are sorted by: 64-bit integers, none absent."""

MOST_BYTES_HELD: Final = 3 << 20
"""Columns kept in memory before a run is put aside."""

_ROWS_PER_GROUP: Final = 65_536
_ROWS_PER_BLOCK: Final = 2048
_NO_BOUND: Final = 1 << 63

_Places = npt.NDArray[np.int64]


def write_by_picture(
    path: Path,
    schema: pa.Schema,
    *parts: Iterable[pa.RecordBatch],
    most_bytes: int = MOST_BYTES_HELD,
    block_rows: int = _ROWS_PER_BLOCK,
) -> int:
    """Writes rows as one Parquet file, those of a picture together and pictures ascending.

    Args:
        path: The file; it appears whole.
        schema: The columns, `image_id` among them.
        parts: The rows, in any portions; of several parts, each is taken in by a thread of its
            own, and the rows of an earlier part stand before those of a later one.
        most_bytes: Bytes of columns held before they are put aside.
        block_rows: Rows of a run that are read back at once.

    Returns:
        How many rows there are.

    Raises:
        MachineProblem: The disk refuses; nothing is left under the final name.
    """
    import pyarrow.parquet as pq

    asides = [_Aside(schema, block_rows) for _ in parts]
    pairs = list(zip(asides, parts, strict=True))
    with ThreadPoolExecutor(max(len(pairs), 1)) as threads:
        jobs = [
            threads.submit(copy_context().run, aside.take, part, most_bytes)
            for aside, part in pairs[1:]
        ]
        for aside, part in pairs[:1]:
            aside.take(part, most_bytes)
        for job in jobs:
            job.result()
    runs = [run for aside in asides for run in aside.runs]
    with replacing(path) as stream:
        options = {"version": "2.6", "compression": "snappy"}
        with pq.ParquetWriter(stream, schema, use_dictionary=_texts(schema), **options) as writer:
            for group in _groups(_merged(runs, schema), schema):
                writer.write_table(group, row_group_size=_ROWS_PER_GROUP)
    return sum(aside.rows for aside in asides)


class _Block(NamedTuple):
    """Some rows of a run, in the file."""

    begin: int
    size: int


class _Run(NamedTuple):
    """Sorted rows in a file: which, the first picture, the blocks."""

    aside: _Aside
    first: int
    blocks: list[_Block]


class _Aside:
    """Sorted runs in an unnamed file."""

    def __init__(self, schema: pa.Schema, block_rows: int) -> None:
        self.rows = 0
        self._schema = schema
        self._block_rows = block_rows
        self._file: IO[bytes] | None = None
        self._end = 0
        self.runs: list[_Run] = []

    def take(self, chunks: Iterable[pa.RecordBatch], most_bytes: int) -> None:
        """Puts aside all of `chunks`, about so many bytes a run."""
        held: list[pa.RecordBatch] = []
        size = 0
        for chunk in chunks:
            held.append(chunk)
            size += chunk.nbytes
            if size >= most_bytes:
                self.put(held)
                held, size = [], 0
        if held:
            self.put(held)

    def put(self, held: list[pa.RecordBatch]) -> None:
        """Sorts what is held and writes it as one more run."""
        import pyarrow as pa

        rows = _by_picture(pa.Table.from_batches(held, self._schema))
        blocks = [self._write(block) for block in rows.to_batches(self._block_rows)]
        if blocks:
            first = int(int64s(rows.column(PICTURE).chunk(0))[0])
            self.runs.append(_Run(self, first, blocks))
        self.rows += rows.num_rows

    def read(self, block: _Block) -> pa.RecordBatch:
        """The rows of a block."""
        import pyarrow as pa

        assert self._file is not None
        with machine_errors("scratch file"):
            data = os.pread(self._file.fileno(), block.size, block.begin)
        return pa.ipc.read_record_batch(pa.py_buffer(data), self._schema)

    def _write(self, rows: pa.RecordBatch) -> _Block:
        if self._file is None:
            self._file = scratch_file()
        begin = self._end
        with machine_errors("scratch file"):
            view = memoryview(rows.serialize())
            while view:
                written = self._file.write(view)
                self._end += written
                view = view[written:]
        return _Block(begin, self._end - begin)


def _merged(runs: Sequence[_Run], schema: pa.Schema) -> Iterator[pa.Table]:
    """All rows in order, in tables of any size; each holds all rows of its pictures."""
    import pyarrow as pa

    # Runs are opened when their pictures come up: of a sorted file, one at a time.
    waiting = sorted(enumerate(runs), key=lambda one: (one[1].first, one[0]), reverse=True)
    cursors: list[_Cursor] = []
    while waiting or cursors:
        bound = min((cursor.bound for cursor in cursors), default=_NO_BOUND)
        if waiting and (not cursors or waiting[-1][1].first <= bound):
            cursors.append(_Cursor(*waiting.pop()))
            cursors.sort(key=lambda cursor: cursor.number)
            continue
        # What stands before the first picture that a run may go on with is complete.
        bound = min(bound, waiting[-1][1].first) if waiting else bound
        parts = [part for cursor in cursors for part in cursor.below(bound)]
        if parts:
            table = pa.Table.from_batches(parts, schema)
            yield table if len(parts) == 1 else _by_picture(table)
        else:
            for cursor in cursors:
                if cursor.bound == bound:
                    cursor.load()
        cursors = [cursor for cursor in cursors if cursor.more()]


class _Cursor:
    """A run that is being read: the blocks of it that are in memory."""

    def __init__(self, number: int, run: _Run) -> None:
        self.number = number
        self._aside = run.aside
        self._blocks = iter(run.blocks)
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
            self._held.append(self._aside.read(block))

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


def _by_picture(table: pa.Table) -> pa.Table:
    """The rows sorted by picture, otherwise in their order."""
    import pyarrow as pa

    table = table.combine_chunks()
    if not len(table):
        return table
    pictures = int64s(table.column(PICTURE).chunk(0))
    if np.all(pictures[1:] >= pictures[:-1]):
        return table
    return table.take(fixed(np.argsort(pictures, kind="stable"), pa.int64()))


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
