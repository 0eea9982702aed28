"""A file that is written and hashed in a thread of its own, behind whoever makes its bytes.

Writing and sha256 take as long as everything else about a shard, and both let
other threads run meanwhile. Bytes are handed over by the megabyte, because
passing something to a thread costs as much as hashing ten kilobytes; what waits
is bounded, so a fast maker does not fill the memory.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import BinaryIO

_BATCH = 1 << 20
_LARGE = 4 << 20
"""Bytes from which on a batch holds a huge picture, which is not copied."""
_MOST_AHEAD = 8
"""Batches that may wait."""
_BEGIN_WRITING = 8 << 20
"""Bytes after which the system is told to send what it holds to the disk."""


class Behind:
    """The end of a file, which grows by what is added. Made by `behind`."""

    def __init__(self, stream: BinaryIO, thread: ThreadPoolExecutor) -> None:
        self._stream = stream
        self._thread = thread
        self._digest = hashlib.sha256()
        self._waiting: deque[Future[None]] = deque()
        self._batch: list[bytes] = []
        self._size = 0
        self._written = 0
        self._begun = 0

    def add(self, *pieces: bytes) -> None:
        """Adds bytes at the end. They must not be changed afterwards.

        Raises:
            OSError: What an earlier piece met when it was written.
        """
        self._batch += pieces
        self._size += sum(map(len, pieces))
        if self._size >= _BATCH:
            self._hand_over()

    def finish(self) -> str:
        """The sha256 in lower-case hex, once all bytes were written.

        Raises:
            OSError: The disk refused some of them.
        """
        self._hand_over()
        while self._waiting:
            self._waiting.popleft().result()
        return self._digest.hexdigest()

    def _hand_over(self) -> None:
        while len(self._waiting) >= _MOST_AHEAD:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(self._take, self._batch, self._size))
        self._batch, self._size = [], 0

    def _take(self, batch: Sequence[bytes], size: int) -> None:
        # A write and an update each give the interpreter away and wait to have it back, and so
        # does the maker then; to copy a megabyte is cheaper than to do both for every piece.
        for piece in batch if size >= _LARGE else (b"".join(batch),):
            self._stream.write(piece)
            self._digest.update(piece)
            self._written += len(piece)
        if self._written - self._begun >= _BEGIN_WRITING:
            _begin_writing(self._stream, self._begun, self._written)
            self._begun = self._written


@contextmanager
def behind(stream: BinaryIO) -> Iterator[Behind]:
    """Writes to `stream` in a thread that has ended when the block has, however it ends.

    Args:
        stream: Nobody else may touch it inside the block.

    >>> import io
    >>> with behind(io.BytesIO()) as end:
    ...     end.add(b"a", b"bc")
    ...     end.finish()[:8]
    'ba7816bf'
    """
    thread = ThreadPoolExecutor(1, "behind")
    try:
        yield Behind(stream, thread)
    finally:
        thread.shutdown(cancel_futures=True)


def _begin_writing(stream: BinaryIO, begin: int, end: int) -> None:
    """Sends these bytes on their way to the disk, so that the last fsync finds little to do.

    Linux begins to write when it is told that pages are not needed; it drops none before that.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(stream.fileno(), begin, end - begin, os.POSIX_FADV_DONTNEED)
