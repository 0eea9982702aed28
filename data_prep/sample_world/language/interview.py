"""Chooses what is asked of each picture, and lets ten people answer."""

from __future__ import annotations

import random
from typing import NamedTuple

from vle_bench.data_prep.sample_world.language.annotators import Given, ask_ten
from vle_bench.data_prep.sample_world.language.balance import Balance
from vle_bench.data_prep.sample_world.language.people_topics import PEOPLE_TOPICS
from vle_bench.data_prep.sample_world.language.question_types import question_type
from vle_bench.data_prep.sample_world.language.scene_topics import SCENE_TOPICS
from vle_bench.data_prep.sample_world.language.thing_topics import THING_TOPICS
from vle_bench.data_prep.sample_world.language.topics import Candidate, Topic
from vle_bench.data_prep.sample_world.scene import Scene
from vle_bench.data_prep.sample_world.streams import stream

TOPICS = (*SCENE_TOPICS, *THING_TOPICS, *PEOPLE_TOPICS)

_HOW_MANY = (4, 5, 5, 6, 6, 7)
_TYPES = ("yes/no", "other", "other", "yes/no", "number", "other", "yes/no", "other")
"""About the shares of the real data: 38 % yes/no, 13 % number, 49 % other."""
_BY_TYPE = {kind: [topic for topic in TOPICS if topic.answer_type == kind] for kind in set(_TYPES)}


class Asked(NamedTuple):
    """One question of one picture, with its true answer and what people said."""

    question: str
    question_type: str
    answer_type: str
    truth: str
    given: tuple[Given, ...]


class Interview:
    """Asks of one split, picture after picture, and keeps the answers even."""

    def __init__(self, seed: int, split: str) -> None:
        self._seed, self._split = seed, split
        self._balance = Balance()
        self._turn = 0

    def ask(self, scene: Scene, image_id: int) -> list[Asked]:
        """The questions of one picture, in the order they are asked."""
        rng = stream(self._seed, "ask", self._split, image_id)
        chosen: dict[str, tuple[Topic, Candidate]] = {}
        said: set[tuple[str, str]] = set()
        for _ in range(rng.choice(_HOW_MANY)):
            wanted = _TYPES[self._turn % len(_TYPES)]
            self._turn += 1
            for topic in _shuffled(wanted, rng):
                best = None
                if topic.name not in chosen:
                    best = self._balance.choose(topic, scene, rng, said=said)
                if best is not None:
                    self._balance.note(topic, best)
                    chosen[topic.name] = topic, best
                    if best.subject:
                        said.add((best.subject, best.truth.answer))
                    break
        asked = list(chosen.values())
        rng.shuffle(asked)
        return [
            Asked(
                candidate.question,
                question_type(candidate.question),
                topic.answer_type,
                candidate.truth.answer,
                ask_ten(candidate.truth, rng),
            )
            for topic, candidate in asked
        ]


def _shuffled(answer_type: str, rng: random.Random) -> list[Topic]:
    """The topics of a type; those of small weight tend to come late."""
    return sorted(_BY_TYPE[answer_type], key=lambda topic: -rng.random() * topic.weight)
