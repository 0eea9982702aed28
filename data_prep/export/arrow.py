"""The `.arrow` tables of METER and ViLT, under their file names, with memory that does not grow.

Their writers collect a whole table first (3.3 bytes of memory for every byte of
picture). Here a batch is written as soon as it is large enough, and a reader
that maps the file does not notice.
Source: https://github.com/dandelin/ViLT (DATA.md)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from vle_bench.data_prep.export.arrow_rows import Row, tables_of
from vle_bench.data_prep.prepared import AnySample, Prepared
from vle_bench.shards.read import iter_with_pictures

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_BYTES = 8 << 20
_BATCH_ROWS = 1000

Step = Callable[[], None]


def export_arrow(datasets: Sequence[Prepared], folder: Path, step: Step) -> dict[str, Any]:
    """Writes the tables of every dataset into `folder`.

    Args:
        datasets: Prepared datasets that METER and ViLT read.
        folder: An empty folder.
        step: Called after every picture.

    Returns:
        Rows of each table, and how often something has none, by reason.

    Raises:
        UsageProblem: A dataset they do not read.
        DataProblem: A shard is missing or damaged.
        MachineProblem: The disk refuses.
    """
    rows: dict[str, int] = {}
    left_out: Counter[str] = Counter()
    kinds = [tables_of(dataset) for dataset in datasets]
    for dataset, kind in zip(datasets, kinds, strict=True):
        schema = kind.schema()
        with _Writers(folder, schema) as writers:
            for split in dataset.splits:
                for name in kind.always(split):
                    writers.open(name)
                for sample, picture in iter_with_pictures(dataset.folder, split, AnySample):
                    for row in kind.rows(sample, picture):
                        writers.add(row)
                    step()
            rows |= writers.rows
        left_out += kind.left_out
    return {"rows": rows, "without_a_row": dict(left_out)}


class _Writers:
    """The tables that are being written; a context manager."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._folder, self._schema = folder, schema
        self._open: dict[str, _Table] = {}
        self.rows: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for table in self._open.values():
            table.close()

    def open(self, name: str) -> _Table:
        """The table of that name; begun where there is none yet."""
        if name not in self._open:
            self._open[name] = _Table(self._folder / f"{name}.arrow", self._schema)
            self.rows[name] = 0
        return self._open[name]

    def add(self, row: Row) -> None:
        """Appends one row to its table."""
        self.open(row.table).add(row.values)
        self.rows[row.table] += 1


class _Table:
    """One file of record batches."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow as pa

        self._schema = schema
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._sink, schema)
        self._batch: list[dict[str, Any]] = []
        self._bytes = 0

    def add(self, values: dict[str, Any]) -> None:
        self._batch.append(values)
        self._bytes += len(values["image"])
        if self._bytes >= _BATCH_BYTES or len(self._batch) >= _BATCH_ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()
        self._sink.close()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._batch:
            self._writer.write_batch(pa.RecordBatch.from_pylist(self._batch, self._schema))
        self._batch, self._bytes = [], 0
