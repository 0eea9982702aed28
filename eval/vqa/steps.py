"""The steps of a reading, one after the other: what `vle-eval explain` shows.

They are the same functions that score, or take their words apart; a test holds the
whole of the steps against every reader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from vle_bench.answers import (
    ARTICLES,
    NUMBER_WORDS,
    marks_step,
    mmf_step,
    normalise_answer,
    normalise_answer_mmf,
    periods_step,
    punctuation_step,
    strip_step,
)
from vle_bench.catalog.contractions import contractions
from vle_bench.eval.vqa.protocols import Reader, as_written


class Step(NamedTuple):
    """A step's name and what it leaves."""

    name: str
    text: str


def _lower(text: str) -> str:
    return " ".join(text.lower().split())


def _numbers(text: str) -> str:
    return " ".join(NUMBER_WORDS.get(word, word) for word in text.split())


def _articles(text: str) -> str:
    return " ".join(word for word in text.split() if word not in ARTICLES)


def _contractions(text: str) -> str:
    table = contractions()
    return " ".join(table.get(word, word) for word in text.split())


_Named = tuple[tuple[str, Callable[[str], str]], ...]
_PUNCTUATION: _Named = (("marks", marks_step), ("periods", periods_step))
_WORDS: _Named = (
    ("lower case", _lower),
    ("number words", _numbers),
    ("articles", _articles),
    ("contractions", _contractions),
)
_STRIP: _Named = (("strip", strip_step),)

_STEPS: Mapping[Reader, _Named] = MappingProxyType(
    {
        as_written: (),
        strip_step: _STRIP,
        punctuation_step: _PUNCTUATION,
        normalise_answer: (*_STRIP, *_PUNCTUATION, *_WORDS),
        normalise_answer_mmf: (("mmf", mmf_step), *_STRIP, *_PUNCTUATION, *_WORDS),
    }
)


def steps_of(text: str, reader: Reader) -> tuple[Step, ...]:
    """What each step of a reader leaves of a text.

    >>> [step.text for step in steps_of("The Dog.", normalise_answer)][-4:]
    ['the dog', 'the dog', 'dog', 'dog']
    """
    steps = []
    for name, function in _STEPS[reader]:
        text = function(text)
        steps.append(Step(name, text))
    return tuple(steps)
