"""Pictures in a column of a Parquet file, as img2dataset's output format `parquet` keeps them.

A row group is read in order, a page and a few rows at a time, so memory does not
depend on its length. The last place that was read stays open: pictures that are asked for in
the order of the rows are read once, in any other order their row group is read
from its beginning each time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vle_bench.errors import machine_errors

_ROWS = 16
"""Rows that are held at a time."""
_BUFFER = 1 << 18


class ParquetCell(NamedTuple):
    """Where a picture stands in its file.

    Attributes:
        column: The column.
        group: The row group.
        row: The row in it, from 0.
        length: About how many bytes it has: the mean of the file, which says nothing of one.
    """

    column: str
    group: int
    row: int
    length: int


class DamagedTable(Exception):
    """The bytes of a picture cannot be read out of its table."""


class _Group:
    """A column of a row group that is read forwards.

    Attributes:
        what: File, mtime, column and row group.
        next: The first row that was not passed.
    """

    def __init__(self, what: tuple[str, int, str, int], cells: Iterator[Any]) -> None:
        self.what = what
        self.next = 0
        self._cells = cells

    def cell(self, row: int) -> Any:
        """The cell of a row that was not passed; raises DamagedTable where there is none."""
        for value in self._cells:
            self.next += 1
            if self.next > row:
                return value
        raise DamagedTable


_OPEN = threading.local()


def read_cell(path: str, cell: ParquetCell) -> bytes:
    """The bytes of a picture; b"" where its cell is empty.

    Raises:
        DamagedTable: The file is damaged there.
        DataProblem: It is gone.
        MachineProblem: It cannot be read.
    """
    with machine_errors(path):
        stamp = Path(path).stat().st_mtime_ns
    what = (path, stamp, cell.column, cell.group)
    last: _Group | None = getattr(_OPEN, "last", None)
    if last is None or last.what != what or last.next > cell.row:
        last = _Group(what, _cells(path, cell.column, cell.group))
    _OPEN.last = None  # what fails is not gone on with
    value = last.cell(cell.row)
    _OPEN.last = last
    return value if isinstance(value, bytes) else b""


def _cells(path: str, column: str, group: int) -> Iterator[Any]:
    """The cells of a row group."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with machine_errors(path), Path(path).open("rb") as stream:
        try:
            # Without a buffer, all of a column's bytes in a row group are read at once.
            with pq.ParquetFile(stream, buffer_size=_BUFFER, pre_buffer=False) as table:
                for batch in table.iter_batches(_ROWS, row_groups=[group], columns=[column]):
                    for value in batch.column(0):
                        yield value.as_py()
        except OSError as error:
            if error.errno is not None:
                raise
            raise DamagedTable from error  # Arrow's word for pages that cannot be unpacked
        except (pa.ArrowException, IndexError) as error:
            raise DamagedTable from error
