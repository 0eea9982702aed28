"""Outlines as lists of points: the one source of what is drawn and what is annotated.

A shape is built once in unit coordinates (height 1, origin top left, y down) and
moved to its place in the picture; the polygons that are painted are the polygons
that the annotation files hold, so boxes and segments are right by construction.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from vle_bench.data_prep.sample_world.shapes.paint import Dyes, Paint, Rgb, mixed

Point = tuple[float, float]
Polygon = tuple[Point, ...]


class Part(NamedTuple):
    """One polygon of a shape."""

    points: Polygon
    paint: Paint
    body: bool = True
    """Whether the polygon belongs to the silhouette; the rest is detail inside it."""
    name: str = ""
    """What a person would call the part ("hat"), "" where nobody names it."""


class Painted(NamedTuple):
    """A part in its place in a picture, in pixels."""

    points: Polygon
    rgb: Rgb
    body: bool
    name: str


class Shape(NamedTuple):
    """Parts in painting order, in unit coordinates: height 1, width `aspect`."""

    aspect: float
    parts: tuple[Part, ...]


class Extent(NamedTuple):
    """Left, top, right, bottom."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """Right minus left."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Bottom minus top."""
        return self.y1 - self.y0

    @property
    def centre(self) -> Point:
        """The middle."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def touches(self, other: Extent, margin: float = 0.0) -> bool:
        """Whether the two come closer than `margin`.

        >>> Extent(0, 0, 2, 2).touches(Extent(3, 0, 4, 2)), Extent(0, 0, 2, 2).touches(
        ...     Extent(3, 0, 4, 2), margin=1.5)
        (False, True)
        """
        return (
            self.x0 - margin < other.x1
            and other.x0 - margin < self.x1
            and self.y0 - margin < other.y1
            and other.y0 - margin < self.y1
        )

    def within(self, width: float, height: float, margin: float = 0.0) -> bool:
        """Whether it lies inside a picture of that size, `margin` away from the edges."""
        return (
            self.x0 >= margin
            and self.y0 >= margin
            and self.x1 <= width - margin
            and self.y1 <= height - margin
        )


def extent_of(polygons: Iterable[Sequence[Point]]) -> Extent:
    """The tightest rectangle around all points.

    >>> extent_of([((1, 2), (3, 1)), ((0, 5),)])
    Extent(x0=0, y0=1, x1=3, y1=5)
    """
    points = [point for polygon in polygons for point in polygon]
    xs = [x for x, _ in points]
    ys = [y for _, y in points]
    return Extent(min(xs), min(ys), max(xs), max(ys))


def ellipse(cx: float, cy: float, rx: float, ry: float, corners: int = 20) -> Polygon:
    """A closed ellipse of `corners` points."""
    return tuple([(cx + rx * cos, cy + ry * sin) for cos, sin in _circle(corners)])


@lru_cache(maxsize=64)
def _circle(corners: int) -> tuple[Point, ...]:
    """Points of the unit circle; thousands of ellipses share a few of these."""
    step = 2 * math.pi / corners
    return tuple((math.cos(step * k), math.sin(step * k)) for k in range(corners))


def arc(centre: Point, rx: float, ry: float, turn: tuple[float, float]) -> Polygon:
    """Points along an ellipse from `turn[0]` to `turn[1]` degrees (0 = right, 90 = down)."""
    first, last = turn
    count = max(4, int(abs(last - first) / 18))
    angles = (math.radians(first + (last - first) * k / count) for k in range(count + 1))
    return tuple((centre[0] + rx * math.cos(a), centre[1] + ry * math.sin(a)) for a in angles)


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    """Four corners."""
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


def rounded(x0: float, y0: float, x1: float, y1: float, *, radius: float) -> Polygon:
    """A rectangle with round corners."""
    r = min(radius, (x1 - x0) / 2, (y1 - y0) / 2)
    corners = (
        ((x0 + r, y0 + r), 180.0),
        ((x1 - r, y0 + r), 270.0),
        ((x1 - r, y1 - r), 0.0),
        ((x0 + r, y1 - r), 90.0),
    )
    return tuple(
        point for centre, start in corners for point in arc(centre, r, r, (start, start + 90))
    )


def ribbon(spine: Sequence[Point], widths: Sequence[float]) -> Polygon:
    """A limb: a band along `spine` whose width at each joint is given, with round ends.

    >>> len(ribbon([(0, 0), (1, 0)], [0.2, 0.2]))
    10
    """
    normals = []
    last = len(spine) - 1
    for k in range(len(spine)):
        before, after = spine[max(k - 1, 0)], spine[min(k + 1, last)]
        dx, dy = after[0] - before[0], after[1] - before[1]
        length = math.hypot(dx, dy) or 1.0
        normals.append((-dy / length, dx / length))
    left = [
        (x + nx * w / 2, y + ny * w / 2)
        for (x, y), (nx, ny), w in zip(spine, normals, widths, strict=True)
    ]
    right = [
        (x - nx * w / 2, y - ny * w / 2)
        for (x, y), (nx, ny), w in zip(spine, normals, widths, strict=True)
    ]
    end = _cap(spine[-1], normals[-1], widths[-1])
    start = _cap(spine[0], (-normals[0][0], -normals[0][1]), widths[0])
    return (*left, *end, *reversed(right), *start)


def turned(points: Iterable[Point], about: Point, degrees: float) -> Polygon:
    """The points turned clockwise (y points down) around `about`."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    cx, cy = about
    return tuple(
        (cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos)
        for x, y in points
    )


def room_for(shape: Shape, left: float, top: float, height: float) -> Extent:
    """What the shape will fill when it is placed there."""
    return Extent(left, top, left + shape.aspect * height, top + height)


def placed(shape: Shape, room: Extent, dyes: Dyes, *, flipped: bool = False) -> tuple[Painted, ...]:
    """The shape's parts in pixels; what is annotated in hundredths, as COCO writes it.

    Args:
        shape: In unit coordinates.
        room: What it is to fill, in pixels, of the shape's own aspect.
        dyes: The colours of this one.
        flipped: Whether it looks the other way.
    """
    height = room.height
    start, across = (room.x1, -height) if flipped else (room.x0, height)
    top = room.y0
    parts = []
    for points, paint, body, name in shape.parts:
        moved = [(start + x * across, top + y * height) for x, y in points]
        if body:
            moved = [(int(x * 100 + 0.5) / 100, int(y * 100 + 0.5) / 100) for x, y in moved]
        parts.append(Painted(tuple(moved), mixed(paint, dyes), body, name))
    return tuple(parts)


def trimmed(shape: Shape) -> Shape:
    """The shape moved and scaled so that its silhouette exactly fills height 1."""
    x0, y0, x1, y1 = extent_of(part.points for part in shape.parts if part.body)
    scale = 1.0 / (y1 - y0)
    parts = tuple(
        Part(tuple([((x - x0) * scale, (y - y0) * scale) for x, y in points]), paint, body, name)
        for points, paint, body, name in shape.parts
    )
    return Shape((x1 - x0) * scale, parts)


def _cap(at: Point, normal: Point, width: float) -> list[Point]:
    """Three points that round off the end of a band."""
    nx, ny = normal
    forward = (ny, -nx)
    r = width / 2
    return [
        (
            at[0] + r * (math.cos(angle) * nx + math.sin(angle) * forward[0]),
            at[1] + r * (math.cos(angle) * ny + math.sin(angle) * forward[1]),
        )
        for angle in (math.pi / 4, math.pi / 2, 3 * math.pi / 4)
    ]
