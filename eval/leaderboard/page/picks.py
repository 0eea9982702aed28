"""Which items of a run are laid out first: the worst, the best, and a sample.

Thousands of questions score 0 and thousands score 100; among equals an item's
number, drawn from its id and the seed, decides. So the draw depends on nothing
but ids, scores and seed, and the random sample is the same for every run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vle_bench.eval.leaderboard.page.item_sets import ItemSet, Run

Tickets = npt.NDArray[np.uint64]


class Picks(NamedTuple):
    """Places of items in their set."""

    worst: list[int]
    best: list[int]
    random: list[int]


def tickets(ids: Sequence[str], groups: Sequence[str], seed: int) -> Tickets:
    """One number an item, the same on every machine.

    An id alone is not enough: a picture and a text may have the same one in retrieval.
    """
    numbers = (
        hashlib.blake2b(f"items/{seed}/{group}/{name}".encode(), digest_size=8).digest()
        for name, group in zip(ids, groups, strict=True)
    )
    return np.frombuffer(b"".join(numbers), dtype=">u8").astype(np.uint64)


def picks_of(run: Run, drawn: Tickets, count: int) -> Picks:
    """At most `count` of each kind.

    Args:
        run: The run.
        drawn: The number of each item.
        count: How many of each.
    """
    return Picks(
        worst=np.lexsort((drawn, run.codes))[:count].tolist(),
        best=np.lexsort((drawn, -run.codes))[:count].tolist(),
        random=np.argsort(drawn, kind="stable")[:count].tolist(),
    )


def most_different(left: Run, right: Run, count: int) -> list[int]:
    """The items on which two runs differ most, in the page's order: by size, then by place."""
    gap = np.abs(_plain(left) - _plain(right))
    order = np.lexsort((np.arange(len(gap)), -gap))
    return [place for place in order[:count].tolist() if gap[place] > 0]


def chosen(items: ItemSet, drawn: Tickets, *, picks: Sequence[Picks], budget: int) -> list[int]:
    """At most `budget` items for a page that holds no more: those picked, then a sample."""
    runs = items.runs
    wanted = [
        place for pick in zip(*(p for each in picks for p in each), strict=False) for place in pick
    ]
    for other in runs[1:]:
        wanted += most_different(runs[0], other, max(budget // 10, 1))
    wanted += np.argsort(drawn, kind="stable").tolist()
    return sorted(list(dict.fromkeys(wanted))[:budget])


def _plain(run: Run) -> npt.NDArray[np.float64]:
    """Values as numbers; no rank at all is one beyond the worst known."""
    known = [value for value in run.values if value is not None]
    beyond = max(known, default=0.0) + 1
    return np.array([beyond if value is None else value for value in run.values])[run.codes]
