"""Questions about people: what they do, hold, wear and feel."""

from __future__ import annotations

from collections.abc import Iterator

from vle_bench.data_prep.sample_world.classes import HELD, PERSON, word
from vle_bench.data_prep.sample_world.language import annotators as say
from vle_bench.data_prep.sample_world.language.balance import Candidate
from vle_bench.data_prep.sample_world.language.nouns import DOING
from vle_bench.data_prep.sample_world.scene import PersonFacts, Scene
from vle_bench.data_prep.sample_world.shapes.person import MOODS

_LEGIBLE_FACE = 120.0
"""Height of a person, in pixels, from which the face can be read."""

_VARIANTS = {
    "waving": ("they're waving", "waving hello"),
    "pointing": ("pointing at something", "they're pointing"),
    "cheering": ("they're cheering", "celebrating"),
    "running": ("they're running", "run"),
    "sitting": ("sitting down", "sitting on ground"),
    "lying down": ("laying down", "sleeping"),
    "standing": ("just standing", "standing still"),
}


def people_questions(scene: Scene) -> list[Candidate]:
    """All candidates about the people of one picture."""
    people = scene.of(PERSON)
    if not people or scene.has_crowd_of(PERSON):
        return []
    found = list(_headcounts(scene))
    for index, thing in people:
        facts = thing.person
        if facts is None:
            raise ValueError(f"thing {index} is a person without facts")
        who = "the person" if len(people) == 1 else f"the person in the {facts.shirt} shirt"
        found.extend(_activity(scene, index, facts, who))
        legible = thing.extent.height >= _LEGIBLE_FACE and facts.pose != "lying down"
        found.extend(_looks(facts, who, face=legible))
    return found


def _headcounts(scene: Scene) -> Iterator[Candidate]:
    people = [thing.person for _, thing in scene.of(PERSON) if thing.person is not None]
    hats = sum(1 for facts in people if facts.hat)
    text = "How many people are wearing hats?"
    yield Candidate("how many hats", "", text, "number", say.number(hats), 4)
    every = say.yes_or_no(hats == len(people))
    if len(people) > 1:
        yield _yes_no("all hats", "", "Are they all wearing hats?", every)


def _activity(scene: Scene, index: int, facts: PersonFacts, who: str) -> Iterator[Candidate]:
    held = scene.held_by(index)
    in_hand = word(held.category) if held is not None else "nothing"
    nouns = (*(word(category) for category in HELD), "nothing")
    truth = say.word("nothing", ("nothing at all", "it's empty"), nouns)
    if held is not None:
        truth = say.thing(in_hand, nouns)
    yield _other("holding", _role(who), f"What is {who} holding?", truth, len(nouns))
    if held is not None and held.category == "umbrella" and scene.place.sky in {"rainy", "sunny"}:
        cause = "rain" if scene.place.sky == "rainy" else "sun"
        why = say.word(cause, (f"because of the {cause}", f"the {cause}"), ("rain", "sun", "fun"))
        yield _other("why umbrella", "", f"Why is {who} holding an umbrella?", why, 2)
    if held is not None:
        return
    doing = DOING[facts.pose]
    truth = say.word(doing, _VARIANTS[doing], tuple(DOING.values()))
    yield _other("doing", _role(who), f"What is {who} doing?", truth, len(DOING))
    for pose in DOING.values():
        is_so = say.yes_or_no(pose == doing)
        yield _yes_no("is the person doing", pose, f"Is {who} {pose}?", is_so)


def _looks(facts: PersonFacts, who: str, *, face: bool) -> Iterator[Candidate]:
    role = _role(who)
    hat = say.yes_or_no(bool(facts.hat))
    yield _yes_no("has a hat", role, f"Does {who} have a hat?", hat)
    yield _yes_no("wears a hat", role, f"Is {who} wearing a hat?", hat)
    if role == "alone":
        yield _yes_no("this person hat", "", "Is this person wearing a hat?", hat)
        shirt = say.colour(facts.shirt)
        yield _other("shirt", "", "What color is the person's shirt?", shirt, 10)
        yield _other("what color shirt", "", "What color shirt is the person wearing?", shirt, 10)
    pants = (
        f"What color are {who}'s pants?"
        if role == "alone"
        else f"What color pants is {who} wearing?"
    )
    yield _other("pants", role, pants, say.colour(facts.trousers), 10)
    if facts.hat:
        text = f"What color hat is {who} wearing?"
        yield _other("hat color", role, text, say.colour(facts.hat), 10)
    if face:
        mood = say.word(facts.mood, (f"very {facts.mood}", f"{facts.mood} person"), MOODS)
        yield _other("feeling", role, f"How does {who} feel?", mood, len(MOODS))
        for name in MOODS:
            is_so = say.yes_or_no(name == facts.mood)
            yield _yes_no("looks", name, f"Does {who} look {name}?", is_so)


def _role(who: str) -> str:
    return "alone" if who == "the person" else "one of several"


def _yes_no(template: str, subject: str, question: str, truth: say.Truth) -> Candidate:
    return Candidate(template, subject, question, "yes/no", truth, 2)


def _other(template: str, subject: str, question: str, truth: say.Truth, domain: int) -> Candidate:
    return Candidate(template, subject, question, "other", truth, domain)
