"""Ten colours that nobody confuses, with the words for them.

Red and orange, brown and black are kept far enough apart that a small picture at
JPEG quality 88 still shows which is which.
"""

from __future__ import annotations

import random
from types import MappingProxyType

from vle_bench.data_prep.sample_world.shapes.paint import Rgb

COLOURS: MappingProxyType[str, Rgb] = MappingProxyType(
    {
        "red": (206, 38, 42),
        "orange": (243, 140, 28),
        "yellow": (248, 216, 52),
        "green": (52, 148, 66),
        "blue": (44, 92, 200),
        "purple": (128, 58, 168),
        "pink": (246, 150, 196),
        "brown": (122, 76, 42),
        "black": (38, 38, 44),
        "white": (246, 246, 242),
    }
)
COLOUR_NAMES = tuple(COLOURS)

GREY: Rgb = (128, 130, 136)
DARK: Rgb = (44, 44, 50)
GLASS: Rgb = (176, 212, 232)
SKIN_TONES: tuple[Rgb, ...] = ((246, 208, 176), (224, 172, 130), (172, 116, 78), (112, 72, 50))
HAIR_TONES: tuple[Rgb, ...] = ((40, 32, 28), (92, 58, 32), (214, 172, 84), (168, 84, 40))

_CONTRAST = 78.0


def tint(name: str, rng: random.Random, spread: int = 9) -> Rgb:
    """One of many reds: the named colour, a little off in each channel."""
    red, green, blue = (min(255, max(0, c + rng.randint(-spread, spread))) for c in COLOURS[name])
    return red, green, blue


def distance(a: Rgb, b: Rgb) -> float:
    """How far apart two colours look, roughly: 0 to 765, weighted as the eye does."""
    return 0.9 * abs(a[0] - b[0]) + 1.2 * abs(a[1] - b[1]) + 0.9 * abs(a[2] - b[2])


def stands_out(name: str, behind: Rgb) -> bool:
    """Whether an object of that colour is seen at once before `behind`."""
    return distance(COLOURS[name], behind) >= _CONTRAST
