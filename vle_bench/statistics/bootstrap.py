"""Bootstrap by picture: questions about one picture are not independent of each other.

A draw takes as many pictures as there are, with replacement, and every picture
brings all its items. A score is then a ratio: the sum of item scores over the
number of items. Pictures with the same (sum, count) are interchangeable, so one
multinomial over these few levels has exactly the law of drawing pictures one
by one (Efron & Tibshirani 1993, chapter 6), at a hundredth of the work.

The draws depend on the seed, the stream's name and the multiset of levels
alone: neither the order of items nor the number of threads can move them.
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

COVERAGE = 0.95
_MOST_CELLS = 1 << 22
_DECIMALS = 9  # sums of 0.3, 0.6, 0.9 differ in the last bit with the order of their terms


class Interval(NamedTuple):
    """A percentile interval, in the unit of the draws."""

    low: float
    high: float


def resampled_ratios(
    sums: npt.ArrayLike, counts: npt.ArrayLike, *, resamples: int, seed: int, stream: str
) -> Floats | None:
    """Ratios of `sums` to `counts` under resampling of pictures.

    Args:
        sums: Per picture the sum of its item scores, shape [pictures] or [pictures, metrics].
        counts: Per picture the number of its items, same shape.
        resamples: Number of draws; 0 asks for none.
        seed: Seed of the whole run.
        stream: Name of this set of draws ("accuracy[number]"), so that each metric has draws of
            its own and adding one metric moves no other.

    Returns:
        Draws of shape [resamples, metrics], NaN where a draw holds no item of a metric; None with
        no draws asked for, or fewer than two pictures.

    >>> draws = resampled_ratios([1, 0], [1, 1], resamples=1000, seed=0, stream="doc")
    >>> sorted({float(x) for x in draws[:, 0]})
    [0.0, 0.5, 1.0]
    """
    top = _as_matrix(sums)
    bottom = _as_matrix(counts)
    pictures, metrics = top.shape
    if resamples < 1 or np.count_nonzero(bottom.any(axis=1)) < 2:
        return None
    levels, occurrences = _levels(np.hstack([top, bottom]).round(_DECIMALS))
    generator = np.random.default_rng([seed, zlib.crc32(stream.encode("utf-8"))])
    shares = occurrences / pictures
    draws = np.empty((resamples, metrics))
    step = max(1, _MOST_CELLS // len(levels))
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        weights = generator.multinomial(pictures, shares, size=stop - start).astype(np.float64)
        totals = weights @ levels
        with np.errstate(invalid="ignore", divide="ignore"):
            draws[start:stop] = totals[:, :metrics] / totals[:, metrics:]
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
    tail = (1 - COVERAGE) / 2 * 100
    low, high = np.percentile(usable, [tail, 100 - tail])
    return Interval(float(low), float(high))


def sums_by_group(values: npt.ArrayLike, groups: npt.NDArray[Any], size: int) -> Floats:
    """Sum of `values` per group code, shape [size].

    >>> sums_by_group([1, 2, 3], np.array([0, 1, 0]), 2).tolist()
    [4.0, 2.0]
    """
    weights = np.asarray(values, dtype=np.float64)
    return np.bincount(groups, weights=weights, minlength=size).astype(np.float64)


def _levels(rows: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Distinct rows in ascending order and how often each stands there.

    `np.unique` along an axis says the same, eight times slower: it compares rows as records.
    """
    ordered = rows[np.lexsort(rows.T[::-1])]
    changes = (ordered[1:] != ordered[:-1]).any(axis=1)
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1, [len(rows)]])
    return ordered[starts[:-1]], np.diff(starts)


def _as_matrix(values: npt.ArrayLike) -> Floats:
    matrix = np.asarray(values, dtype=np.float64)
    return matrix[:, None] if matrix.ndim == 1 else matrix
