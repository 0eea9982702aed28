"""VCR scores: is the answer right, is the reason right, are both?

One VCR item asks twice. Q2A picks an answer out of four; QA2R is shown the
*correct* answer and picks a reason out of four. Q2AR counts an item only if
both picks are right, so it is computed per item and can never be derived from
the two averages (the product of the averages is a different number).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vle_bench.eval.scored import refuse_broken_identity
from vle_bench.eval.vcr.predictions import VcrPredictions
from vle_bench.eval.vcr.references import VcrItem
from vle_bench.results import Metric
from vle_bench.statistics import resampled_ratios
from vle_bench.statistics.bootstrap import sums_by_group
from vle_bench.statistics.draws import interval_around

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

METRICS = ("q2a", "qa2r", "q2ar")


@dataclass(frozen=True)
class Picks:
    """What was picked in each item.

    Attributes:
        chosen: Index of the first maximum, shape [N].
        tied: Whether another choice had the same score, shape [N].
    """

    chosen: Indices
    tied: Flags


@dataclass(frozen=True)
class ItemScores:
    """One row for each item; items without prediction are wrong in all three."""

    answers: Picks
    rationales: Picks
    q2a: Flags
    qa2r: Flags
    q2ar: Flags


def picks(scores: Floats) -> Picks:
    """The best choice of each row; the first of several equally good ones.

    Args:
        scores: Shape [N, 4], finite.

    >>> found = picks(np.array([[0.1, 0.7, 0.7, 0.0]]))
    >>> found.chosen.tolist(), found.tied.tolist()
    ([1], [True])
    """
    best = scores.max(axis=1, initial=-np.inf, keepdims=True)
    chosen = scores.argmax(axis=1).astype(np.int64)
    return Picks(chosen=chosen, tied=(scores == best).sum(axis=1) > 1)


def score_items(predictions: VcrPredictions, items: Sequence[VcrItem]) -> ItemScores:
    """Compares the picks with the labels, item by item."""
    answers, rationales = picks(predictions.q2a), picks(predictions.qa2r)
    right_answers = np.array([item.answer_label for item in items], dtype=np.int64)
    right_rationales = np.array([item.rationale_label for item in items], dtype=np.int64)
    q2a = (answers.chosen == right_answers) & predictions.present
    qa2r = (rationales.chosen == right_rationales) & predictions.present
    return ItemScores(answers=answers, rationales=rationales, q2a=q2a, qa2r=qa2r, q2ar=q2a & qa2r)


def metrics_of(
    scores: ItemScores, items: Sequence[VcrItem], *, resamples: int, seed: int
) -> dict[str, Metric]:
    """The three accuracies in percent, with 95 % intervals from resampling pictures.

    All three come from the same draws, so `q2ar` never leaves the others' shadow.
    """
    hits = np.column_stack([scores.q2a, scores.qa2r, scores.q2ar]).astype(np.float64)
    images = np.unique([item.image_id for item in items], return_inverse=True)[1]
    pictures = int(images.max()) + 1
    sums = np.column_stack([sums_by_group(column, images, pictures) for column in hits.T])
    counts = np.tile(sums_by_group(np.ones(len(items)), images, pictures)[:, None], len(METRICS))
    draws = resampled_ratios(sums, counts, resamples=resamples, seed=seed, stream="vcr")
    found: dict[str, Metric] = {}
    for column, name in enumerate(METRICS):
        value = 100 * float(hits[:, column].sum()) / len(items)
        interval = interval_around(value, None if draws is None else draws[:, column] * 100)
        found[name] = Metric(
            value=value,
            n=len(items),
            low=interval.low if interval else None,
            high=interval.high if interval else None,
        )
    refuse_broken_identity(
        found["q2ar"].value <= min(found["q2a"].value, found["qa2r"].value),
        "q2ar is above q2a or qa2r",
    )
    return found
