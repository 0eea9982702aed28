"""The answer vocabulary of VQA models and the soft targets made from it.

Answers given nine times or more become classes, numbered by first appearance,
train before val: label ids are therefore no property of VQAv2 but of a file
order, and tables of other projects hold the same 3,129 answers in other orders.
ViLT, METER and VLE look raw answers up among normalised ones, so that "Two" has
no label; that is the default here because their numbers were made with it, and
`normalised` is the repaired rule.
Source: write_vqa.py and glossary.py of dandelin/ViLT (commit 762fd397).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from vle_bench.answers import SOFT_STEPS, normalise_answer
from vle_bench.canonical import pretty_json_bytes

_LARGEST_HOLD_OUT = 1000
_HOLD_OUT_SHARE = 10

Vocabulary = Mapping[str, int]
"""Answer to label, labels counting up from 0."""


class SoftTarget(NamedTuple):
    """The classes among ten answers, in order of first appearance, and their scores."""

    labels: tuple[int, ...]
    scores: tuple[float, ...]


def class_name(answer: str) -> str:
    """An answer as the vocabulary spells it: officially normalised, and without commas.

    >>> class_name("The 1,000 Dogs.")
    '1000 dogs'
    """
    return normalise_answer(answer).replace(",", "")


def build_vocabulary(answers: Iterable[str], *, at_least: int) -> Vocabulary:
    """The classes among the most frequent answers of questions, in order of first appearance.

    Args:
        answers: `multiple_choice_answer` of every annotation, train before val.
        at_least: Occurrences an answer needs.

    >>> dict(build_vocabulary(["Two", "cat", "2", "cat", "dog"], at_least=2))
    {'2': 0, 'cat': 1}
    """
    raw_counts = Counter(answers)
    counts: Counter[str] = Counter()
    for answer, count in raw_counts.items():
        counts[class_name(answer)] += count
    kept = (name for name, count in counts.items() if count >= at_least)
    return MappingProxyType({name: label for label, name in enumerate(kept)})


def soft_score(occurrences: int) -> float:
    """The score of an answer by how many of ten annotators gave it.

    >>> [soft_score(count) for count in (0, 1, 2, 3, 4, 10)]
    [0.0, 0.3, 0.6, 0.9, 1.0, 1.0]
    """
    return SOFT_STEPS[min(occurrences, len(SOFT_STEPS) - 1)]


class SoftTargets:
    """Makes soft targets for one vocabulary.

    Args:
        vocabulary: Answer to label.
        normalised: Whether answers are normalised before they are counted (the repaired rule).
    """

    def __init__(self, vocabulary: Vocabulary, *, normalised: bool) -> None:
        self._vocabulary = vocabulary
        self._normalised = normalised
        self._names: dict[str, str] = {}

    def of(self, answers: Sequence[str]) -> SoftTarget:
        """The target of one question.

        >>> targets = SoftTargets({"2": 0, "dog": 1}, normalised=False)
        >>> targets.of(["2"] * 3 + ["Two"] * 6 + ["dog"])
        SoftTarget(labels=(0, 1), scores=(0.9, 0.3))
        >>> SoftTargets({"2": 0}, normalised=True).of(["2"] * 3 + ["Two"] * 7).scores
        (1.0,)
        """
        if self._normalised:
            answers = [self._name(answer) for answer in answers]
        known = [
            (self._vocabulary[answer], soft_score(count))
            for answer, count in Counter(answers).items()
            if answer in self._vocabulary
        ]
        return SoftTarget(tuple(label for label, _ in known), tuple(score for _, score in known))

    def _name(self, answer: str) -> str:
        if answer not in self._names:
            self._names[answer] = class_name(answer)
        return self._names[answer]


def vocabulary_files(vocabulary: Vocabulary) -> dict[str, bytes]:
    """`answers/answer2label.json` (answer to label) and `answers/label2answer.json` (a list)."""
    return {
        "answers/answer2label.json": pretty_json_bytes(dict(vocabulary)),
        "answers/label2answer.json": pretty_json_bytes(list(vocabulary)),
    }


def hold_out(image_ids: Sequence[str], *, seed: int) -> tuple[list[str], list[str]]:
    """Splits the val images into `trainable_val` and `rest_val`, each in the given order.

    The originals shuffle without a seed, so that nobody's held-out set can be had again. Here
    each image draws a number from its id and the seed; the smallest min(1000, 10 %) are held
    out, and an image that is missing moves at most one other.

    >>> trainable, rest = hold_out([str(n) for n in range(25)], seed=0)
    >>> len(trainable), len(rest)
    (23, 2)
    """
    size = min(_LARGEST_HOLD_OUT, len(image_ids) // _HOLD_OUT_SHARE)
    drawn = sorted(image_ids, key=lambda image: (_draw(image, seed), image))
    rest = set(drawn[:size])
    trainable = [image for image in image_ids if image not in rest]
    return trainable, [image for image in image_ids if image in rest]


def _draw(image: str, seed: int) -> bytes:
    return hashlib.sha256(f"rest_val/{seed}/{image}".encode()).digest()
