"""Five landscapes, and the painter that notes what it painted."""

from __future__ import annotations

import random
from typing import NamedTuple

from vle_bench.data_prep.sample_world.scene import NamedBox
from vle_bench.data_prep.sample_world.shapes.geometry import (
    Extent,
    Point,
    Polygon,
    ellipse,
    extent_of,
    rectangle,
    ribbon,
)
from vle_bench.data_prep.sample_world.shapes.paint import Rgb, shade


class Blob(NamedTuple):
    """One painted piece of scenery."""

    points: Polygon
    rgb: Rgb


class Scenery:
    """Collects blobs and named boxes of one landscape."""

    def __init__(
        self, width: int, height: int, horizon: float, dim: float, rng: random.Random
    ) -> None:
        self.width, self.height, self.horizon, self.dim, self.rng = width, height, horizon, dim, rng
        self.blobs: list[Blob] = []
        self.boxes: list[NamedBox] = []

    def add(self, points: Polygon, rgb: Rgb, *, lit: bool = False) -> Polygon:
        """Paints a polygon, dimmed at night unless it is `lit`; returns it."""
        self.blobs.append(Blob(points, rgb if lit else shade(rgb, self.dim)))
        return points

    def note(
        self, name: str, polygons: tuple[Polygon, ...], attributes: tuple[str, ...] = ()
    ) -> None:
        """Keeps a box with its name, cut at the frame; slivers are not kept."""
        x0, y0, x1, y1 = extent_of(polygons)
        box = Extent(max(x0, 0), max(y0, 0), min(x1, self.width), min(y1, self.height))
        if box.width > 8 and box.height > 8:
            self.boxes.append(NamedBox(name, box, attributes))

    def ground(self, name: str, rgb: Rgb, attributes: tuple[str, ...]) -> None:
        """Everything below the horizon, with a few darker and lighter patches."""
        field = self.add(rectangle(0, self.horizon, self.width, self.height), rgb, lit=True)
        self.note(name, (field,), attributes)
        for _ in range(self.rng.randint(4, 9)):
            x, y = self.rng.uniform(0, self.width), self.rng.uniform(self.horizon + 8, self.height)
            wide = self.rng.uniform(0.05, 0.2) * self.width
            tone = shade(rgb, self.rng.choice((0.94, 1.08)))
            self.add(ellipse(x, y, wide, wide * 0.12, 14), tone, lit=True)

    def sky(self, sky: str) -> None:
        """The sun, the moon and stars, or clouds."""
        match sky:
            case "sunny":
                self.sun()
            case "night":
                self.night()
            case "cloudy":
                self.clouds((246, 248, 250), "white")
            case _:
                self.clouds((150, 158, 168), "gray")

    def spot(self, across: tuple[float, float], down: tuple[float, float]) -> Point:
        """A point between shares of the width, and shares of the sky's height."""
        return self.rng.uniform(*across) * self.width, self.rng.uniform(*down) * self.horizon

    def sun(self) -> None:
        """A disc with a halo; its box goes round the halo."""
        x, y = self.spot((0.12, 0.88), (0.17, 0.26))
        radius = 0.06 * min(self.width, self.height)
        halo = self.add(ellipse(x, y, radius * 1.35, radius * 1.35, 26), (250, 236, 170))
        self.add(ellipse(x, y, radius, radius, 26), (255, 222, 70))
        self.note("sun", (halo,), ("yellow",))

    def night(self) -> None:
        """Stars, and a moon out of which a second disc is cut."""
        for _ in range(self.rng.randint(18, 34)):
            self.add(ellipse(*self.spot((0, 1), (0, 0.9)), 1.4, 1.4, 6), (250, 248, 220), lit=True)
        x, y = self.spot((0.12, 0.88), (0.17, 0.26))
        radius = 0.055 * min(self.width, self.height)
        moon = self.add(ellipse(x, y, radius, radius, 26), (244, 240, 212), lit=True)
        shadow = ellipse(x + 0.5 * radius, y - 0.25 * radius, 0.87 * radius, 0.87 * radius, 26)
        self.add(shadow, (24, 30, 68), lit=True)
        self.note("moon", (moon,), ("white",))

    def clouds(self, tone: Rgb, colour: str) -> None:
        """Two to four clouds."""
        unit = min(self.width, self.height)
        for _ in range(self.rng.randint(2, 4)):
            self.cloud(unit, tone, colour)

    def cloud(self, unit: float, tone: Rgb, colour: str) -> None:
        """Four puffs."""
        x, y = self.rng.uniform(0.05, 0.95) * self.width, self.rng.uniform(0.12, 0.6) * self.horizon
        size = unit * self.rng.uniform(0.07, 0.11)
        puffs = tuple(
            self.add(
                ellipse(x + dx * size, y + dy * size, r * size, r * size * 0.72, 18), tone, lit=True
            )
            for dx, dy, r in (
                (-1.0, 0.15, 0.7),
                (0.0, -0.15, 0.95),
                (1.0, 0.1, 0.75),
                (0.0, 0.3, 1.0),
            )
        )
        self.note("cloud", puffs, (colour,))

    def tree(self, x: float, base: float, size: float, leaf: Rgb) -> None:
        """A trunk and three rounds of leaves."""
        trunk = self.add(
            ribbon([(x, base), (x, base - size * 0.5)], [size * 0.13, size * 0.1]), (112, 80, 52)
        )
        crown = tuple(
            self.add(
                ellipse(x + dx * size, base - dy * size, r * size, r * size, 18), shade(leaf, tone)
            )
            for dx, dy, r, tone in (
                (-0.2, 0.58, 0.24, 0.9),
                (0.2, 0.58, 0.24, 0.82),
                (0.0, 0.78, 0.28, 1.08),
            )
        )
        self.note("tree", (trunk, *crown), ("green",))

    def pine(self, x: float, base: float, size: float) -> None:
        """Three tiers on a short trunk."""
        tiers = []
        for k in range(3):
            y, half = base - size * (0.12 + 0.27 * k), size * (0.26 - 0.06 * k)
            tiers.append(
                self.add(
                    ((x - half, y), (x, y - size * 0.42), (x + half, y)),
                    shade((44, 104, 84), 1 + 0.1 * k),
                )
            )
        self.add(
            rectangle(x - size * 0.04, base - size * 0.13, x + size * 0.04, base), (96, 70, 50)
        )
        self.note("tree", tuple(tiers), ("green",))


