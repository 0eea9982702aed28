"""Who belongs to whom: pictures, texts, and which are each other's positives.

`i2t` (text retrieval, TR) asks with a picture and ranks texts; `t2i` (image
retrieval, IR) asks with a text and ranks pictures. Pictures stand in the order
of their first appearance among the texts; pictures without a text come after
them, are ranked like the others, and ask nothing themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

Direction = Literal["i2t", "t2i"]
Ints = npt.NDArray[np.int64]

DIRECTIONS: tuple[Direction, ...] = ("i2t", "t2i")
NONE = -1


class TextRow(msgspec.Struct, frozen=True):
    """One text of the references: its id, its pictures' ids, and its length in characters."""

    text_id: str
    image_ids: tuple[str, ...]
    length: int


class Gold(msgspec.Struct, frozen=True, eq=False):
    """Pictures, texts and the pairs between them.

    Attributes:
        image_ids: Every picture of the gallery.
        text_ids: Every text, in the order of the references.
        captioned: How many pictures have a text; they are the first ones.
        pairs: Positions (picture, text) of each positive pair, texts in order, shape [P, 2].
        first_image: The picture each text belongs to for resampling: its first; -1 without one.
    """

    image_ids: tuple[str, ...]
    text_ids: tuple[str, ...]
    captioned: int
    pairs: Ints
    first_image: Ints

    def ids(self, direction: Direction) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Ids of the queries and of the gallery."""
        if direction == "i2t":
            return self.image_ids[: self.captioned], self.text_ids
        return self.text_ids, self.image_ids


class Positives(msgspec.Struct, frozen=True, eq=False):
    """The positives of each query of one direction.

    Attributes:
        queries: Number of queries.
        gallery: Number of candidates.
        starts: Where the positives of each query begin, shape [queries + 1].
        candidates: Positions in the gallery, rising within a query, shape [P].
    """

    queries: int
    gallery: int
    starts: Ints
    candidates: Ints

    @property
    def counts(self) -> Ints:
        """Number of positives of each query."""
        return np.diff(self.starts)

    def of(self, start: int, stop: int) -> tuple[Ints, Ints]:
        """Query and candidate of each positive pair of the queries `start` to `stop`."""
        low, high = int(self.starts[start]), int(self.starts[stop])
        return np.repeat(np.arange(start, stop), self.counts[start:stop]), self.candidates[low:high]

    def contain(self, queries: Ints, candidates: Ints) -> npt.NDArray[np.bool_]:
        """Whether each pair is a positive one; the queries must rise."""
        if not len(queries):
            return np.zeros(0, dtype=np.bool_)
        owners, own = self.of(int(queries[0]), int(queries[-1]) + 1)
        known = owners * self.gallery + own
        asked = queries * self.gallery + candidates
        at = np.searchsorted(known, asked)
        found = np.zeros(len(asked), dtype=np.bool_)
        within = at < len(known)
        found[within] = known[at[within]] == asked[within]
        return found


def gold_of(texts: Sequence[TextRow], more_images: Sequence[str] = ()) -> Gold:
    """Brings references into positions.

    Args:
        texts: The texts, in the order of the references.
        more_images: Ids of pictures that join the gallery though no text is theirs.

    >>> gold = gold_of([TextRow("7", ("b",), 1), TextRow("8", ("a", "b"), 1)], ["c", "a"])
    >>> gold.image_ids, gold.captioned, gold.pairs.tolist()
    (('b', 'a', 'c'), 2, [[0, 0], [1, 1], [0, 1]])
    """
    position: dict[str, int] = {}
    pairs: list[tuple[int, int]] = []
    first_image = np.full(len(texts), NONE, dtype=np.int64)
    for at, text in enumerate(texts):
        for image_id in dict.fromkeys(text.image_ids):
            image = position.setdefault(image_id, len(position))
            pairs.append((image, at))
            if first_image[at] == NONE:
                first_image[at] = image
    captioned = len(position)
    for image_id in more_images:
        position.setdefault(image_id, len(position))
    return Gold(
        image_ids=tuple(position),
        text_ids=tuple(text.text_id for text in texts),
        captioned=captioned,
        pairs=np.array(pairs, dtype=np.int64).reshape(-1, 2),
        first_image=first_image,
    )


def positives(gold: Gold, direction: Direction) -> Positives:
    """The positives of every query of `direction`, in the order of the queries."""
    query, candidate = (0, 1) if direction == "i2t" else (1, 0)
    queries, gallery = (len(ids) for ids in gold.ids(direction))
    pairs = gold.pairs[np.lexsort((gold.pairs[:, candidate], gold.pairs[:, query]))]
    counts = np.bincount(pairs[:, query], minlength=queries)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Positives(queries, gallery, starts, np.ascontiguousarray(pairs[:, candidate]))
