"""What a sentence may mention, and what must be true of a picture for it to hold.

A mention carries the facts it claims. A caption is a list of mentions, so whether
it is true of another picture is a question of sets, not of language; that is how
captions are made that fit one picture only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from vle_bench.data_prep.sample_world.classes import ANIMALS, PERSON, VEHICLES, word
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


class Phrase(NamedTuple):
    """Words inside a mention that name things one can point at."""

    text: str
    kind: str
    """As Flickr30k Entities sorts them: people, clothing, animals, vehicles, other."""
    things: tuple[int, ...]
    """Indices into the scene's things."""
    part: str = ""
    """The part of the thing that is meant, where it is not the whole."""


class Mention(NamedTuple):
    """A noun phrase in two languages, with its claims."""

    english: str
    chinese: str
    claims: frozenset[Claim]
    about_people: bool = False
    many: bool = False
    """Whether its verb is plural."""
    phrases: tuple[Phrase, ...] = ()
    """The phrases of the English words, in their order."""


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
        shirt = f"{with_article(facts.shirt)} shirt"
        who = f"a person in {shirt}"
        phrases = [
            Phrase("a person", "people", (index,)),
            Phrase(shirt, "clothing", (index,), "shirt"),
        ]
        claims: set[Claim] = {("person", facts.shirt)}
        if facts.hat:
            hat = f"{with_article(facts.hat)} hat"
            who += f" and {hat}"
            phrases.append(Phrase(hat, "clothing", (index,), "hat"))
            claims.add(("hat", facts.shirt, facts.hat))
        doing = activity_of(scene, index)
        claims.add(("doing", facts.shirt, doing))
        text = f"{who} {doing}"
        phrases += [
            Phrase(with_article(name_of(other)), _kind(other.category), (held,))
            for held, other in scene.single
            if other.held_by == index
        ]
        yield Mention(
            text,
            chinese_person(scene, index),
            frozenset(claims),
            about_people=True,
            phrases=tuple(phrases),
        )


def _riders(scene: Scene) -> Iterable[Mention]:
    for index, thing in scene.single:
        if thing.on >= 0:
            seat = scene.things[thing.on]
            above, below = with_article(name_of(thing)), with_article(name_of(seat))
            text = f"{above} on top of {below}"
            phrases = (
                Phrase(above, _kind(thing.category), (index,)),
                Phrase(below, _kind(seat.category), (thing.on,)),
            )
            claim = ("on", thing.category, thing.colour, seat.category, seat.colour)
            yield Mention(text, chinese_rider(thing, seat), frozenset({claim}), phrases=phrases)


def _groups(scene: Scene) -> Iterable[Mention]:
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    seats = {thing.on for thing in scene.things if thing.on >= 0}
    for index, thing in scene.single:
        if thing.category != PERSON and thing.held_by < 0 and thing.on < 0 and index not in seats:
            groups[thing.category, thing.colour].append(index)
    # What is held, stands on something or is stood on has a mention of its own; then no number
    # is given for its class at all.
    elsewhere = {t.category for t in scene.things if t.held_by >= 0 or t.on >= 0 or t.crowd}
    elsewhere |= {scene.things[seat].category for seat in seats}
    by_size = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    for (category, colour), members in by_size:
        count = 1 if category in elsewhere else len(members)
        noun = f"{colour} {word(category)}" if colour else word(category)
        claim = (
            ("some", category, colour) if count == 1 else ("count", category, colour, str(count))
        )
        text = counted(count, noun, many_of(category, colour))
        chinese = chinese_counted(category, colour, count)
        phrase = Phrase(text, _kind(category), tuple(members[:count]))
        yield Mention(text, chinese, frozenset({claim}), many=count > 1, phrases=(phrase,))


def _crowds(scene: Scene) -> Iterable[Mention]:
    names = {PERSON: "a crowd of people", "bird": "a flock of birds", "cup": "a row of cups"}
    for index, thing in enumerate(scene.things):
        if thing.crowd:
            claim = ("crowd", thing.category)
            text = names[thing.category]
            yield Mention(
                text,
                chinese_crowd(thing.category),
                frozenset({claim}),
                many=True,
                phrases=(Phrase(text, _kind(thing.category), (index,)),),
            )


def _kind(category: str) -> str:
    """The type of a phrase about that class, as Flickr30k Entities calls it."""
    if category == PERSON:
        return "people"
    if category in ANIMALS:
        return "animals"
    return "vehicles" if category in VEHICLES else "other"
