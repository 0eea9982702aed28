"""Backgrounds: a meadow, a beach, a street, snow, a desert, a room.

Scenery (hills, trees, houses, sun, clouds) is no COCO class, so it may stand
behind things without being annotated there; its boxes go to Visual Genome.
Everything is painted at twice the final size and reduced once, which is what
makes edges smooth.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from vle_bench.data_prep.sample_world.landscapes import LANDSCAPES, Blob, Scenery
from vle_bench.data_prep.sample_world.scene import Place
from vle_bench.data_prep.sample_world.shapes.geometry import (
    Extent,
    ellipse,
    rectangle,
)
from vle_bench.data_prep.sample_world.shapes.paint import Rgb, shade
from vle_bench.data_prep.sample_world.shapes.palette import COLOURS

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

_BANDS = 48
SKIES = ("sunny", "cloudy", "rainy", "night")

_GROUND: dict[str, Rgb] = {
    "meadow": (122, 178, 84),
    "beach": (232, 210, 158),
    "street": (120, 122, 128),
    "snow": (232, 238, 244),
    "desert": (226, 176, 108),
    "room": (166, 120, 78),
}
_MOONLIT_SNOW: Rgb = (164, 176, 210)
_SKY: dict[str, tuple[Rgb, Rgb]] = {
    "sunny": ((92, 166, 232), (206, 230, 246)),
    "cloudy": ((150, 178, 204), (220, 228, 234)),
    "rainy": ((112, 122, 136), (176, 184, 192)),
    "snowy": ((150, 164, 184), (214, 222, 232)),
    "night": ((16, 22, 58), (62, 66, 118)),
}
_WALLS = ("yellow", "pink", "blue", "green", "white", "purple")


class Backdrop(NamedTuple):
    """A place and what to paint for it, in final pixels."""

    place: Place
    top: Rgb
    bottom: Rgb
    """Colours of the sky (or wall) at the top and at the horizon."""
    blobs: tuple[Blob, ...]
    weather: tuple[Blob, ...]
    """Painted last, before everything: rain, snowflakes."""


def build_backdrop(name: str, sky: str, size: tuple[int, int], rng: random.Random) -> Backdrop:
    """Designs the background of a picture of `size` (width, height)."""
    width, height = size
    if name == "room":
        return _room(width, height, rng)
    horizon = height * rng.uniform(0.42, 0.55)
    dim = 0.55 if sky == "night" else 0.88 if sky == "rainy" else 1.0
    # Snow glows at night; dimmed like the rest it would be taken for asphalt.
    moonlit = name == "snow" and sky == "night"
    ground = _jitter(_MOONLIT_SNOW if moonlit else shade(_GROUND[name], dim), rng)
    top, bottom = (_jitter(rgb, rng) for rgb in _SKY[sky])
    painter = Scenery(width, height, horizon, dim, rng)
    painter.note("sky", (rectangle(0, 0, width, horizon),), _SKY_WORDS[sky])
    painter.sky(sky)
    LANDSCAPES[name](painter, ground)
    place = Place(name, sky, "", "", horizon, ground, bottom, tuple(painter.boxes))
    return Backdrop(place, top, bottom, tuple(painter.blobs), _weather(sky, size, rng))


def paint_backdrop(canvas: ImageDraw, backdrop: Backdrop, scale: int) -> None:
    """Paints scenery on a canvas whose sky gradient is already there."""
    for blob in backdrop.blobs:
        canvas.polygon([(x * scale, y * scale) for x, y in blob.points], fill=blob.rgb)


def new_canvas(backdrop: Backdrop, size: tuple[int, int], scale: int) -> Image:
    """An empty sky, or an empty wall: from the colour at the top to that of the horizon.

    It is painted in bands, too fine to be seen under the grain; resizing a gradient takes longer
    than all the rest of the scenery.
    """
    from PIL import Image as Images
    from PIL import ImageDraw

    width, height = size[0] * scale, size[1] * scale
    canvas = Images.new("RGB", (width, height), backdrop.bottom)
    pen = ImageDraw.Draw(canvas)
    horizon = backdrop.place.horizon * scale
    for k in range(_BANDS):
        share = k / _BANDS
        mixed = tuple(
            round(a + (b - a) * share) for a, b in zip(backdrop.top, backdrop.bottom, strict=True)
        )
        pen.rectangle((0, horizon * share, width, horizon * (k + 1) / _BANDS), fill=mixed)
    return canvas


_SKY_WORDS = {
    "sunny": ("blue", "clear"),
    "cloudy": ("cloudy",),
    "rainy": ("gray", "cloudy"),
    "snowy": ("gray",),
    "night": ("dark",),
}


def _room(width: int, height: int, rng: random.Random) -> Backdrop:
    horizon = height * rng.uniform(0.6, 0.68)
    wall, pattern = rng.choice(_WALLS), rng.choice(("plain", "striped", "dotted"))
    paper = _jitter(shade(COLOURS[wall], 1.52 if wall != "white" else 0.97), rng)
    ground = _jitter(_GROUND["room"], rng)
    painter = Scenery(width, height, horizon, 1.0, rng)
    painter.note(
        "wall",
        (rectangle(0, 0, width, horizon),),
        (wall, *([pattern] if pattern != "plain" else [])),
    )
    _wallpaper(painter, pattern, shade(paper, 0.88))
    left = rng.choice((0.08, 0.62)) * width
    frame = Extent(left, 0.1 * horizon, left + 0.26 * width, 0.62 * horizon)
    edge = painter.add(rectangle(*frame), (250, 250, 248))
    inset = frame.width * 0.07
    painter.add(
        rectangle(frame.x0 + inset, frame.y0 + inset, frame.x1 - inset, frame.y1 - inset),
        (170, 208, 236),
    )
    middle = frame.centre[0]
    painter.add(
        rectangle(middle - inset / 2, frame.y0, middle + inset / 2, frame.y1), (250, 250, 248)
    )
    painter.note("window", (edge,), ("white",))
    floor = painter.add(rectangle(0, horizon, width, height), ground)
    painter.note("floor", (floor,), ("brown", "wooden"))
    for k in range(1, 5):
        y = horizon + (height - horizon) * (k / 5) ** 1.4
        painter.add(rectangle(0, y, width, y + 1.5), shade(ground, 0.8))
    painter.add(rectangle(0, horizon - 7, width, horizon), (244, 240, 232))
    place = Place("room", "", pattern, wall, horizon, ground, paper, tuple(painter.boxes))
    return Backdrop(place, paper, shade(paper, 0.95), tuple(painter.blobs), ())


def _wallpaper(painter: Scenery, pattern: str, tone: Rgb) -> None:
    step = painter.width / painter.rng.randint(10, 16)
    if pattern == "striped":
        for k in range(int(painter.width / step) + 1):
            painter.add(rectangle(k * step, 0, k * step + step * 0.5, painter.horizon), tone)
    elif pattern == "dotted":
        for row in range(int(painter.horizon / step) + 1):
            for k in range(int(painter.width / step) + 2):
                x = (k + 0.5 * (row % 2)) * step
                painter.add(ellipse(x, row * step + step / 2, step * 0.2, step * 0.2, 12), tone)


def _weather(sky: str, size: tuple[int, int], rng: random.Random) -> tuple[Blob, ...]:
    width, height = size
    if sky == "rainy":
        drops = []
        for _ in range(int(width * height / 2600)):
            x, y, long = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(9, 17)
            streak = (
                (x, y),
                (x + 1.2, y),
                (x - long * 0.28 + 1.2, y + long),
                (x - long * 0.28, y + long),
            )
            drops.append(Blob(streak, (206, 220, 236)))
        return tuple(drops)
    if sky == "snowy":
        return tuple(
            Blob(ellipse(rng.uniform(0, width), rng.uniform(0, height), r, r, 7), (252, 252, 254))
            for r in (rng.uniform(1.4, 3.0) for _ in range(int(width * height / 3000)))
        )
    return ()


def _jitter(rgb: Rgb, rng: random.Random, spread: int = 8) -> Rgb:
    red, green, blue = (min(255, max(0, c + rng.randint(-spread, spread))) for c in rgb)
    return red, green, blue
