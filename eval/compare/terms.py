"""A metric as its items make it: a weight times one ratio, or times the sum of several.

Accuracy is the mean of item scores; a recall sum of both directions is the sum
of two means, with as many items as each direction has. What the items give is
held against the stored value, so that no metric is compared that its items do
not make.
"""

from __future__ import annotations

import re

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.eval.compare.runs import StoredRun
from vle_bench.eval.leaderboard.board import MAIN_METRIC, SHOWN_METRICS

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_PERCENT = 100.0
_DIRECTIONS = ("i2t", "t2i")
_DEPTHS = (1, 5, 10)
_SLACK = 1e-6
_EXPECTED = "expected"
_PART = re.compile(r"(?P<base>[^\[\]]+)\[(?P<part>[^\[\]]+)\]")
_RECALL = re.compile(r"(?P<way>i2t|t2i)_r(?P<depth>1|5|10)")
_MEAN_RANK = re.compile(r"(?P<way>i2t|t2i)_meanr")
_WAY_MEAN = re.compile(r"(?P<way>i2t|t2i)_mean_recall")
_UNSTATED = "unstated"
_FOLDS = "|folds:"


class Ratio(msgspec.Struct, frozen=True, eq=False):
    """The mean of some items' values.

    Attributes:
        rows: Which items count, shape [items].
        values: What each item brings, shape [items]; 0 where it does not count.
    """

    rows: Flags
    values: Floats


class Terms(msgspec.Struct, frozen=True, eq=False):
    """`weight` times the sum of the ratios, plus `offset`, is the metric."""

    weight: float
    ratios: tuple[Ratio, ...]
    offset: float = 0.0

    @property
    def value(self) -> float:
        """The metric."""
        means = (float(one.values.sum()) / int(one.rows.sum()) for one in self.ratios)
        return self.offset + self.weight * sum(means)

    @property
    def rows(self) -> Flags:
        """Items that count in any of the ratios."""
        rows: Flags = np.any([one.rows for one in self.ratios], axis=0)
        return rows

    @property
    def shares(self) -> bool:
        """Whether the metric is a percentage of items."""
        return len(self.ratios) == 1 and self.weight == _PERCENT


def main_metric(run: StoredRun) -> str:
    """The task's first metric that the run's items give.

    Raises:
        DataProblem: They give none of its metrics.
    """
    task = run.document.task
    wanted = (MAIN_METRIC.get(task, ""), *SHOWN_METRICS.get(task, ()))
    for name in (*wanted, *run.document.metrics):
        if name in run.document.metrics and _terms(run, name) is not None:
            return name
    raise DataProblem(f"{run.place}: its items give none of its metrics. Score the run again.")


def terms_of(run: StoredRun, metric: str) -> Terms:
    """What makes `metric` of a run.

    Raises:
        UsageProblem: The run has no such metric, or its items do not say it (medians; R@5 of
            expected ranks; means over folds of unequal size).
        DataProblem: The items make another value than the stored one.
    """
    stored = run.document.metrics.get(metric)
    if stored is None:
        known = ", ".join(name for name in run.document.metrics if "=" not in name)
        raise UsageProblem(f"{run.place}: no metric {metric!r}. It has {known}.")
    terms = _terms(run, metric)
    if terms is None:
        raise UsageProblem(f"{run.place}: {metric} is no mean of its items. Choose another metric.")
    if not abs(terms.value - stored.value) <= _SLACK * max(1.0, abs(stored.value)):
        if _FOLDS in run.document.signature:
            raise UsageProblem(
                f"{run.place}: {metric} is a mean over folds of unequal size, not over its items. "
                "Compare runs that were scored without --folds, or metrics of i2t."
            )
        raise DataProblem(
            f"{run.place}: its items give {metric} {terms.value:.6f}, result.json says "
            f"{stored.value:.6f}. The two belong to different runs: score it again."
        )
    return terms


def _terms(run: StoredRun, metric: str) -> Terms | None:
    if (found := _recall_terms(run, metric)) is not None:
        return found
    part = _PART.fullmatch(metric)
    rows = np.ones(len(run.keys), np.bool_)
    base = metric
    if part is not None:
        base = part["base"]
        rows = _part(run, part["part"])
    # The item score of VQA is what accuracy is the mean of; other metrics name their column.
    column = base if base in run.columns else "score" if base == "accuracy" else ""
    if not column or not rows.any():
        return None
    return _single(_PERCENT, run.numbers(column), rows)


def _part(run: StoredRun, part: str) -> Flags:
    """The items of `number`, or of `question_type=how many`."""
    column, equals, value = part.partition("=")
    if not equals:
        column, value = "group", part
    names = run.columns.get(column, [None] * len(run.keys))
    return np.array([(name or _UNSTATED) == value for name in names], dtype=np.bool_)


def _recall_terms(run: StoredRun, metric: str) -> Terms | None:
    """Recalls, their sums, and mean ranks; None for anything else, or where items lack it."""
    if "direction" not in run.columns:
        return None
    if (one := _RECALL.fullmatch(metric)) is not None:
        hits = _hits(run, one["way"], (int(one["depth"]),))
        return None if hits is None else Terms(_PERCENT, (hits,))
    if (one := _MEAN_RANK.fullmatch(metric)) is not None:
        rows = _way(run, one["way"])
        return _single(1.0, run.numbers("rank"), rows, offset=1.0) if rows.any() else None
    one = _WAY_MEAN.fullmatch(metric)
    ways = (one["way"],) if one is not None else _DIRECTIONS
    if one is None and metric not in {"rsum", "mean_recall"}:
        return None
    found = [hits for way in ways if (hits := _hits(run, way, _DEPTHS)) is not None]
    if len(found) < len(ways):
        return None
    share = 1 if metric == "rsum" else len(ways) * len(_DEPTHS)
    return Terms(_PERCENT / share, tuple(found))


def _hits(run: StoredRun, way: str, depths: tuple[int, ...]) -> Ratio | None:
    """How many of the depths hold a positive; None where the items do not say."""
    rows = _way(run, way)
    if not rows.any() or (run.document.protocol == _EXPECTED and depths != (1,)):
        return None
    if depths == (1,):
        return Ratio(rows, np.where(rows, run.numbers("score"), 0.0))
    ranks = run.numbers("rank")
    # A rank that is not known lies beyond the list, and no comparison with NaN holds.
    hits = sum((ranks < depth).astype(np.float64) for depth in depths)
    return Ratio(rows, np.where(rows, hits, 0.0))


def _way(run: StoredRun, way: str) -> Flags:
    return np.array([name == way for name in run.columns["direction"]], dtype=np.bool_)


def _single(weight: float, values: Floats, rows: Flags, *, offset: float = 0.0) -> Terms | None:
    kept = np.where(rows, values, 0.0)
    if not np.isfinite(kept).all():
        return None
    return Terms(weight, (Ratio(rows, kept),), offset)
