"""How much the contests of preparation measure, and how often."""

from __future__ import annotations

from typing import NamedTuple


class Size(NamedTuple):
    """Pictures, rounds, and how many times the real annotations."""

    pictures: int
    rounds: int
    annotations: float


FULL = Size(pictures=1000, rounds=7, annotations=1.0)
QUICK = Size(pictures=40, rounds=1, annotations=0.002)
