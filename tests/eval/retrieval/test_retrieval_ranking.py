"""Ranking: against plain loops, in any order, in any block, from scores and from features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from vle_bench.errors import DataProblem
from vle_bench.eval.retrieval.counting import TileShape, count_both
from vle_bench.eval.retrieval.gold import Gold, TextRow, gold_of, positives
from vle_bench.eval.retrieval.metrics import _check, metrics_of
from vle_bench.eval.retrieval.outcome import Outcome, outcomes_of_scores
from vle_bench.eval.retrieval.ranking import top_ten
from vle_bench.eval.retrieval.similarity import (
    FeatureSimilarity,
    MatrixSimilarity,
    Similarity,
    WithAbsent,
)
from vle_bench.results import Metric

RULES = ("pessimistic", "optimistic", "stable", "expected")
DIRECTIONS = ("i2t", "t2i")


def outcomes(similarity: Similarity, gold: Gold, rule: str, **more: object) -> list[Outcome]:
    present = {name: np.ones(len(gold.ids(name)[0]), dtype=np.bool_) for name in DIRECTIONS}
    return list(outcomes_of_scores(similarity, gold, rule=rule, present=present, **more))


def scored(similarity: Similarity, gold: Gold, rule: str, **more: object) -> dict[str, object]:
    return metrics_of(outcomes(similarity, gold, rule, **more), gold, resamples=30, seed=5)


def slow_rank(scores: list[float], right: set[int], rule: str) -> float:
    """Sorts one query's candidates; shares no line with the scorer."""
    if rule == "expected":
        best = max(scores[at] for at in right)
        above = sum(score > best for score in scores)
        tied = [at for at, score in enumerate(scores) if score == best]
        good = sum(at in right for at in tied)
        return above + (len(tied) - good) / (good + 1)
    key = {"pessimistic": lambda at: at in right, "optimistic": lambda at: at not in right,
           "stable": lambda _: False}[rule]  # fmt: skip
    order = sorted(range(len(scores)), key=lambda at: (-scores[at], key(at), at))
    return next(place for place, at in enumerate(order) if at in right)


@st.composite
def worlds(draw):
    """A gold of up to six pictures and a coarse matrix, so that ties are everywhere."""
    images = draw(st.integers(1, 6))
    owners = draw(st.lists(st.sets(st.integers(0, images - 1), min_size=1, max_size=2),
                           min_size=1, max_size=14))  # fmt: skip
    texts = [
        TextRow(f"t{at}", tuple(f"i{image}" for image in sorted(own)), 1)
        for at, own in enumerate(owners)
    ]
    more = [f"i{image}" for image in range(images)]
    gold = gold_of(texts, more if draw(st.booleans()) else [])
    levels = draw(st.integers(1, 4))
    seed = draw(st.integers(0, 2**16))
    shape = len(gold.image_ids), len(gold.text_ids)
    matrix = np.random.default_rng(seed).integers(0, levels, shape).astype(np.float32)
    return texts, gold, matrix


@given(worlds())
@settings(max_examples=120, deadline=None, derandomize=True)
def test_ranks_equal_those_of_plain_sorting(world) -> None:
    _, gold, matrix = world
    for rule in RULES:
        for outcome in outcomes(MatrixSimilarity(matrix), gold, rule):
            table = matrix if outcome.direction == "i2t" else matrix.T
            side = positives(gold, outcome.direction)
            for query, found in enumerate(outcome.ranks.tolist()):
                right = set(side.of(query, query + 1)[1].tolist())
                assert found == pytest.approx(slow_rank(table[query].tolist(), right, rule))


@given(worlds(), st.integers(1, 7), st.integers(1, 20), st.integers(1, 3))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_tiles_blocks_and_threads_do_not_matter(world, images, texts, threads) -> None:
    _, gold, matrix = world
    similarity = MatrixSimilarity(matrix)
    tile = TileShape(images, texts)
    for rule in RULES:
        whole = outcomes(similarity, gold, rule)
        parts = outcomes(similarity, gold, rule, tile=tile, threads=threads)
        for one, other in zip(whole, parts, strict=True):
            assert np.array_equal(one.ranks, other.ranks)
            side = positives(gold, one.direction)
            top = top_ten(similarity, side, one.direction, rule=rule, cells=texts)
            assert np.array_equal(one.top, top)


