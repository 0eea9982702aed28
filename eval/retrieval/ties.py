"""Where a query's best positive stands when others score the same: four rules, one function each.

Field programs differ here without saying so: `topk`, `argsort()[::-1]` and a
stable sort give different recalls on the same matrix, and a model that gives
every pair the same score reaches 100 under the kindest of them. Ranks count from 0.
"""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

TieRule = Literal["pessimistic", "optimistic", "stable", "expected"]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class TieCounts(msgspec.Struct, frozen=True, eq=False):
    """All that a tie rule needs to know of each query; every array has shape [queries].

    Attributes:
        greater: g, candidates scoring strictly above the best positive.
        tied: t, candidates scoring the same as it: itself and other positives included.
        positives: m, how many of the tied are positives.
        before: Tied candidates that stand before the first tied positive in the gallery's order.
    """

    greater: Ints
    tied: Ints
    positives: Ints
    before: Ints

    @property
    def rule_matters(self) -> npt.NDArray[np.bool_]:
        """Whether the rank depends on the rule: a negative is tied with the best positive."""
        return self.tied > self.positives


def ranks(counts: TieCounts, rule: TieRule) -> Floats:
    """Rank of each query's best positive, from 0; fractions under `expected`.

    >>> one = np.array([1])
    >>> counts = TieCounts(greater=one, tied=one * 4, positives=one, before=one * 2)
    >>> [ranks(counts, rule).item() for rule in ("pessimistic", "optimistic", "stable", "expected")]
    [4.0, 1.0, 3.0, 2.5]
    """
    others = counts.tied - counts.positives
    match rule:
        case "pessimistic":
            found = counts.greater + others
        case "optimistic":
            found = counts.greater
        case "stable":
            found = counts.greater + counts.before
        case "expected":
            # The first of m positives among t shuffled places stands at (t - m) / (m + 1).
            return counts.greater + others / (counts.positives + 1)
    return found.astype(np.float64)


def hits(counts: TieCounts, rule: TieRule, *, at: int) -> Floats:
    """Whether a positive stands within the first `at`; its probability under `expected`.

    >>> one = np.array([1])
    >>> counts = TieCounts(greater=one * 0, tied=one * 4, positives=one, before=one * 0)
    >>> hits(counts, "expected", at=1).item(), hits(counts, "pessimistic", at=1).item()
    (0.25, 0.0)
    """
    if rule != "expected":
        return (ranks(counts, rule) < at).astype(np.float64)
    others = counts.tied - counts.positives
    places = at - counts.greater
    missed = np.ones(len(places))
    # 1 - C(t-m, s) / C(t, s), the ratio written as s factors: no factorial ever overflows.
    for drawn in range(at):
        still = drawn < places
        factor = np.maximum(others - drawn, 0) / np.maximum(counts.tied - drawn, 1)
        missed = np.where(still, missed * factor, missed)
    return 1 - missed
