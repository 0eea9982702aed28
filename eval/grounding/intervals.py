"""Means over items with intervals by picture, the same way for every kind of grounding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vle_bench.results import Metric
from vle_bench.statistics import resampled_ratios
from vle_bench.statistics.bootstrap import sums_by_group
from vle_bench.statistics.draws import interval_around

Floats = npt.NDArray[np.float64]


def picture_means(
    values: Floats,
    images: Sequence[str],
    names: Sequence[str],
    *,
    resamples: int,
    seed: int,
    stream: str,
) -> dict[str, Metric]:
    """The mean of each column in percent, with 95 % intervals from resampling pictures.

    All columns come from the same draws.

    Args:
        values: From 0 to 1, shape [items, metrics], at least one item.
        images: Picture of each item.
        names: Key of each metric.
        resamples: Number of draws; 0 for no interval.
        seed: Seed of the draws.
        stream: Name of this set of draws.

    >>> picture_means(np.array([[1.0], [0.0]]), ["a", "a"], ["hit"], resamples=9, seed=0,
    ...               stream="doc")
    {'hit': Metric(value=50.0, n=2, low=None, high=None)}
    """
    pictures, owners = np.unique(np.asarray(images), return_inverse=True)
    sums = np.column_stack([sums_by_group(column, owners, len(pictures)) for column in values.T])
    ones = sums_by_group(np.ones(len(values)), owners, len(pictures))
    counts = np.tile(ones[:, None], len(names))
    draws = resampled_ratios(sums, counts, resamples=resamples, seed=seed, stream=stream)
    found: dict[str, Metric] = {}
    for at, name in enumerate(names):
        # Sorted, so that the order of the items moves not even the last bit.
        value = 100 * float(np.sort(values[:, at]).sum()) / len(values)
        interval = interval_around(value, None if draws is None else draws[:, at] * 100)
        found[name] = Metric(
            value=value,
            n=len(values),
            low=interval.low if interval else None,
            high=interval.high if interval else None,
        )
    return found
