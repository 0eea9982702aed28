"""Boxes: one convention inside, conversions at the border that name both sides.

A `Box` is two corners in absolute pixels of the picture matrix as stored,
origin top left, x to the right, y down; `x1` and `y1` are the far edges, so the
width is `x1 - x0`. COCO, Visual Genome and our shards write `x, y, w, h`; VCR
writes corners and a score.
"""

from __future__ import annotations

import math

import msgspec

SIDEWAYS = frozenset({5, 6, 7, 8})
"""EXIF orientations under which the shown picture has width and height swapped."""
_QUARTER_TURNS = {6: 8, 8: 6}


class Box(msgspec.Struct, frozen=True):
    """A rectangle in pixels; `x1 < x0` or `y1 < y0` says that the source was reversed."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """Width in pixels, negative when reversed."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Height in pixels, negative when reversed."""
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        """Area in square pixels; 0 for an empty or reversed box."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    def is_finite(self) -> bool:
        """Whether all four corners are numbers (neither NaN nor infinite)."""
        return all(map(math.isfinite, (self.x0, self.y0, self.x1, self.y1)))

    def clipped(self, width: float, height: float) -> Box:
        """The part inside a picture of `width` x `height` pixels; empty when wholly outside.

        >>> Box(-2, 1, 5, 9).clipped(4, 4)
        Box(x0=0, y0=1, x1=4, y1=4)
        """
        return Box(
            min(max(self.x0, 0), width),
            min(max(self.y0, 0), height),
            min(max(self.x1, 0), width),
            min(max(self.y1, 0), height),
        )

    def is_within(self, width: float, height: float) -> bool:
        """Whether the box lies inside a picture of that size, edges included."""
        return 0 <= self.x0 <= self.x1 <= width and 0 <= self.y0 <= self.y1 <= height


def from_xywh(x: float, y: float, w: float, h: float) -> Box:
    """COCO's and Visual Genome's corner and size to a `Box`.

    >>> from_xywh(10, 20, 30, 40)
    Box(x0=10, y0=20, x1=40, y1=60)
    """
    return Box(x, y, x + w, y + h)


def to_xywh(box: Box) -> tuple[float, float, float, float]:
    """A `Box` to corner and size, as the shards store it.

    >>> to_xywh(Box(10, 20, 40, 60))
    (10, 20, 30, 40)
    """
    return box.x0, box.y0, box.width, box.height


def shown_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Size of the picture as a viewer that honours EXIF shows it.

    >>> shown_size(640, 480, 6)
    (480, 640)
    """
    return (height, width) if orientation in SIDEWAYS else (width, height)


def to_shown(box: Box, width: int, height: int, orientation: int) -> Box:
    """A box of the pixel matrix as stored, to the picture as a viewer that honours EXIF shows it.

    For readers that turn pictures when they decode them, as `datasets` does; their frame has
    `shown_size`. The arguments are those of `from_shown`, which undoes it.

    Raises:
        ValueError: The orientation is none of 1 to 8.

    >>> to_shown(Box(0, 470, 20, 480), 640, 480, 6)
    Box(x0=0, y0=0, x1=10, y1=20)
    """
    # Shown and stored change places: a quarter turn is undone by the other one, the rest by itself.
    back = _QUARTER_TURNS.get(orientation, orientation)
    return from_shown(box, *shown_size(width, height, orientation), back)


def from_shown(box: Box, width: int, height: int, orientation: int) -> Box:
    """A box drawn on the picture as shown, to the pixel matrix as stored.

    Args:
        box: The box in the frame a viewer that honours EXIF shows.
        width: Width of the stored matrix in pixels.
        height: Height of the stored matrix in pixels.
        orientation: EXIF orientation, 1 to 8 (CIPA DC-008, tag 0x0112).

    Raises:
        ValueError: The orientation is none of 1 to 8.

    >>> from_shown(Box(0, 0, 10, 20), 640, 480, 6)
    Box(x0=0, y0=470, x1=20, y1=480)
    """
    u0, v0, u1, v1 = box.x0, box.y0, box.x1, box.y1
    match orientation:
        case 1:
            return box
        case 2:
            return Box(width - u1, v0, width - u0, v1)
        case 3:
            return Box(width - u1, height - v1, width - u0, height - v0)
        case 4:
            return Box(u0, height - v1, u1, height - v0)
        case 5:
            return Box(v0, u0, v1, u1)
        case 6:
            return Box(v0, height - u1, v1, height - u0)
        case 7:
            return Box(width - v1, height - u1, width - v0, height - u0)
        case 8:
            return Box(width - v1, u0, width - v0, u1)
        case _:
            raise ValueError(f"EXIF orientation {orientation}, one of 1 to 8 was expected")
