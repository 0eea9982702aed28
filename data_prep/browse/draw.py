"""Which samples a page shows: a draw that depends on keys and seed and nothing else.

Each sample draws a number from its key and the seed, and the smallest are taken.
So a larger page holds the smaller one of the same seed, and a sample that comes
or goes changes at most one other.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vle_bench.console import progress
from vle_bench.data_prep.prepared import Prepared, each_split
from vle_bench.shards.index import SampleRow
from vle_bench.shards.read import SplitReader


class Drawn(NamedTuple):
    """Rows of one split that were drawn, in the order of its shards, and how many there were."""

    dataset: Prepared
    split: str
    rows: tuple[SampleRow, ...]
    total: int


def draw(datasets: Sequence[Prepared], *, samples: int, seed: int) -> list[Drawn]:
    """Draws `samples` of all samples together, every one with the same chance.

    Rows pass by and only those drawn so far are held, so that the index may be of any length.

    Raises:
        DataProblem: An index is missing or damaged.
    """
    parts = list(each_split(datasets))
    totals = [0] * len(parts)

    def numbers() -> Iterator[tuple[bytes, int, int, SampleRow]]:
        for part, (dataset, split) in enumerate(parts):
            for row in _rows(dataset, split):
                yield ticket(row.key, seed), part, totals[part], row
                totals[part] += 1

    picked: list[list[tuple[int, SampleRow]]] = [[] for _ in parts]
    for _, part, at, row in heapq.nsmallest(samples, numbers()):
        picked[part].append((at, row))
    return [
        Drawn(dataset, split, tuple(row for _, row in sorted(places)), total)
        for (dataset, split), places, total in zip(parts, picked, totals, strict=True)
    ]


def ticket(key: str, seed: int) -> bytes:
    """The number that a sample draws.

    >>> ticket("vg-1", 0).hex()[:8] == ticket("vg-1", 0).hex()[:8] != ticket("vg-1", 1).hex()[:8]
    True
    """
    return hashlib.sha256(f"browse/{seed}/{key}".encode()).digest()


def _rows(dataset: Prepared, split: str) -> Iterator[SampleRow]:
    total = dataset.report.splits[split].counts["image"].written
    with SplitReader(dataset.folder, split, hold=False) as reader:
        yield from progress(reader.each_row(), total=total, what=f"drawing from {split}")
