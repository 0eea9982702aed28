"""Raw pictures with their sha256, read by a thread a little ahead of the one who packs them.

Reading and hashing let other threads run, so they cost the packer nothing where
a core is free. What lies ready is bounded in bytes, since pictures are of any size.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from vle_bench.canonical import sha256_bytes
from vle_bench.data_prep.picture import read_picture
from vle_bench.data_prep.sources import PictureFile

_MOST_AHEAD = 4 << 20
"""Bytes of pictures that may lie ready; one picture always may."""


_SEEN_BY_MALLOC = 24 << 20


class Fetched(NamedTuple):
    """The bytes of a raw picture and their sha256."""

    data: bytes
    digest: str


class Wanted(NamedTuple):
    """A raw picture and its size as it looks from outside."""

    file: PictureFile
    size: int


class ReadAhead:
    """Hands out pictures in the order in which they were wanted. Made by `read_ahead`."""

    def __init__(self, thread: ThreadPoolExecutor, wanted: Iterable[Wanted]) -> None:
        self._thread = thread
        self._left = iter(wanted)
        self._ready: deque[tuple[Future[Fetched], int]] = deque()
        self._size = 0

    def take(self) -> Fetched:
        """The next picture.

        Raises:
            BadPicture: As `read_picture`; the one after it can be taken all the same.
            MachineProblem: Likewise.
            IndexError: No more was wanted.
        """
        self._fill()
        future, size = self._ready.popleft()
        self._size -= size
        self._fill()
        return future.result()

    def _fill(self) -> None:
        while self._size < _MOST_AHEAD:
            one = next(self._left, None)
            if one is None:
                return
            self._ready.append((self._thread.submit(_fetch, one.file), one.size))
            self._size += one.size


@contextmanager
def read_ahead(wanted: Iterable[Wanted]) -> Iterator[ReadAhead]:
    """Pictures in their order; nothing is read after the block, however it ends.

    Args:
        wanted: The pictures; consumed a little ahead of what is taken.
    """
    # glibc hands freed memory back and asks for it anew, page by page, until it has seen a block
    # as large as this come and go. It is never touched, so it costs nothing.
    bytes(_SEEN_BY_MALLOC)
    with ThreadPoolExecutor(1, "read-ahead") as thread:
        try:
            yield ReadAhead(thread, wanted)
        finally:
            thread.shutdown(wait=True, cancel_futures=True)


def _fetch(file: PictureFile) -> Fetched:
    data = read_picture(file)
    return Fetched(data, sha256_bytes(data))
