"""Which questions change between protocols, and from what to what.

An accuracy that moves by a point says nothing about why. The questions that move
it do: they are the capitals, the articles and the unanimous answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np

from vle_bench.eval.vqa.accuracy import ItemScores
from vle_bench.eval.vqa.gold import Floats
from vle_bench.eval.vqa.protocols import PROTOCOLS, Protocol, soft_label
from vle_bench.eval.vqa.task import Run

_SAME = 1e-9


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One question that does not score the same under every protocol.

    Attributes:
        question_id: Its id.
        prediction: The answer; None where it is missing.
        answers: What the annotators wrote, in their order.
        scores: Percent by protocol; None where the protocol leaves the question out.
    """

    question_id: str
    prediction: str | None
    answers: tuple[str, ...]
    scores: dict[str, float | None]


class Shift(NamedTuple):
    """How many questions score higher and lower than under another protocol."""

    higher: int
    lower: int


def all_protocols(run: Run) -> tuple[Protocol, ...]:
    """Every protocol that the run can be scored under; soft labels need a vocabulary."""
    named = tuple(PROTOCOLS.values())
    if run.vocabulary is None:
        return named
    return (*named, soft_label(run.vocabulary.answers, run.request.labels))


def shift(items: ItemScores, base: ItemScores) -> Shift:
    """Compares two protocols on the questions that both count."""
    size = max(len(items.rows) + items.left_out, 1)
    difference = _column(items, size) - _column(base, size)
    return Shift(
        higher=int(np.count_nonzero(difference > _SAME)),
        lower=int(np.count_nonzero(difference < -_SAME)),
    )


def changes(run: Run, scored: Mapping[str, ItemScores]) -> list[Change]:
    """The questions that change, those that change most first, then in the references' order.

    A question that a protocol leaves out changes as well, after those that differ in score.

    Args:
        run: What was scored.
        scored: Item scores by protocol.
    """
    gold, answers = run.references.gold, run.given.column()
    table = np.stack([_column(items, len(gold)) for items in scored.values()])
    counted = ~np.isnan(table)
    spread = np.where(counted, table, -np.inf).max(axis=0)
    spread -= np.where(counted, table, np.inf).min(axis=0)
    rows = np.flatnonzero((spread > _SAME) | ~counted.all(axis=0))
    order = rows[np.argsort(-spread[rows].round(9), kind="stable")]
    return [
        Change(
            question_id=gold.ids[row],
            prediction=answers[row],
            answers=tuple(
                gold.texts[code] for code in gold.codes[gold.starts[row] : gold.starts[row + 1]]
            ),
            scores={
                name: None if np.isnan(score) else 100 * float(score)
                for name, score in zip(scored, table[:, row], strict=True)
            },
        )
        for row in order.tolist()
    ]


def _column(items: ItemScores, size: int) -> Floats:
    """One score a question of the references; NaN where the question does not count."""
    column = np.full(size, np.nan)
    column[items.rows] = items.scores
    return column
