"""What one direction comes to: hits and ranks of every query, whatever they were made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.eval.retrieval.counting import TILE, Counted, TileShape, count_both
from vle_bench.eval.retrieval.gold import DIRECTIONS, Direction, Gold, Ints, positives
from vle_bench.eval.retrieval.ranking import top_ten
from vle_bench.eval.retrieval.similarity import Similarity
from vle_bench.eval.retrieval.ties import TieRule, hits, ranks

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

RECALLS = (1, 5, 10)


class Outcome(msgspec.Struct, frozen=True, eq=False, dict=True):
    """One direction's queries.

    Attributes:
        direction: Who asks.
        hits: For each K of 1, 5, 10 whether (or how probably) a positive is within K, [queries].
        ranks: Rank of the best positive from 0; NaN where a list does not reach it, [queries].
        complete: Whether every rank is known, so that medians and means of ranks exist.
        find_top: Makes `top`.
        present: Whether there is a prediction for the query, [queries].
        rule_matters: Queries whose rank depends on the tie rule; None where none was applied.
    """

    direction: Direction
    hits: Mapping[int, Floats]
    ranks: Floats
    complete: bool
    find_top: Callable[[], Ints]
    present: Flags
    rule_matters: int | None

    @cached_property
    def top(self) -> Ints:
        """Positions of the first ten candidates, -1 where there are fewer, [queries, 10].

        Made when first asked for: ranks do not need it, and sorting costs more than they do.
        """
        return self.find_top()

    def only(self, chosen: Flags) -> Outcome:
        """Some of the queries."""
        return msgspec.structs.replace(
            self,
            hits={at: hits[chosen] for at, hits in self.hits.items()},
            ranks=self.ranks[chosen],
            find_top=lambda: self.top[chosen],
            present=self.present[chosen],
        )


def outcomes_of_scores(
    similarity: Similarity,
    gold: Gold,
    *,
    rule: TieRule,
    present: Mapping[Direction, Flags],
    tile: TileShape = TILE,
    threads: int = 0,
) -> tuple[Outcome, ...]:
    """Places every query's best positive in the whole gallery, both directions from one walk.

    A query without a scored positive misses at every K; its rank is the size of the gallery,
    one behind the last place.

    Args:
        similarity: The scores.
        gold: The references.
        rule: What decides among ties.
        present: Whether each query has scores.
        tile: Scores held at a time by each thread.
        threads: Threads; 0 for as many as there are cores.
    """
    counted = count_both(similarity, gold, tile=tile, threads=threads)
    return tuple(
        _outcome_of_counts(similarity, gold, name, counted[name], rule=rule, there=present[name])
        for name in DIRECTIONS
    )


def _outcome_of_counts(
    similarity: Similarity,
    gold: Gold,
    direction: Direction,
    found: Counted,
    *,
    rule: TieRule,
    there: Flags,
) -> Outcome:
    places = ranks(found.counts, rule)
    places[found.unranked] = len(gold.ids(direction)[1])
    return Outcome(
        direction=direction,
        hits={at: np.where(found.unranked, 0.0, hits(found.counts, rule, at=at)) for at in RECALLS},
        ranks=places,
        complete=True,
        find_top=lambda: top_ten(similarity, positives(gold, direction), direction, rule=rule),
        present=there,
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
        find_top=lambda: top,
        present=present,
        rule_matters=None,
    )
