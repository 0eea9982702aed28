"""What a sentence may mention, and what must be true of a picture for it to hold.

A mention carries the facts it claims. A caption is a list of mentions, so whether
it is true of another picture is a question of sets, not of language; that is how
captions are made that fit one picture only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from vle_bench.data_prep.sample_world.classes import PERSON, word
from vle_bench.data_prep.sample_world.language.chinese_nouns import (
    chinese_counted,
    chinese_crowd,
    chinese_person,
    chinese_rider,
)
from vle_bench.data_prep.sample_world.language.nouns import (
    activity_of,
    counted,
    many_of,
    name_of,
    with_article,
)
from vle_bench.data_prep.sample_world.scene import Scene

Claim = tuple[str, ...]
"""One fact, such as ("count", "car", "red", "2")."""


class Mention(NamedTuple):
    """A noun phrase in two languages, with its claims."""

    english: str
    chinese: str
    claims: frozenset[Claim]
    about_people: bool = False
    many: bool = False
    """Whether its verb is plural."""


def mentions_of(scene: Scene) -> list[Mention]:
    """Everything in a picture that a sentence may name, most striking first."""
    return [*_people(scene), *_riders(scene), *_groups(scene), *_crowds(scene)]


def claims_of(scene: Scene) -> frozenset[Claim]:
    """Every fact a mention of this picture could claim, place and weather included."""
    claims: set[Claim] = {("place", scene.place.name), ("sky", scene.place.sky)}
    for mention in mentions_of(scene):
        claims.update(mention.claims)
    for _, thing in scene.single:
        claims.add(("some", thing.category, thing.colour))
    return frozenset(claims)


def _people(scene: Scene) -> Iterable[Mention]:
    for index, thing in scene.of(PERSON):
        facts = thing.person
        if facts is None:
            raise ValueError(f"thing {index} is a person without facts")
        who = f"a person in {with_article(facts.shirt)} shirt"
        claims: set[Claim] = {("person", facts.shirt)}
        if facts.hat:
            who += f" and {with_article(facts.hat)} hat"
            claims.add(("hat", facts.shirt, facts.hat))
        doing = activity_of(scene, index)
        claims.add(("doing", facts.shirt, doing))
        text = f"{who} {doing}"
        yield Mention(text, chinese_person(scene, index), frozenset(claims), about_people=True)


def _riders(scene: Scene) -> Iterable[Mention]:
    for _, thing in scene.single:
        if thing.on >= 0:
            seat = scene.things[thing.on]
            text = f"{with_article(name_of(thing))} on top of {with_article(name_of(seat))}"
            claim = ("on", thing.category, thing.colour, seat.category, seat.colour)
            yield Mention(text, chinese_rider(thing, seat), frozenset({claim}))


def _groups(scene: Scene) -> Iterable[Mention]:
    groups: defaultdict[tuple[str, str], int] = defaultdict(int)
    seats = {thing.on for thing in scene.things if thing.on >= 0}
    for index, thing in scene.single:
        if thing.category != PERSON and thing.held_by < 0 and thing.on < 0 and index not in seats:
            groups[thing.category, thing.colour] += 1
    # What is held, stands on something or is stood on has a mention of its own; then no number
    # is given for its class at all.
    elsewhere = {t.category for t in scene.things if t.held_by >= 0 or t.on >= 0 or t.crowd}
    elsewhere |= {scene.things[seat].category for seat in seats}
    for (category, colour), count in sorted(groups.items(), key=lambda item: (-item[1], item[0])):
        if category in elsewhere:
            count = 1
        noun = f"{colour} {word(category)}" if colour else word(category)
        claim = (
            ("some", category, colour) if count == 1 else ("count", category, colour, str(count))
        )
        text = counted(count, noun, many_of(category, colour))
        chinese = chinese_counted(category, colour, count)
        yield Mention(text, chinese, frozenset({claim}), many=count > 1)


def _crowds(scene: Scene) -> Iterable[Mention]:
    names = {PERSON: "a crowd of people", "bird": "a flock of birds", "cup": "a row of cups"}
    for thing in scene.things:
        if thing.crowd:
            claim = ("crowd", thing.category)
            yield Mention(
                names[thing.category], chinese_crowd(thing.category), frozenset({claim}), many=True
            )
