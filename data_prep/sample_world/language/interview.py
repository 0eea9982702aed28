"""Chooses what is asked of each picture, and lets ten people answer."""

from __future__ import annotations

from typing import NamedTuple

from vle_bench.data_prep.sample_world.language.annotators import Given, ask_ten
from vle_bench.data_prep.sample_world.language.balance import Balance, Candidate
from vle_bench.data_prep.sample_world.language.question_types import question_type
from vle_bench.data_prep.sample_world.language.questions import questions_about
from vle_bench.data_prep.sample_world.scene import Scene
from vle_bench.data_prep.sample_world.streams import stream

_HOW_MANY = (4, 5, 5, 6, 6, 7)
_TYPES = ("yes/no", "other", "other", "yes/no", "number", "other", "yes/no", "other")
"""About the shares of the real data: 38 % yes/no, 13 % number, 49 % other."""
_RARE = frozenset({"name the color", "count the", "where was", "night", "which side", "more than"})
"""Templates that would else be asked of nearly every picture."""


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
        candidates = questions_about(scene)
        used: set[str] = set()
        chosen: list[Candidate] = []
        for _ in range(rng.choice(_HOW_MANY)):
            wanted = _TYPES[self._turn % len(_TYPES)]
            self._turn += 1
            fitting = [candidate for candidate in candidates if candidate.answer_type == wanted]
            templates = sorted({candidate.template for candidate in fitting} - used)
            templates.sort(key=lambda template: rng.random() * (0.4 if template in _RARE else 1.0))
            templates.reverse()
            for template in templates:
                among = [candidate for candidate in fitting if candidate.template == template]
                best = self._balance.choose(among, rng, used=used)
                if best is not None:
                    self._balance.note(best)
                    used.add(best.template)
                    chosen.append(best)
                    same = best.subject, best.truth
                    candidates = [c for c in candidates if (c.subject, c.truth) != same]
                    break
        rng.shuffle(chosen)
        return [
            Asked(
                candidate.question,
                question_type(candidate.question),
                candidate.answer_type,
                candidate.truth.answer,
                ask_ten(candidate.truth, rng),
            )
            for candidate in chosen
        ]
