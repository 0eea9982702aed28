"""What VCR asks: seven families of questions, each with answers of one form and their evidence.

A family's answers exclude each other, so the right answer to one picture is a
wrong one for another. The evidence of an answer comes with a detail of the very
person (clothes), and wrong rationales differ in that detail: to choose, one must
look into the right box.

In templates {a} and {b} stand for one person each and {ab} for both.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from vle_bench.data_prep.sample_world.classes import PERSON
from vle_bench.data_prep.sample_world.language.nouns import with_article
from vle_bench.data_prep.sample_world.scene import PersonFacts, Scene


class Riddle(NamedTuple):
    """A question with its right answer and rationale, still in templates."""

    family: str
    value: str
    """What the answer turns on; answers of one family with other values are wrong."""
    detail: str
    """What the rationale adds; another detail makes it wrong."""
    question: str
    answer: str
    rationale: str
    people: tuple[int, ...]
    """Indices of the things that {a} and {b} stand for."""


_DOING = {
    "standing": "{a} is doing nothing but waiting here .",
    "waving": "{a} is waving at somebody far away .",
    "pointing": "{a} is pointing at something over there .",
    "cheering": "{a} is cheering for somebody else .",
    "running": "{a} is running as fast as possible .",
    "sitting": "{a} is sitting down for a rest .",
    "lying down": "{a} is lying down for a nap .",
}
_NEXT = {
    "standing": "{a} will go on waiting here .",
    "waving": "{a} will say hello to somebody .",
    "pointing": "{a} will explain what is there .",
    "cheering": "{a} will clap and cheer again .",
    "running": "{a} will soon be somewhere else .",
    "sitting": "{a} will get up from there .",
    "lying down": "{a} will wake up some time .",
}
_POSE_EVIDENCE = {
    "standing": "stands upright and lets both arms hang down",
    "waving": "has one bent arm up with an open hand",
    "pointing": "stretches one arm sideways with a finger out",
    "cheering": "has both hands high above the head",
    "running": "has bent elbows and one leg far behind",
    "sitting": "has both legs flat and the back upright",
    "lying down": "is flat on the ground with closed eyes",
}
_MOOD_EVIDENCE = {
    "happy": "has a wide open smile on the face",
    "sad": "has a blue tear below one eye",
    "angry": "has eyebrows that point down to the nose",
    "surprised": "has wide eyes and a small round mouth",
}
_PLACES = {
    "meadow": ("out in a green meadow", "green grass with hills behind it"),
    "beach": ("out on a sandy beach", "pale sand with the sea behind it"),
    "street": ("out on a city street", "a gray road with houses behind it"),
    "snow": ("out in the white snow", "white ground with mountains behind it"),
    "desert": ("out in the hot desert", "orange sand with a cactus behind it"),
    "room": ("inside of a small room", "a wooden floor with a wall behind it"),
}
_WEATHER = {
    "sunny": ("a clear and sunny day", "a hat against the sun", "a yellow sun in the sky"),
    "cloudy": ("a dry but cloudy day", "", "white clouds in the sky"),
    "rainy": ("a wet and rainy day", "a roof against the rain", "gray streaks of rain"),
    "night": ("a dark and starry night", "a lamp against the dark", "a moon in the sky"),
    "snowy": ("a cold and snowy day", "a coat against the snow", "white flakes in the air"),
}


def riddles_of(scene: Scene, rng: random.Random) -> list[Riddle]:
    """Everything VCR could ask of a scene; `rng` picks the wording."""
    found: list[Riddle] = []
    people = scene.of(PERSON)
    for index, thing in people:
        facts = thing.person
        if facts is None:
            raise ValueError(f"thing {index} is a person without facts")
        found.extend(_about_one(scene, index, facts, rng))
    if len(people) > 1:
        (first, a), (second, b) = people[0], people[1]
        if a.person is not None and b.person is not None:
            found.extend(_about_two(scene, (first, second), (a.person, b.person)))
    return found


def _about_one(
    scene: Scene, index: int, facts: PersonFacts, rng: random.Random
) -> Iterator[Riddle]:
    clothes = f"in {with_article(facts.shirt)} shirt and {facts.trousers} pants"
    held = scene.held_by(index)
    if held is None:
        evidence = _POSE_EVIDENCE[facts.pose]
        wording = rng.choice(
            (("doing", "What is {a} doing ?", _DOING), ("next", _WHAT_NEXT, _NEXT))
        )
        family, question, answers = wording
        rationale = f"{{a}} , {clothes} , {evidence} ."
        yield Riddle(
            family, facts.pose, clothes, question, answers[facts.pose], rationale, (index,)
        )
    elif held.category != "kite":
        yield Riddle(
            "holding",
            held.colour,
            clothes,
            rng.choice(("What is {a} holding ?", "What is in the hand of {a} ?")),
            f"{{a}} is holding something {held.colour} .",
            f"The thing at the hand of {{a}} , {clothes} , has that color .",
            (index,),
        )
    if facts.pose != "lying down":
        yield Riddle(
            "feeling",
            facts.mood,
            clothes,
            rng.choice(("How is {a} feeling ?", "What kind of mood is {a} in ?")),
            f"{{a}} is feeling {facts.mood} right now .",
            f"{{a}} , {clothes} , {_MOOD_EVIDENCE[facts.mood]} .",
            (index,),
        )
    headgear = f"under {with_article(facts.hat)} hat" if facts.hat else "without any hat"
    detail = f"above {facts.trousers} pants and {headgear}"
    yield Riddle(
        "dressed",
        facts.shirt,
        detail,
        rng.choice(("How is {a} dressed ?", "How could one find {a} in a crowd ?")),
        f"{{a}} is wearing {with_article(facts.shirt)} shirt today .",
        f"The cloth that {{a}} wears {detail} has that color .",
        (index,),
    )


_WHAT_NEXT = "What will {a} do next ?"


def _about_two(
    scene: Scene, pair: tuple[int, int], facts: tuple[PersonFacts, PersonFacts]
) -> Iterator[Riddle]:
    place, sky = scene.place.name, scene.place.sky
    first, second = (with_article(one.shirt) for one in facts)
    who = f"{{a}} in {first} shirt and {{b}} in {second} shirt"
    detail = f"{facts[0].shirt} {facts[1].shirt}"
    where, around = _PLACES[place]
    yield Riddle(
        "place",
        place,
        detail,
        "Where are {ab} right now ?",
        f"{{ab}} are {where} .",
        f"Around {who} there is {around} .",
        pair,
    )
    if not sky:
        return
    weather, need, seen = _WEATHER[sky]
    rationale = f"One can see {seen} behind {who} ."
    question = "What kind of weather do {ab} have ?"
    yield Riddle("weather", sky, detail, question, f"{{ab}} have {weather} .", rationale, pair)
    if need:
        question = "What do {ab} need most right now ?"
        yield Riddle("need", sky, detail, question, f"{{ab}} need {need} .", rationale, pair)
