"""How many score above each query's best positive: both directions, from one walk over tiles.

A tile holds the scores of some pictures with some texts; its rows answer `i2t`
and its columns `t2i`, so every product is made once. The score of the best
positive is known before the walk, and a rank is then a number of comparisons:
nothing is sorted, and nothing larger than a tile is held. Pairs within the
margin of rounding are scored again in float64, so that the counts do not depend
on tiles, threads or BLAS (docs/design/021-ranking-in-tiles.md).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np

from vle_bench.eval.retrieval.gold import Direction, Gold, Ints
from vle_bench.eval.retrieval.similarity import Array, Flags, Floats, Similarity
from vle_bench.eval.retrieval.threads import in_threads
from vle_bench.eval.retrieval.ties import TieCounts

_STRIP = 128
"""Rows compared at a time: they stay in a core's cache, and a byte can count them."""
_BYTE = 255
_WORD = 8


class TileShape(NamedTuple):
    """Pictures and texts of one tile."""

    images: int
    texts: int


TILE = TileShape(1024, 2048)


class Counted(msgspec.Struct, frozen=True, eq=False):
    """What one direction's scores say of the best positives.

    Attributes:
        counts: What the tie rules need, per query; zeros where `unranked`.
        unranked: Queries that have no positive with a score, shape [queries].
    """

    counts: TieCounts
    unranked: Flags


def count_both(
    similarity: Similarity, gold: Gold, *, tile: TileShape = TILE, threads: int = 0
) -> dict[Direction, Counted]:
    """Places the best positive of every query of both directions.

    Args:
        similarity: The scores, finite but for minus infinity, which loses to everything.
        gold: The references.
        tile: Scores held at a time by each thread.
        threads: Threads; 0 for as many as there are cores.
    """
    sides = _sides(similarity, gold)
    images, texts = len(gold.image_ids), len(gold.text_ids)
    tiles = [
        (slice(row, min(row + tile.images, images)), slice(column, min(column + tile.texts, texts)))
        for column in range(0, texts, tile.texts)
        for row in range(0, images, tile.images)
    ]
    in_threads(tiles, _Walk(similarity, sides).count, threads=threads)
    return {name: side.counted(len(gold.ids(name)[0])) for name, side in sides.items()}


class _Near(NamedTuple):
    """Cells of a strip that bounds cannot decide, and whose: a row's, a column's or both."""

    rows: Ints
    columns: Ints
    for_row: Flags
    for_column: Flags


class _Side:
    """One direction: the bounds around each query's best positive, and what was counted so far.

    Who has no positive with a score has infinity for bounds, which nothing reaches.
    """

    def __init__(self, size: int, margins: Floats | None) -> None:
        self._best = np.full(size, -np.inf)
        self._first = np.full(size, np.iinfo(np.int64).max)
        self._positives = np.zeros(size, dtype=np.int64)
        self._tied = np.zeros(size, dtype=np.int64)
        self._before = np.zeros(size, dtype=np.int64)
        self._margins = margins
        self._bounds: dict[np.dtype[Any], tuple[Array, Array]] = {}
        self.greater = np.zeros(size, dtype=np.int64)

    def learn(self, queries: Ints, candidates: Ints, scores: Array) -> None:
        """Takes the deciding scores of all positive pairs."""
        np.maximum.at(self._best, queries, scores)
        tied = scores == self._best[queries]
        np.minimum.at(self._first, queries[tied], candidates[tied])
        self._positives = np.bincount(queries[tied], minlength=len(self._best))

    def bounds(self, kind: np.dtype[Any]) -> tuple[Array, Array]:
        """The best score less and plus its margin, rounded outwards to the kind of the tiles."""
        if kind not in self._bounds:
            best = np.where(self._best == -np.inf, np.inf, self._best)
            low = high = best.astype(kind)
            if self._margins is not None:
                low = np.nextafter((best - self._margins).astype(kind), kind.type(-np.inf))
                high = np.nextafter((best + self._margins).astype(kind), kind.type(np.inf))
                low[best == np.inf] = np.inf
            self._bounds[kind] = low, high
        return self._bounds[kind]

    def settle(self, queries: Ints, candidates: Ints, scores: Array) -> None:
        """Counts pairs by the scores that decide."""
        best = self._best[queries]
        np.add.at(self.greater, queries[scores > best], 1)
        tied = scores == best
        np.add.at(self._tied, queries[tied], 1)
        np.add.at(self._before, queries[tied & (candidates < self._first[queries])], 1)

    def counted(self, queries: int) -> Counted:
        """What the walk came to, for those who ask: the first ones."""
        unranked = self._best[:queries] == -np.inf
        every = (self.greater, self._tied, self._positives, self._before)
        return Counted(
            TieCounts(*(np.where(unranked, 0, count[:queries]) for count in every)), unranked
        )


def _sides(similarity: Similarity, gold: Gold) -> dict[Direction, _Side]:
    images, texts = np.ascontiguousarray(gold.pairs.T)
    scores = similarity.exact(images, texts)
    i2t = _Side(len(gold.image_ids), similarity.margins("i2t"))
    t2i = _Side(len(gold.text_ids), similarity.margins("t2i"))
    i2t.learn(images, texts, scores)
    t2i.learn(texts, images, scores)
    return {"i2t": i2t, "t2i": t2i}


