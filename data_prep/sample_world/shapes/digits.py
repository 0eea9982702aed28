"""Digits made of seven bars, so that no font of the machine decides how a picture looks."""

from __future__ import annotations

from vle_bench.data_prep.sample_world.shapes.geometry import Part, Point, rectangle
from vle_bench.data_prep.sample_world.shapes.paint import Paint

_BARS = {
    "a": (0.0, 0.0, 1.0, 0.2),
    "b": (0.72, 0.0, 1.0, 1.0),
    "c": (0.72, 1.0, 1.0, 2.0),
    "d": (0.0, 1.8, 1.0, 2.0),
    "e": (0.0, 1.0, 0.28, 2.0),
    "f": (0.0, 0.0, 0.28, 1.0),
    "g": (0.0, 0.9, 1.0, 1.1),
}
_LIT = {
    "0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc",
    "5": "afgcd", "6": "afgedc", "7": "abc", "8": "abcdefg", "9": "abfgcd",
}  # fmt: skip


def digit_parts(digits: str, at: Point, height: float, paint: Paint) -> list[Part]:
    """Bars that spell `digits` from the top left corner `at`; each digit is half as wide as high.

    >>> len(digit_parts("17", (0, 0), 1.0, (0, 0, 0)))
    5
    """
    unit = height / 2
    parts = []
    for place, digit in enumerate(digits):
        left = at[0] + place * unit * 1.36
        for bar in _LIT[digit]:
            x0, y0, x1, y1 = _BARS[bar]
            outline = rectangle(
                left + x0 * unit, at[1] + y0 * unit, left + x1 * unit, at[1] + y1 * unit
            )
            parts.append(Part(outline, paint, body=False))
    return parts
