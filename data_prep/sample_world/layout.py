"""Where everything stands: a place for each of the cast, so that nothing hides anything.

Things keep their boxes apart, except a hand and what it holds and a bench and
what stands on it, and those only touch. So every annotated polygon is wholly
visible, and counting is never a matter of taste.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from vle_bench.data_prep.sample_world.actors import Actor, Bearing, actor, silhouette
from vle_bench.data_prep.sample_world.cast import Cast, PictureName, Role, choose_cast
from vle_bench.data_prep.sample_world.classes import CARRIERS, HELD, KINDS, PERSON, RIDERS, Kind
from vle_bench.data_prep.sample_world.crowds import gather
from vle_bench.data_prep.sample_world.floor import GAP, Floor
from vle_bench.data_prep.sample_world.places import Backdrop, build_backdrop
from vle_bench.data_prep.sample_world.scene import PersonFacts
from vle_bench.data_prep.sample_world.shapes.geometry import (
    Extent,
    Painted,
    Point,
    Shape,
    extent_of,
    placed,
    ribbon,
    room_for,
)
from vle_bench.data_prep.sample_world.shapes.paint import MAIN, Dyes
from vle_bench.data_prep.sample_world.shapes.palette import (
    COLOUR_NAMES,
    HAIR_TONES,
    SKIN_TONES,
    stands_out,
    tint,
)
from vle_bench.data_prep.sample_world.shapes.person import (
    HAIR,
    HAT,
    HOLDING_HAND,
    SHIRT,
    SKIN,
    TROUSERS,
    Look,
    person,
)
from vle_bench.data_prep.sample_world.streams import stream

_TRIES = 28


class Stage(NamedTuple):
    """A picture ready to be painted."""

    size: tuple[int, int]
    backdrop: Backdrop
    actors: tuple[Actor, ...]


def stage_picture(name: PictureName) -> Stage:
    """Designs one picture from its name alone."""
    cast = choose_cast(name)
    rng = stream(name.seed, "layout", name.part, name.number)
    backdrop = build_backdrop(cast.place, cast.sky, cast.size, rng)
    director = _Director(cast, backdrop, rng, tall=name.theme in {"film", "portrait"})
    for role in cast.people:
        director.bring_person(role)
    for category, count in cast.groups:
        director.bring_group(KINDS[category], count)
    if cast.rider:
        director.bring_rider()
    if cast.crowd:
        director.bring_crowd(cast.crowd)
    return Stage(cast.size, backdrop, tuple(director.actors))


class _Director:
    """Places the cast one after the other; what finds no place does not come."""

    def __init__(self, cast: Cast, backdrop: Backdrop, rng: random.Random, *, tall: bool) -> None:
        self.rng = rng
        self.visible = [
            name
            for name in COLOUR_NAMES
            if stands_out(name, backdrop.place.ground) and stands_out(name, backdrop.place.backdrop)
        ]
        self.people_heights = (0.60, 0.72) if tall else (0.36, 0.48)
        self.floor = Floor(cast.size, backdrop.place, rng)
        self.unit = min(cast.size[1], cast.size[0] * 0.85)
        self.actors: list[Actor] = []
        self.shirts: list[str] = []

    def take(self, newcomer: Actor) -> None:
        """Lets it stand where it is."""
        self.floor.take(newcomer.thing.extent)
        self.actors.append(newcomer)

    def bring_person(self, role: Role) -> None:
        """A person, with what the hand holds; nobody wears another one's shirt colour."""
        held = role.activity in HELD
        pose = HELD[role.activity][0] if held else role.activity
        facts, dyes = self.dressed(role, pose)
        figure = person(Look(pose, role.mood, role.hat, facts.hair == "long"))
        bearing = Bearing(self.rng.choice(("left", "right")))
        shape, flipped = figure.shape, bearing.facing == "left"
        for attempt in range(_TRIES):
            stature = self.unit * self.rng.uniform(*self.people_heights) * 0.98**attempt
            spot = self.floor.on_ground(shape, stature * figure.stature)
            if spot is None:
                continue
            paint = placed(shape, spot, dyes, flipped=flipped)
            body = actor(PERSON, paint, bearing, person=facts)
            gift = self.gift(role.activity, body, stature) if held else None
            if held and gift is None:
                continue
            self.take(body)
            if gift is not None:
                self.take(gift)
            self.shirts.append(facts.shirt)
            return

    def dressed(self, role: Role, pose: str) -> tuple[PersonFacts, Dyes]:
        """Clothes for a role, as words and as colours."""
        shirt = self.colour(but=self.shirts)
        trousers = self.colour(but=[shirt])
        hat = self.colour(but=[shirt]) if role.hat else ""
        dyes = {
            SHIRT.role: tint(shirt, self.rng),
            TROUSERS.role: tint(trousers, self.rng),
            SKIN.role: self.rng.choice(SKIN_TONES),
            HAIR.role: self.rng.choice(HAIR_TONES),
            HAT.role: tint(hat or "black", self.rng),
        }
        hair = self.rng.choice(("long", "short"))
        return PersonFacts(pose, role.mood, shirt, trousers, hat, hair), dyes

    def gift(self, category: str, bearer: Actor, stature: float) -> Actor | None:
        """A thing for the person's hand; None where it finds no room."""
        in_air = category == "kite"
        name = "hand" if in_air else HOLDING_HAND
        hands = [extent_of([part.points]).centre for part in bearer.paint if part.name == name]
        hand = min(hands, key=lambda point: point[1])
        height = HELD[category][1] * stature
        colour = self.colour()
        shape, dyes = KINDS[category].draw(""), {MAIN.role: tint(colour, self.rng)}
        corner = _grip(category, hand, shape, height)
        if in_air:
            corner = self.floor.in_sky(shape, height)
        if corner is None:
            return None
        paint = placed(shape, room_for(shape, *corner, height), dyes)
        extent = silhouette(paint)
        if not self.floor.is_free(extent) or (in_air and extent.touches(bearer.thing.extent, GAP)):
            return None
        held = actor(category, paint, Bearing(held_by=len(self.actors)), colour=colour)
        return held._replace(strings=(_string(hand, extent),)) if in_air else held

    def bring_group(self, kind: Kind, count: int) -> None:
        """Several of one class, all of one colour or each of its own."""
        same = self.rng.random() < 0.5
        colour = self.colour() if kind.coloured else ""
        for _ in range(count):
            if kind.coloured and not same:
                colour = self.colour()
            self.bring_thing(kind, colour)

    def bring_thing(self, kind: Kind, colour: str) -> None:
        """One thing on the ground, in the sky, on the wall or on the water."""
        detail = self.detail(kind)
        shape, dyes, facing = self.drawn(kind, colour, detail)
        for attempt in range(_TRIES):
            height = self.unit * self.rng.uniform(*kind.heights) * 0.97**attempt
            corner = self.corner(kind, detail, shape, height)
            if corner is None:
                continue
            room = room_for(shape, *corner, height)
            if self.floor.is_free(room):
                paint = placed(shape, room, dyes, flipped=facing == "left")
                bearing = Bearing(facing)
                self.take(actor(kind.name, paint, bearing, colour=colour, detail=detail))
                return

    def bring_rider(self) -> None:
        """Something small on the flat top of something."""
        carriers = [k for k, one in enumerate(self.actors) if one.thing.category in CARRIERS]
        if not carriers:
            return
        below = self.rng.choice(carriers)
        seat = self.actors[below].thing
        kind = KINDS[self.rng.choice(RIDERS if seat.category == "bench" else RIDERS[:2])]
        colour = self.colour(but=[seat.colour])
        shape, dyes, facing = self.drawn(kind, colour, "")
        left, right = (seat.extent.x0 + seat.extent.width * s for s in CARRIERS[seat.category])
        for attempt in range(_TRIES):
            height = self.unit * self.rng.uniform(*kind.heights) * 0.96**attempt
            wide = height * shape.aspect
            if wide > right - left:
                continue
            x = self.rng.uniform(left, right - wide)
            room = Extent(x, seat.extent.y0 - height, x + wide, seat.extent.y0)
            if self.floor.is_free(room, but=seat.extent):
                paint = placed(shape, room, dyes, flipped=facing == "left")
                self.take(actor(kind.name, paint, Bearing(facing, on=below), colour=colour))
                return

    def bring_crowd(self, category: str) -> None:
        """A group that is annotated as one."""
        crowd = gather(category, self.floor, self.unit, self.rng)
        if crowd is not None:
            self.take(crowd)

    def colour(self, but: Sequence[str] = ()) -> str:
        """A colour that is seen before this ground and this sky; none of `but`."""
        names = [name for name in self.visible if name not in but]
        return self.rng.choice(names or [name for name in COLOUR_NAMES if name not in but])

    def detail(self, kind: Kind) -> str:
        """What only this one shows: a number, an hour, a lamp, spread wings."""
        match kind.name:
            case "bus":
                return str(self.rng.randint(10, 99))
            case "clock":
                return str(self.rng.randint(1, 12))
            case "traffic light":
                return self.rng.choice(("red", "yellow", "green"))
            case "bird":
                return self.rng.choice(("flying", ""))
        return ""

    def drawn(self, kind: Kind, colour: str, detail: str) -> tuple[Shape, Dyes, str]:
        """The shape, looking right; its colours; and the side it shall look to."""
        dyes = {MAIN.role: tint(colour or "orange", self.rng)}
        facing = self.rng.choice(("left", "right")) if kind.two_sided else "right"
        return kind.draw(detail), dyes, facing

    def corner(self, kind: Kind, detail: str, shape: Shape, height: float) -> Point | None:
        """A top left corner for a thing of that kind."""
        if kind.layer in {"sky", "wall"} or detail == "flying":
            return self.floor.in_sky(shape, height)
        if kind.layer == "water":
            return self.floor.on_water(shape, height)
        spot = self.floor.on_ground(shape, height)
        return None if spot is None else (spot.x0, spot.y0)


def _grip(category: str, hand: Point, shape: Shape, height: float) -> Point | None:
    """Top left corner of a held thing: on the palm, above the hand, or hanging from it."""
    share = {"umbrella": 0.97, "suitcase": 0.03}.get(category, 1.06)
    return hand[0] - height * shape.aspect / 2, hand[1] - share * height


def _string(hand: Point, kite: Extent) -> Painted:
    knot = (kite.centre[0], kite.y0 + kite.height * 0.4)
    return Painted(ribbon([hand, knot], [1.6, 1.2]), (70, 70, 76), body=False, name="string")
