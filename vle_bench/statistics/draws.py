"""Draws of pictures as weights, for statistics that are no ratio of sums.

A draw gives every picture a weight: how often it was drawn. Sums of items are
then products with the weights, and a median is the value where half of the
weight is reached. `bootstrap.py` is faster where a score is a ratio of sums of
a few levels; here several statistics share one set of draws.

Who calls must bring the pictures into an order of their own (by id), so that
the order of a file moves no interval.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from vle_bench.statistics.bootstrap import Interval, percentile_interval

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_MOST_CELLS = 1 << 22
_WINDOW = 64
_DECIMALS = 10
_NOTHING = 1e-9


def picture_draws(pictures: int, *, resamples: int, seed: int, stream: str) -> Iterator[Floats]:
    """Weights of the pictures under resampling, a batch of draws at a time.

    Args:
        pictures: Number of pictures; fewer than two give no draws.
        resamples: Number of draws in all.
        seed: Seed of the whole run.
        stream: Name of this set of draws.

    Yields:
        Weights of shape [draws, pictures]; each row sums to `pictures`.

    >>> [batch.sum(axis=1).tolist() for batch in picture_draws(3, resamples=2, seed=0, stream="")]
    [[3.0, 3.0]]
    """
    if pictures < 2:  # one picture can be drawn in one way only
        return
    generator = np.random.default_rng([seed, zlib.crc32(stream.encode("utf-8"))])
    step = max(1, _MOST_CELLS // pictures)
    for start in range(0, resamples, step):
        draws = min(step, resamples - start)
        drawn = generator.integers(0, pictures, size=(draws, pictures))
        drawn += np.arange(draws)[:, None] * pictures
        weights = np.bincount(drawn.ravel(), minlength=draws * pictures)
        yield weights.reshape(draws, pictures).astype(np.float64)


def interval_around(value: float, draws: npt.ArrayLike | None) -> Interval | None:
    """The central 95 % of `draws`, free of the last bits that sums leave behind.

    Sums of fractions differ in their last bits with the order of their terms and the number of
    threads. The ends are rounded far below any digit shown, and where only such bits part an end
    from the value itself, it is the value.

    >>> interval_around(0.3, [0.1 + 0.2, 0.1 + 0.2])
    Interval(low=0.3, high=0.3)
    """
    interval = percentile_interval(draws)
    if interval is None:
        return None
    ends = (value if abs(end - value) < _NOTHING else round(end, _DECIMALS) for end in interval)
    return Interval(*ends)


class WeightedMedian:
    """The median of values when each counts as often as its picture was drawn.

    Only a window of values around the middle is looked at, and widened where a
    draw's median lies outside, so the result is exact.

    Args:
        values: The values, shape [N].
        owners: Picture of each value, shape [N].
        pictures: Number of pictures.

    >>> median = WeightedMedian([0.0, 4.0, 9.0], np.array([0, 1, 1]), 2)
    >>> median.of(np.array([[1.0, 1.0], [2.0, 0.0], [4.0, 1.0]])).tolist()
    [4.0, 0.0, 0.0]
    """

    def __init__(self, values: npt.ArrayLike, owners: npt.NDArray[Any], pictures: int) -> None:
        self._levels, self._level_of = np.unique(
            np.asarray(values, dtype=np.float64), return_inverse=True
        )
        self._owners = owners
        self._pictures = pictures
        self._counts = np.bincount(owners, minlength=pictures).astype(np.float64)
        ordered = np.sort(self._level_of)
        self._middle = int(ordered[len(ordered) // 2]) if len(ordered) else 0

    def of(self, weights: Floats) -> Floats:
        """The median of each draw, shape [draws]; NaN where a draw holds no value.

        Args:
            weights: Whole numbers, shape [draws, pictures].
        """
        totals = np.rint(weights @ self._counts)
        medians = np.full(len(weights), np.nan)
        held = totals > 0
        if held.any():
            # The two middle places of an even number of values; the same one twice of an odd.
            places = np.stack([np.floor((totals[held] + 1) / 2), np.floor(totals[held] / 2) + 1])
            found = self._levels_at(weights[held], places)
            medians[held] = self._levels[found].mean(axis=0)
        return medians

    def _levels_at(self, weights: Floats, places: Floats) -> Ints:
        """Index of the value at each place (from 1) of each draw, shape [2, draws]."""
        last = len(self._levels) - 1
        reach = _WINDOW // 2
        while True:
            low, high = max(self._middle - reach, 0), min(self._middle + reach, last)
            reached = np.rint(weights @ self._cumulative(low, high))
            below = low > 0 and bool((reached[:, 0] >= places[0]).any())
            above = high < last and bool((reached[:, -1] < places[1]).any())
            if not (below or above):
                return low + np.stack([(reached < at[:, None]).sum(axis=1) for at in places])
            reach *= 4

    def _cumulative(self, low: int, high: int) -> Floats:
        """Per picture, how many of its values are at most each level, shape [pictures, levels]."""
        width = high - low + 1
        within = self._level_of <= high
        column = np.maximum(self._level_of[within] - low, 0)
        cells = self._owners[within] * width + column
        table = np.bincount(cells, minlength=self._pictures * width)
        return np.cumsum(table.reshape(self._pictures, width), axis=1).astype(np.float64)
