"""Every question that can be asked of a picture, with its true answer.

Only what a person can see is asked: nothing small, nothing hidden, nothing that
a crowd makes uncountable. Questions about "the person" need exactly one.
"""

from __future__ import annotations

from collections.abc import Iterator

from vle_bench.data_prep.sample_world.classes import (
    ANIMALS,
    CATEGORY_NAMES,
    KINDS,
    PERSON,
    PLACES,
    VEHICLES,
    plural,
    word,
)
from vle_bench.data_prep.sample_world.language import annotators as say
from vle_bench.data_prep.sample_world.language.balance import Candidate
from vle_bench.data_prep.sample_world.language.nouns import PLACE_WORDS, name_of, with_article
from vle_bench.data_prep.sample_world.language.people_questions import people_questions
from vle_bench.data_prep.sample_world.scene import Scene, Thing
from vle_bench.data_prep.sample_world.shapes.palette import COLOUR_NAMES

_MOST_COUNTED = 5
_LEGIBLE_CLOCK = 48.0
_LEGIBLE_BUS = 56.0


def questions_about(scene: Scene) -> list[Candidate]:
    """All candidates of one picture, in a fixed order."""
    return [
        *_presence(scene),
        *_place_and_weather(scene),
        *_colours(scene),
        *_counts(scene),
        *_positions(scene),
        *_details(scene),
        *people_questions(scene),
    ]


def _presence(scene: Scene) -> Iterator[Candidate]:
    present = {thing.category for thing in scene.things}
    for category in CATEGORY_NAMES:
        noun, there = word(category), category in present
        truth = say.yes_or_no(there)
        yield _yes_no("is there", category, f"Is there {with_article(noun)} in the picture?", truth)
        yield _yes_no("are there any", category, f"Are there any {plural(category)}?", truth)
        yield _yes_no("do you see", category, f"Do you see {with_article(noun)}?", truth)
    colours = {(t.category, t.colour) for t in scene.things if t.colour}
    for category, colour in sorted(colours):
        if scene.has_crowd_of(category):
            continue
        there_yes = f"Is there {with_article(f'{colour} {word(category)}')}?"
        yield _yes_no("is there coloured", f"{category}/{colour}", there_yes, say.yes_or_no(True))
        # The trap: right class, wrong colour.
        for other in COLOUR_NAMES:
            if (category, other) not in colours:
                text = f"Is there {with_article(f'{other} {word(category)}')}?"
                yield _yes_no(
                    "is there coloured", f"{category}/{other}", text, say.yes_or_no(False)
                )


def _place_and_weather(scene: Scene) -> Iterator[Candidate]:
    place, sky = scene.place.name, scene.place.sky
    for name in PLACES:
        noun = PLACE_WORDS[name]
        is_here = say.yes_or_no(name == place)
        if name != "snow":
            yield _yes_no("is this a place", name, f"Is this {with_article(noun)}?", is_here)
        asked = noun if name == "snow" else with_article(noun)
        yield _yes_no("does this show", name, f"Does this picture show {asked}?", is_here)
    words = tuple(PLACE_WORDS.values())
    variants = (f"the {PLACE_WORDS[place]}", f"at the {PLACE_WORDS[place]}")
    where = say.word(PLACE_WORDS[place], variants, words)
    yield _other("where was", "", "Where was this picture taken?", where, len(words))
    yield _yes_no("indoors", "", "Was this taken indoors?", say.yes_or_no(place == "room"))
    if place == "room":
        wall = scene.place.wall
        yield _other("wall", "", "What color is the wall?", say.colour(wall), 6)
        return
    yield _yes_no("raining", "", "Is it raining?", say.yes_or_no(sky == "rainy"))
    yield _yes_no("night", "", "In this picture, is it night?", say.yes_or_no(sky == "night"))
    yield _yes_no("sun", "", "Can you see the sun?", say.yes_or_no(sky == "sunny"))
    if sky in {"sunny", "cloudy", "rainy"}:
        weather = say.word(sky, (f"it's {sky}",), ("sunny", "cloudy", "rainy", "clear"))
        yield _other("weather", "", "What is the weather like?", weather, 3)


def _colours(scene: Scene) -> Iterator[Candidate]:
    for category, kind in KINDS.items():
        things = [thing for _, thing in scene.of(category)]
        if not things or not kind.coloured or scene.has_crowd_of(category):
            continue
        colours = {thing.colour for thing in things}
        noun, many = word(category), plural(category)
        if len(things) == 1:
            colour = things[0].colour
            truth = say.colour(colour)
            yield _other("color of one", category, f"What color is the {noun}?", truth, 10)
            yield _other("the color of", category, f"What is the color of the {noun}?", truth, 10)
            yield _other("name the color", category, f"Name the color of the {noun}.", truth, 10)
            for other in COLOUR_NAMES:
                is_so = say.yes_or_no(other == colour)
                yield _yes_no(
                    "is the colored", f"{category}/{other}", f"Is the {noun} {other}?", is_so
                )
        else:
            same = len(colours) == 1
            if same:
                truth = say.colour(things[0].colour)
                yield _other("color of many", category, f"What color are the {many}?", truth, 10)
            text = f"Are the {many} all the same color?"
            yield _yes_no("same color", category, text, say.yes_or_no(same))


