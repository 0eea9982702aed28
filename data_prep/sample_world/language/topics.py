"""What may be asked of a picture: topics, each with all its true question-answer pairs.

Only what a person can see is asked: nothing small, nothing hidden, nothing that a
crowd makes uncountable. A topic is worked out only when it is its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from vle_bench.data_prep.sample_world.language.annotators import Truth, yes_or_no
from vle_bench.data_prep.sample_world.scene import Scene

YES_NO, NUMBER, OTHER = "yes/no", "number", "other"


class Candidate(NamedTuple):
    """A question that could be asked of a picture, with its truth."""

    subject: str
    """What the words of the topic are filled with; questions with one subject read the same."""
    question: str
    truth: Truth


class Topic(NamedTuple):
    """One thing to ask, in one wording."""

    name: str
    answer_type: str
    domain: int
    """How many answers there are."""
    pairs: Callable[[Scene], Iterator[Candidate]]
    weight: float = 1.0
    """How soon it is asked, beside others of its answer type."""


def yes_no(subject: str, question: str, is_so: bool) -> Candidate:
    """A yes/no candidate.

    >>> yes_no("dog", "Is there a dog?", True).truth.answer
    'yes'
    """
    return Candidate(subject, question, yes_or_no(is_so))
