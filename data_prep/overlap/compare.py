"""Which pictures of a shard are evaluation pictures too, and how that is known.

Ids and bytes prove it and need no look. Looks only propose and confirm, but they
are measured for every pair that is proved otherwise as well: an id that names
two quite different pictures is worth a second look.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from vle_bench.data_prep.leaks.evidence import EVIDENCE, NO_ID
from vle_bench.data_prep.overlap import likeness
from vle_bench.data_prep.overlap.bands import HashIndex, Near, differing
from vle_bench.data_prep.overlap.pictures import STATES, Numbers, Pictures, Who

Way = Literal["coco_id", "flickr_id", "bytes", "near-copy"]
WAYS: tuple[Way, ...] = (*EVIDENCE, "near-copy")
"""In the order in which one is named where several hold."""

_AT_ONCE = 4096
_DIGITS = 4
_MOST_VIEWS = 2


class Pair(NamedTuple):
    """A training picture that is an evaluation picture too.

    Attributes:
        training: The one.
        evaluation: The other.
        ways: All by which it is known, the strongest first.
        distance: Bits in which the hashes differ, of 64; None where one was not judged.
        correlation: How alike the thumbnails are; None where one was not judged.
    """

    training: Who
    evaluation: Who
    ways: tuple[Way, ...]
    distance: int | None
    correlation: float | None


class EvaluationPictures:
    """All evaluation pictures, to be asked about one training shard after the other."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._known = {
            "coco_id": _Sorted(pictures.coco, pictures.coco != NO_ID),
            "flickr_id": _Sorted(pictures.flickr, pictures.flickr != NO_ID),
            "bytes": _Sorted(pictures.digests, pictures.digests != b""),
        }
        self._hashes = pictures.hashes()
        self._index = HashIndex(self._hashes)
        self._views = _Views(pictures)

    def shared(self, training: Pictures) -> list[Pair]:
        """Every pair of a training picture and an evaluation picture that are the same."""
        exact = {
            "coco_id": self._known["coco_id"].same(training.coco),
            "flickr_id": self._known["flickr_id"].same(training.flickr),
            "bytes": self._known["bytes"].same(training.digests),
        }
        hashes = training.hashes()
        near = self._index.near(hashes)
        looks = (training.owners[near.query], self._pictures.owners[near.found])
        proposed = [tuple(pairs) for pairs in exact.values()] + [looks]
        width = max(len(self._pictures.who), 1)
        codes = np.unique(np.concatenate([one * width + other for one, other in proposed]))
        ones, others = codes // width, codes % width
        distances, correlations = self._looks(training, hashes, ones, others)
        alike = (correlations >= likeness.LEAST_CORRELATION) & (distances <= likeness.MOST_BITS)
        held: dict[Way, npt.NDArray[np.bool_]] = {
            way: np.isin(codes, pairs.query * width + pairs.found)
            for way, pairs in zip(EVIDENCE, exact.values(), strict=True)
        }
        held["near-copy"] = alike
        return list(self._pairs(training, (ones, others), held, (distances, correlations)))

    def _pairs(
        self,
        training: Pictures,
        pairs: tuple[Numbers, Numbers],
        held: dict[Way, npt.NDArray[np.bool_]],
        looks: tuple[Numbers, likeness.Floats],
    ) -> Iterator[Pair]:
        distances, correlations = looks
        for number in np.flatnonzero(np.logical_or.reduce(list(held.values()))).tolist():
            one = training.who[pairs[0][number]]
            other = self._pictures.who[pairs[1][number]]
            if one == other:  # a split against itself
                continue
            looked = not np.isnan(correlations[number])
            yield Pair(
                training=one,
                evaluation=other,
                ways=tuple(way for way in WAYS if held[way][number]),
                distance=int(distances[number]) if looked else None,
                correlation=round(float(correlations[number]), _DIGITS) if looked else None,
            )

    def _looks(
        self, training: Pictures, hashes: likeness.Hashes, ones: Numbers, others: Numbers
    ) -> tuple[Numbers, likeness.Floats]:
        """Distance and correlation of the views of each pair that are most alike; else NaN."""
        distances = np.full(len(ones), likeness.BITS, dtype=np.int64)
        correlations = np.full(len(ones), np.nan)
        mine, theirs = _Views(training), self._views
        for first in range(_MOST_VIEWS):
            for second in range(_MOST_VIEWS):
                there = (mine.counts[ones] > first) & (theirs.counts[others] > second)
                chosen = np.flatnonzero(there)
                for start in range(0, len(chosen), _AT_ONCE):
                    some = chosen[start : start + _AT_ONCE]
                    views = mine.starts[ones[some]] + first
                    other = theirs.starts[others[some]] + second
                    found = likeness.correlation(
                        training.spectra(views), self._pictures.spectra(other)
                    )
                    better = ~(found <= correlations[some])  # NaN is less than anything
                    kept = some[better]
                    correlations[kept] = found[better]
                    distances[kept] = differing(hashes[views], self._hashes[other])[better]
        return distances, correlations


def judged(pictures: Pictures) -> dict[str, int]:
    """How many pictures were judged by their looks, and how many were not, and why."""
    counts = np.bincount(pictures.states, minlength=len(STATES))
    return {state: int(count) for state, count in zip(STATES, counts, strict=True)}


class _Views:
    """Where the views of each picture begin, and how many there are."""

    def __init__(self, pictures: Pictures) -> None:
        everyone = np.arange(len(pictures.who))
        self.starts = np.searchsorted(pictures.owners, everyone, side="left")
        self.counts = np.searchsorted(pictures.owners, everyone, side="right") - self.starts


class _Sorted:
    """Values in order, to find equal ones."""

    def __init__(self, values: npt.NDArray[np.generic], usable: npt.NDArray[np.bool_]) -> None:
        places = np.flatnonzero(usable)
        order = np.argsort(values[places], kind="stable")
        self._places = places[order]
        self._values = values[self._places]

    def same(self, queries: npt.NDArray[np.generic]) -> Near:
        """Every pair of a query and a value that are equal."""
        starts = np.searchsorted(self._values, queries, side="left")
        counts = np.searchsorted(self._values, queries, side="right") - starts
        firsts = np.cumsum(counts) - counts
        places = np.repeat(starts - firsts, counts) + np.arange(int(counts.sum()))
        return Near(np.repeat(np.arange(len(queries)), counts), self._places[places])
