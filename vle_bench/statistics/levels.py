"""Pictures that are interchangeable, and how often each kind of them is drawn.

A picture enters a ratio by its sum and its count alone, so pictures are drawn
by kind: one multinomial over the distinct rows has exactly the law of drawing
pictures one by one. Rows that few pictures have share one bin, and the pictures
drawn from it are then picked singly: that is the same law again, by the
definition of conditional probability, and most rows are of that sort.

Many draws are made in blocks, each with a generator of its own, so that the
number of threads decides who makes a block and never what is in it. Few draws
are one block, from the stream's own generator. Sums are of whole numbers, and
thus exact in whatever order they are taken.
"""

from __future__ import annotations

import os
import zlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vle_bench.statistics.units import DECIMALS, parts_of_one

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_ONE_BLOCK = 1 << 20
"""Cells (draws times kinds) up to which a set of draws is one block."""
_DRAWS = 500
"""Draws of a block where there are several."""
_RARE = 8
"""A kind of fewer pictures is cheaper to pick from than to have a binomial of its own."""


class Kinds(NamedTuple):
    """The distinct rows, in whole units, and how many pictures have each.

    Attributes:
        rows: In ascending order, shape [kinds, columns].
        pictures: How many pictures have it, shape [kinds].
    """

    rows: Floats
    pictures: Ints


def kinds_of(rows: npt.ArrayLike) -> Kinds:
    """The kinds among the rows of all pictures.

    Rows are told apart to 9 decimals, and counted in the parts that `units.py` finds: tenths as
    tenths, thirds as thirds. A common part of all columns leaves every ratio of two of them as it
    is.

    Args:
        rows: One row a picture, shape [pictures, columns].

    >>> kinds_of([[0.3, 1], [1.0, 2], [0.1 + 0.2, 1]])
    Kinds(rows=array([[ 3., 10.],
           [10., 20.]]), pictures=array([2, 1]))
    """
    # Sums of 0.3, 0.6, 0.9 differ in the last bit with the order of their terms.
    values = np.asarray(rows, dtype=np.float64).round(DECIMALS)
    ordered = values[np.lexsort(values.T[::-1])]
    # `np.unique` along an axis says the same, eight times slower: it compares rows as records.
    changes = (ordered[1:] != ordered[:-1]).any(axis=1)
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1, [len(ordered)]])
    distinct, pictures = ordered[starts[:-1]], np.diff(starts)
    # A draw may take the picture with the largest row every time.
    largest = float(np.abs(distinct).max(initial=0.0)) * len(values)
    return Kinds(np.rint(distinct * parts_of_one(distinct, largest=largest)), pictures)


def drawn_totals(
    kinds: Kinds, *, resamples: int, seed: int, stream: str, threads: int | None = None
) -> Floats:
    """Sums of the rows of as many pictures as there are, drawn with replacement.

    Args:
        kinds: What is drawn from.
        resamples: Number of draws.
        seed: Seed of the whole run.
        stream: Name of this set of draws.
        threads: How many make blocks; None for one a processor. The draws do not depend on it.

    Returns:
        Shape [resamples, columns], in the unit of the kinds.

    >>> drawn_totals(kinds_of([[1, 1], [1, 1]]), resamples=2, seed=0, stream="").tolist()
    [[2.0, 2.0], [2.0, 2.0]]
    """
    key = [seed, zlib.crc32(stream.encode("utf-8"))]
    if resamples * len(kinds.rows) <= _ONE_BLOCK:
        return _at_once(kinds, resamples, np.random.default_rng(key))
    from concurrent.futures import ThreadPoolExecutor  # and logging, which one block does without

    bins = _bins_of(kinds)
    starts = range(0, resamples, _DRAWS)
    sizes = [min(_DRAWS, resamples - start) for start in starts]
    # The key of a block ends in a number above 0: a zero at the end would leave the key as it is.
    generators = [np.random.default_rng([*key, block]) for block in range(1, len(sizes) + 1)]
    with ThreadPoolExecutor(threads or _processors()) as pool:
        return np.concatenate(list(pool.map(bins.totals, sizes, generators)))


class _Bins(NamedTuple):
    """Common kinds with a bin each; rare ones share the last bin, a column a picture."""

    common: Floats
    rare: Floats
    shares: Floats
    pictures: int

    def totals(self, draws: int, generator: np.random.Generator) -> Floats:
        """The totals of some draws, shape [draws, columns]."""
        weights = generator.multinomial(self.pictures, self.shares, size=draws)
        totals = weights[:, :-1].astype(np.float64) @ self.common
        picked = weights[:, -1]
        ends = np.cumsum(picked)
        if ends[-1] == 0:
            return totals
        picks = generator.integers(0, self.rare.shape[1], size=int(ends[-1]))
        # `reduceat` gives an empty part the value that stands there; such parts stay zero.
        some = picked > 0
        starts = (ends - picked)[some]
        for column, values in enumerate(self.rare):
            totals[some, column] += np.add.reduceat(values.take(picks), starts)
        return totals


def _bins_of(kinds: Kinds) -> _Bins:
    rare = kinds.pictures < _RARE
    apart = int(kinds.pictures[rare].sum())
    pictures = int(kinds.pictures.sum())
    return _Bins(
        common=kinds.rows[~rare],
        rare=np.ascontiguousarray(np.repeat(kinds.rows[rare], kinds.pictures[rare], axis=0).T),
        shares=np.append(kinds.pictures[~rare], apart) / pictures,
        pictures=pictures,
    )


def _at_once(kinds: Kinds, resamples: int, generator: np.random.Generator) -> Floats:
    pictures = int(kinds.pictures.sum())
    weights = generator.multinomial(pictures, kinds.pictures / pictures, size=resamples)
    return weights.astype(np.float64) @ kinds.rows


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
