"""Topics about things: colours, numbers, places, and what only one of them shows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from vle_bench.data_prep.sample_world.classes import (
    ANIMALS,
    CATEGORY_NAMES,
    KINDS,
    PERSON,
    VEHICLES,
    plural,
    word,
)
from vle_bench.data_prep.sample_world.language import annotators as say
from vle_bench.data_prep.sample_world.language.nouns import name_of, with_article
from vle_bench.data_prep.sample_world.language.topics import (
    NUMBER,
    OTHER,
    YES_NO,
    Candidate,
    Topic,
    yes_no,
)
from vle_bench.data_prep.sample_world.scene import Scene, Thing
from vle_bench.data_prep.sample_world.shapes.palette import COLOUR_NAMES

_COLOURS = len(COLOUR_NAMES)
_MOST_COUNTED = 5
_COUNTS = 4
_CLEARLY_ASIDE = 0.14
"""Share of the width from the middle, beyond which a thing is on one side."""
_LEGIBLE_CLOCK = 48.0
_LEGIBLE_BUS = 56.0


def _groups(scene: Scene) -> Iterator[tuple[str, list[Thing]]]:
    """Classes that can be counted, with their things."""
    for category in CATEGORY_NAMES:
        things = [thing for _, thing in scene.of(category)]
        if things and not scene.has_crowd_of(category):
            yield category, things


def _coloured(scene: Scene) -> Iterator[tuple[str, list[Thing]]]:
    for category, things in _groups(scene):
        if category != PERSON and KINDS[category].coloured:
            yield category, things


def _colour_of_one(wording: str, scene: Scene) -> Iterator[Candidate]:
    for category, things in _coloured(scene):
        if len(things) == 1:
            question = wording.format(word(category))
            yield Candidate(category, question, say.colour(things[0].colour))


def _colour_of_many(scene: Scene) -> Iterator[Candidate]:
    for category, things in _coloured(scene):
        if len(things) > 1 and len({thing.colour for thing in things}) == 1:
            question = f"What color are the {plural(category)}?"
            yield Candidate(category, question, say.colour(things[0].colour))


def _is_coloured(scene: Scene) -> Iterator[Candidate]:
    for category, things in _coloured(scene):
        if len(things) == 1:
            for colour in COLOUR_NAMES:
                question = f"Is the {word(category)} {colour}?"
                yield yes_no(f"{category}/{colour}", question, things[0].colour == colour)


def _same_colour(scene: Scene) -> Iterator[Candidate]:
    for category, things in _coloured(scene):
        if len(things) > 1:
            same = len({thing.colour for thing in things}) == 1
            yield yes_no(category, f"Are the {plural(category)} all the same color?", same)


def _how_many(wording: str, scene: Scene) -> Iterator[Candidate]:
    for category, things in _groups(scene):
        if len(things) <= _MOST_COUNTED:
            question = wording.format(plural(category))
            if category == PERSON and question.startswith("How"):
                question = "How many people are in the picture?"
            yield Candidate(category, question, say.number(len(things)))


def _more_than(scene: Scene) -> Iterator[Candidate]:
    groups = list(_groups(scene))
    for category, things in groups:
        for other, those in groups:
            if len(things) != len(those):
                question = f"Are there more {plural(category)} than {plural(other)}?"
                yield yes_no("", question, len(things) > len(those))


def _alone(scene: Scene) -> list[Thing]:
    return [things[0] for _, things in _groups(scene) if len(things) == 1]


def _which_side(scene: Scene) -> Iterator[Candidate]:
    for thing in _alone(scene):
        x = thing.extent.centre[0] / scene.width
        if abs(x - 0.5) > _CLEARLY_ASIDE:
            side = "left" if x < 0.5 else "right"
            truth = say.word(side, (f"on the {side}", f"{side} side"), ("left", "right", "middle"))
            question = f"Which side of the picture is the {word(thing.category)} on?"
            yield Candidate(thing.category, question, truth)


def _left_of(scene: Scene) -> Iterator[Candidate]:
    alone = [thing for thing in _alone(scene) if thing.category != PERSON]
    for thing in alone:
        for other in alone:
            is_left = thing.extent.x1 < other.extent.x0
            if is_left or other.extent.x1 < thing.extent.x0:
                nouns = word(thing.category), word(other.category)
                yield yes_no("", f"Is the {nouns[0]} to the left of the {nouns[1]}?", is_left)


def _the_only(names: tuple[str, ...], question: str, scene: Scene) -> Iterator[Candidate]:
    there = sorted({thing.category for thing in scene.things} & set(names))
    if len(there) == 1:
        yield Candidate("", question, say.thing(word(there[0]), names))


_RIDERS = ("cat", "bird", "teddy bear", "cup")


def _riders(scene: Scene) -> Iterator[tuple[Thing, Thing]]:
    """What stands on something that is the only one of its class."""
    for _, rider in scene.single:
        if rider.on >= 0 and len(scene.of(scene.things[rider.on].category)) == 1:
            yield rider, scene.things[rider.on]


def _what_is_on(scene: Scene) -> Iterator[Candidate]:
    for rider, seat in _riders(scene):
        truth = say.thing(word(rider.category), _RIDERS)
        yield Candidate(seat.category, f"What is on the {word(seat.category)}?", truth)


def _is_that_on(scene: Scene) -> Iterator[Candidate]:
    for rider, seat in _riders(scene):
        for other in _RIDERS:
            question = f"Is that {with_article(other)} on the {name_of(seat)}?"
            yield yes_no(f"{other}/{seat.category}", question, rider.category == other)


def _bus_number(scene: Scene) -> Iterator[Candidate]:
    buses = scene.of("bus")
    if len(buses) == 1 and buses[0][1].extent.height >= _LEGIBLE_BUS:
        digits = buses[0][1].detail
        variants = (f"#{digits}", f"{digits}.", f"number {digits}", f"no. {digits}")
        slips = (f"{int(digits) + 1}", digits[0])
        yield Candidate("", "What number is on the bus?", say.Truth(digits, variants, slips))


def _time(scene: Scene) -> Iterator[Candidate]:
    clocks = scene.of("clock")
    if len(clocks) == 1 and clocks[0][1].extent.height >= _LEGIBLE_CLOCK:
        truth = say.hour(int(clocks[0][1].detail))
        yield Candidate("", "What time does the clock show?", truth)


def _lamp(scene: Scene) -> Iterator[Candidate]:
    lights = scene.of("traffic light")
    if len(lights) == 1:
        lamp = lights[0][1].detail
        truth = say.word(lamp, (f"{lamp} light",), ("red", "yellow", "green"))
        yield Candidate("", "What does the traffic light show?", truth)


THING_TOPICS = (
    Topic("what color", OTHER, _COLOURS, partial(_colour_of_one, "What color is the {}?")),
    Topic("the color", OTHER, _COLOURS, partial(_colour_of_one, "What is the color of the {}?")),
    Topic(
        "name the color", OTHER, _COLOURS, partial(_colour_of_one, "Name the color of the {}."), 0.4
    ),
    Topic("colors", OTHER, _COLOURS, _colour_of_many),
    Topic("is it colored", YES_NO, 2, _is_coloured),
    Topic("same color", YES_NO, 2, _same_colour),
    Topic("how many", NUMBER, _COUNTS, partial(_how_many, "How many {} are there?")),
    Topic("count", NUMBER, _COUNTS, partial(_how_many, "Count the {}."), 0.4),
    Topic("more than", YES_NO, 2, _more_than, 0.4),
    Topic("side", OTHER, 2, _which_side, 0.4),
    Topic("left of", YES_NO, 2, _left_of),
    Topic("animal", OTHER, 5, partial(_the_only, ANIMALS, "What animal is in the picture?")),
    Topic("vehicle", OTHER, 4, partial(_the_only, VEHICLES, "What type of vehicle is this?")),
    Topic("what is on", OTHER, 3, _what_is_on),
    Topic("is that on", YES_NO, 2, _is_that_on),
    Topic("bus number", NUMBER, 90, _bus_number),
    Topic("time", OTHER, 12, _time),
    Topic("lamp", OTHER, 3, _lamp),
)
