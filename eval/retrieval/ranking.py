"""One walk over the scores of one direction: where the best positives stand, and the top ten.

Scores come in blocks of queries, so the memory is that of one block however
large the gallery is. Nothing depends on the size of a block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vle_bench.eval.retrieval.gold import NONE, Direction, Ints, Positives
from vle_bench.eval.retrieval.similarity import Similarity
from vle_bench.eval.retrieval.ties import TieCounts, TieRule

Array = npt.NDArray[Any]
Flags = npt.NDArray[np.bool_]

DEPTH = 10
"""As deep as Chinese-CLIP's prediction lists."""
BLOCK_CELLS = 1 << 22


@dataclass(frozen=True, eq=False)
class Ranking:
    """What one direction's scores say.

    Attributes:
        counts: What the tie rules need, per query; zeros where `unranked`.
        unranked: Queries that have no positive with a score, shape [queries].
        top: Positions of the first ten candidates of each query, ties in the rule's order,
            -1 where there are fewer, shape [queries, 10].
    """

    counts: TieCounts
    unranked: Flags
    top: Ints


@dataclass(frozen=True, eq=False)
class _Block:
    """Scores of the queries `start` to `stop`; `slack` is the margin for comparing them."""

    direction: Direction
    start: int
    scores: Array
    slack: float
    similarity: Similarity

    def pairs(self, near: Flags) -> tuple[Ints, Ints, Array]:
        """Row within the block, candidate and deciding score of each marked pair."""
        # Few are near, and over one dimension numpy finds few much faster than over two.
        rows, candidates = np.divmod(np.flatnonzero(near), near.shape[1])
        if self.slack == 0:
            return rows, candidates, self.scores[rows, candidates]
        queries = rows + self.start
        return rows, candidates, self.similarity.exact(self.direction, queries, candidates)

    def bounds(self, centre: Array, slack: float) -> tuple[Array, Array]:
        """`centre` less and plus `slack`, rounded outwards to the precision of the block."""
        if slack == 0:
            return centre, centre
        kind = self.scores.dtype
        low = (centre.astype(np.float64) - slack).astype(kind)
        high = (centre.astype(np.float64) + slack).astype(kind)
        return np.nextafter(low, kind.type(-np.inf)), np.nextafter(high, kind.type(np.inf))


def rank(
    similarity: Similarity,
    positives: Positives,
    direction: Direction,
    *,
    rule: TieRule,
    cells: int = BLOCK_CELLS,
) -> Ranking:
    """Ranks the gallery for every query of `direction`.

    Args:
        similarity: The scores, finite but for minus infinity, which loses to everything.
        positives: The positives of each query.
        direction: Who asks.
        rule: Decides the order of ties in `top`; the counts serve every rule.
        cells: Scores held at a time.
    """
    count, size = positives.queries, positives.gallery
    counts = np.zeros((4, count), dtype=np.int64)
    unranked = np.ones(count, dtype=np.bool_)
    top = np.full((count, DEPTH), NONE, dtype=np.int64)
    step = max(1, cells // max(size, 1))
    for start in range(0, count, step):
        stop = min(start + step, count)
        block = _Block(
            direction,
            start,
            similarity.block(direction, start, stop),
            similarity.margin(direction, start, stop),
            similarity,
        )
        counts[:, start:stop], unranked[start:stop] = _count(block, positives)
        top[start:stop] = _top(block, positives, rule)
    return Ranking(TieCounts(*counts), unranked, top)


def _count(block: _Block, positives: Positives) -> tuple[Ints, Flags]:
    """The four counts and the unranked of a block's queries, shapes [4, rows] and [rows]."""
    size = len(block.scores)
    owners, candidates = positives.of(block.start, block.start + size)
    rows = owners - block.start
    own = block.similarity.exact(block.direction, owners, candidates)
    best = np.full(size, -np.inf, dtype=own.dtype)
    np.maximum.at(best, rows, own)
    unranked = best == -np.inf
    tied_own = own == best[rows]
    first = np.full(size, positives.gallery, dtype=np.int64)
    np.minimum.at(first, rows[tied_own], candidates[tied_own])
    low, high = block.bounds(best, block.slack)
    above = block.scores > high[:, None]
    near_rows, near, scores = block.pairs((block.scores >= low[:, None]) & ~above)
    greater = scores > best[near_rows]
    tied = scores == best[near_rows]
    early = tied & (near < first[near_rows])
    counts = np.stack(
        [
            np.count_nonzero(above, axis=1) + np.bincount(near_rows[greater], minlength=size),
            np.bincount(near_rows[tied], minlength=size),
            np.bincount(rows[tied_own], minlength=size),
            np.bincount(near_rows[early], minlength=size),
        ]
    )
    counts[:, unranked] = 0
    return counts, unranked


def _top(block: _Block, positives: Positives, rule: TieRule) -> Ints:
    """Positions of the first ten candidates of a block's queries, shape [rows, 10]."""
    size, gallery = block.scores.shape
    top = np.full((size, DEPTH), NONE, dtype=np.int64)
    depth = min(DEPTH, gallery)
    if depth == 0:
        return top
    edge = np.partition(block.scores, gallery - depth, axis=1)[:, gallery - depth]
    # Both the edge and a candidate may be wrong by the slack, in opposite directions.
    low, _ = block.bounds(edge, 2 * block.slack)
    rows, candidates, scores = block.pairs(block.scores >= low[:, None])
    late = _late(positives.contain(rows + block.start, candidates), rule)
    keep = scores > -np.inf
    if block.slack == 0:
        keep &= _first_of_ties(rows, scores == edge[rows], late, depth)
    rows, candidates, scores, late = rows[keep], candidates[keep], scores[keep], late[keep]
    order = np.lexsort((candidates, late, -scores, rows))
    rows, candidates = rows[order], candidates[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    within = place < depth
    top[rows[within], place[within]] = candidates[within]
    return top


def _late(positive: Flags, rule: TieRule) -> Flags:
    """Which of several tied candidates come last; the rest of the order is the gallery's."""
    if rule == "pessimistic":
        return positive
    return ~positive if rule == "optimistic" else np.zeros(len(positive), dtype=np.bool_)


def _first_of_ties(rows: Ints, tied: Flags, late: Flags, depth: int) -> Flags:
    """Thins thousands of ties at the edge to the few that can be within; `rows` must rise."""
    keep = ~tied
    for kind in (tied & late, tied & ~late):
        before: Ints = np.cumsum(kind) - kind
        keep |= kind & (before - before[np.searchsorted(rows, rows)] < depth)
    return keep
