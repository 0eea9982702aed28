"""Digests taken in threads of their own, beside the work that makes the bytes.

hashlib lets other threads run while it reads more than two kilobytes, and a
shard's digests take as long as everything else about it. Bytes are handed over
by the megabyte, because passing something to a thread costs as much as hashing
ten kilobytes; what waits is bounded, so a fast maker does not fill the memory.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Protocol

_BATCH = 1 << 20
_MOST_AHEAD = 8
"""Batches that may wait for each algorithm."""


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


class _Lane:
    """One algorithm and the thread in which it runs."""

    def __init__(self, algorithm: str, thread: ThreadPoolExecutor) -> None:
        self._digest: _Digest = hashlib.new(algorithm, usedforsecurity=False)
        self._thread = thread
        self._waiting: deque[Future[None]] = deque()

    def add(self, batch: Sequence[bytes]) -> None:
        while len(self._waiting) >= _MOST_AHEAD:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(self._take, batch))

    def finish(self) -> str:
        while self._waiting:
            self._waiting.popleft().result()
        return self._digest.hexdigest()

    def _take(self, batch: Sequence[bytes]) -> None:
        for piece in batch:
            self._digest.update(piece)


class Digests:
    """Several digests of one stream of bytes. Made by `digests`."""

    def __init__(self, lanes: Sequence[_Lane]) -> None:
        self._lanes = tuple(lanes)
        self._batch: list[bytes] = []
        self._size = 0

    def update(self, piece: bytes) -> None:
        """Adds bytes at the end. They must not be changed afterwards."""
        self._batch.append(piece)
        self._size += len(piece)
        if self._size >= _BATCH:
            self._hand_over()

    def finish(self) -> tuple[str, ...]:
        """The digests in lower-case hex, in the order in which they were asked for."""
        self._hand_over()
        return tuple(lane.finish() for lane in self._lanes)

    def _hand_over(self) -> None:
        if not self._batch:
            return
        for lane in self._lanes:
            lane.add(self._batch)
        self._batch, self._size = [], 0


@contextmanager
def digests(*algorithms: str) -> Iterator[Digests]:
    """Digests by these algorithms; their threads have ended when the block has, however it ends.

    Args:
        algorithms: Names that hashlib knows.

    >>> with digests("md5") as taken:
    ...     taken.update(b"abc")
    ...     taken.finish()
    ('900150983cd24fb0d6963f7d28e17f72',)
    """
    with ExitStack() as threads:
        lanes = [
            _Lane(name, threads.enter_context(ThreadPoolExecutor(1, f"digest-{name}")))
            for name in algorithms
        ]
        yield Digests(lanes)
