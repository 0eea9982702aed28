"""Six ways to score the same answers, each a small value.

A protocol says how both sides are read before they are compared, and what an
answer earns that k of n annotators gave. The reading may depend on the question:
the official program normalises nothing where all ten annotators wrote the same
string, so "Yes" earns nothing there against ten times "yes". On real data that
alone moves a model by up to 29 points, hence a name for every habit.
Sources: GT-Vision-Lab/VQA (commit a013f004), salesforce/LAVIS (506965b9),
mlfoundations/open_flamingo (655f693f), facebookresearch/mmf (b0ffc7fb),
dandelin/ViLT (762fd397).
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from vle_bench.answers import (
    SOFT_STEPS,
    normalise_answer,
    normalise_answer_mmf,
    punctuation_step,
    strip_step,
)
from vle_bench.eval.vqa.gold import Bools, Floats, Ints

Reader = Callable[[str], str]
Labels = Literal["raw", "normalised"]

_ENOUGH = 3
"""Annotators who must agree for full credit, by the definition of VQA accuracy."""


class Hits(NamedTuple):
    """Which of the annotators' answers equal the given one.

    Attributes:
        flat: One entry an answer, question after question, in annotator order.
        starts: Where each question begins in `flat`; one more entry marks the end.
    """

    flat: Bools
    starts: Ints

    @property
    def counts(self) -> Ints:
        """Annotators of each question who gave the answer."""
        return np.add.reduceat(self.flat, self.starts[:-1], dtype=np.int64)

    @property
    def sizes(self) -> Ints:
        """Annotators of each question."""
        return np.diff(self.starts)


_WIDEST_TABLE = 10
"""Annotators whose 1,024 patterns of hits are worth a table."""

Credit = Callable[[Hits], Floats]


def leave_one_out(hits: Hits) -> Floats:
    """Mean over the annotators of min(others who agree / 3, 1), from 0 to 1 per question.

    With ten annotators 0, 1, 2, 3 and 4 hits earn 0, 0.3, 0.6, 0.9 and 1. A single annotator leaves
    no other behind, so that nothing can be earned. The terms are added in annotator order: their
    sum differs in the last bit with the order, and the official program has this one.

    >>> hits = np.array([True] * 3 + [False] * 7)
    >>> leave_one_out(Hits(hits, np.array([0, 10]))).round(4).tolist()
    [0.9]
    """
    scores = np.empty(len(hits.starts) - 1)
    sizes = hits.sizes
    for size in np.flatnonzero(np.bincount(sizes)).tolist():
        rows = np.flatnonzero(sizes == size)
        if size * len(rows) == len(hits.flat):
            block = hits.flat.reshape(-1, size)
        else:
            block = hits.flat[hits.starts[rows, None] + np.arange(size)]
        scores[rows] = _block_scores(block)
    return scores


def leave_one_out_terms(hits: Bools) -> Floats:
    """What each annotator's term is, along the last axis: min(others who agree / 3, 1).

    >>> leave_one_out_terms(np.array([True, True, False])).round(4).tolist()
    [0.3333, 0.3333, 0.6667]
    """
    counts = hits.sum(axis=-1, keepdims=True)
    terms: Floats = np.minimum((counts - hits) / _ENOUGH, 1.0)
    return terms


def _block_scores(block: Bools) -> Floats:
    """The mean of the terms of each row; each pattern of hits is worked out once."""
    size = block.shape[1]
    if size > _WIDEST_TABLE or len(block) < 1 << size:
        return _mean_of_terms(block)
    weights = 1 << np.arange(size, dtype=np.int16)
    patterns = (np.arange(1 << size)[:, None] & weights) > 0
    return _mean_of_terms(patterns)[block @ weights]


def _mean_of_terms(block: Bools) -> Floats:
    scores: Floats = np.add.accumulate(leave_one_out_terms(block), axis=1)[:, -1] / block.shape[1]
    return scores


def thirds(hits: Hits) -> Floats:
    """min(hits / 3, 1) per question: the formula of the paper, not of its program.

    >>> thirds(Hits(np.array([True, True, False]), np.array([0, 3]))).round(4).tolist()
    [0.6667]
    """
    return np.minimum(hits.counts / _ENOUGH, 1.0)


def soft_steps(hits: Hits) -> Floats:
    """The soft training target of the answer, as ViLT, METER and VLE validate with.

    >>> soft_steps(Hits(np.array([True, True, False]), np.array([0, 3]))).tolist()
    [0.6]
    """
    return np.array(SOFT_STEPS)[np.minimum(hits.counts, len(SOFT_STEPS) - 1)]


class Reading(NamedTuple):
    """How one side's answers are read before they are compared.

    Attributes:
        unanimous: Where all annotators of the question wrote the same.
        mixed: Where they did not.
    """

    unanimous: Reader
    mixed: Reader


class Protocol(msgspec.Struct, frozen=True, kw_only=True):
    """One way to score.

    Attributes:
        name: As `--protocol` spells it.
        gold: How annotators' answers are read; they count as unanimous where their `unanimous`
            readings are equal.
        given: How the given answer is read.
        credit: What the matches earn.
        vocabulary: Where not None, only these answers can earn anything and questions none of
            whose answers is among them are left out.
    """

    name: str
    gold: Reading
    given: Reading
    credit: Credit
    vocabulary: tuple[str, ...] | None = None


def as_written(text: str) -> str:
    """The text itself."""
    return text


_WRITTEN = Reading(unanimous=as_written, mixed=as_written)
_NORMALISED = Reading(unanimous=normalise_answer, mixed=normalise_answer)
_MMF = Reading(unanimous=normalise_answer_mmf, mixed=normalise_answer_mmf)
_NORMALISED_IF_MIXED = Reading(unanimous=strip_step, mixed=normalise_answer)

PROTOCOLS = MappingProxyType(
    {
        protocol.name: protocol
        for protocol in (
            Protocol(
                name="official",
                gold=_NORMALISED_IF_MIXED,
                given=_NORMALISED_IF_MIXED,
                credit=leave_one_out,
            ),
            Protocol(name="always", gold=_NORMALISED, given=_NORMALISED, credit=leave_one_out),
            Protocol(
                name="lavis",
                gold=Reading(unanimous=as_written, mixed=punctuation_step),
                given=_NORMALISED,
                credit=leave_one_out,
            ),
            Protocol(
                name="simple", gold=_NORMALISED_IF_MIXED, given=_NORMALISED_IF_MIXED, credit=thirds
            ),
            Protocol(name="mmf", gold=_MMF, given=_MMF, credit=leave_one_out),
        )
    }
)
"""The protocols that need nothing but the answers."""

SOFT_LABEL = "soft-label"


def soft_label(vocabulary: tuple[str, ...], labels: Labels) -> Protocol:
    """The "val score" of classifiers: the soft target of the label they chose.

    Args:
        vocabulary: The classifier's answers.
        labels: `raw` counts annotators' answers as written, although the vocabulary is normalised
            (ViLT, METER, VLE: "Two" has no label); `normalised` is the repaired rule.
    """
    gold = _WRITTEN if labels == "raw" else _NORMALISED
    return Protocol(
        name=SOFT_LABEL, gold=gold, given=_WRITTEN, credit=soft_steps, vocabulary=vocabulary
    )
