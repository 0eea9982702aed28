"""A thing together with the polygons that paint it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from vle_bench.data_prep.sample_world.scene import NamedBox, PersonFacts, Thing
from vle_bench.data_prep.sample_world.shapes.geometry import Extent, Painted, extent_of

_ONE_OF_A_KIND = frozenset({"hat", "shirt", "pants", "hair", "sail"})
_NAMED = _ONE_OF_A_KIND | {"wheel", "window", "tail", "ear"}
_MOST_OF_A_KIND = 4


class Actor(NamedTuple):
    """A thing and its paint; `strings` are painted behind everything that stands."""

    thing: Thing
    paint: tuple[Painted, ...]
    strings: tuple[Painted, ...] = ()


class Bearing(NamedTuple):
    """How a thing stands among the others."""

    facing: str = "right"
    held_by: int = -1
    on: int = -1


_ALONE = Bearing()


def actor(
    category: str,
    paint: tuple[Painted, ...],
    bearing: Bearing = _ALONE,
    *,
    colour: str = "",
    detail: str = "",
    person: PersonFacts | None = None,
    crowd: bool = False,
) -> Actor:
    """Makes the facts of a thing from the polygons that paint it; its area is measured later."""
    thing = Thing(
        category,
        colour,
        detail,
        bearing.facing,
        silhouette(paint),
        tuple(tuple(chain.from_iterable(part.points)) for part in paint if part.body),
        0.0,
        person,
        bearing.held_by,
        bearing.on,
        crowd=(0,) if crowd else (),
        parts=() if crowd else named_parts(paint),
    )
    return Actor(thing, paint)


def silhouette(paint: Sequence[Painted]) -> Extent:
    """The tight box around what is annotated."""
    return extent_of(part.points for part in paint if part.body)


def named_parts(paint: Sequence[Painted]) -> tuple[NamedBox, ...]:
    """Boxes of the parts that people name; a shirt is one, wheels are several."""
    found: list[NamedBox] = []
    for name in sorted({part.name for part in paint} & _NAMED):
        boxes = [extent_of([part.points]) for part in paint if part.name == name]
        if name in _ONE_OF_A_KIND:
            boxes = [extent_of(part.points for part in paint if part.name == name)]
        found.extend(NamedBox(name, box) for box in boxes[:_MOST_OF_A_KIND])
    return tuple(found)
