"""The first ten candidates of every query, in the order of a tie rule.

Lists are wanted only where a run is stored, and ranks do not need them
(`counting.py`): whoever asks for recalls alone never pays for sorting. Scores
come in blocks of queries; nothing depends on the size of a block.
"""

from __future__ import annotations

import msgspec
import numpy as np

from vle_bench.eval.retrieval.gold import NONE, Direction, Ints, Positives
from vle_bench.eval.retrieval.similarity import Array, Flags, Floats, Similarity
from vle_bench.eval.retrieval.threads import in_threads
from vle_bench.eval.retrieval.ties import TieRule

DEPTH = 10
"""As deep as Chinese-CLIP's prediction lists."""
BLOCK_CELLS = 1 << 21


class _Block(msgspec.Struct, frozen=True, eq=False):
    """Scores of the queries from `start`, shape [queries, gallery], and how wrong they may be."""

    direction: Direction
    start: int
    scores: Array
    margins: Floats | None
    similarity: Similarity

    def above(self, edge: Array) -> tuple[Ints, Ints, Array]:
        """Row, candidate and deciding score of each pair that may reach its row's edge."""
        near = np.flatnonzero(self.scores >= self._lowered(edge)[:, None])
        # Over one dimension numpy finds the few much faster than over two.
        rows, candidates = np.divmod(near, self.scores.shape[1])
        if self.margins is None:
            return rows, candidates, self.scores[rows, candidates]
        queries = rows + self.start
        if self.direction == "i2t":
            return rows, candidates, self.similarity.exact(queries, candidates)
        return rows, candidates, self.similarity.exact(candidates, queries)

    def _lowered(self, edge: Array) -> Array:
        if self.margins is None:
            return edge
        # Both the edge and a candidate may be wrong by the margin, in opposite directions.
        kind = self.scores.dtype
        low = (edge.astype(np.float64) - 2 * self.margins).astype(kind)
        lowered: Array = np.nextafter(low, kind.type(-np.inf))
        return lowered


def top_ten(
    similarity: Similarity,
    positives: Positives,
    direction: Direction,
    *,
    rule: TieRule,
    cells: int = BLOCK_CELLS,
) -> Ints:
    """Positions of the first ten candidates, -1 where there are fewer, shape [queries, 10].

    Arguments as in `top_places`.
    """
    return top_places(similarity, positives, direction, rule=rule, depth=DEPTH, cells=cells)


def top_places(
    similarity: Similarity,
    positives: Positives,
    direction: Direction,
    *,
    rule: TieRule,
    depth: int,
    cells: int = BLOCK_CELLS,
) -> Ints:
    """Positions of the first candidates, -1 where there are fewer, shape [queries, depth].

    Args:
        similarity: The scores, finite but for minus infinity, which loses to everything.
        positives: The positives of each query.
        direction: Who asks.
        rule: Decides the order of ties.
        depth: How many are wanted.
        cells: Scores held at a time by each thread.
    """
    count = positives.queries
    top = np.full((count, depth), NONE, dtype=np.int64)
    step = max(1, cells // max(positives.gallery, 1))
    margins = similarity.margins(direction)

    def fill(start: int) -> None:
        part, every = slice(start, min(start + step, count)), slice(0, positives.gallery)
        scores = (
            similarity.tile(part, every)
            if direction == "i2t"
            else np.ascontiguousarray(similarity.tile(every, part).T)
        )
        slack = None if margins is None else margins[part]
        top[part] = _top(
            _Block(direction, start, scores, slack, similarity), positives, rule, depth
        )

    in_threads(range(0, count, step), fill)
    return top


def _top(block: _Block, positives: Positives, rule: TieRule, wanted: int) -> Ints:
    """Positions of the first candidates of a block's queries, shape [rows, wanted]."""
    size, gallery = block.scores.shape
    top = np.full((size, wanted), NONE, dtype=np.int64)
    depth = min(wanted, gallery)
    if depth == 0:
        return top
    edge = np.partition(block.scores, gallery - depth, axis=1)[:, gallery - depth]
    rows, candidates, scores = block.above(edge)
    late = _late(positives.contain(rows + block.start, candidates), rule)
    keep = scores > -np.inf
    if block.margins is None:
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
