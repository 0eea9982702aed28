"""Ten people answer one question, nearly alike.

The right answer is always what most of them wrote, letter for letter; the others
wrote it in another way ("two", "A dog.", "it's red") or made a mistake that people
make. A third of all questions have ten equal answers, as in the real data.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from vle_bench.data_prep.sample_world.language.nouns import NUMBER_WORDS, with_article

ANNOTATORS = 10
_UNANIMOUS = 0.34
_ODD_MAJORITY = 0.04


class Truth(NamedTuple):
    """A right answer, other ways to write it, and mistakes that people make."""

    answer: str
    variants: tuple[str, ...]
    slips: tuple[str, ...]


class Given(NamedTuple):
    """What one person wrote."""

    answer: str
    confidence: str


def yes_or_no(is_so: bool) -> Truth:
    """Truth of a yes/no question.

    >>> yes_or_no(True).answer, yes_or_no(True).slips
    ('yes', ('no',))
    """
    if is_so:
        return Truth("yes", ("Yes", "yes.", "yes, it is", "yeah"), ("no",))
    return Truth("no", ("No", "no.", "no, it isn't", "nope"), ("yes",))


def number(count: int) -> Truth:
    """Truth of a counting question."""
    spelled = NUMBER_WORDS[count] if count < len(NUMBER_WORDS) else str(count)
    slips = tuple(str(n) for n in (count + 1, count - 1) if n >= 0)
    return Truth(str(count), (spelled, spelled.capitalize(), f"{count}.", f"{count} "), slips)


def colour(name: str) -> Truth:
    """Truth of a colour question."""
    slips = {
        "red": ("orange", "pink"), "orange": ("red", "yellow"), "yellow": ("gold", "orange"),
        "green": ("dark green", "teal"), "blue": ("dark blue", "purple"),
        "purple": ("blue", "violet"), "pink": ("red", "purple"), "brown": ("black", "tan"),
        "black": ("gray", "brown"), "white": ("gray", "cream"),
    }  # fmt: skip
    return Truth(
        name, (name.capitalize(), f"{name}.", f"it's {name}", f"bright {name}"), slips[name]
    )


def thing(noun: str, others: tuple[str, ...]) -> Truth:
    """Truth of a question for a thing; mistakes are other things."""
    variants = (
        with_article(noun),
        f"the {noun}",
        noun.capitalize(),
        f"{with_article(noun).capitalize()}.",
    )
    return Truth(noun, variants, tuple(other for other in others if other != noun))


def word(answer: str, variants: tuple[str, ...], others: tuple[str, ...]) -> Truth:
    """Truth of any other question with a short list of possible answers."""
    return Truth(
        answer,
        (answer.capitalize(), f"{answer}.", *variants),
        tuple(other for other in others if other != answer),
    )


def hour(at: int) -> Truth:
    """Truth of a question for the time."""
    spelled = NUMBER_WORDS[at]
    variants = (f"{at} o'clock", f"{at} oclock", f"{at}:00.", f"{spelled} o'clock")
    slips = [f"{at % 12 + 1}:00", f"{(at + 5) % 12 + 1}:00"]
    if at != 12:
        slips.append(f"12:{at * 5:02d}")  # the hands taken for each other
    return Truth(f"{at}:00", variants, tuple(slips))


def ask_ten(truth: Truth, rng: random.Random) -> tuple[Given, ...]:
    """Ten answers; the commonest is right, and strictly commoner than any other."""
    main, variants = truth.answer, list(truth.variants)
    if rng.random() < _ODD_MAJORITY:
        main, variants[0] = variants[0], main
    given = [main] * ANNOTATORS
    if rng.random() >= _UNANIMOUS:
        rewritten = rng.choice((0, 1, 1, 2, 3))
        wrong = rng.choice((0, 0, 1, 1, 2)) or (0 if rewritten else 1)
        for place in range(rewritten):
            given[place] = rng.choice(variants)
        for place in range(rewritten, rewritten + wrong):
            given[place] = rng.choice(truth.slips)
    rng.shuffle(given)
    return tuple(Given(answer, _confidence(answer in truth.slips, rng)) for answer in given)


def _confidence(is_slip: bool, rng: random.Random) -> str:
    weights = (4, 5, 1) if is_slip else (86, 12, 2)
    return rng.choices(("yes", "maybe", "no"), weights)[0]
