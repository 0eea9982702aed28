"""Picks questions so that the words of a question say nothing about its answer.

Of all true question-answer pairs of a topic, the one is asked whose answer was
given least often to those words so far. A pair that would tip the balance is
not asked at all.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict

from vle_bench.data_prep.sample_world.language.topics import Candidate, Topic
from vle_bench.data_prep.sample_world.scene import Scene

_MOST_TILT = 3.0


class Balance:
    """What was asked and answered so far, in one split."""

    def __init__(self) -> None:
        self._by_words: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._by_topic: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def choose(
        self, topic: Topic, scene: Scene, rng: random.Random, *, said: set[tuple[str, str]]
    ) -> Candidate | None:
        """The pair that keeps answers most even; None where each would tip the balance.

        Args:
            topic: What to ask.
            scene: What the picture shows.
            rng: Breaks ties.
            said: Subjects and answers of this picture that were asked in other words.
        """
        best, least = None, (_MOST_TILT, 1.0)
        for candidate in topic.pairs(scene):
            if (candidate.subject, candidate.truth.answer) in said:
                continue
            rank = (self._tilt(topic, candidate), rng.random())
            if rank < least:
                best, least = candidate, rank
        return best

    def note(self, topic: Topic, candidate: Candidate) -> None:
        """Counts a question that is asked."""
        answer = candidate.truth.answer
        self._by_words[topic.name, candidate.subject][answer] += 1
        self._by_topic[topic.name][answer] += 1

    def _tilt(self, topic: Topic, candidate: Candidate) -> float:
        """How far above an even share this answer would be, for its words and its topic."""
        answer, others = candidate.truth.answer, topic.domain - 1
        words = self._by_words[topic.name, candidate.subject]
        whole = self._by_topic[topic.name]
        return sum(
            weight * (count[answer] - (count.total() - count[answer]) / others)
            for weight, count in ((2.0, words), (1.0, whole))
        )
