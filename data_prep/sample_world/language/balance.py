"""Picks questions so that the words of a question say nothing about its answer.

Of all true question-answer pairs of a picture, the one is asked whose answer was
given least often to those words so far. A pair that would tip the balance is
not asked at all.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from vle_bench.data_prep.sample_world.language.annotators import Truth


class Candidate(NamedTuple):
    """A question that could be asked of a picture."""

    template: str
    """Questions of one template have the same words but for the subject."""
    subject: str
    question: str
    answer_type: str
    truth: Truth
    domain: int
    """How many answers the template has."""


class Balance:
    """What was asked and answered so far, in one split."""

    def __init__(self) -> None:
        self._by_words: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._by_template: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def choose(
        self, candidates: Sequence[Candidate], rng: random.Random, *, used: set[str]
    ) -> Candidate | None:
        """The candidate that keeps answers most even; None where every one would tip the balance.

        Args:
            candidates: True question-answer pairs of one picture.
            rng: Breaks ties.
            used: Templates already asked of this picture.
        """
        scored = [
            (self._tilt(candidate), rng.random(), candidate)
            for candidate in candidates
            if candidate.template not in used
        ]
        if not scored:
            return None
        tilt, _, best = min(scored, key=lambda entry: entry[:2])
        return best if tilt <= 3.0 else None

    def note(self, candidate: Candidate) -> None:
        """Counts a question that is asked."""
        answer = candidate.truth.answer
        self._by_words[candidate.template, candidate.subject][answer] += 1
        self._by_template[candidate.template][answer] += 1

    def _tilt(self, candidate: Candidate) -> float:
        """How far above an even share this answer would be, for its words and its template."""
        answer = candidate.truth.answer
        words = self._by_words[candidate.template, candidate.subject]
        template = self._by_template[candidate.template]
        ahead = words[answer] - (words.total() - words[answer]) / (candidate.domain - 1)
        ahead_of_template = template[answer] - (template.total() - template[answer]) / (
            candidate.domain - 1
        )
        return 2.0 * ahead + ahead_of_template
