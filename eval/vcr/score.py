"""VCR scores: is the answer right, is the reason right, are both?

One VCR item asks twice. Q2A picks an answer out of four; QA2R is shown the
*correct* answer and picks a reason out of four. Q2AR counts an item only if
both picks are right, so it is computed per item and can never be derived from
the two averages (the product of the averages is a different number).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.eval.distinct import Groups
from vle_bench.eval.scored import refuse_broken_identity
from vle_bench.eval.vcr.kinds import Breakdown
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
_TOLERANCE = 1e-9


class Picks(msgspec.Struct, frozen=True):
    """What was picked in each item.

    Attributes:
        chosen: Index of the first maximum, shape [N].
        tied: Whether another choice had the same score, shape [N].
    """

    chosen: Indices
    tied: Flags


class ItemScores(msgspec.Struct, frozen=True):
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
    scores: ItemScores,
    items: Sequence[VcrItem],
    *,
    resamples: int,
    seed: int,
    parted: Sequence[Breakdown] = (),
) -> dict[str, Metric]:
    """The three accuracies in percent, overall and by kind, with 95 % intervals.

    Intervals come from resampling pictures. All three come from the same draws, so `q2ar` never
    leaves the others' shadow; every kind has draws of its own, so none moves another.

    Args:
        scores: What each item earned.
        items: The references.
        resamples: Draws of pictures behind an interval; 0 for none.
        seed: Seed of the draws.
        parted: Breakdowns of the items by kind.

    Returns:
        `q2a`, `qa2r` and `q2ar`, then those of each kind: `q2a[question_word=why]`.

    Raises:
        DataProblem: The identities fail.
    """
    hits = np.column_stack([scores.q2a, scores.qa2r, scores.q2ar]).astype(np.float64)
    images = None
    if resamples:
        images = Groups.of([item.image_id for item in items]).codes.astype(np.int64)
    fold = _Fold(hits=hits, images=images, resamples=resamples, seed=seed)
    found = fold.metrics(np.arange(len(items)), "")
    for breakdown in parted:
        parts = [
            fold.metrics(rows, f"[{breakdown.name}={value}]") for value, rows in breakdown.parts
        ]
        if not breakdown.unstated:
            _refuse_other_total(found, parts, breakdown.name)
        found |= {name: metric for part in parts for name, metric in part.items()}
    return found


class _Fold(msgspec.Struct, frozen=True, kw_only=True):
    """Hits of all items, shape [N, 3], and the picture of each, shape [N], for intervals."""

    hits: Floats
    images: Indices | None
    resamples: int
    seed: int

    def metrics(self, rows: Indices, part: str) -> dict[str, Metric]:
        """The three metrics of some items; `part` ends their keys and names their draws."""
        hits, draws = self.hits[rows], None
        if self.images is not None:
            images, pictures = self.images[rows], int(self.images.max()) + 1
            sums = np.column_stack([sums_by_group(column, images, pictures) for column in hits.T])
            ones = sums_by_group(np.ones(len(rows)), images, pictures)
            draws = resampled_ratios(
                sums,
                np.tile(ones[:, None], len(METRICS)),
                resamples=self.resamples,
                seed=self.seed,
                stream=f"vcr{part}",
            )
        found: dict[str, Metric] = {}
        for column, name in enumerate(METRICS):
            value = 100 * float(hits[:, column].sum()) / len(rows)
            interval = interval_around(value, None if draws is None else draws[:, column] * 100)
            found[f"{name}{part}"] = Metric(
                value=value,
                n=len(rows),
                low=interval.low if interval else None,
                high=interval.high if interval else None,
            )
        q2a, qa2r, q2ar = (found[f"{name}{part}"].value for name in METRICS)
        refuse_broken_identity(q2ar <= min(q2a, qa2r), f"q2ar{part} is above q2a or qa2r")
        return found


def _refuse_other_total(
    overall: Mapping[str, Metric], parts: Sequence[Mapping[str, Metric]], name: str
) -> None:
    """Every item has one kind: the kinds' weighted mean is the total."""
    for column, metric in enumerate(METRICS):
        total = overall[metric]
        chosen = [list(part.values())[column] for part in parts]
        weighted = sum(part.value * part.n for part in chosen) / total.n
        refuse_broken_identity(
            sum(part.n for part in chosen) == total.n and abs(weighted - total.value) <= _TOLERANCE,
            f"{metric} {total.value} is not the weighted mean {weighted} of its {name}",
        )
