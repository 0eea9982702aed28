"""English noun phrases for what is in a picture."""

from __future__ import annotations

from vle_bench.data_prep.sample_world.classes import PERSON, plural, word
from vle_bench.data_prep.sample_world.scene import Scene, Thing

NUMBER_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
)  # fmt: skip

PLACE_WORDS = {
    "meadow": "field",
    "beach": "beach",
    "street": "street",
    "snow": "snow",
    "desert": "desert",
    "room": "room",
}
"""What people answer when asked where."""

PLACE_PHRASES = {
    "meadow": ("in a grassy field", "on the grass", "in a green meadow"),
    "beach": ("on the beach", "by the sea", "on a sandy beach"),
    "street": ("on a city street", "in front of some buildings", "in the street"),
    "snow": ("in the snow", "in front of snowy mountains", "on a snowy field"),
    "desert": ("in the desert", "next to a cactus", "on the desert sand"),
    "room": ("in a room", "indoors", "on a wooden floor"),
}

DOING = {
    "standing": "standing",
    "waving": "waving",
    "pointing": "pointing",
    "cheering": "cheering",
    "running": "running",
    "sitting": "sitting",
    "lying down": "lying down",
}
"""One word for each pose of free hands."""


def with_article(phrase: str) -> str:
    """The indefinite article, by sound of the first letter.

    >>> with_article("orange car"), with_article("red car")
    ('an orange car', 'a red car')
    """
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def name_of(thing: Thing) -> str:
    """Colour and noun, without an article.

    >>> from vle_bench.data_prep.sample_world.shapes.geometry import Extent
    >>> name_of(Thing("sports ball", "red", "", "left", Extent(0, 0, 1, 1), (), 1.0))
    'red ball'
    """
    noun = word(thing.category)
    return f"{thing.colour} {noun}" if thing.colour else noun


def counted(count: int, noun: str, many: str) -> str:
    """A number word and its noun.

    >>> counted(1, "red car", "red cars"), counted(3, "red car", "red cars")
    ('a red car', 'three red cars')
    """
    return with_article(noun) if count == 1 else f"{NUMBER_WORDS[count]} {many}"


def many_of(category: str, colour: str) -> str:
    """Plural with its colour."""
    return f"{colour} {plural(category)}" if colour else plural(category)


def activity_of(scene: Scene, index: int) -> str:
    """What that person does, as a participle: "waving", "holding a red cup"."""
    person = scene.things[index].person
    if person is None:
        raise ValueError(
            f"thing {index} is a {scene.things[index].category}, a person was expected"
        )
    held = scene.held_by(index)
    if held is None:
        return DOING[person.pose]
    verb = {"kite": "flying", "suitcase": "carrying"}.get(held.category, "holding")
    return f"{verb} {with_article(name_of(held))}"


def is_person(thing: Thing) -> bool:
    """Whether it is one person, not a crowd of them."""
    return thing.category == PERSON and not thing.crowd