class _Walk:
    """Counts tile by tile; threads add what they found under one lock."""

    def __init__(self, similarity: Similarity, sides: Mapping[Direction, _Side]) -> None:
        self._similarity = similarity
        self._rows, self._columns = sides["i2t"], sides["t2i"]
        self._lock = threading.Lock()

    def count(self, place: tuple[slice, slice]) -> None:
        """Counts one tile."""
        images, texts = place
        if images.start == 0:  # the texts of the tiles before are done with
            self._similarity.release()
        scores = self._similarity.tile(images, texts)
        with self._lock:
            rows = [bound[images] for bound in self._rows.bounds(scores.dtype)]
            columns = [bound[texts] for bound in self._columns.bounds(scores.dtype)]
        marks = _Marks(scores.shape[1])
        for start in range(0, len(scores), _STRIP):
            strip = scores[start : start + _STRIP]
            own = [bound[start : start + _STRIP, None] for bound in rows]
            row_counts = [
                marks.by_row(np.greater_equal, strip, own[0]),
                marks.by_row(np.greater, strip, own[1]),
            ]
            column_counts = [
                marks.by_column(np.greater_equal, strip, columns[0]),
                marks.by_column(np.greater, strip, columns[1]),
            ]
            near = _near(strip, (own, row_counts), (columns, column_counts))
            first = images.start + start
            with self._lock:
                self._rows.greater[first : first + len(strip)] += row_counts[1]
                self._columns.greater[texts] += column_counts[1]
            if len(near.rows):
                self._settle(near, first, texts.start)

    def _settle(self, near: _Near, first_row: int, first_column: int) -> None:
        images, texts = near.rows + first_row, near.columns + first_column
        scores = self._similarity.exact(images, texts)
        with self._lock:
            of, to = images[near.for_row], texts[near.for_row]
            self._rows.settle(of, to, scores[near.for_row])
            of, to = texts[near.for_column], images[near.for_column]
            self._columns.settle(of, to, scores[near.for_column])


class _Marks:
    """Counts true cells along rows and columns of a strip, eight cells in a word at a time.

    numpy sums flags one by one; as bytes of 64-bit words, eight of them are one addition, and a
    byte holds up to 255 of them.
    """

    def __init__(self, width: int) -> None:
        padded = -(-width // _WORD) * _WORD
        self._cells = np.zeros((_STRIP, padded), dtype=np.bool_)
        self._width = width

    def by_row(self, compare: np.ufunc, strip: Array, bound: Array) -> Ints:
        """In how many columns of each row the comparison holds, shape [rows]."""
        words = self._words(compare, strip, bound)
        found = np.zeros(len(strip), dtype=np.int64)
        for start in range(0, words.shape[1], _BYTE):
            sums = np.add.reduce(words[:, start : start + _BYTE], axis=1)
            found += sums.view(np.uint8).reshape(-1, _WORD).sum(axis=1, dtype=np.int64)
        return found

    def by_column(self, compare: np.ufunc, strip: Array, bound: Array) -> Ints:
        """In how many rows of each column the comparison holds, shape [columns]."""
        sums = np.add.reduce(self._words(compare, strip, bound), axis=0)
        found: Ints = sums.view(np.uint8)[: self._width].astype(np.int64)
        return found

    def _words(self, compare: np.ufunc, strip: Array, bound: Array) -> Array:
        cells = self._cells[: len(strip)]
        compare(strip, bound, out=cells[:, : self._width])
        return cells.view(np.uint64)


def _near(
    strip: Array,
    of_rows: tuple[list[Array], list[Ints]],
    of_columns: tuple[list[Array], list[Ints]],
) -> _Near:
    """The cells between the bounds of their row or of their column, each once."""
    (low, high), (least, above) = of_rows
    doubtful = np.flatnonzero(least != above)
    part = strip[doubtful]
    at, columns = np.nonzero((part >= low[doubtful]) & (part <= high[doubtful]))
    by_row = doubtful[at] * strip.shape[1] + columns
    (low, high), (least, above) = of_columns
    doubtful = np.flatnonzero(least != above)
    part = strip[:, doubtful]
    rows, at = np.nonzero((part >= low[doubtful]) & (part <= high[doubtful]))
    by_column = rows * strip.shape[1] + doubtful[at]
    # Both rise, so that sorting merges them; np.union1d hashes, many times as long since numpy 2.3.
    cells = np.sort(np.concatenate((by_row, by_column)), kind="stable")
    rows, columns = np.divmod(cells[np.diff(cells, prepend=-1) > 0], strip.shape[1])
    scores = strip[rows, columns]
    return _Near(
        rows,
        columns,
        for_row=_within(scores, of_rows[0], rows),
        for_column=_within(scores, of_columns[0], columns),
    )


def _within(scores: Array, bounds: list[Array], at: Ints) -> Flags:
    low, high = (bound.ravel()[at] for bound in bounds)
    within: Flags = (scores >= low) & (scores <= high)
    return within
