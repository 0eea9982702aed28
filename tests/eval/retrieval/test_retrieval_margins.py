"""Pairs that float32 cannot tell apart: who stands above whom is decided in float64."""

from __future__ import annotations

import numpy as np
import pytest

from vle_bench.eval.retrieval.counting import TileShape, _Side, count_both
from vle_bench.eval.retrieval.gold import TextRow, gold_of, positives
from vle_bench.eval.retrieval.ranking import top_ten
from vle_bench.eval.retrieval.similarity import FeatureSimilarity

IMAGES, TEXTS, WIDTH = 24, 96, 64
GOLD = gold_of([TextRow(f"t{at}", (f"i{at % IMAGES}",), at) for at in range(TEXTS)])


def near_ties(seed: int) -> FeatureSimilarity:
    """Vectors of a few kinds, each moved by about what float32 loses when it adds up."""
    draw = np.random.default_rng(seed)

    def moved(count: int) -> np.ndarray:
        kinds = draw.standard_normal((3, WIDTH))[draw.integers(0, 3, count)]
        return (kinds + 1e-7 * draw.integers(-1, 2, (count, WIDTH))).astype(np.float32)

    return FeatureSimilarity(moved(IMAGES), moved(TEXTS))


def plain_counts(scores: np.ndarray, pairs: list[list[int]]) -> list[tuple[int, int, int, int]]:
    """g, t, m and the tied before the first positive, query by query."""
    found = []
    right: list[set[int]] = [set() for _ in scores]
    for query, candidate in pairs:
        right[query].add(candidate)
    for query, row in enumerate(scores.tolist()):
        best = max(row[at] for at in right[query])
        tied = [at for at, score in enumerate(row) if score == best]
        good = [at for at in tied if at in right[query]]
        above = sum(score > best for score in row)
        found.append((above, len(tied), len(good), tied.index(good[0])))
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("tile", [TileShape(1024, 2048), TileShape(5, 7)])
def test_counts_are_those_of_float64(seed: int, tile: TileShape) -> None:
    similarity = near_ties(seed)
    images, texts = np.divmod(np.arange(IMAGES * TEXTS), TEXTS)
    exact = similarity.exact(images, texts).reshape(IMAGES, TEXTS)
    single = similarity.tile(slice(0, IMAGES), slice(0, TEXTS))
    found = count_both(similarity, GOLD, tile=tile)
    for name, scores, pairs in (
        ("i2t", exact, GOLD.pairs.tolist()),
        ("t2i", exact.T, GOLD.pairs[:, ::-1].tolist()),
    ):
        counts = found[name].counts
        columns = (counts.greater, counts.tied, counts.positives, counts.before)
        assert list(zip(*(one.tolist() for one in columns), strict=True)) == plain_counts(
            scores, pairs
        )
    # What float32 makes of the same vectors has another order: the test is about something.
    assert plain_counts(single.astype(float), GOLD.pairs.tolist()) != plain_counts(
        exact, GOLD.pairs.tolist()
    )


@pytest.mark.parametrize("rule", ["pessimistic", "optimistic", "stable"])
@pytest.mark.parametrize("direction", ["i2t", "t2i"])
@pytest.mark.parametrize("cells", [1 << 21, 500])
def test_the_first_ten_are_those_of_float64(rule, direction, cells) -> None:
    similarity = near_ties(7)
    images, texts = np.divmod(np.arange(IMAGES * TEXTS), TEXTS)
    scores = similarity.exact(images, texts).reshape(IMAGES, TEXTS)
    pairs = {tuple(pair) for pair in GOLD.pairs.tolist()}
    if direction == "t2i":
        scores, pairs = scores.T, {pair[::-1] for pair in pairs}
    found = top_ten(similarity, positives(GOLD, direction), direction, rule=rule, cells=cells)
    late = {"pessimistic": 1, "optimistic": -1, "stable": 0}[rule]
    for query, row in enumerate(scores.tolist()):
        order = sorted(
            range(len(row)), key=lambda at: (-row[at], late * ((query, at) in pairs), at)
        )
        assert found[query].tolist() == order[:10]


def test_bounds_are_rounded_outwards() -> None:
    draw = np.random.default_rng(0)
    margins = 10.0 ** draw.uniform(-9, -3, 500)
    best = draw.standard_normal(500)
    side = _Side(500, margins)
    side.learn(np.arange(500), np.zeros(500, np.int64), best)
    low, high = side.bounds(np.dtype(np.float32))
    assert low.dtype == high.dtype == np.float32
    assert (low.astype(float) < best - margins).all()
    assert (high.astype(float) > best + margins).all()


@pytest.mark.parametrize(("left", "right"), [(1e3, 1e3), (1e3, 1.0), (1.0, 1e3), (1e-3, 1e-3)])
def test_no_product_is_further_off_than_its_margin(left: float, right: float) -> None:
    draw = np.random.default_rng(3)
    images = (left * draw.standard_normal((40, WIDTH))).astype(np.float32)
    texts = (right * draw.standard_normal((70, WIDTH))).astype(np.float32)
    similarity = FeatureSimilarity(images, texts)
    rows, columns = np.divmod(np.arange(40 * 70), 70)
    exact = similarity.exact(rows, columns).reshape(40, 70)
    off = np.abs(similarity.tile(slice(0, 40), slice(0, 70)) - exact)
    asked, found = similarity.margins("i2t"), similarity.margins("t2i")
    assert (off <= asked[:, None]).all()
    assert (off <= found).all()
    # Hundreds of times what is lost would be right as well, and score everything twice.
    assert asked.max() < 300 * off.max()
    assert found.max() < 300 * off.max()
