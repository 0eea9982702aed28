"""Progress in bytes: how far a large file has been read, or many files together.

Shown on a terminal only, with rate and time left. A file that is read in a moment
has no bar; one that is read again, or from its middle, has its bar follow.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

LEAST_BYTES = 8 << 20
"""Smaller files are read before a bar could be looked at."""

_PIECE_BYTES = 4 << 20


class ByteBar:
    """A bar over `size` bytes; `reach` moves it, and at the end it goes away by itself.

    Args:
        size: Bytes in all.
        what: What is read, in a word or two.
        least: No bar below so many bytes.
    """

    def __init__(self, size: int, what: str, *, least: int = LEAST_BYTES) -> None:
        self._size = size
        self._what = what
        self._watched = size >= least
        self._bar: Any = None

    def reach(self, at: int) -> None:
        """Everything before `at` is done."""
        if not self._watched or not sys.stderr.isatty():
            return
        if self._bar is None:
            self._bar = _drawn(self._size, self._what)
        self._bar.update(min(at, self._size) - self._bar.n)
        if at >= self._size:
            self.close()

    def close(self) -> None:
        """Takes the bar away; another `reach` begins a new one."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def sha256_watched(path: Path, what: str) -> str:
    """Lower-case hex digest of a file's bytes, read in pieces behind a bar.

    Args:
        path: The file.
        what: What is done, in a word or two.
    """
    digest, at = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as stream:
        bar = ByteBar(path.stat().st_size, what)
        try:
            while piece := stream.read(_PIECE_BYTES):
                digest.update(piece)
                at += len(piece)
                bar.reach(at)
        finally:
            bar.close()
    return digest.hexdigest()


def _drawn(size: int, what: str) -> Any:
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # see console.counted: no thread may outlive us
    return tqdm(total=size, desc=what, unit="B", unit_scale=True, leave=False)
