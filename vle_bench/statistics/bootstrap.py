"""Bootstrap by picture: questions about one picture are not independent of each other.

A draw takes as many pictures as there are, with replacement, and every picture
brings all its items. A score is then a ratio: the sum of item scores over the
number of items. Pictures with the same (sum, count) are interchangeable, so one
multinomial over these few levels has exactly the law of drawing pictures one
by one (Efron & Tibshirani 1993, chapter 6), at a hundredth of the work;
`levels.py` makes it.

The draws depend on the seed, the stream's name and the multiset of levels
alone: neither the order of items nor the number of threads can move them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vle_bench.statistics.levels import drawn_totals, kinds_of

Floats = npt.NDArray[np.float64]

_ENDS = (2.5, 97.5)
"""Percent of the draws below each end of a 95 % interval."""


class Interval(NamedTuple):
    """A percentile interval, in the unit of the draws."""

    low: float
    high: float


def resampled_ratios(
    sums: npt.ArrayLike,
    counts: npt.ArrayLike,
    *,
    resamples: int,
    seed: int,
    stream: str,
    threads: int | None = None,
) -> Floats | None:
    """Ratios of `sums` to `counts` under resampling of pictures.

    Args:
        sums: Per picture the sum of its item scores, shape [pictures] or [pictures, metrics].
        counts: Per picture the number of its items, same shape.
        resamples: Number of draws; 0 asks for none.
        seed: Seed of the whole run.
        stream: Name of this set of draws ("accuracy[number]"), so that each metric has draws of
            its own and adding one metric moves no other.
        threads: How many work; None for one a processor. The draws do not depend on it.

    Returns:
        Draws of shape [resamples, metrics], NaN where a draw holds no item of a metric; None with
        no draws asked for, or fewer than two pictures.

    >>> draws = resampled_ratios([1, 0], [1, 1], resamples=1000, seed=0, stream="doc")
    >>> sorted({float(x) for x in draws[:, 0]})
    [0.0, 0.5, 1.0]
    """
    top = _as_matrix(sums)
    bottom = _as_matrix(counts)
    metrics = top.shape[1]
    if resamples < 1 or np.count_nonzero(bottom.any(axis=1)) < 2:
        return None
    totals = drawn_totals(
        kinds_of(np.hstack([top, bottom])),
        resamples=resamples,
        seed=seed,
        stream=stream,
        threads=threads,
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        draws: Floats = totals[:, :metrics] / totals[:, metrics:]
    return draws


def percentile_interval(draws: npt.ArrayLike | None) -> Interval | None:
    """The central 95 % of `draws`; None where there are none.

    >>> percentile_interval(None) is None
    True
    """
    if draws is None:
        return None
    usable = np.asarray(draws, dtype=np.float64)
    usable = usable[~np.isnan(usable)]
    if usable.size == 0:
        return None
    low, high = np.percentile(usable, _ENDS)
    return Interval(float(low), float(high))


def sums_by_group(values: npt.ArrayLike, groups: npt.NDArray[Any], size: int) -> Floats:
    """Sum of `values` per group code, shape [size].

    >>> sums_by_group([1, 2, 3], np.array([0, 1, 0]), 2).tolist()
    [4.0, 2.0]
    """
    weights = np.asarray(values, dtype=np.float64)
    return np.bincount(groups, weights=weights, minlength=size).astype(np.float64)


def _as_matrix(values: npt.ArrayLike) -> Floats:
    matrix = np.asarray(values, dtype=np.float64)
    return matrix[:, None] if matrix.ndim == 1 else matrix