def _meadow(painter: Scenery, ground: Rgb) -> None:
    for tone in (0.82, 0.92):
        x = painter.rng.uniform(-0.1, 1.1) * painter.width
        wide = painter.rng.uniform(0.35, 0.6) * painter.width
        high = painter.rng.uniform(0.12, 0.26) * painter.height
        hill = painter.add(
            ellipse(x, painter.horizon + 4, wide, high, 40), shade(ground, tone), lit=True
        )
        painter.note("hill", (hill,), ("green",))
    for _ in range(painter.rng.randint(1, 4)):
        size = painter.rng.uniform(0.14, 0.24) * painter.height
        painter.tree(
            painter.rng.uniform(0, 1) * painter.width, painter.horizon + 6, size, (72, 146, 70)
        )
    painter.ground("grass", ground, ("green",))
    for _ in range(painter.rng.randint(6, 16)):
        x, y = (
            painter.rng.uniform(0, painter.width),
            painter.rng.uniform(painter.horizon + 12, painter.height),
        )
        petals: Rgb = painter.rng.choice(((250, 250, 240), (250, 226, 90)))
        painter.add(ellipse(x, y, 3.2, 3.2, 7), petals)


def _beach(painter: Scenery, ground: Rgb) -> None:
    shore = painter.horizon + 0.13 * painter.height
    sea = painter.add(rectangle(0, painter.horizon, painter.width, shore + 8), (52, 134, 178))
    painter.note("sea", (sea,), ("blue",))
    for _ in range(7):
        x, y = (
            painter.rng.uniform(0, painter.width),
            painter.rng.uniform(painter.horizon + 4, shore - 4),
        )
        painter.add(ellipse(x, y, painter.rng.uniform(14, 40), 1.6, 10), (122, 188, 214))
    keep, painter.horizon = painter.horizon, shore
    painter.ground("sand", ground, ("yellow",))
    painter.horizon = keep
    foam = [(painter.width * k / 12, shore + (4 if k % 2 else -3)) for k in range(13)]
    painter.add(ribbon(foam, [5.0] * 13), (246, 250, 250))


