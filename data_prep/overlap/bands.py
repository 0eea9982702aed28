"""All pairs of 64-bit hashes that differ in at most seven bits, without comparing all with all.

Four bands of 16 bits: where at most seven bits differ, some band differs in at
most one. So it is enough to look up every band of a query as it is and with each
of its bits turned, 68 places in all. Nothing is missed, and a hundred thousand
against a hundred thousand is a matter of seconds. Multi-index hashing: Norouzi,
Punjani and Fleet, CVPR 2012, https://arxiv.org/abs/1307.2982
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vle_bench.data_prep.overlap.likeness import BITS, MOST_BITS, Hashes

_BANDS = 4
_WIDTH = BITS // _BANDS
_VALUES = 1 << _WIDTH
_MOST_AT_ONCE = 1 << 21
"""Candidates compared at a time: what memory is bounded by, where many hashes are equal."""

assert MOST_BITS < 2 * _BANDS, "two turned bits in every band would be missed"

Indexes = npt.NDArray[np.int64]


class Near(NamedTuple):
    """Pairs, sorted: which query, which of the index."""

    query: Indexes
    found: Indexes


class HashIndex:
    """Hashes to be searched.

    Args:
        hashes: Shape [N].

    >>> near = HashIndex(np.array([0b0, 0xFFFF], np.uint64)).near(np.array([0b111], np.uint64))
    >>> near.query.tolist(), near.found.tolist()
    ([0], [0])
    """

    def __init__(self, hashes: Hashes) -> None:
        self._hashes = hashes
        self._bands = [_Band(_band(hashes, number)) for number in range(_BANDS)]

    def near(self, queries: Hashes) -> Near:
        """Every pair of a query and a hash that differ in at most seven bits, once."""
        width = max(len(self._hashes), 1)
        found = [np.empty(0, np.int64)]
        for number, band in enumerate(self._bands):
            for query, place in band.candidates(_band(queries, number)):
                close = differing(queries[query], self._hashes[place]) <= MOST_BITS
                found.append(np.unique(query[close] * width + place[close]))
        pairs = np.unique(np.concatenate(found))
        return Near(pairs // width, pairs % width)


def differing(one: Hashes, other: Hashes) -> npt.NDArray[np.uint8]:
    """In how many bits hashes differ, shape [N].

    >>> differing(np.array([0b1011], np.uint64), np.array([0b0001], np.uint64)).tolist()
    [2]
    """
    either = np.ascontiguousarray(one ^ other)
    bits: npt.NDArray[np.uint8] = _ONES[either.view(np.uint16).reshape(-1, _BANDS)]
    counts: npt.NDArray[np.uint8] = bits.sum(axis=1, dtype=np.uint8)
    return counts


class _Band:
    """The hashes by their value in one band."""

    def __init__(self, values: Indexes) -> None:
        self._order = np.argsort(values, kind="stable")
        self._starts = np.searchsorted(values[self._order], np.arange(_VALUES + 1))

    def candidates(self, values: Indexes) -> Iterator[tuple[Indexes, Indexes]]:
        """Pairs whose bands differ in at most one bit, in bounded portions."""
        tried = (values[:, None] ^ _TURNED[None, :]).ravel()
        queries = np.repeat(np.arange(len(values)), len(_TURNED))
        starts = self._starts[tried]
        counts = self._starts[tried + 1] - starts
        some = counts > 0
        queries, starts, counts = queries[some], starts[some], counts[some]
        ends = np.cumsum(counts)
        at = 0
        while at < len(counts):
            before = int(ends[at - 1]) if at else 0
            end = max(at + 1, int(np.searchsorted(ends, before + _MOST_AT_ONCE, side="right")))
            yield self._portion(queries[at:end], starts[at:end], counts[at:end])
            at = end

    def _portion(
        self, queries: Indexes, starts: Indexes, counts: Indexes
    ) -> tuple[Indexes, Indexes]:
        firsts = np.cumsum(counts) - counts
        places = np.repeat(starts - firsts, counts) + np.arange(int(counts.sum()))
        return np.repeat(queries, counts), self._order[places]


def _band(hashes: Hashes, number: int) -> Indexes:
    shifted = np.right_shift(hashes, np.uint64(number * _WIDTH))
    return (shifted & np.uint64(_VALUES - 1)).astype(np.int64)


_TURNED = np.array([0, *(1 << bit for bit in range(_WIDTH))], dtype=np.int64)
_ONES = np.array([value.bit_count() for value in range(_VALUES)], dtype=np.uint8)
