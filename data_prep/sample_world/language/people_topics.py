"""Topics about people: what they do, hold, wear and feel.

"The person" is asked of where there is one; else it is "the person in the red
shirt", and no two people of a picture wear shirts of one colour.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from vle_bench.data_prep.sample_world.classes import HELD, PERSON, word
from vle_bench.data_prep.sample_world.language import annotators as say
from vle_bench.data_prep.sample_world.language.nouns import DOING, with_article
from vle_bench.data_prep.sample_world.language.topics import (
    NUMBER,
    OTHER,
    YES_NO,
    Candidate,
    Topic,
    yes_no,
)
from vle_bench.data_prep.sample_world.scene import PersonFacts, Scene, Thing
from vle_bench.data_prep.sample_world.shapes.palette import COLOUR_NAMES
from vle_bench.data_prep.sample_world.shapes.person import MOODS

_LEGIBLE_FACE = 120.0
"""Height of a person, in pixels, from which the face can be read."""
_NOUNS = (*(word(category) for category in HELD), "nothing")
_ALONE, _ONE_OF_SEVERAL = "alone", "one of several"

_ALSO_STANDING = frozenset({"waving", "pointing", "cheering"})
"""Who does that stands too: nobody could say whether "standing" is right."""

_VARIANTS = {
    "waving": ("they're waving", "waving hello"),
    "pointing": ("pointing at something", "they're pointing"),
    "cheering": ("they're cheering", "celebrating"),
    "running": ("they're running", "run"),
    "sitting": ("sitting down", "sitting on ground"),
    "lying down": ("laying down", "sleeping"),
    "standing": ("just standing", "standing still"),
}


class _One(NamedTuple):
    """A person, and the words that single it out."""

    thing: Thing
    facts: PersonFacts
    held: Thing | None
    words: str
    subject: str


def _people(scene: Scene) -> list[_One]:
    if scene.has_crowd_of(PERSON):
        return []
    people = scene.of(PERSON)
    found = []
    for index, thing in people:
        if thing.person is None:
            raise ValueError(f"thing {index} is a person without facts")
        words = "the person"
        if len(people) > 1:
            words = f"the person in the {thing.person.shirt} shirt"
        subject = _ALONE if len(people) == 1 else _ONE_OF_SEVERAL
        found.append(_One(thing, thing.person, scene.held_by(index), words, subject))
    return found


def _hats(scene: Scene) -> Iterator[Candidate]:
    people = _people(scene)
    if people:
        hats = sum(1 for one in people if one.facts.hat)
        yield Candidate("", "How many people are wearing hats?", say.number(hats))


def _all_hats(scene: Scene) -> Iterator[Candidate]:
    people = _people(scene)
    if len(people) > 1:
        yield yes_no("", "Are they all wearing hats?", all(one.facts.hat for one in people))


def _holding(scene: Scene) -> Iterator[Candidate]:
    for one in _people(scene):
        truth = say.word("nothing", ("nothing at all", "it's empty"), _NOUNS)
        if one.held is not None:
            truth = say.thing(word(one.held.category), _NOUNS)
        yield Candidate(one.subject, f"What is {one.words} holding?", truth)


def _why_umbrella(scene: Scene) -> Iterator[Candidate]:
    cause = {"rainy": "rain", "sunny": "sun"}.get(scene.place.sky)
    for one in _people(scene):
        if cause and one.held is not None and one.held.category == "umbrella":
            variants = (f"because of the {cause}", f"the {cause}")
            truth = say.word(cause, variants, ("rain", "sun", "fun"))
            yield Candidate("", f"Why is {one.words} holding an umbrella?", truth)


def _doing(scene: Scene) -> Iterator[Candidate]:
    for one in _people(scene):
        if one.held is None:
            doing = DOING[one.facts.pose]
            truth = say.word(doing, _VARIANTS[doing], tuple(DOING.values()))
            yield Candidate(one.subject, f"What is {one.words} doing?", truth)


def _is_doing(scene: Scene) -> Iterator[Candidate]:
    for one in _people(scene):
        if one.held is None:
            for pose in DOING.values():
                if pose == "standing" and one.facts.pose in _ALSO_STANDING:
                    continue
                yield yes_no(pose, f"Is {one.words} {pose}?", pose == DOING[one.facts.pose])


def _has_hat(wording: str, scene: Scene) -> Iterator[Candidate]:
    for one in _people(scene):
        yield yes_no(one.subject, wording.format(one.words), bool(one.facts.hat))


def _this_person_hat(scene: Scene) -> Iterator[Candidate]:
    for one in _people(scene):
        if one.subject == _ALONE:
            yield yes_no("", "Is this person wearing a hat?", bool(one.facts.hat))


def _shirt(question: str, scene: Scene) -> Iterator[Candidate]:
    for one in _people(scene):
        if one.subject == _ALONE:
            yield Candidate("", question, say.colour(one.facts.shirt))


def _pants(scene: Scene) -> Iterator[Candidate]:
    for one in _people(scene):
        question = f"What color pants is {one.words} wearing?"
        yield Candidate(one.subject, question, say.colour(one.facts.trousers))


def _hat_colour(scene: Scene) -> Iterator[Candidate]:
    for one in _people(scene):
        if one.facts.hat:
            question = f"What color hat is {one.words} wearing?"
            yield Candidate(one.subject, question, say.colour(one.facts.hat))


def _faces(scene: Scene) -> list[_One]:
    return [
        one
        for one in _people(scene)
        if one.thing.extent.height >= _LEGIBLE_FACE and one.facts.pose != "lying down"
    ]


def _feeling(scene: Scene) -> Iterator[Candidate]:
    for one in _faces(scene):
        mood = one.facts.mood
        truth = say.word(mood, (f"very {mood}", f"{with_article(mood)} person"), MOODS)
        yield Candidate(one.subject, f"How does {one.words} feel?", truth)


def _looks(scene: Scene) -> Iterator[Candidate]:
    for one in _faces(scene):
        for mood in MOODS:
            yield yes_no(mood, f"Does {one.words} look {mood}?", mood == one.facts.mood)


_COLOURS = len(COLOUR_NAMES)
_WHICH_SHIRT = "What color shirt is the person wearing?"
PEOPLE_TOPICS = (
    Topic("hats", NUMBER, 4, _hats),
    Topic("all hats", YES_NO, 2, _all_hats),
    Topic("holding", OTHER, len(_NOUNS), _holding),
    Topic("why umbrella", OTHER, 2, _why_umbrella),
    Topic("doing", OTHER, len(DOING), _doing),
    Topic("is doing", YES_NO, 2, _is_doing),
    Topic("has a hat", YES_NO, 2, partial(_has_hat, "Does {} have a hat?")),
    Topic("wears a hat", YES_NO, 2, partial(_has_hat, "Is {} wearing a hat?")),
    Topic("this person's hat", YES_NO, 2, _this_person_hat),
    Topic("shirt", OTHER, _COLOURS, partial(_shirt, "What color is the person's shirt?")),
    Topic("which shirt", OTHER, _COLOURS, partial(_shirt, _WHICH_SHIRT)),
    Topic("pants", OTHER, _COLOURS, _pants),
    Topic("hat color", OTHER, _COLOURS, _hat_colour),
    Topic("feeling", OTHER, len(MOODS), _feeling),
    Topic("looks", YES_NO, 2, _looks),
)