def _street(painter: Scenery, ground: Rgb) -> None:
    x = -painter.rng.uniform(0, 0.1) * painter.width
    while x < painter.width:
        wide = painter.rng.uniform(0.14, 0.26) * painter.width
        high = painter.rng.uniform(0.25, 0.58) * painter.horizon
        tone = painter.rng.choice(
            ((178, 140, 122), (150, 158, 172), (196, 184, 158), (142, 122, 130))
        )
        top = painter.horizon - high
        house = painter.add(rectangle(x, top, x + wide, painter.horizon + 1), tone)
        painter.note("building", (house,), ("tall",) if high > 0.45 * painter.horizon else ())
        _windows(painter, Extent(x, top, x + wide, painter.horizon), tone)
        x += wide * painter.rng.uniform(1.0, 1.25)
    painter.ground("road", ground, ("gray",))
    kerb = painter.add(
        rectangle(0, painter.horizon, painter.width, painter.horizon + 0.035 * painter.height),
        (186, 184, 178),
    )
    painter.note("sidewalk", (kerb,))
    middle = painter.horizon + 0.55 * (painter.height - painter.horizon)
    dash = painter.width / 9
    for k in range(10):
        left = k * dash - dash * 0.3
        painter.add(rectangle(left, middle - 3, left + dash * 0.55, middle + 3), (238, 234, 214))


def _windows(painter: Scenery, house: Extent, tone: Rgb) -> None:
    step = max(18.0, house.width / 4)
    lamp: Rgb = (255, 226, 130)
    y = house.y0 + step * 0.4
    while y + step * 0.5 < house.y1:
        x = house.x0 + step * 0.3
        while x + step * 0.45 < house.x1:
            lit = painter.dim < 0.6 and painter.rng.random() < 0.6
            pane = rectangle(x, y, x + step * 0.42, y + step * 0.5)
            painter.add(pane, lamp if lit else shade(tone, 0.62), lit=lit)
            x += step * 0.8
        y += step * 0.95


def _snow(painter: Scenery, ground: Rgb) -> None:
    for _ in range(3):
        x = painter.rng.uniform(0, 1) * painter.width
        wide, high = (
            painter.rng.uniform(0.2, 0.4) * painter.width,
            painter.rng.uniform(0.3, 0.56) * painter.horizon,
        )
        base = painter.horizon + 2
        peak = (x, base - high)
        mountain = painter.add(((x - wide, base), peak, (x + wide, base)), (132, 146, 168))
        cap = (
            (x - wide * 0.32, base - high * 0.68),
            peak,
            (x + wide * 0.32, base - high * 0.68),
            (x + wide * 0.1, base - high * 0.6),
            (x - wide * 0.08, base - high * 0.72),
        )
        painter.add(cap, (244, 248, 252))
        painter.note("mountain", (mountain,), ("snowy",))
    for _ in range(painter.rng.randint(2, 5)):
        painter.pine(
            painter.rng.uniform(0, 1) * painter.width,
            painter.horizon + 6,
            painter.rng.uniform(0.14, 0.22) * painter.height,
        )
    painter.ground("snow", ground, ("white",))


def _desert(painter: Scenery, ground: Rgb) -> None:
    for tone in (0.86, 0.94):
        x = painter.rng.uniform(0, 1) * painter.width
        wide, high = (
            painter.rng.uniform(0.4, 0.7) * painter.width,
            painter.rng.uniform(0.08, 0.18) * painter.height,
        )
        dune = painter.add(
            ellipse(x, painter.horizon + 4, wide, high, 40), shade(ground, tone), lit=True
        )
        painter.note("dune", (dune,))
    painter.ground("sand", ground, ("orange",))
    for _ in range(painter.rng.randint(1, 3)):
        x, size = (
            painter.rng.uniform(0.05, 0.95) * painter.width,
            painter.rng.uniform(0.14, 0.24) * painter.height,
        )
        base, w = painter.horizon + 10, size * 0.16
        green: Rgb = (72, 128, 78)
        stem = painter.add(ribbon([(x, base), (x, base - size)], [w, w]), green)
        arms = tuple(
            painter.add(
                ribbon(
                    [
                        (x, base - size * r),
                        (x + s * size * 0.28, base - size * r),
                        (x + s * size * 0.28, base - size * (r + 0.28)),
                    ],
                    [w * 0.8] * 3,
                ),
                green,
            )
            for s, r in ((-1, 0.35), (1, 0.5))
        )
        painter.note("cactus", (stem, *arms), ("green",))


LANDSCAPES = {
    "meadow": _meadow,
    "beach": _beach,
    "street": _street,
    "snow": _snow,
    "desert": _desert,
}
