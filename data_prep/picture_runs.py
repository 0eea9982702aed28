"""Rows sorted by picture, a few megabytes at a time, put aside in an unnamed file.

What is in the file is told by a list of runs, small enough to be sent to another
process: the one that holds the same file open reads what the other has written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Final, NamedTuple

import numpy as np

from vle_bench.arrow_columns import fixed, int64s
from vle_bench.errors import machine_errors
from vle_bench.scratch import scratch_file, write_whole

if TYPE_CHECKING:
    import pyarrow as pa

PICTURE: Final = "image_id"
"""The column that tables are sorted by: 64-bit integers, none absent."""

MOST_BYTES_HELD: Final = 3 << 20
"""Columns kept in memory before a run is put aside."""

ROWS_PER_BLOCK: Final = 2048


class Block(NamedTuple):
    """Some rows of a run, in the file."""

    begin: int
    size: int


class Run(NamedTuple):
    """Sorted rows in the file: the first picture, how many rows, the blocks."""

    first: int
    rows: int
    blocks: list[Block]


class PictureRuns:
    """Sorted runs in an unnamed file.

    Args:
        schema: The columns, `image_id` among them.
        stream: The file, empty or with what another process has written; None for one of its own.
        written: The runs in it.
        block_rows: Rows of a run that are read back at once.

    Attributes:
        runs: What was put aside, in the order of its coming.
    """

    def __init__(
        self,
        schema: pa.Schema,
        stream: IO[bytes] | None = None,
        written: Iterable[Run] = (),
        *,
        block_rows: int = ROWS_PER_BLOCK,
    ) -> None:
        self.runs: list[Run] = list(written)
        self._schema = schema
        self._block_rows = block_rows
        self._stream = stream
        self._end = 0

    def take(self, chunks: Iterable[pa.RecordBatch], *, most_bytes: int = MOST_BYTES_HELD) -> None:
        """Puts aside all of `chunks`, about so many bytes a run.

        Raises:
            MachineProblem: The disk refuses.
        """
        held: list[pa.RecordBatch] = []
        size = 0
        for chunk in chunks:
            held.append(chunk)
            size += chunk.nbytes
            if size >= most_bytes:
                self._put(held)
                held, size = [], 0
        if held:
            self._put(held)

    def read(self, block: Block) -> pa.RecordBatch:
        """The rows of a block."""
        import pyarrow as pa

        assert self._stream is not None
        with machine_errors("scratch file"):
            data = os.pread(self._stream.fileno(), block.size, block.begin)
        return pa.ipc.read_record_batch(pa.py_buffer(data), self._schema)

    def _put(self, held: list[pa.RecordBatch]) -> None:
        """Sorts what is held and writes it as one more run."""
        import pyarrow as pa

        rows = sorted_by_picture(pa.Table.from_batches(held, self._schema))
        blocks = [self._write(block) for block in rows.to_batches(self._block_rows)]
        if blocks:
            first = int(int64s(rows.column(PICTURE).chunk(0))[0])
            self.runs.append(Run(first, len(rows), blocks))

    def _write(self, rows: pa.RecordBatch) -> Block:
        if self._stream is None:
            self._stream = scratch_file()
        data = rows.serialize()
        write_whole(self._stream, data)
        begin, self._end = self._end, self._end + data.size
        return Block(begin, data.size)


def sorted_by_picture(table: pa.Table) -> pa.Table:
    """The rows sorted by picture, otherwise in their order."""
    import pyarrow as pa

    table = table.combine_chunks()
    if not len(table):
        return table
    pictures = int64s(table.column(PICTURE).chunk(0))
    if np.all(pictures[1:] >= pictures[:-1]):
        return table
    return table.take(fixed(np.argsort(pictures, kind="stable"), pa.int64()))
