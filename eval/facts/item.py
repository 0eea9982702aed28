"""What can be asked of references about one item; here the answers of a task that has none."""

from __future__ import annotations

from typing import Any

Rectangle = tuple[float, float, float, float]
"""Left, top, width and height as shares of the picture, from 0 to 1 within it."""


class Facts:
    """Facts of no item; kinds of references that can be read again know more.

    Attributes:
        note: Why nothing is known; "" where something is, or where nothing was expected.
    """

    def __init__(self, note: str = "") -> None:
        self.note = note

    def question(self, name: str, group: str) -> str:
        """What an item of a group asked; "" where that is not known."""
        del name, group
        return ""

    def gold(self, name: str, group: str) -> list[list[Any]]:
        """Right answers, each with how many gave it (VCR: 1 for the right choice, else 0)."""
        del name, group
        return []

    def right(self, name: str, group: str) -> list[str]:
        """What is right of an item, as predictions name it, and what it says."""
        del name, group
        return []

    def words(self, prediction: str, group: str) -> str:
        """What a predicted id says; "" where a prediction is words already."""
        del prediction, group
        return ""

    def marks(self, name: str, group: str) -> list[Rectangle]:
        """What an item is about, in its picture."""
        del name, group
        return []

    def spot(self, name: str, prediction: str) -> Rectangle | None:
        """Where a prediction points, in the item's picture; None where it does not."""
        del name, prediction
        return None
