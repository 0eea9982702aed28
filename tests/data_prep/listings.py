"""Folders whose names come in another order, as they do on another disk."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from unittest.mock import patch


@contextmanager
def shuffled_listings(seed: int) -> Iterator[None]:
    """Within, `os.scandir` tells what is in a folder in an order drawn from the seed."""
    listing = os.scandir

    class Shuffled:
        """What `os.scandir` gives: an iterator, used in a `with` or without (pathlib does both)."""

        def __init__(self, folder: Any = ".") -> None:
            with listing(folder) as entries:
                self._entries = list(entries)
            random.Random(seed).shuffle(self._entries)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self.close()

        def __iter__(self) -> Self:
            return self

        def __next__(self) -> os.DirEntry[str]:
            if not self._entries:
                raise StopIteration
            return self._entries.pop()

        def close(self) -> None:
            self._entries.clear()

    with patch("os.scandir", Shuffled):
        yield
