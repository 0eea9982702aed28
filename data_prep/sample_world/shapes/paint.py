"""Paint: a fixed colour, or a dye that is chosen when the shape is placed.

A cat has one outline in all colours. So shapes are drawn once with dyes for what
varies, kept, and mixed with real colours for every picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, overload

Rgb = tuple[int, int, int]


class Dye(NamedTuple):
    """What is dyed ("shirt"), and how much darker or lighter than its colour."""

    role: str
    factor: float = 1.0


Paint = Rgb | Dye
Dyes = Mapping[str, Rgb]

MAIN = Dye("main")
"""The colour by which people would call the thing."""


@overload
def shade(paint: Rgb, factor: float) -> Rgb: ...
@overload
def shade(paint: Dye, factor: float) -> Dye: ...
def shade(paint: Paint, factor: float) -> Paint:
    """Darker (`factor` < 1), or lighter (> 1) by that share of what is left to white.

    >>> shade((100, 200, 50), 0.5), shade((100, 200, 50), 1.5)
    ((50, 100, 25), (177, 227, 152))
    >>> shade(MAIN, 0.8)
    Dye(role='main', factor=0.8)
    """
    if isinstance(paint, Dye):
        return Dye(paint.role, factor)
    red, green, blue = paint
    if factor <= 1:
        return int(red * factor), int(green * factor), int(blue * factor)
    share = factor - 1
    return (
        int(red + (255 - red) * share),
        int(green + (255 - green) * share),
        int(blue + (255 - blue) * share),
    )


def mixed(paint: Paint, dyes: Dyes) -> Rgb:
    """The colour that is painted.

    >>> mixed(Dye("shirt", 0.5), {"shirt": (200, 0, 100)})
    (100, 0, 50)
    """
    return shade(dyes[paint.role], paint.factor) if isinstance(paint, Dye) else paint
