"""Scores of patches against boxes: average precision, the pointing game, IoU at a threshold.

Three views of one heat map. Average precision asks for the order of all patches,
pointing for the best one alone, and IoU also for the scale of the scores. Equal
scores have no order, so in average precision they enter together: the precision
behind each is that of the whole group, and a constant map gets the share of
patches that are related, not more (scikit-learn's `average_precision_score` has the
same rule, and interpolates nothing either). In pointing the first maximum wins, and how often
that decided is reported. Patches of crowds are undecided: they count nowhere.
Pointing: Zhang et al. 2016, https://arxiv.org/abs/1608.00507, here without the margin of
15 pixels: a patch is what the model can point at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.eval.grounding.intervals import picture_means
from vle_bench.eval.grounding.queries import PatchQuery
from vle_bench.eval.scored import refuse_broken_identity
from vle_bench.patches.labels import IGNORE
from vle_bench.results import Metric

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]

METRICS = ("patch_ap", "pointing", "patch_iou")


class QueryScore(NamedTuple):
    """One query: each from 0 to 1, the best patch, and whether another was as good."""

    patch_ap: float
    pointing: float
    patch_iou: float
    best: int
    tied: bool


class PatchItems(msgspec.Struct, frozen=True, eq=False):
    """All queries, one row each; without prediction zero in all and `best` -1."""

    values: Floats
    """Shape [queries, 3], in the order of `METRICS`."""
    best: Indices
    tied: Flags


def average_precision(scores: npt.ArrayLike, related: npt.ArrayLike) -> float:
    """Mean precision at the related patches; equal scores enter together.

    Args:
        scores: Finite, higher is more related, shape [patches].
        related: Whether each is, shape [patches]; at least one.

    >>> average_precision([0.9, 0.8, 0.1], [1, 0, 1]) == (1 / 1 + 2 / 3) / 2
    True
    >>> average_precision([0, 0, 0, 0], [1, 0, 0, 0])
    0.25
    """
    values = np.asarray(scores)
    order = np.argsort(values, kind="stable")[::-1]
    descending = values[order]
    ends = np.flatnonzero(np.append(descending[1:] != descending[:-1], True))
    hits = np.cumsum(np.asarray(related, dtype=np.int64)[order])[ends]
    gained = np.diff(hits, prepend=0)
    return float((gained * (hits / (ends + 1))).sum() / hits[-1])


def score_query(scores: npt.ArrayLike, related: npt.ArrayLike, *, threshold: float) -> QueryScore:
    """The three scores of one query.

    Args:
        scores: Finite, shape [patches].
        related: 1, 0 or `IGNORE`, shape [patches]; somewhere 1.
        threshold: A patch counts as found from this score on.

    >>> found = score_query([0.9, 0.6, 0.1, 0.7], [1, 0, 0, IGNORE], threshold=0.5)
    >>> found.patch_ap, found.pointing, found.patch_iou, found.best
    (1.0, 1.0, 0.5, 0)
    """
    marks = np.asarray(related)
    decided = np.flatnonzero(marks != IGNORE)
    values, truth = np.asarray(scores)[decided], marks[decided] == 1
    best = int(values.argmax())
    found = values >= threshold
    return QueryScore(
        patch_ap=average_precision(values, truth),
        pointing=float(truth[best]),
        patch_iou=float((found & truth).sum() / (found | truth).sum()),
        best=int(decided[best]),
        tied=bool((values == values[best]).sum() > 1),
    )


def score_queries(
    scores: npt.NDArray[np.floating], present: Flags, queries: Sequence[PatchQuery],
    *, threshold: float,
) -> PatchItems:  # fmt: skip
    """Every query; one without prediction is zero in all three.

    Args:
        scores: Shape [queries, patches].
        present: Which rows are predictions, shape [queries].
        queries: What was asked.
        threshold: A patch counts as found from this score on.
    """
    values = np.zeros((len(queries), len(METRICS)))
    best = np.full(len(queries), -1, dtype=np.int64)
    tied = np.zeros(len(queries), dtype=np.bool_)
    for at in np.flatnonzero(present).tolist():
        one = score_query(scores[at], queries[at].related, threshold=threshold)
        values[at] = one[: len(METRICS)]
        best[at], tied[at] = one.best, one.tied
    return PatchItems(values, best, tied)


def metrics_of(
    items: PatchItems, images: Sequence[str], *, resamples: int, seed: int
) -> dict[str, Metric]:
    """Means over queries in percent, with 95 % intervals from resampling pictures.

    Args:
        items: The scores.
        images: Picture of each query.
        resamples: Draws; 0 for no interval.
        seed: Of the draws.
    """
    found = picture_means(
        items.values, images, METRICS, resamples=resamples, seed=seed, stream="grounding"
    )
    for name, metric in found.items():
        refuse_broken_identity(0 <= metric.value <= 100, f"{name} is not from 0 to 100")
    return found
