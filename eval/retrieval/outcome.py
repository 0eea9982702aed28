"""What one direction comes to: hits and ranks of every query, whatever they were made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vle_bench.eval.retrieval.gold import Direction, Gold, Ints, positives
from vle_bench.eval.retrieval.ranking import BLOCK_CELLS, rank
from vle_bench.eval.retrieval.similarity import Similarity
from vle_bench.eval.retrieval.ties import TieRule, hits, ranks

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

RECALLS = (1, 5, 10)


@dataclass(frozen=True, eq=False)
class Outcome:
    """One direction's queries.

    Attributes:
        direction: Who asks.
        hits: For each K of 1, 5, 10 whether (or how probably) a positive is within K, [queries].
        ranks: Rank of the best positive from 0; NaN where a list does not reach it, [queries].
        complete: Whether every rank is known, so that medians and means of ranks exist.
        top: Positions of the first ten candidates, -1 where there are fewer, [queries, 10].
        present: Whether there is a prediction for the query, [queries].
        rule_matters: Queries whose rank depends on the tie rule; None where none was applied.
    """

    direction: Direction
    hits: Mapping[int, Floats]
    ranks: Floats
    complete: bool
    top: Ints
    present: Flags
    rule_matters: int | None


def outcome_of_scores(
    similarity: Similarity,
    gold: Gold,
    direction: Direction,
    *,
    rule: TieRule,
    present: Flags,
    cells: int = BLOCK_CELLS,
) -> Outcome:
    """Ranks the whole gallery for every query.

    A query without a scored positive misses at every K; its rank is the size of the gallery,
    one behind the last place.

    Args:
        similarity: The scores.
        gold: The references.
        direction: Who asks.
        rule: What decides among ties.
        present: Whether each query has scores.
        cells: Scores held at a time.
    """
    found = rank(similarity, positives(gold, direction), direction, rule=rule, cells=cells)
    places = ranks(found.counts, rule)
    places[found.unranked] = len(gold.ids(direction)[1])
    return Outcome(
        direction=direction,
        hits={at: np.where(found.unranked, 0.0, hits(found.counts, rule, at=at)) for at in RECALLS},
        ranks=places,
        complete=True,
        top=found.top,
        present=present,
        rule_matters=int(found.counts.rule_matters.sum()),
    )


def outcome_of_lists(top: Ints, gold: Gold, direction: Direction, *, present: Flags) -> Outcome:
    """Looks for the first positive in lists of ten.

    Args:
        top: Positions of the listed candidates, best first, -1 where a list ends, [queries, 10].
        gold: The references.
        direction: Who asks.
        present: Whether each query has a list.
    """
    queries, depth = top.shape
    pairs = positives(gold, direction).contain(np.repeat(np.arange(queries), depth), top.ravel())
    right = pairs.reshape(queries, depth) & (top >= 0)
    places = np.where(right.any(axis=1), right.argmax(axis=1).astype(np.float64), np.nan)
    return Outcome(
        direction=direction,
        hits={at: (places < at).astype(np.float64) for at in RECALLS},
        ranks=places,
        complete=False,
        top=top,
        present=present,
        rule_matters=None,
    )
