"""Seeded draws that do not depend on who draws first.

Every decision has a name; its generator is seeded by the world's seed and that
name, so a picture looks the same whichever process draws it, and adding a
decision moves no other one. Decks deal each value equally often, which is how
answers stay balanced from the first picture on.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")


def stream(seed: int, *name: str | int) -> random.Random:
    """The generator that belongs to a name; text seeds are hashed by SHA-512, never by `hash`.

    >>> stream(0, "sky", 7).random() == stream(0, "sky", 7).random() != stream(0, "sky", 8).random()
    True
    """
    return random.Random("/".join(map(str, (seed, *name))))


def dealt(seed: int, name: str, values: Sequence[T], index: int) -> T:
    """Card `index` from decks of `values`, each deck shuffled: every value equally often.

    >>> sorted(dealt(3, "mood", ["a", "b", "c"], k) for k in range(6))
    ['a', 'a', 'b', 'b', 'c', 'c']
    """
    deck, card = divmod(index, len(values))
    return values[_shuffled(seed, name, len(values), deck)[card]]


@lru_cache(maxsize=512)
def _shuffled(seed: int, name: str, size: int, deck: int) -> tuple[int, ...]:
    order = list(range(size))
    stream(seed, "deck", name, deck).shuffle(order)
    return tuple(order)
