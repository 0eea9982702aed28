"""Adversarial matching: three wrong choices for every question, taken from other rows.

As in VCR, a wrong choice is the right one of another row of the same fold, its
tags turned to this picture's people. It has the same form and speaks of the same
people; only the picture tells it from the right one. Wrong answers prefer what
is true of somebody else in the picture, wrong rationales prefer the same
evidence with other details.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from vle_bench.data_prep.sample_world.language.vcr_families import Riddle
from vle_bench.data_prep.sample_world.streams import dealt

CHOICES = 4


class Choices(NamedTuple):
    """Four templates in the order they are shown."""

    templates: tuple[str, ...]
    label: int
    sources: tuple[int, ...]
    """Row within the fold that each was taken from; the row itself for the right one."""
    ranks: tuple[int, ...]
    """VCR's match_iter: 0 for the right one, then in the order of matching."""


class Matched(NamedTuple):
    """A riddle with its choices."""

    riddle: Riddle
    answers: Choices
    rationales: Choices


def with_enough_peers(riddles: Sequence[Riddle]) -> list[int]:
    """Rows for which a fold holds three wrong answers and three wrong rationales.

    Small folds lose a family here; leaving rows out may leave others without peers, so it is
    repeated until nothing changes.
    """
    kept = list(range(len(riddles)))
    while True:
        values: defaultdict[str, set[str]] = defaultdict(set)
        details: defaultdict[str, set[str]] = defaultdict(set)
        for row in kept:
            values[riddles[row].family].add(riddles[row].value)
            details[riddles[row].family].add(riddles[row].detail)
        left = [
            row
            for row in kept
            if min(len(values[riddles[row].family]), len(details[riddles[row].family])) >= CHOICES
        ]
        if left == kept:
            return kept
        kept = left


def match(riddles: Sequence[Riddle], images: Sequence[int], seed: int, fold: str) -> list[Matched]:
    """Finds wrong choices for every row of a fold.

    Args:
        riddles: The rows of the fold.
        images: Which picture each row is about.
        seed: Deals the places of the right choices: every place equally often.
        fold: Name of the fold.
    """
    by_family: defaultdict[str, list[int]] = defaultdict(list)
    seen_in: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    for row, riddle in enumerate(riddles):
        by_family[riddle.family].append(row)
        seen_in[images[row], riddle.family].add(riddle.value)
    matched = []
    for row, riddle in enumerate(riddles):
        rng = random.Random(f"{seed}/{fold}/{row}")
        peers = _sampled(by_family[riddle.family], row, rng)
        neighbours = seen_in[images[row], riddle.family]
        answers = _wrong_answers(riddles, riddle, peers, neighbours)
        rationales = _wrong_rationales(riddles, riddle, peers)
        matched.append(
            Matched(
                riddle,
                _shown(
                    (riddle.answer, row), answers, dealt(seed, f"{fold}/answer", _PLACES, row), rng
                ),
                _shown(
                    (riddle.rationale, row),
                    rationales,
                    dealt(seed, f"{fold}/rationale", _PLACES, row),
                    rng,
                ),
            )
        )
    return matched


_PLACES = (0, 1, 2, 3)
_MOST_PEERS = 160
"""Rows looked at for one match; more would make no better match and take longer."""


def _sampled(rows: list[int], but: int, rng: random.Random) -> list[int]:
    chosen = rng.sample(rows, min(len(rows), _MOST_PEERS))
    return [row for row in chosen if row != but]


def _wrong_answers(
    riddles: Sequence[Riddle], riddle: Riddle, peers: list[int], neighbours: set[str]
) -> list[tuple[str, int]]:
    """Answers with three other values, those of people beside this one first."""
    ranked = sorted(peers, key=lambda row: riddles[row].value not in neighbours)
    return _distinct(
        [(riddles[row].value, riddles[row].answer, row) for row in ranked], riddle.value
    )


def _wrong_rationales(
    riddles: Sequence[Riddle], riddle: Riddle, peers: list[int]
) -> list[tuple[str, int]]:
    """Rationales with another detail, those with the same evidence first."""
    ranked = sorted(peers, key=lambda row: riddles[row].value != riddle.value)
    keyed = [(riddles[row].rationale, riddles[row].rationale, row) for row in ranked]
    # Evidence of another value with the very detail of this row would be half right: leave it out.
    keyed = [entry for entry in keyed if riddles[entry[2]].detail != riddle.detail]
    return _distinct(keyed, riddle.rationale)


def _distinct(keyed: list[tuple[str, str, int]], right: str) -> list[tuple[str, int]]:
    seen = {right}
    found = []
    for key, text, row in keyed:
        if key not in seen:
            seen.add(key)
            found.append((text, row))
        if len(found) == CHOICES - 1:
            break
    return found


def _shown(
    right: tuple[str, int], wrong: list[tuple[str, int]], label: int, rng: random.Random
) -> Choices:
    order = list(range(1, CHOICES))
    rng.shuffle(order)
    order.insert(label, 0)
    pool = [right, *wrong]
    return Choices(
        tuple(pool[rank][0] for rank in order),
        label,
        tuple(pool[rank][1] for rank in order),
        tuple(order),
    )
