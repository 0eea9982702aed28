"""Scores of pairs, a block of queries at a time: from a matrix, or from features.

A matrix is compared as it is, in its own precision. Features are multiplied in
blocks by BLAS, whose last bits depend on tiles and threads, so that two equal
vectors need not get equal scores. Hence the margin: whoever compares blocks
asks again, with `exact`, about every pair closer than the margin. `exact` adds
in float64 in a fixed order and gives one pair one value, wherever it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from vle_bench.eval.retrieval.gold import NONE, Direction, Ints

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_MOST_SINGLE = 1e30
"""Above this product of norms, float32 could overflow; float64 is used."""
_CELLS = 1 << 22


class Similarity(Protocol):
    """Scores between all pictures and all texts; queries and candidates are positions."""

    def block(self, direction: Direction, start: int, stop: int) -> Array:
        """Scores of the queries `start` to `stop`, shape [stop - start, gallery]."""
        ...

    def exact(self, direction: Direction, queries: Ints, candidates: Ints) -> Array:
        """The scores of single pairs that decide, shape [pairs]."""
        ...

    def margin(self, direction: Direction, start: int, stop: int) -> float:
        """How far a score of `block` can be from that of `exact`; 0 where they are the same."""
        ...


@dataclass(frozen=True, eq=False)
class MatrixSimilarity:
    """A matrix [rows, columns] of finite scores, and where each picture and text stands in it.

    Attributes:
        matrix: The scores, never copied as a whole.
        rows: Row of each picture; None where rows are pictures in their order.
        columns: Column of each text; None likewise.
    """

    matrix: Array
    rows: Ints | None = None
    columns: Ints | None = None

    def block(self, direction: Direction, start: int, stop: int) -> Array:
        """Rows of pictures, or columns of texts turned into rows."""
        if direction == "i2t":
            part, order = _chosen(self.matrix, self.rows, start, stop), self.columns
        else:
            part, order = _chosen(self.matrix.T, self.columns, start, stop), self.rows
        return np.ascontiguousarray(_comparable(part if order is None else part[:, order]))

    def exact(self, direction: Direction, queries: Ints, candidates: Ints) -> Array:
        """The matrix's own values."""
        images, texts = (queries, candidates) if direction == "i2t" else (candidates, queries)
        rows = images if self.rows is None else self.rows[images]
        columns = texts if self.columns is None else self.columns[texts]
        return _comparable(self.matrix[rows, columns])

    def margin(self, direction: Direction, start: int, stop: int) -> float:  # noqa: ARG002
        """A matrix says what it says."""
        return 0.0


class FeatureSimilarity:
    """Inner products of features.

    Args:
        images: Finite features of the pictures in their order, shape [pictures, d].
        texts: Finite features of the texts in their order, shape [texts, d].
    """

    def __init__(self, images: Array, texts: Array) -> None:
        norms = {"i2t": _norms(images), "t2i": _norms(texts)}
        widest = max(float(norm.max(initial=0)) for norm in norms.values()) ** 2
        both_single = images.dtype == texts.dtype == np.float32
        kind = np.float32 if both_single and widest < _MOST_SINGLE else np.float64
        self._features: dict[Direction, Array] = {
            "i2t": np.ascontiguousarray(images, dtype=kind),
            "t2i": np.ascontiguousarray(texts, dtype=kind),
        }
        self._norms = norms
        precision = np.finfo(kind)
        self._step = (images.shape[1] + 2) * float(precision.eps)
        self._least = (images.shape[1] + 2) * float(precision.tiny)

    def block(self, direction: Direction, start: int, stop: int) -> Array:
        """One matrix product."""
        queries, gallery = self._sides(direction)
        product: Array = queries[start:stop] @ gallery.T
        return product

    def exact(self, direction: Direction, queries: Ints, candidates: Ints) -> Floats:
        """Products of float64, added pairwise in the order of the dimensions."""
        own, other = self._sides(direction)
        found = np.empty(len(queries))
        step = max(1, _CELLS // max(own.shape[1], 1))
        for start in range(0, len(queries), step):
            part = slice(start, start + step)
            left = own[queries[part]].astype(np.float64)
            found[part] = np.add.reduce(left * other[candidates[part]], axis=1)
        return found

    def margin(self, direction: Direction, start: int, stop: int) -> float:
        """The rounding error of an inner product (Higham 2002, section 3.1), twice over."""
        mine, theirs = self._norms[direction], self._norms["t2i" if direction == "i2t" else "i2t"]
        longest = float(mine[start:stop].max(initial=0)) * float(theirs.max(initial=0))
        margin: float = self._step * longest + self._least
        return margin

    def _sides(self, direction: Direction) -> tuple[Array, Array]:
        other: Direction = "t2i" if direction == "i2t" else "i2t"
        return self._features[direction], self._features[other]


@dataclass(frozen=True, eq=False)
class WithAbsent:
    """Scores of which some pictures or texts have none (`--missing zero`): they lose to all others.

    Attributes:
        inner: Scores of everything; those of absent pictures and texts are never used.
        images: Whether each picture has scores.
        texts: Whether each text has scores.
    """

    inner: Similarity
    images: Flags
    texts: Flags

    def block(self, direction: Direction, start: int, stop: int) -> Array:
        """As it is, with minus infinity for absent candidates and for absent queries."""
        own, other = self._sides(direction)
        scores = self.inner.block(direction, start, stop).astype(np.float64)
        scores[:, ~other] = -np.inf
        scores[~own[start:stop]] = -np.inf
        return scores

    def exact(self, direction: Direction, queries: Ints, candidates: Ints) -> Floats:
        """Likewise."""
        own, other = self._sides(direction)
        found = self.inner.exact(direction, queries, candidates).astype(np.float64)
        found[~(own[queries] & other[candidates])] = -np.inf
        return found

    def margin(self, direction: Direction, start: int, stop: int) -> float:
        """That of the inner scores."""
        return self.inner.margin(direction, start, stop)

    def _sides(self, direction: Direction) -> tuple[Flags, Flags]:
        return (self.images, self.texts) if direction == "i2t" else (self.texts, self.images)


def positions(of: Ints) -> Ints | None:
    """`of` where it moves anything; None where every place is its own. -1 becomes 0.

    >>> positions(np.array([0, 1, 2])) is None
    True
    """
    if np.array_equal(of, np.arange(len(of))):
        return None
    return np.where(of == NONE, 0, of)


def _chosen(matrix: Array, order: Ints | None, start: int, stop: int) -> Array:
    chosen: Array = matrix[start:stop] if order is None else matrix[order[start:stop]]
    return chosen


def _comparable(scores: Array) -> Array:
    """Whole numbers and half floats in a kind that numpy compares fast and without loss."""
    if scores.dtype.kind != "f":
        return scores.astype(np.float64)
    return (
        scores.astype(np.float32)
        if scores.dtype.itemsize < np.dtype(np.float32).itemsize
        else scores
    )


def _norms(features: Array) -> Floats:
    norms = np.empty(len(features))
    step = max(1, _CELLS // max(features.shape[1], 1))
    for start in range(0, len(features), step):
        part = features[start : start + step].astype(np.float64)
        norms[start : start + step] = np.sqrt(np.add.reduce(part * part, axis=1))
    return norms
