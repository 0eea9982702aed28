"""Rows gathered by picture: the one place that holds what many files say of each.

Sources come in their own order, samples leave in the order of pictures; between
the two, every row has to wait somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Joined(Generic[T]):
    """Rows gathered by image, in the order in which they were added."""

    def __init__(self) -> None:
        self._rows: dict[int, list[T]] = {}

    def add(self, image: int, row: T) -> None:
        """Adds one row of an image."""
        self._rows.setdefault(image, []).append(row)

    def of(self, image: int) -> Sequence[T]:
        """The rows of an image, () where there are none."""
        return self._rows.get(image, ())
