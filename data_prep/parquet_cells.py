"""Pictures in a column of a Parquet file, as img2dataset's output format `parquet` keeps them.

It writes a row group of a hundred pictures as they come in, so neighbours in the
list stand in one of the next few groups: the last small groups that were read are
held. A large one is read forwards, a page and a few rows at a time, so memory does
not depend on its length; pictures of it in any other order than that of its rows
are each read from its beginning.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vle_bench.errors import machine_errors

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_ROWS = 16
"""Rows that are held at a time."""
_BUFFER = 1 << 18
_SMALL, _MOST_HELD, _MOST_GROUPS = 1 << 24, 1 << 26, 64
"""Bytes of a row group that is held whole, and of all that a thread holds; and their number."""


class ParquetCell(NamedTuple):
    """Where a picture stands in its file.

    Attributes:
        column: The column.
        group: The row group.
        row: The row in it, from 0.
        length: About how many bytes it has: a row's mean in the file, which says nothing of one.
    """

    column: str
    group: int
    row: int
    length: int


class DamagedTable(Exception):
    """The bytes of a picture cannot be read out of its table."""


class _What(NamedTuple):
    """A column of a row group in a file as it was at a time (its mtime)."""

    path: str
    stamp: int
    column: str
    group: int


class _Group:
    """A large row group that is read forwards.

    Attributes:
        what: Which one.
        next: The first row that was not passed.
    """

    def __init__(self, what: _What) -> None:
        self.what = what
        self.next = 0
        self._cells = _cells(what)

    def cell(self, row: int) -> Any:
        """The cell of a row that was not passed; raises DamagedTable where there is none."""
        for value in self._cells:
            self.next += 1
            if self.next > row:
                return value
        raise DamagedTable


class _Open(threading.local):
    """What a thread keeps: the small groups it read last, and the large one it reads."""

    def __init__(self) -> None:
        self.small: OrderedDict[_What, pa.ChunkedArray[Any] | None] = OrderedDict()
        self.large: _Group | None = None

    def hold(self, what: _What, cells: pa.ChunkedArray[Any] | None) -> None:
        """Keeps a group, and no more of the others than there is room for."""
        self.small[what] = cells
        size = sum(map(_bytes_of, self.small.values()))
        while size > _MOST_HELD or len(self.small) > _MOST_GROUPS:
            size -= _bytes_of(self.small.popitem(last=False)[1])


_OPEN = _Open()


def read_cell(path: str, cell: ParquetCell) -> bytes:
    """The bytes of a picture; b"" where its cell is empty.

    Raises:
        DamagedTable: The file is damaged there.
        DataProblem: It is gone.
        MachineProblem: It cannot be read.
    """
    with machine_errors(path):
        stamp = Path(path).stat().st_mtime_ns
    what = _What(path, stamp, cell.column, cell.group)
    if what not in _OPEN.small:
        _OPEN.hold(what, _whole(what))
    _OPEN.small.move_to_end(what)
    held = _OPEN.small[what]
    value = _forwards(what, cell.row) if held is None else _at(held, cell.row)
    return value if isinstance(value, bytes) else b""


def _at(held: pa.ChunkedArray[Any], row: int) -> Any:
    if row >= len(held):
        raise DamagedTable
    return held[row].as_py()


def _forwards(what: _What, row: int) -> Any:
    """A cell of a large group, or of one that is damaged: what stands before the damage is good."""
    large = _OPEN.large
    if large is None or large.what != what or large.next > row:
        large = _Group(what)
    _OPEN.large = None  # what fails is not gone on with
    value = large.cell(row)
    _OPEN.large = large
    return value


def _bytes_of(held: pa.ChunkedArray[Any] | None) -> int:
    return 0 if held is None else held.nbytes


def _whole(what: _What) -> pa.ChunkedArray[Any] | None:
    """A small row group; None for a large one, or one that cannot be read as a whole."""
    import pyarrow as pa

    held: list[pa.Array[Any]] = []
    size = 0
    try:
        with _opened(what) as table:
            # A damaged footer's word on the column alone would end the process.
            if table.metadata.row_group(what.group).total_byte_size > _SMALL:
                return None
            # What it says of itself may be much less than it unpacks to.
            for column in _columns(table, what):
                held.append(column)
                size += column.nbytes
                if size > _SMALL:
                    return None
    except DamagedTable:
        return None
    return pa.chunked_array(held, type=held[0].type if held else pa.binary())


def _cells(what: _What) -> Iterator[Any]:
    """The cells of a row group."""
    with _opened(what) as table:
        for column in _columns(table, what):
            for value in column:
                yield value.as_py()


def _columns(table: pq.ParquetFile, what: _What) -> Iterator[pa.Array[Any]]:
    """The column of a row group, a few rows at a time."""
    for batch in table.iter_batches(_ROWS, row_groups=[what.group], columns=[what.column]):
        yield batch.column(0)


@contextmanager
def _opened(what: _What) -> Iterator[pq.ParquetFile]:
    """The file; what Arrow cannot make sense of in it is a DamagedTable."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with machine_errors(what.path), Path(what.path).open("rb") as stream:
        try:
            # Without a buffer, all of a column's bytes in a row group are read at once.
            with pq.ParquetFile(stream, buffer_size=_BUFFER, pre_buffer=False) as table:
                yield table
        except OSError as error:
            if error.errno is not None:
                raise
            raise DamagedTable from error  # Arrow's word for pages that cannot be unpacked
        except (pa.ArrowException, IndexError) as error:
            raise DamagedTable from error
