"""Kinds of VCR questions: how likely the answer, how many objects named, which question word.

A total can stand still while two kinds swap, so each kind has scores of its own.
Kinds come from the question alone: the wrong choices were matched by an
adversary who moved their tags, and the right choice would tell the gold.
What an item does not state gives it no kind; that is counted, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from vle_bench.eval.distinct import Groups
from vle_bench.eval.vcr.question import OTHER, QUESTION_WORDS, UNSTATED
from vle_bench.eval.vcr.references import VcrItem

Indices = npt.NDArray[np.int64]
T = TypeVar("T", str, int)

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
    parts: tuple[tuple[str, Indices], ...]
    unstated: int


def breakdowns(items: Sequence[VcrItem]) -> tuple[Breakdown, ...]:
    """The ways to part `items`; one that no item states anything of is left out."""
    likelihoods = [item.likelihood for item in items]
    counts = [item.objects_named for item in items]
    words = [item.question_word for item in items]
    free = len(set(likelihoods)) > MOST_LIKELIHOODS
    found = (
        None if free else _breakdown("answer_likelihood", likelihoods, _plain, order=_ANNOTATED),
        _breakdown("objects", counts, _shown),
        _breakdown("question_word", words, str, order=(*QUESTION_WORDS, OTHER)),
    )
    return tuple(breakdown for breakdown in found if breakdown is not None)


def unstated_notes(parted: Sequence[Breakdown], size: int) -> tuple[str, ...]:
    """A sentence for each breakdown that does not cover all of `size` items."""
    return tuple(
        f"{breakdown.unstated:,} of {size:,} items state nothing of {breakdown.name} "
        "and are in no part of it."
        for breakdown in parted
        if breakdown.unstated
    )


def _breakdown(
    name: str, column: Sequence[T], shown: Callable[[T], str], *, order: Sequence[str] = ()
) -> Breakdown | None:
    groups = Groups.of(column)
    values: dict[str, list[int]] = {}
    for code, value in enumerate(groups.names):
        values.setdefault(shown(value), []).append(code)
    unstated = len(_rows(groups, values.pop("", [])))
    if not values:
        return None
    known = {value: at for at, value in enumerate(order)}
    ranked = sorted(values, key=lambda value: (known.get(value, len(known)), value))
    parts = tuple((value, _rows(groups, values[value])) for value in ranked)
    return Breakdown(name=name, parts=parts, unstated=unstated)


def _rows(groups: Groups[T], wanted: Sequence[int]) -> Indices:
    """The rows of any of some groups."""
    among = np.zeros(len(groups.names), dtype=np.bool_)
    among[list(wanted)] = True
    return np.flatnonzero(among[groups.codes])


def _plain(text: str) -> str:
    """A value that can stand between the brackets of a metric's key."""
    return text.translate(_BRACKETS)


def _shown(count: int) -> str:
    if count == UNSTATED:
        return ""
    return str(count) if count < _MANY_OBJECTS else f"{_MANY_OBJECTS}+"
