"""Intervals of pairs, against plain counting over the same drawn pictures."""

from __future__ import annotations

import numpy as np
import pytest

from vle_bench.eval.grounding import pairs
from vle_bench.eval.grounding.pairs import METRICS, Pairs, metrics_of
from vle_bench.statistics.draws import picture_draws

COUNT, DRAWS = 60, 83


def drawn_pairs() -> Pairs:
    draw = np.random.default_rng(4)
    match = draw.random(COUNT) < 0.4
    scores = (draw.integers(0, 5, COUNT) + match) / 6
    images = tuple(str(one) for one in draw.integers(0, 9, COUNT))
    return Pairs(images, tuple(map(str, range(COUNT))), scores, match)


def plain(some: Pairs, places: list[int]) -> list[float]:
    """The four metrics of the pairs at `places`, each as often as it stands there."""
    called = [(some.scores[at] > 0.5) == some.match[at] for at in places]
    matched = [at for at in places if some.match[at]]
    other = [at for at in places if not some.match[at]]
    above = [
        (some.scores[one] > some.scores[two]) + (some.scores[one] == some.scores[two]) / 2
        for one in matched
        for two in other
    ]
    parts = (
        called,
        [right for right, at in zip(called, places, strict=True) if some.match[at]],
        [right for right, at in zip(called, places, strict=True) if not some.match[at]],
        above,
    )
    return [100 * float(np.mean(part)) for part in parts]


@pytest.mark.parametrize("cells", [1 << 21, 7 * COUNT])
def test_intervals_of_pairs_are_those_of_all_draws(cells, monkeypatch) -> None:
    monkeypatch.setattr(pairs, "_MOST_CELLS", cells)
    some = drawn_pairs()
    found = metrics_of(some, threshold=0.5, resamples=DRAWS, seed=3, stream="s")
    names = sorted(set(some.image_ids))
    owners = [names.index(image) for image in some.image_ids]
    weights = np.concatenate(
        list(picture_draws(len(names), resamples=DRAWS, seed=3, stream="s"))
    ).astype(int)
    assert len(weights) == DRAWS
    drawn = [
        plain(some, [at for at, owner in enumerate(owners) for _ in range(row[owner])])
        for row in weights
    ]
    for at, name in enumerate(METRICS):
        low, high = np.percentile([row[at] for row in drawn], [2.5, 97.5])
        assert (found[name].low, found[name].high) == pytest.approx((low, high), abs=1e-9)
        assert found[name].value == pytest.approx(plain(some, list(range(COUNT)))[at])
