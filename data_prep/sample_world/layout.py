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
    Part,
    Point,
    Rgb,
    Shape,
    extent_of,
    mirrored,
    placed,
    ribbon,
)
from vle_bench.data_prep.sample_world.shapes.palette import (
    COLOUR_NAMES,
    HAIR_TONES,
    SKIN_TONES,
    stands_out,
    tint,
)
from vle_bench.data_prep.sample_world.shapes.person import HOLDING_HAND, Look, person
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
        self.backdrop, self.rng = backdrop, rng
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
        look, facts = self.dressed(role, pose)
        figure = person(look)
        bearing = Bearing(self.rng.choice(("left", "right")))
        shape = mirrored(figure.shape) if bearing.facing == "left" else figure.shape
        for attempt in range(_TRIES):
            stature = self.unit * self.rng.uniform(*self.people_heights) * 0.98**attempt
            spot = self.floor.on_ground(shape, stature * figure.stature)
            if spot is None:
                continue
            paint = placed(shape, spot.x0, spot.y0, spot.height)
            body = actor(PERSON, paint, bearing, person=facts)
            gift = self.gift(role.activity, body, stature) if held else None
            if held and gift is None:
                continue
            self.take(body)
            if gift is not None:
                self.take(gift)
            self.shirts.append(facts.shirt)
            return

    def dressed(self, role: Role, pose: str) -> tuple[Look, PersonFacts]:
        """Clothes for a role, as paint and as words."""
        shirt = self.colour(but=self.shirts)
        trousers = self.colour(but=[shirt])
        hat = self.colour(but=[shirt]) if role.hat else ""
        hair = self.rng.choice(("long", "short"))
        look = Look(
            pose,
            role.mood,
            tint(shirt, self.rng),
            tint(trousers, self.rng),
            self.rng.choice(SKIN_TONES),
            self.rng.choice(HAIR_TONES),
            tint(hat, self.rng) if hat else None,
            hair == "long",
        )
        return look, PersonFacts(pose, role.mood, shirt, trousers, hat, hair)

    def gift(self, category: str, bearer: Actor, stature: float) -> Actor | None:
        """A thing for the person's hand; None where it finds no room."""
        in_air = category == "kite"
        name = "hand" if in_air else HOLDING_HAND
        hands = [extent_of([part.points]).centre for part in bearer.paint if part.name == name]
        hand = min(hands, key=lambda point: point[1])
        height = HELD[category][1] * stature
        colour = self.colour()
        shape = KINDS[category].draw(tint(colour, self.rng), "")
        corner = _grip(category, hand, shape, height)
        if in_air:
            corner = self.floor.in_sky(shape, height)
        if corner is None:
            return None
        paint = placed(shape, *corner, height)
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
        shape, facing = self.drawn(kind, colour, detail)
        for attempt in range(_TRIES):
            height = self.unit * self.rng.uniform(*kind.heights) * 0.97**attempt
            corner = self.corner(kind, detail, shape, height)
            if corner is None:
                continue
            paint = placed(shape, *corner, height)
            if self.floor.is_free(silhouette(paint)):
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
        shape, facing = self.drawn(kind, colour, "")
        left, right = (seat.extent.x0 + seat.extent.width * s for s in CARRIERS[seat.category])
        for attempt in range(_TRIES):
            height = self.unit * self.rng.uniform(*kind.heights) * 0.96**attempt
            wide = height * shape.aspect
            if wide > right - left:
                continue
            corner = (self.rng.uniform(left, right - wide), seat.extent.y0 - height)
            paint = placed(shape, *corner, height)
            if self.floor.is_free(silhouette(paint), but=seat.extent):
                self.take(actor(kind.name, paint, Bearing(facing, on=below), colour=colour))
                return

    def bring_crowd(self, category: str) -> None:
        """A group that is annotated as one."""
        crowd = gather(category, self.floor, self.unit, self.rng)
        if crowd is not None:
            self.take(crowd)

    def colour(self, but: Sequence[str] = ()) -> str:
        """A colour that is seen before this ground and this sky; none of `but`."""
        place = self.backdrop.place
        names = [name for name in COLOUR_NAMES if name not in but]
        seen = [n for n in names if stands_out(n, place.ground) and stands_out(n, place.backdrop)]
        return self.rng.choice(seen or names)

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

    def drawn(self, kind: Kind, colour: str, detail: str) -> tuple[Shape, str]:
        """The shape, and the side it looks to."""
        rgb: Rgb = tint(colour or "orange", self.rng)
        shape = kind.draw(rgb, detail)
        facing = self.rng.choice(("left", "right")) if kind.two_sided else "right"
        return (mirrored(shape) if facing == "left" else shape), facing

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


def _string(hand: Point, kite: Extent) -> Part:
    knot = (kite.centre[0], kite.y0 + kite.height * 0.4)
    return Part(ribbon([hand, knot], [1.6, 1.2]), (70, 70, 76), body=False, name="string")
