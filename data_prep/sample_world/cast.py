"""Who is in the picture: place, weather, people and what they do, the other things.

Everything that a question may ask for is dealt from decks, so that no answer is
commoner than another before anything is drawn.
"""

from __future__ import annotations

import random
from typing import Literal, NamedTuple

from vle_bench.data_prep.sample_world.classes import HELD, KINDS, PLACES
from vle_bench.data_prep.sample_world.places import SKIES
from vle_bench.data_prep.sample_world.shapes.person import MOODS, POSES
from vle_bench.data_prep.sample_world.streams import dealt, stream

Theme = Literal["photo", "film", "portrait", "web"]
"""Which corpus the picture is for decides its size and how big people are."""

_SIZES: dict[Theme, tuple[tuple[int, int], ...]] = {
    "photo": (
        (640, 480), (640, 427), (480, 640), (500, 375), (640, 480), (500, 333), (427, 640),
        (500, 375), (640, 360), (375, 500), (500, 500), (500, 333),
    ),
    "film": ((960, 540), (960, 400), (854, 480), (1280, 534), (800, 334), (854, 358)),
    "portrait": ((500, 375), (500, 333), (375, 500), (333, 500), (500, 400)),
    "web": ((500, 375), (400, 300), (300, 400), (640, 480), (450, 338), (800, 600)),
}  # fmt: skip

_PEOPLE: dict[Theme, tuple[int, ...]] = {
    "photo": (0, 1, 1, 2, 0, 3, 2, 1),
    "film": (2, 3, 2, 3, 2),
    "portrait": (1, 2, 1, 2, 3),
    "web": (0, 1, 0, 2, 1),
}

ACTIVITIES = (*POSES, *HELD)
"""What a person may be doing: a pose of free hands, or the thing that is held."""
_OUTDOOR_ONLY = frozenset({"umbrella", "kite"})
_NO_KITES = frozenset({"street", "room"})


class Role(NamedTuple):
    """One person to be drawn."""

    activity: str
    mood: str
    hat: bool


class Cast(NamedTuple):
    """What a picture is to show, before anything has a place."""

    size: tuple[int, int]
    place: str
    sky: str
    people: tuple[Role, ...]
    groups: tuple[tuple[str, int], ...]
    """Classes and how many of each."""
    crowd: str
    """Class of a crowd, "" for none."""
    rider: bool
    """Whether something stands on something, where it can."""


class PictureName(NamedTuple):
    """Which picture of the world: the deck it is dealt from and its place in that deck."""

    seed: int
    part: str
    number: int
    theme: Theme


def choose_cast(name: PictureName) -> Cast:
    """Deals one picture's cast."""
    seed, part, number, theme = name
    rng = stream(seed, "cast", part, number)
    place = dealt(seed, f"{part}/place", PLACES, number)
    sky = _sky(place, name)
    size = dealt(seed, f"{part}/size", _SIZES[theme], number)
    if theme == "photo" and rng.random() < 0.02:
        return Cast(size, place, sky, (), (), "", rider=False)
    people = tuple(
        _role(name, number * 3 + k, place)
        for k in range(dealt(seed, f"{part}/people", _PEOPLE[theme], number))
    )
    groups = _groups(name, place, rng, few=theme == "film" or len(people) > 1)
    crowd = ""
    if theme == "photo" and rng.random() < 0.06:
        crowd = rng.choice(("person", "bird")) if place != "room" else "cup"
    return Cast(size, place, sky, people, groups, crowd, rider=rng.random() < 0.6)


def _sky(place: str, name: PictureName) -> str:
    if place == "room":
        return ""
    skies: tuple[str, ...] = (*SKIES, "snowy") if place == "snow" else SKIES
    if place == "desert":
        skies = ("sunny", "cloudy", "night")
    return dealt(name.seed, f"{name.part}/sky/{place}", skies, name.number // len(PLACES))


def _role(name: PictureName, card: int, place: str) -> Role:
    activity = dealt(name.seed, f"{name.part}/activity", ACTIVITIES, card)
    if (place == "room" and activity in _OUTDOOR_ONLY) or (
        activity == "kite" and place in _NO_KITES
    ):
        activity = dealt(name.seed, f"{name.part}/instead", POSES, card)
    mood = dealt(name.seed, f"{name.part}/mood", MOODS, card)
    hat = dealt(name.seed, f"{name.part}/hat", (True, False), card)
    return Role(activity, mood, hat)


def _groups(
    name: PictureName, place: str, rng: random.Random, *, few: bool
) -> tuple[tuple[str, int], ...]:
    fitting = [kind for kind in KINDS.values() if place in kind.places]
    count = rng.choice((1, 2, 2)) if few else rng.choice((2, 3, 3, 4))
    chosen: list[str] = []
    while len(chosen) < min(count, len(fitting)):
        left = [kind for kind in fitting if kind.name not in chosen]
        chosen.append(rng.choices([k.name for k in left], [k.weight for k in left])[0])
    most = (1, 2, 1, 2) if few else (1, 2, 3, 4, 5, 2, 3)
    copies = dealt(name.seed, f"{name.part}/copies", most, name.number)
    return tuple((category, copies if k == 0 else 1) for k, category in enumerate(chosen))
