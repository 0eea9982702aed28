"""Topics about the picture as a whole: what is in it, where it is, what the sky does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from vle_bench.data_prep.sample_world.classes import CATEGORY_NAMES, PLACES, plural, word
from vle_bench.data_prep.sample_world.language import annotators as say
from vle_bench.data_prep.sample_world.language.nouns import PLACE_WORDS, with_article
from vle_bench.data_prep.sample_world.language.topics import (
    OTHER,
    YES_NO,
    Candidate,
    Topic,
    yes_no,
)
from vle_bench.data_prep.sample_world.scene import Scene
from vle_bench.data_prep.sample_world.shapes.palette import COLOUR_NAMES

_WALLS = 6


def _presence(wording: str, scene: Scene) -> Iterator[Candidate]:
    present = {thing.category for thing in scene.things}
    for category in CATEGORY_NAMES:
        question = wording.format(a=with_article(word(category)), many=plural(category))
        yield yes_no(category, question, category in present)


def _coloured_presence(scene: Scene) -> Iterator[Candidate]:
    """Right class, wrong colour is the trap."""
    colours = {(t.category, t.colour) for t in scene.things if t.colour}
    for category in sorted({category for category, _ in colours}):
        if scene.has_crowd_of(category):
            continue
        for colour in COLOUR_NAMES:
            question = f"Is there {with_article(f'{colour} {word(category)}')}?"
            yield yes_no(f"{category}/{colour}", question, (category, colour) in colours)


def _is_this(scene: Scene) -> Iterator[Candidate]:
    for name in PLACES:
        if name != "snow":
            question = f"Is this {with_article(PLACE_WORDS[name])}?"
            yield yes_no(name, question, name == scene.place.name)


def _does_this_show(scene: Scene) -> Iterator[Candidate]:
    for name in PLACES:
        noun = PLACE_WORDS[name] if name == "snow" else with_article(PLACE_WORDS[name])
        yield yes_no(name, f"Does this picture show {noun}?", name == scene.place.name)


def _where(scene: Scene) -> Iterator[Candidate]:
    noun = PLACE_WORDS[scene.place.name]
    variants = (f"the {noun}", f"at the {noun}")
    truth = say.word(noun, variants, tuple(PLACE_WORDS.values()))
    yield Candidate("", "Where was this picture taken?", truth)


def _indoors(scene: Scene) -> Iterator[Candidate]:
    yield yes_no("", "Was this taken indoors?", scene.place.name == "room")


def _wall(scene: Scene) -> Iterator[Candidate]:
    if scene.place.wall:
        yield Candidate("", "What color is the wall?", say.colour(scene.place.wall))


def _sky(question: str, wanted: str, scene: Scene) -> Iterator[Candidate]:
    if scene.place.sky:
        yield yes_no("", question, scene.place.sky == wanted)


def _weather(scene: Scene) -> Iterator[Candidate]:
    sky = scene.place.sky
    if sky in {"sunny", "cloudy", "rainy"}:
        truth = say.word(sky, (f"it's {sky}",), ("sunny", "cloudy", "rainy", "clear"))
        yield Candidate("", "What is the weather like?", truth)


SCENE_TOPICS = (
    Topic("is there", YES_NO, 2, partial(_presence, "Is there {a} in the picture?")),
    Topic("are there any", YES_NO, 2, partial(_presence, "Are there any {many}?")),
    Topic("do you see", YES_NO, 2, partial(_presence, "Do you see {a}?")),
    Topic("coloured", YES_NO, 2, _coloured_presence),
    Topic("is this a place", YES_NO, 2, _is_this),
    Topic("shows a place", YES_NO, 2, _does_this_show),
    Topic("where", OTHER, len(PLACES), _where, weight=0.4),
    Topic("indoors", YES_NO, 2, _indoors),
    Topic("wall", OTHER, _WALLS, _wall),
    Topic("raining", YES_NO, 2, partial(_sky, "Is it raining?", "rainy")),
    Topic("night", YES_NO, 2, partial(_sky, "In this picture, is it night?", "night"), weight=0.4),
    Topic("sun", YES_NO, 2, partial(_sky, "Can you see the sun?", "sunny")),
    Topic("weather", OTHER, 3, _weather),
)
