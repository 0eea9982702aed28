"""Scores of pairs, a tile of pictures and texts at a time: from a matrix, or from features.

A matrix is compared as it is, in its own precision. Features are multiplied in
tiles by BLAS, whose last bits depend on tiles and threads, so that two equal
vectors need not get equal scores. Hence the margins: whoever compares tiles
asks again, with `exact`, about every pair closer than the margin. `exact` adds
in float64 in a fixed order and gives one pair one value, wherever it stands.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.eval.retrieval.gold import NONE, Direction, Ints

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Side = Literal["image", "text"]

_SINGLE = np.dtype(np.float32).itemsize
_UNIT_SINGLE = float(np.finfo(np.float32).eps) / 2
_MOST_SINGLE = 1e30
"""Above this product of norms, float32 could overflow; float64 is used."""
_LEAST_DIGITS = 0.25
"""Where rounding could take more than this share of a product, float64 is used."""
_CELLS = 1 << 17
"""Numbers held at a time where vectors are looked at one by one: what a core's cache holds."""


class Similarity(Protocol):
    """Scores between all pictures and all texts, each named by its position."""

    def tile(self, images: slice, texts: slice) -> Array:
        """Scores of some pictures with some texts, shape [images, texts]; not to be written to."""
        ...

    def exact(self, images: Ints, texts: Ints) -> Array:
        """The scores of single pairs that decide, shape [pairs]."""
        ...

    def margins(self, direction: Direction) -> Floats | None:
        """How far a score of `tile` can be from that of `exact`, per query; None: not at all."""
        ...

    def release(self) -> None:
        """Lets go of file pages that were looked at."""
        ...

    def select(self, images: Ints, texts: Ints) -> Similarity:
        """The scores of some pictures and texts, in this order."""
        ...


class MatrixSimilarity(msgspec.Struct, frozen=True, eq=False):
    """A matrix [rows, columns] of finite scores, and where each picture and text stands in it.

    Attributes:
        matrix: The scores, never copied as a whole.
        rows: Row of each picture; None where rows are pictures in their order.
        columns: Column of each text; None likewise.
        pages: Lets go of the pages of the file that the matrix lies in.
    """

    matrix: Array
    rows: Ints | None = None
    columns: Ints | None = None
    pages: Callable[[], None] = lambda: None

    def tile(self, images: slice, texts: slice) -> Array:
        """The matrix's own values."""
        part = self.matrix[images] if self.rows is None else self.matrix[self.rows[images]]
        part = part[:, texts] if self.columns is None else part[:, self.columns[texts]]
        return np.ascontiguousarray(_comparable(part))

    def exact(self, images: Ints, texts: Ints) -> Array:
        """Likewise."""
        rows = images if self.rows is None else self.rows[images]
        columns = texts if self.columns is None else self.columns[texts]
        return _comparable(self.matrix[rows, columns])

    def margins(self, direction: Direction) -> None:  # noqa: ARG002
        """A matrix says what it says."""
        return

    def release(self) -> None:
        """Lets go of the file."""
        self.pages()

    def select(self, images: Ints, texts: Ints) -> MatrixSimilarity:
        """Rows and columns of the same matrix."""
        rows = images if self.rows is None else self.rows[images]
        columns = texts if self.columns is None else self.columns[texts]
        return MatrixSimilarity(self.matrix, rows, columns, self.pages)


