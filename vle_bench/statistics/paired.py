"""Two runs on the same items: is their difference more than chance?

Both tests treat a picture as one thing. The randomisation test asks what would
happen if, picture by picture, the two runs had changed places with all items of
the picture together (Noreen 1989); the bootstrap asks how the difference would
spread over other pictures. Exchanging a picture turns the sign of its
difference, so pictures of equal size of difference are interchangeable: how many
of them turn is one binomial, and pictures without a difference need no draw.

A share of draws is never 0: the data themselves are one of the arrangements,
hence (b + 1) / (m + 1) (Phipson & Smyth 2010).
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vle_bench.statistics.bootstrap import Interval, percentile_interval, resampled_ratios
from vle_bench.statistics.units import DECIMALS, parts_of_one

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LEAST = 1e-300
"""Stands for the exact probabilities that no float can hold."""


class Spread(NamedTuple):
    """The difference of two runs under resampling of pictures.

    Attributes:
        interval: The central 95 % of the drawn differences; None with no draws.
        p: Two-sided; how often a draw lies as far from the difference as the difference from 0.
    """

    interval: Interval | None
    p: float | None


def randomised(
    differences: npt.ArrayLike, *, resamples: int, seed: int, stream: str
) -> float | None:
    """Two-sided p of the sum of `differences`, under exchange of the runs in whole pictures.

    Args:
        differences: What one run has more than the other, per picture, shape [pictures].
        resamples: Number of draws; 0 asks for none.
        seed: Seed of the whole run.
        stream: Name of this set of draws.

    Returns:
        (b + 1) / (m + 1), where b of m draws are at least as far from 0 as the data, or what two
        of all arrangements are (the data, and the data turned), where that is more; None with no
        draws.

    >>> randomised([0.0, 0.0], resamples=99, seed=0, stream="")
    1.0
    """
    if resamples < 1:
        return None
    units = _whole(np.asarray(differences, dtype=np.float64))
    found = abs(int(units.sum()))
    sizes, pictures = np.unique(np.abs(units[units != 0]), return_counts=True)
    generator = np.random.default_rng([seed, zlib.crc32(stream.encode("utf-8"))])
    sums = np.full(resamples, -int((sizes * pictures).sum()), dtype=np.int64)
    for size, count in zip(sizes.tolist(), pictures.tolist(), strict=True):
        sums += 2 * size * generator.binomial(count, 0.5, size=resamples)
    moved = int(pictures.sum())
    return max(share_at_least(np.abs(sums), found), min(1.0, 2.0 ** (1 - moved)))


def spread(
    sums: npt.ArrayLike,
    counts: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    resamples: int,
    seed: int,
    stream: str,
) -> Spread:
    """The difference of two runs, weighted over several ratios, when pictures are resampled.

    Args:
        sums: What one run has more than the other, shape [pictures, ratios].
        counts: Items of each ratio, same shape.
        weights: What each ratio counts in the metric, shape [ratios].
        resamples: Number of draws; 0 asks for none.
        seed: Seed of the whole run.
        stream: Name of this set of draws.
    """
    top, bottom = np.asarray(sums, np.float64), np.asarray(counts, np.float64)
    shares = np.asarray(weights, np.float64)
    found = round(float((top.sum(axis=0) / bottom.sum(axis=0)) @ shares), DECIMALS)
    # Drawn for the run that is ahead, and turned: the runs' order must not move the draws.
    sign = -1.0 if (found, _lean(top)) < (0.0, 0.0) else 1.0
    draws = resampled_ratios(sign * top, bottom, resamples=resamples, seed=seed, stream=stream)
    if draws is None:
        return Spread(None, None)
    drawn = sign * (draws @ shares).round(DECIMALS)
    drawn = drawn[~np.isnan(drawn)]
    away = np.abs(drawn - found).round(DECIMALS)
    return Spread(percentile_interval(drawn + 0.0), share_at_least(away, abs(found)))


def share_at_least(draws: npt.NDArray[np.float64] | Ints, found: float) -> float:
    """How often a draw is at least what was found, the data counted among the draws.

    >>> share_at_least(np.array([0.0, 1.0, 2.0]), 2.0)
    0.5
    """
    return (int(np.count_nonzero(draws >= found)) + 1) / (len(draws) + 1)


def exact_sign_test(better: int, worse: int) -> float:
    """Two-sided exact p that better and worse are equally likely: McNemar's test.

    It takes items as independent of each other, which questions of one picture are not.

    Args:
        better: Items where the second run is right and the first is wrong.
        worse: The other way round.

    >>> exact_sign_test(0, 5), exact_sign_test(3, 3)
    (0.0625, 1.0)
    """
    total, fewer = better + worse, min(better, worse)
    if 2 * fewer >= total - 1:
        return 1.0
    places = np.arange(1, fewer + 1, dtype=np.float64)
    steps = np.concatenate([[0.0], np.cumsum(np.log((total - places + 1) / places))])
    top = float(steps.max())
    tail = top + float(np.log(np.exp(steps - top).sum())) - (total - 1) * float(np.log(2))
    return float(min(1.0, max(np.exp(tail), _LEAST)))


def holm(values: npt.ArrayLike) -> list[float]:
    """P values of several tests, adjusted so that all of them hold together (Holm 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    factors = np.arange(len(given), 0, -1)
    adjusted = np.empty(len(given))
    adjusted[order] = np.minimum(np.maximum.accumulate(given[order] * factors), 1.0)
    return [float(value) for value in adjusted]


def _lean(values: Floats) -> float:
    """Tells apart two runs without a difference in the sum, whatever the order of pictures."""
    return round(float((values**3).sum()), DECIMALS)


def _whole(values: Floats) -> Ints:
    """The values as whole numbers of the largest part that they all have in common."""
    sizes = np.abs(values)
    parts = parts_of_one(np.unique(sizes.round(DECIMALS)), largest=float(sizes.sum()))
    return np.rint(values * parts).astype(np.int64)