@given(worlds(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_permuting_rows_and_columns_changes_nothing_but_stable(world, random) -> None:
    texts, gold, matrix = world
    order = list(range(len(texts)))
    random.shuffle(order)
    turned = gold_of([texts[at] for at in order], gold.image_ids[gold.captioned :])
    rows = [gold.image_ids.index(name) for name in turned.image_ids]
    moved = matrix[rows][:, order]
    for rule in ("pessimistic", "optimistic", "expected"):
        before = scored(MatrixSimilarity(matrix), gold, rule)
        after = scored(MatrixSimilarity(moved), turned, rule)
        first_images_kept = all(
            turned.image_ids[turned.first_image[new]] == gold.image_ids[gold.first_image[old]]
            for new, old in enumerate(order)
        )
        assert first_images_kept
        assert after == before


@given(worlds(), st.sampled_from([-1.0, 1.0, 9.0]))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_picture_nobody_asks_for_changes_nothing_but_the_gallery(world, score) -> None:
    """Pictures that ask see the same texts; texts can only lose, and lose nothing to a bad one."""
    texts, gold, matrix = world
    larger = gold_of(texts, [*gold.image_ids, "nobody's"])
    row = np.full((1, matrix.shape[1]), score, dtype=np.float32)
    for rule in RULES:
        before = scored(MatrixSimilarity(matrix), gold, rule)
        after = scored(MatrixSimilarity(np.vstack([matrix, row])), larger, rule)
        same = [name for name in before if name.startswith("i2t") or score < matrix.min()]
        assert {name: after[name] for name in same} == {name: before[name] for name in same}
        for name in ("t2i_r1", "t2i_r5", "t2i_r10"):
            assert after[name].value <= before[name].value + 1e-9
        assert after["t2i_meanr"].value >= before["t2i_meanr"].value - 1e-9


def test_fractional_hits_add_up_the_same_in_any_order() -> None:
    """Thirds and fifths of one picture in another order differ in the last bit, and must not."""
    texts = [TextRow(f"t{at}", ("i0",), 1) for at in range(3)]
    texts += [TextRow("t3", ("i0", "i1"), 1), TextRow("t4", ("i0", "i2"), 1)]
    before = scored(MatrixSimilarity(np.zeros((3, 5))), gold_of(texts), "expected")
    for first in range(5):
        turned = gold_of(texts[first:] + texts[:first])
        assert scored(MatrixSimilarity(np.zeros((3, 5))), turned, "expected") == before


@given(worlds())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_lists_of_ten_have_the_recalls_of_their_scores(world) -> None:
    _, gold, matrix = world
    for rule in ("pessimistic", "optimistic", "stable"):
        for outcome in outcomes(MatrixSimilarity(matrix), gold, rule):
            side = positives(gold, outcome.direction)
            for query, top in enumerate(outcome.top.tolist()):
                right = set(side.of(query, query + 1)[1].tolist())
                listed = [one for one in top if one >= 0]
                assert len(listed) == len(set(listed)) == min(10, side.gallery)
                for at, hits in outcome.hits.items():
                    assert bool(right & set(top[:at])) == bool(hits[query])


@given(worlds(), st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_raising_a_wrong_pair_never_helps_its_query(world, data) -> None:
    _, gold, matrix = world
    image = data.draw(st.integers(0, gold.captioned - 1))
    text = data.draw(st.integers(0, len(gold.text_ids) - 1))
    if [image, text] in gold.pairs.tolist():
        return
    worse = matrix.copy()
    worse[image, text] += 1.5
    for rule in ("pessimistic", "optimistic", "expected"):
        before = outcomes(MatrixSimilarity(matrix), gold, rule)
        after = outcomes(MatrixSimilarity(worse), gold, rule)
        for one, other in zip(before, after, strict=True):
            assert (other.ranks >= one.ranks).all()
            assert all((other.hits[at] <= one.hits[at] + 1e-12).all() for at in one.hits)


def many(images: int, texts: int) -> tuple[list[TextRow], Gold]:
    rows = [TextRow(str(at), (str(at * images // texts),), 1) for at in range(texts)]
    return rows, gold_of(rows)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_features_and_their_products_give_the_same(kind) -> None:
    """Small whole numbers: every product is exact in any order, and ties are many."""
    rng = np.random.default_rng(1)
    _, gold = many(40, 200)
    images = rng.integers(-2, 3, (40, 8)).astype(kind)
    texts = rng.integers(-2, 3, (200, 8)).astype(kind)
    for rule in RULES:
        product = scored(MatrixSimilarity(images @ texts.T), gold, rule)
        assert scored(FeatureSimilarity(images, texts), gold, rule) == product
        assert (
            scored(FeatureSimilarity(images, texts), gold, rule, tile=TileShape(7, 33)) == product
        )


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_equal_vectors_tie_wherever_they_stand(kind) -> None:
    """BLAS rounds the edge of a tile otherwise than its middle; the result must not show it."""
    rng = np.random.default_rng(2)
    rows, gold = many(37, 185)
    images = rng.standard_normal((37, 33)).astype(kind)
    texts = rng.standard_normal((185, 33)).astype(kind)
    texts[1::3] = texts[0]
    images[5::7] = images[2]
    similarity = FeatureSimilarity(images, texts)
    side = positives(gold, "i2t")
    found = count_both(similarity, gold)["i2t"]
    equal = len(range(1, 185, 3)) + 1
    with_copies = [
        query for query in range(37)
        if any(at % 3 == 1 or at == 0 for at in side.of(query, query + 1)[1].tolist())
    ]  # fmt: skip
    best_is_a_copy = [query for query in with_copies if found.counts.tied[query] > 1]
    assert best_is_a_copy
    assert all(found.counts.tied[query] == equal for query in best_is_a_copy)
    for rule in ("pessimistic", "optimistic", "expected"):
        first = scored(similarity, gold, rule)
        order = rng.permutation(185)
        turned = gold_of([rows[at] for at in order])
        moved = FeatureSimilarity(images[[int(name) for name in turned.image_ids]], texts[order])
        for tile in (TileShape(1, 64), TileShape(130, 9), TileShape(1000, 1000)):
            assert scored(moved, turned, rule, tile=tile) == first


def test_near_ties_of_float32_features_are_decided_in_float64() -> None:
    """The two texts differ by less than float32 can add up, and the wrong one is the lower."""
    images = np.full((2, 400), 0.1, dtype=np.float32)
    texts = np.full((4, 400), 0.1, dtype=np.float32)
    texts[:, 0] += np.float32(1e-6)
    texts[1, 0] -= np.float32(1e-6)
    rows = [TextRow("0", ("a",), 1), TextRow("1", ("b",), 1), TextRow("2", ("b",), 1),
            TextRow("3", ("b",), 1)]  # fmt: skip
    gold = gold_of(rows)
    similarity = FeatureSimilarity(images, texts)
    found = count_both(similarity, gold)["i2t"]
    # Query a: texts 0, 2, 3 are the same and 1 is just below them.
    assert found.counts.tied.tolist() == [3, 3]
    assert found.counts.greater.tolist() == [0, 0]
    top = top_ten(similarity, positives(gold, "i2t"), "i2t", rule="stable")
    assert top[0].tolist() == [0, 2, 3, 1, -1, -1, -1, -1, -1, -1]


def test_whole_numbers_and_half_floats_rank_like_their_float64() -> None:
    _, gold = many(20, 60)
    matrix = np.random.default_rng(3).integers(-40, 40, (20, 60))
    for kind in (np.int64, np.int8, np.float16, np.float32):
        for rule in RULES:
            assert scored(MatrixSimilarity(matrix.astype(kind)), gold, rule) == scored(
                MatrixSimilarity(matrix.astype(np.float64)), gold, rule
            )


def test_columns_in_another_order_are_found_by_position() -> None:
    _, gold = many(6, 18)
    rng = np.random.default_rng(4)
    matrix = rng.random((6, 18))
    rows, columns = rng.permutation(6), rng.permutation(18)
    moved = np.empty_like(matrix)
    moved[np.ix_(rows, columns)] = matrix
    for rule in RULES:
        assert scored(MatrixSimilarity(moved, rows, columns), gold, rule) == scored(
            MatrixSimilarity(matrix), gold, rule
        )


def test_a_constant_matrix_does_not_look_good_under_the_default_rule() -> None:
    _, gold = many(50, 250)
    same = MatrixSimilarity(np.broadcast_to(np.float32(1), (50, 250)))
    found = scored(same, gold, "pessimistic")
    assert found["rsum"].value == 0
    assert found["i2t_medr"].value == 246
    assert found["t2i_medr"].value == 50
    assert scored(same, gold, "optimistic")["rsum"].value == 600


def test_absent_candidates_lose_and_absent_queries_miss() -> None:
    _, gold = many(3, 6)
    matrix = np.zeros((3, 6))
    matrix[0, :2] = matrix[1, 2:4] = matrix[2, 4:] = 1
    images, texts = np.array([True, True, False]), np.array([True, False, True, True, True, True])
    absent = WithAbsent(MatrixSimilarity(matrix), images, texts)
    i2t, t2i = outcomes(absent, gold, "pessimistic")
    assert i2t.hits[1].tolist() == [1, 1, 0]
    assert i2t.ranks.tolist() == [0, 0, 6]
    assert t2i.hits[1].tolist() == [1, 0, 1, 1, 0, 0]
    assert 2 not in t2i.top[0].tolist()


def test_a_picture_without_text_is_a_candidate_and_no_query() -> None:
    gold = gold_of([TextRow("t", ("a",), 1)], ["b"])
    i2t, t2i = outcomes(MatrixSimilarity(np.array([[0.0], [1.0]])), gold, "pessimistic")
    assert i2t.ranks.tolist() == [0]
    assert t2i.ranks.tolist() == [1]


def test_a_text_without_picture_misses_and_still_distracts() -> None:
    gold = gold_of([TextRow("t", ("a",), 1), TextRow("u", (), 1)])
    i2t, t2i = outcomes(MatrixSimilarity(np.array([[0.0, 1.0]])), gold, "pessimistic")
    assert i2t.ranks.tolist() == [1]
    assert t2i.ranks.tolist() == [0, 1]
    assert t2i.hits[10].tolist() == [1, 0]


def test_intervals_hold_their_values_and_share_their_draws() -> None:
    _, gold = many(60, 300)
    rng = np.random.default_rng(6)
    matrix = rng.random((60, 300))
    matrix[gold.pairs[:, 0], gold.pairs[:, 1]] += 0.4
    found = metrics_of(
        outcomes(MatrixSimilarity(matrix), gold, "pessimistic"), gold, resamples=800, seed=0
    )
    for name, metric in found.items():
        assert metric.low is not None, name
        assert metric.high is not None, name
        assert metric.low <= metric.value <= metric.high, name
    rsum, mean = found["rsum"], found["mean_recall"]
    assert rsum.low == pytest.approx(6 * mean.low)
    assert rsum.high == pytest.approx(6 * mean.high)
    apart = sum(found[f"{d}_r{k}"].low for d in DIRECTIONS for k in (1, 5, 10))
    assert rsum.low > apart  # one draw for all: six low ends do not add up


def test_one_picture_has_no_interval() -> None:
    gold = gold_of([TextRow("t", ("a",), 1), TextRow("u", ("a",), 1)])
    found = scored(MatrixSimilarity(np.array([[0.0, 1.0]])), gold, "pessimistic")
    assert all(metric.low is None and metric.high is None for metric in found.values())


def test_hits_that_do_not_rise_with_their_depth_stop_the_run() -> None:
    _, gold = many(6, 12)
    matrix = np.random.default_rng(0).random((6, 12))
    made = outcomes(MatrixSimilarity(matrix), gold, "pessimistic")
    none, all_of_them = np.zeros(6), np.ones(6)
    for hits, told in (
        ({1: all_of_them, 5: none, 10: all_of_them}, "do not rise"),
        ({1: none, 5: all_of_them, 10: 2 * all_of_them}, "i2t recall beyond 100"),
        ({1: -all_of_them, 5: none, 10: none}, "i2t recall beyond 100"),
    ):
        wrong = [replace(made[0], hits=hits), made[1]]
        with pytest.raises(DataProblem, match=told):
            metrics_of(wrong, gold, resamples=0, seed=0)


@pytest.mark.parametrize(("off", "stops"), [(0.0, False), (1e-6, True)])
def test_a_sum_that_is_not_that_of_its_parts_stops_the_run(off: float, stops: bool) -> None:
    names = {"i2t_mean_recall": 30.0, "t2i_mean_recall": 20.0, "rsum": 150.0 + off}
    found = {name: Metric(value=value, n=1) for name, value in names.items()}
    if stops:
        with pytest.raises(DataProblem, match="rsum is not three times"):
            _check(found)
    else:
        _check(found)


def test_a_text_without_picture_is_not_the_picture_of_its_name() -> None:
    """Drawn as one, the two would have no interval."""
    gold = gold_of([TextRow("t", ("7",), 1), TextRow("7", (), 2)])
    found = scored(MatrixSimilarity(np.array([[1.0, 0.0]])), gold, "pessimistic")
    assert (found["t2i_r1"].value, found["t2i_r1"].low, found["t2i_r1"].high) == (50, 0, 100)