class FeatureSimilarity:
    """Inner products of features, which may lie in a mapped file and are never copied as a whole.

    Args:
        images: Finite features, shape [rows, d].
        texts: Finite features, shape [rows, d].
        image_rows: Row of each picture; None where rows are pictures in their order.
        text_rows: Row of each text; None likewise.
        pages: Lets go of the pages of the files that the features lie in.
    """

    def __init__(
        self,
        images: Array,
        texts: Array,
        *,
        image_rows: Ints | None = None,
        text_rows: Ints | None = None,
        pages: Callable[[], None] = lambda: None,
    ) -> None:
        self._pages = pages
        # A mapped array finds its rows ten times as slowly as a plain view of it.
        self._images, self._texts = images.view(np.ndarray), texts.view(np.ndarray)
        self._image_rows, self._text_rows = image_rows, text_rows
        norms = {
            "i2t": _in_order(vector_norms(images), image_rows),
            "t2i": _in_order(vector_norms(texts), text_rows),
        }
        longest = {name: float(norm.max(initial=0)) for name, norm in norms.items()}
        terms = images.shape[1] + 2
        small = images.dtype.itemsize <= _SINGLE and texts.dtype.itemsize <= _SINGLE
        floats = images.dtype.kind == texts.dtype.kind == "f"
        harmless = longest["i2t"] * longest["t2i"] < _MOST_SINGLE
        single = small and floats and harmless and terms * _UNIT_SINGLE < _LEAST_DIGITS
        self._kind: type[np.float32 | np.float64] = np.float32 if single else np.float64
        # The rounding error of an inner product, in any order: Higham 2002, section 3.1.
        rounding = terms * float(np.finfo(self._kind).eps) / 2
        step, least = rounding / (1 - rounding), terms * float(np.finfo(self._kind).tiny)
        self._margins: dict[Direction, Floats] = {
            "i2t": step * norms["i2t"] * longest["t2i"] + least,
            "t2i": step * norms["t2i"] * longest["i2t"] + least,
        }

    def tile(self, images: slice, texts: slice) -> Array:
        """One matrix product."""
        left = _in_order(self._images, self._image_rows, images).astype(self._kind, copy=False)
        right = _in_order(self._texts, self._text_rows, texts).astype(self._kind, copy=False)
        product: Array = np.matmul(left, right.T)
        return product

    def exact(self, images: Ints, texts: Ints) -> Floats:
        """Products of float64, added pairwise in the order of the dimensions."""
        rows = images if self._image_rows is None else self._image_rows[images]
        columns = texts if self._text_rows is None else self._text_rows[texts]
        found = np.empty(len(rows))
        step = max(1, _CELLS // max(self._images.shape[1], 1))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            product = self._images[rows[part]].astype(np.float64)
            product *= self._texts[columns[part]]
            found[part] = np.add.reduce(product, axis=1)
        return found

    def margins(self, direction: Direction) -> Floats:
        """The bound of the rounding error with the longest vector of the gallery."""
        return self._margins[direction]

    def vectors(self, side: Side, part: slice) -> Array:
        """The features of some pictures or texts, as their file has them, shape [part, d]."""
        if side == "image":
            return _in_order(self._images, self._image_rows, part)
        return _in_order(self._texts, self._text_rows, part)

    def release(self) -> None:
        """Lets go of the files."""
        self._pages()

    def select(self, images: Ints, texts: Ints) -> FeatureSimilarity:
        """Rows of the same features, whose lengths are known already."""
        chosen = copy.copy(self)
        chosen._image_rows = images if self._image_rows is None else self._image_rows[images]
        chosen._text_rows = texts if self._text_rows is None else self._text_rows[texts]
        chosen._margins = {"i2t": self._margins["i2t"][images], "t2i": self._margins["t2i"][texts]}
        return chosen


class WithAbsent(msgspec.Struct, frozen=True, eq=False):
    """Scores of which some pictures or texts have none (`--missing zero`): they lose to all others.

    Attributes:
        inner: Scores of everything; those of absent pictures and texts are never used.
        images: Whether each picture has scores.
        texts: Whether each text has scores.
    """

    inner: Similarity
    images: Flags
    texts: Flags

    def tile(self, images: slice, texts: slice) -> Array:
        """As it is, with minus infinity for everything absent."""
        scores = self.inner.tile(images, texts).astype(np.float64)
        scores[:, ~self.texts[texts]] = -np.inf
        scores[~self.images[images]] = -np.inf
        return scores

    def exact(self, images: Ints, texts: Ints) -> Floats:
        """Likewise."""
        found = self.inner.exact(images, texts).astype(np.float64)
        found[~(self.images[images] & self.texts[texts])] = -np.inf
        return found

    def margins(self, direction: Direction) -> Floats | None:
        """Those of the inner scores."""
        return self.inner.margins(direction)

    def release(self) -> None:
        """Likewise."""
        self.inner.release()

    def select(self, images: Ints, texts: Ints) -> WithAbsent:
        """Likewise."""
        return WithAbsent(self.inner.select(images, texts), self.images[images], self.texts[texts])


def positions(of: Ints) -> Ints | None:
    """`of` where it moves anything; None where every place is its own. -1 becomes 0.

    >>> positions(np.array([0, 1, 2])) is None
    True
    """
    if np.array_equal(of, np.arange(len(of))):
        return None
    return np.where(of == NONE, 0, of)


def vector_norms(features: Array) -> Floats:
    """Length of each vector, in float64; not finite where a number is not.

    >>> vector_norms(np.array([[3.0, 4.0], [0.0, np.inf]])).tolist()
    [5.0, inf]
    """
    norms = np.empty(len(features))
    step = max(1, _CELLS // max(features.shape[1], 1))
    for start in range(0, len(features), step):
        part = features[start : start + step].astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            norms[start : start + step] = np.sqrt(np.einsum("ij,ij->i", part, part))
    return norms


def _in_order(values: Array, order: Ints | None, part: slice = slice(None)) -> Array:
    chosen: Array = values[part] if order is None else values[order[part]]
    return chosen


def _comparable(scores: Array) -> Array:
    """Whole numbers and half floats in a kind that numpy compares fast and without loss."""
    if scores.dtype.kind != "f":
        return scores.astype(np.float64)
    return scores.astype(np.float32) if scores.dtype.itemsize < _SINGLE else scores
