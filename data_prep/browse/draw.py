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

from vle_bench.data_prep.prepared import Prepared, each_split
from vle_bench.shards.index import SampleRow, read_samples
from vle_bench.shards.layout import SAMPLES


class Drawn(NamedTuple):
    """Rows of one split that were drawn, in the order of its shards, and how many there were."""

    dataset: Prepared
    split: str
    rows: tuple[SampleRow, ...]
    total: int


def draw(datasets: Sequence[Prepared], *, samples: int, seed: int) -> list[Drawn]:
    """Draws `samples` of all samples together, every one with the same chance.

    Raises:
        DataProblem: An index is missing or damaged.
    """
    parts = [
        (dataset, split, tuple(read_samples(dataset.folder / SAMPLES, split=split)))
        for dataset, split in each_split(datasets)
    ]

    def numbers() -> Iterator[tuple[bytes, int, int]]:
        for part, (_, _, rows) in enumerate(parts):
            for at, row in enumerate(rows):
                yield ticket(row.key, seed), part, at

    chosen = heapq.nsmallest(samples, numbers())
    picked: list[list[int]] = [[] for _ in parts]
    for _, part, at in chosen:
        picked[part].append(at)
    return [
        Drawn(dataset, split, tuple(rows[at] for at in sorted(places)), len(rows))
        for (dataset, split, rows), places in zip(parts, picked, strict=True)
    ]


def ticket(key: str, seed: int) -> bytes:
    """The number that a sample draws.

    >>> ticket("vg-1", 0).hex()[:8] == ticket("vg-1", 0).hex()[:8] != ticket("vg-1", 1).hex()[:8]
    True
    """
    return hashlib.sha256(f"browse/{seed}/{key}".encode()).digest()
