"""The twenty object classes of the sample world, each a real COCO category.

Names are COCO's; ids come from the label table when files are written. Heights
are shares of the picture's scale, for a thing that stands at the front.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Literal, NamedTuple

from vle_bench.data_prep.sample_world.shapes import animals, things, vehicles
from vle_bench.data_prep.sample_world.shapes.geometry import Shape

Layer = Literal["ground", "sky", "wall", "water", "hand"]

OUTDOORS = ("meadow", "beach", "street", "snow", "desert")
PLACES = (*OUTDOORS, "room")


class Kind(NamedTuple):
    """What is common to all cats."""

    name: str
    draw: Callable[[str], Shape]
    layer: Layer
    heights: tuple[float, float]
    places: tuple[str, ...]
    coloured: bool = True
    """Whether "what color is it" has one answer."""
    two_sided: bool = True
    """Whether it may look left as well as right."""
    weight: int = 4
    """How often it is cast, relative to the others."""


_KINDS = (
    Kind("car", vehicles.car, "ground", (0.15, 0.22), ("meadow", "street", "snow", "desert")),
    Kind(
        "bus", vehicles.bus, "ground", (0.22, 0.30), ("street", "desert", "snow"), two_sided=False
    ),
    Kind("boat", vehicles.boat, "water", (0.12, 0.20), ("beach",), weight=8),
    Kind("airplane", vehicles.airplane, "sky", (0.10, 0.16), OUTDOORS, weight=3),
    Kind(
        "traffic light",
        vehicles.traffic_light,
        "ground",
        (0.40, 0.52),
        ("street",),
        coloured=False,
        two_sided=False,
        weight=6,
    ),
    Kind(
        "bench",
        vehicles.bench,
        "ground",
        (0.11, 0.15),
        ("meadow", "beach", "street", "snow"),
        two_sided=False,
    ),
    Kind("bird", animals.bird, "ground", (0.09, 0.13), OUTDOORS),
    Kind("cat", animals.cat, "ground", (0.14, 0.20), ("meadow", "street", "snow", "room")),
    Kind("dog", animals.dog, "ground", (0.15, 0.21), PLACES),
    Kind("elephant", animals.elephant, "ground", (0.28, 0.38), ("meadow", "desert", "beach")),
    Kind("giraffe", animals.giraffe, "ground", (0.44, 0.56), ("meadow", "desert")),
    Kind("umbrella", things.umbrella, "ground", (0.30, 0.40), ("beach", "meadow")),
    Kind(
        "suitcase",
        vehicles.suitcase,
        "ground",
        (0.12, 0.17),
        ("street", "room", "beach", "snow"),
        two_sided=False,
    ),
    Kind(
        "sports ball",
        things.sports_ball,
        "ground",
        (0.08, 0.12),
        ("meadow", "beach", "room", "snow"),
        two_sided=False,
    ),
    Kind("kite", things.kite, "sky", (0.18, 0.26), ("meadow", "beach", "snow", "desert")),
    Kind("cup", things.cup, "ground", (0.08, 0.11), ("room",)),
    Kind("chair", things.chair, "ground", (0.24, 0.30), ("room", "meadow")),
    Kind(
        "potted plant",
        things.potted_plant,
        "ground",
        (0.20, 0.27),
        ("room", "street"),
        coloured=False,
        two_sided=False,
    ),
    Kind("clock", things.clock, "wall", (0.17, 0.24), ("room",), two_sided=False, weight=8),
    Kind(
        "teddy bear", things.teddy_bear, "ground", (0.15, 0.20), ("room", "meadow"), two_sided=False
    ),
)

KINDS: MappingProxyType[str, Kind] = MappingProxyType({kind.name: kind for kind in _KINDS})

PERSON = "person"
CATEGORY_NAMES = (PERSON, *KINDS)
ANIMALS = ("bird", "cat", "dog", "elephant", "giraffe")
VEHICLES = ("car", "bus", "boat", "airplane")

HELD: MappingProxyType[str, tuple[str, float]] = MappingProxyType(
    {
        "umbrella": ("holding up", 0.60),
        "cup": ("holding out", 0.15),
        "sports ball": ("holding out", 0.17),
        "teddy bear": ("holding out", 0.27),
        "suitcase": ("carrying", 0.26),
        "kite": ("waving", 0.40),
    }
)
"""What a hand may hold: the pose that shows it, and its height as a share of the person's."""

CARRIERS: MappingProxyType[str, tuple[float, float]] = MappingProxyType(
    {"bench": (0.06, 0.94), "car": (0.38, 0.60), "bus": (0.08, 0.92)}
)
"""Things with a flat top, and between which shares of their width it is flat."""
RIDERS = ("cat", "bird", "teddy bear", "cup")
"""Things that may stand on them."""


def word(category: str) -> str:
    """What people call it: nobody says "sports ball".

    >>> word("sports ball"), word("airplane")
    ('ball', 'airplane')
    """
    return "ball" if category == "sports ball" else category


def plural(category: str) -> str:
    """More than one of them.

    >>> plural("person"), plural("bench"), plural("sports ball")
    ('people', 'benches', 'balls')
    """
    noun = word(category)
    if category == PERSON:
        return "people"
    return f"{noun}es" if noun.endswith(("s", "ch")) else f"{noun}s"
