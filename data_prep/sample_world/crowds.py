"""Crowds: a dozen small ones close together, annotated as one."""

from __future__ import annotations

import random
from typing import NamedTuple

from vle_bench.data_prep.sample_world.actors import Actor, actor
from vle_bench.data_prep.sample_world.classes import KINDS, PERSON
from vle_bench.data_prep.sample_world.floor import EDGE, Floor
from vle_bench.data_prep.sample_world.shapes.geometry import (
    Extent,
    Painted,
    Shape,
    placed,
    room_for,
)
from vle_bench.data_prep.sample_world.shapes.paint import MAIN, Dyes
from vle_bench.data_prep.sample_world.shapes.palette import (
    COLOUR_NAMES,
    HAIR_TONES,
    SKIN_TONES,
    tint,
)
from vle_bench.data_prep.sample_world.shapes.person import (
    HAIR,
    MOODS,
    SHIRT,
    SKIN,
    TROUSERS,
    Look,
    person,
)

_TRIES = 28


class _Formation(NamedTuple):
    """How a crowd stands: members across and down, their size and distance."""

    columns: int
    rows: int
    height: float
    step: float


_FORMATIONS = {
    PERSON: _Formation(9, 1, 0.14, 0.62),
    "bird": _Formation(4, 3, 0.055, 1.6),
    "cup": _Formation(5, 2, 0.055, 1.4),
}


def gather(category: str, floor: Floor, unit: float, rng: random.Random) -> Actor | None:
    """A crowd of that class in a free place; None where there is none.

    Args:
        category: person, bird or cup.
        floor: The free space.
        unit: The picture's scale in pixels.
        rng: Draws places and colours.
    """
    formation = _FORMATIONS[category]
    small = unit * formation.height
    wide = small * formation.step * formation.columns
    high = small * 1.15 * formation.rows
    for _ in range(_TRIES):
        left = rng.uniform(EDGE, max(EDGE + 1, floor.width - wide - EDGE))
        top = rng.uniform(EDGE, floor.ground_top - high)
        if category != "bird":
            top = rng.uniform(floor.ground_top, floor.height - EDGE) - high
        block = Extent(left, top, left + wide, top + high)
        if floor.is_free(block):
            return actor(category, _members(category, formation, block, rng), crowd=True)
    return None


def _members(
    category: str, formation: _Formation, block: Extent, rng: random.Random
) -> tuple[Painted, ...]:
    small = block.height / 1.15 / formation.rows
    step = block.width / formation.columns
    parts: list[Painted] = []
    for k in range(formation.columns * formation.rows):
        column, row = k % formation.columns, k // formation.columns
        shape = _member(category, rng)
        room = max(0.0, step - small * shape.aspect)
        left = block.x0 + column * step + rng.uniform(0.0, room)
        top = block.y0 + row * small * 1.15 + rng.uniform(0.0, 0.14) * small
        parts.extend(placed(shape, room_for(shape, left, top, small), _dyes(rng)))
    return tuple(parts)


def _member(category: str, rng: random.Random) -> Shape:
    if category == PERSON:
        return person(Look("standing", rng.choice(MOODS))).shape
    return KINDS[category].draw("flying" if category == "bird" else "")


def _dyes(rng: random.Random) -> Dyes:
    main = tint(rng.choice(COLOUR_NAMES), rng)
    return {
        MAIN.role: main,
        SHIRT.role: main,
        TROUSERS.role: tint(rng.choice(("black", "blue", "brown")), rng),
        SKIN.role: rng.choice(SKIN_TONES),
        HAIR.role: rng.choice(HAIR_TONES),
    }