def _counts(scene: Scene) -> Iterator[Candidate]:
    present = [c for c in CATEGORY_NAMES if scene.of(c) and not scene.has_crowd_of(c)]
    for category in present:
        count, many = len(scene.of(category)), plural(category)
        if count > _MOST_COUNTED:
            continue
        truth = say.number(count)
        question = f"How many {many} are there?"
        if category == PERSON:
            question = "How many people are in the picture?"
        yield Candidate("how many", category, question, "number", truth, 4)
        yield Candidate("count the", category, f"Count the {many}.", "number", truth, 4)
        for other in present:
            if other < category and len(scene.of(other)) != count:
                a, b = sorted((category, other), key=lambda c: (len(c) * 7 + count) % 5)
                more = len(scene.of(a)) > len(scene.of(b))
                text = f"Are there more {plural(a)} than {plural(b)}?"
                yield _yes_no("more than", "", text, say.yes_or_no(more))


def _positions(scene: Scene) -> Iterator[Candidate]:
    alone = [
        scene.of(category)[0][1]
        for category in CATEGORY_NAMES
        if len(scene.of(category)) == 1 and not scene.has_crowd_of(category)
    ]
    for thing in alone:
        noun = word(thing.category)
        x = thing.extent.centre[0] / scene.width
        if abs(x - 0.5) > 0.14:
            side = "left" if x < 0.5 else "right"
            truth = say.word(side, (f"on the {side}", f"{side} side"), ("left", "right", "middle"))
            text = f"Which side of the picture is the {noun} on?"
            yield _other("which side", thing.category, text, truth, 2)
        for other in alone:
            if other.category == thing.category or PERSON in (thing.category, other.category):
                continue
            if _apart(thing, other):
                is_left = say.yes_or_no(thing.extent.x1 < other.extent.x0)
                text = f"Is the {noun} to the left of the {word(other.category)}?"
                yield _yes_no("left of", "", text, is_left)


def _apart(a: Thing, b: Thing) -> bool:
    """Whether one is clearly left of the other."""
    return a.extent.x1 < b.extent.x0 or b.extent.x1 < a.extent.x0


def _details(scene: Scene) -> Iterator[Candidate]:
    categories = {thing.category for thing in scene.things}
    for names, question in (
        (ANIMALS, "What animal is in the picture?"),
        (VEHICLES, "What type of vehicle is this?"),
    ):
        there = [name for name in names if name in categories]
        if len(there) == 1:
            truth = say.thing(word(there[0]), names)
            yield _other(question, "", question, truth, len(names))
    yield from _riders(scene)
    for category in ("bus", "clock", "traffic light"):
        things = scene.of(category)
        if len(things) != 1:
            continue
        thing = things[0][1]
        if category == "bus" and thing.extent.height >= _LEGIBLE_BUS:
            digits = say.Truth(
                thing.detail,
                (f"#{thing.detail}", f"{thing.detail}.", f"number {thing.detail}"),
                (thing.detail[::-1], thing.detail[0]),
            )
            yield Candidate("bus number", "", "What number is on the bus?", "number", digits, 90)
        if category == "clock" and thing.extent.height >= _LEGIBLE_CLOCK:
            yield _other(
                "time", "", "What time does the clock show?", say.hour(int(thing.detail)), 12
            )
        if category == "traffic light":
            lamp = say.word(thing.detail, (f"{thing.detail} light",), ("red", "yellow", "green"))
            yield _other("lamp", "", "What does the traffic light show?", lamp, 3)


def _riders(scene: Scene) -> Iterator[Candidate]:
    for _, rider in scene.single:
        if rider.on < 0:
            continue
        seat = scene.things[rider.on]
        if len(scene.of(seat.category)) != 1:
            continue
        others = ("cat", "bird", "teddy bear", "cup")
        truth = say.thing(word(rider.category), others)
        yield _other(
            "what is on", seat.category, f"What is on the {word(seat.category)}?", truth, 3
        )
        for other in others[:3]:
            text = f"Is that {with_article(other)} on the {name_of(seat)}?"
            is_so = say.yes_or_no(rider.category == other)
            yield _yes_no("is that on", f"{other}/{seat.category}", text, is_so)


def _yes_no(template: str, subject: str, question: str, truth: say.Truth) -> Candidate:
    return Candidate(template, subject, question, "yes/no", truth, 2)


def _other(template: str, subject: str, question: str, truth: say.Truth, domain: int) -> Candidate:
    return Candidate(template, subject, question, "other", truth, domain)
