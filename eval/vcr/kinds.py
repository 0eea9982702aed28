"""Kinds of VCR questions: how likely the answer, how many objects named, which question word.

A total can stand still while two kinds swap, so each kind has scores of its own.
Kinds come from the question alone: the wrong choices were matched by an
adversary who moved their tags, and the right choice would tell the gold.
What an item does not state gives it no kind; that is counted, never guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vle_bench.eval.vcr.question import OTHER, QUESTION_WORDS, UNSTATED
from vle_bench.eval.vcr.references import VcrItem

MOST_LIKELIHOODS = 20
"""Distinct values beyond which `answer_likelihood` is no kind but free text."""

_MANY_OBJECTS = 3
_BRACKETS = str.maketrans("[]", "()")
_ANNOTATED = ("certain", "likely", "possible", "unlikely")


class Breakdown(NamedTuple):
    """One way to part the items.

    Attributes:
        name: As in a metric's key: `answer_likelihood`, `objects` or `question_word`.
        parts: Value and rows of each part, in the order to show them.
        unstated: Items that state nothing of it.
    """

    name: str
    parts: tuple[tuple[str, tuple[int, ...]], ...]
    unstated: int


def breakdowns(items: Sequence[VcrItem]) -> Iterator[Breakdown]:
    """The ways to part `items`; one that no item states anything of is left out."""
    likelihoods = [item.likelihood.translate(_BRACKETS) for item in items]
    if len(set(likelihoods)) <= MOST_LIKELIHOODS:
        yield from _breakdown("answer_likelihood", likelihoods, _ANNOTATED)
    counts = [_shown(item.objects_named) for item in items]
    yield from _breakdown("objects", counts, ())
    words = [item.question_word for item in items]
    yield from _breakdown("question_word", words, (*QUESTION_WORDS, OTHER))


def unstated_notes(items: Sequence[VcrItem]) -> tuple[str, ...]:
    """A sentence for each breakdown that does not cover all items."""
    return tuple(
        f"{breakdown.unstated:,} of {len(items):,} items state nothing of {breakdown.name} "
        "and are in no part of it."
        for breakdown in breakdowns(items)
        if breakdown.unstated
    )


def _breakdown(name: str, column: Sequence[str], order: Sequence[str]) -> Iterator[Breakdown]:
    sizes = Counter(column)
    unstated = sizes.pop("", 0)
    if not sizes:
        return
    known = {value: at for at, value in enumerate(order)}
    rows: dict[str, list[int]] = {
        value: [] for value in sorted(sizes, key=lambda one: (known.get(one, len(known)), one))
    }
    for row, value in enumerate(column):
        if value:
            rows[value].append(row)
    parts = tuple((value, tuple(chosen)) for value, chosen in rows.items())
    yield Breakdown(name=name, parts=parts, unstated=unstated)


def _shown(count: int) -> str:
    if count == UNSTATED:
        return ""
    return str(count) if count < _MANY_OBJECTS else f"{_MANY_OBJECTS}+"
