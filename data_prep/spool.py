"""Rows that wait on disk: by the number of their shard, or sorted by an order of their own.

Millions of rows for the indexes come into being in one order and are written in
another, and as Python tuples they take a kilobyte each. They wait packed in an
unnamed file; what is sorted is sorted a run at a time, and the runs are merged
while they are read.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from vle_bench.errors import machine_errors
from vle_bench.scratch import scratch_file, write_whole

Row = TypeVar("Row", bound=tuple[object, ...])
Item = TypeVar("Item")

MOST_ROWS_HELD: Final = 16_384
"""Rows of a run; more are never held while they are added."""

_BLOCK_ROWS: Final = 128
"""Rows of one run that are held while runs are merged."""

_ENCODER = msgspec.msgpack.Encoder()


class _Block(NamedTuple):
    begin: int
    size: int


class _Blocks(Generic[Row]):
    """Lists of rows in an unnamed file."""

    def __init__(self, kind: type[Row]) -> None:
        many: Any = list[kind]  # type: ignore[valid-type]  # a runtime type
        self._decoder: msgspec.msgpack.Decoder[list[Row]] = msgspec.msgpack.Decoder(many)
        self._file: IO[bytes] | None = None
        self._end = 0

    def write(self, rows: Sequence[Row]) -> _Block:
        """Writes some rows at the end.

        Raises:
            MachineProblem: The disk refuses.
        """
        if self._file is None:
            self._file = scratch_file()
        data = _ENCODER.encode(rows)
        block = _Block(self._end, len(data))
        write_whole(self._file, data)
        self._end += len(data)
        return block

    def read(self, block: _Block) -> list[Row]:
        assert self._file is not None
        with machine_errors("scratch file"):
            return self._decoder.decode(os.pread(self._file.fileno(), block.size, block.begin))


class NumberedRows(Generic[Row]):
    """Rows that come shard by shard in any order, and leave in the order of the shards.

    Args:
        kind: Their type, a NamedTuple of plain values.

    >>> class Pair(NamedTuple):
    ...     a: int
    ...     b: str
    >>> rows = NumberedRows(Pair)
    >>> rows.add(1, [Pair(3, "z")])
    >>> rows.add(0, [Pair(1, "x"), Pair(2, "y")])
    >>> [row.b for row in rows], len(rows)
    (['x', 'y', 'z'], 3)
    """

    def __init__(self, kind: type[Row]) -> None:
        self._blocks = _Blocks(kind)
        self._known: dict[int, _Block] = {}
        self._count = 0

    def add(self, number: int, rows: Sequence[Row]) -> None:
        """Takes the rows of the shard of that number, which comes once.

        Raises:
            MachineProblem: The disk refuses.
        """
        if rows:
            self._known[number] = self._blocks.write(rows)
            self._count += len(rows)

    def __iter__(self) -> Iterator[Row]:
        for _, block in sorted(self._known.items()):
            yield from self._blocks.read(block)

    def __len__(self) -> int:
        return self._count


class SortedRows(Generic[Row]):
    """Rows that come in any order and leave sorted; equal ones in the order in which they came.

    Args:
        kind: Their type, a NamedTuple of plain values.
        order: The sorting key.
        most_rows: Rows held in memory.
    """

    def __init__(
        self,
        kind: type[Row],
        order: Callable[[Row], Any],
        *,
        most_rows: int = MOST_ROWS_HELD,
    ) -> None:
        self._order = order
        self._most_rows = most_rows
        self._blocks = _Blocks(kind)
        self._runs: list[list[_Block]] = []
        self._held: list[Row] = []
        self._count = 0

    def add(self, row: Row) -> None:
        """Takes one row.

        Raises:
            MachineProblem: The disk refuses.
        """
        self._held.append(row)
        self._count += 1
        if len(self._held) > self._most_rows:
            self._held.sort(key=self._order)
            starts = range(0, len(self._held), _BLOCK_ROWS)
            parts = (self._held[start : start + _BLOCK_ROWS] for start in starts)
            self._runs.append([self._blocks.write(part) for part in parts])
            self._held = []

    def extend(self, rows: Iterable[Row]) -> None:
        """Takes several rows."""
        for row in rows:
            self.add(row)

    def __iter__(self) -> Iterator[Row]:
        last = sorted(self._held, key=self._order)
        # Of equal rows, merge takes those of the earlier run first.
        return heapq.merge(*map(self._run, self._runs), last, key=self._order)

    def __len__(self) -> int:
        return self._count

    def _run(self, blocks: Iterable[_Block]) -> Iterator[Row]:
        for block in blocks:
            yield from self._blocks.read(block)


class Reread(Generic[Item]):
    """What a function yields, from the beginning each time it is iterated over.

    >>> again = Reread(lambda: iter("ab"))
    >>> list(again), list(again)
    (['a', 'b'], ['a', 'b'])
    """

    def __init__(self, make: Callable[[], Iterator[Item]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Item]:
        return self._make()
