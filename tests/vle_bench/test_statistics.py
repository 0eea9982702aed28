import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.statistics import levels, percentile_interval, resampled_ratios
from vle_bench.statistics.bootstrap import sums_by_group

RECORDED = (0.4805692588283568, 0.5060743188485589)
"""Ends of the draws below, recorded from numpy 2; whatever moves them moves every full split."""


def picture_by_picture(sums, counts, *, resamples, seed):
    """The plain way: draw as many pictures as there are, with replacement."""
    generator = np.random.default_rng(seed)
    picks = generator.integers(0, len(sums), size=(resamples, len(sums)))
    return np.asarray(sums)[picks].sum(1) / np.asarray(counts)[picks].sum(1)


def test_levels_have_the_law_of_drawing_pictures_one_by_one():
    generator = np.random.default_rng(5)
    counts = generator.integers(1, 7, 400)
    sums = np.round(generator.random(400) * counts, 1)
    ours = resampled_ratios(sums, counts, resamples=20_000, seed=0, stream="a")[:, 0]
    plain = picture_by_picture(sums, counts, resamples=20_000, seed=1)
    assert np.mean(ours) == pytest.approx(np.mean(plain), abs=5e-4)
    for share in (2.5, 25, 50, 75, 97.5):
        assert np.percentile(ours, share) == pytest.approx(np.percentile(plain, share), abs=2e-3)


@given(st.permutations(range(12)))
def test_the_order_of_pictures_moves_nothing(order):
    sums = np.array([0.3, 0.6, 0.9, 1.0, 0, 0, 2.1, 1.2, 0.3, 1.8, 0, 1])
    counts = np.array([1, 1, 1, 1, 1, 2, 3, 2, 1, 2, 1, 1])
    one = resampled_ratios(sums, counts, resamples=50, seed=3, stream="a")
    two = resampled_ratios(sums[order], counts[order], resamples=50, seed=3, stream="a")
    assert np.array_equal(one, two)


def test_seed_and_stream_choose_the_draws():
    arguments = ([0.0, 1.0, 0.5], [1, 1, 1])
    draws = {
        (seed, stream): resampled_ratios(*arguments, resamples=99, seed=seed, stream=stream)
        for seed in (0, 1)
        for stream in ("a", "b")
    }
    again = resampled_ratios(*arguments, resamples=99, seed=0, stream="a")
    assert np.array_equal(draws[0, "a"], again)
    assert not np.array_equal(draws[0, "a"], draws[1, "a"])
    assert not np.array_equal(draws[0, "a"], draws[0, "b"])


def test_metrics_of_one_call_are_drawn_together():
    sums = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    draws = resampled_ratios(sums, np.ones((3, 2)), resamples=200, seed=0, stream="both")
    assert np.allclose(draws.sum(axis=1), 1.0)


def test_two_pictures_and_one_draw_are_enough():
    draws = resampled_ratios([1.0, 0.0], [1, 1], resamples=1, seed=0, stream="a")
    assert draws.shape == (1, 1)


def test_fewer_than_two_pictures_have_no_interval():
    assert resampled_ratios([1.0], [1], resamples=10, seed=0, stream="a") is None
    assert resampled_ratios([1.0, 0.0], [1, 0], resamples=10, seed=0, stream="a") is None
    assert resampled_ratios([1.0, 0.0], [1, 1], resamples=0, seed=0, stream="a") is None
    assert percentile_interval(None) is None
    assert percentile_interval([np.nan]) is None


def test_a_draw_without_any_item_of_a_metric_is_left_out():
    draws = resampled_ratios([1, 0, 0, 0], [1, 1, 0, 0], resamples=500, seed=0, stream="rare")
    assert np.isnan(draws).any()
    interval = percentile_interval(draws)
    assert interval is not None
    assert 0 <= interval.low <= interval.high <= 1


def test_the_interval_is_the_central_95_percent():
    low, high = percentile_interval(np.arange(1001))
    assert (low, high) == (25, 975)


@pytest.fixture
def many_blocks(monkeypatch):
    """Small data drawn the way of large ones: in blocks, with a bin for rare kinds."""
    monkeypatch.setattr(levels, "_ONE_BLOCK", 0)
    monkeypatch.setattr(levels, "_DRAWS", 700)


@pytest.mark.usefixtures("many_blocks")
def test_blocks_and_the_bin_of_rare_kinds_have_the_same_law():
    generator = np.random.default_rng(5)
    counts = generator.integers(1, 7, 400)
    sums = np.round(
        generator.choice([0.0, 0.2, 0.9, 1.0], 400, p=[0.03, 0.27, 0.3, 0.4]) * counts, 1
    )
    pictures = levels.kinds_of(np.column_stack([sums, counts])).pictures
    assert pictures.min() < levels._RARE <= pictures.max()
    ours = resampled_ratios(sums, counts, resamples=20_000, seed=0, stream="a")[:, 0]
    plain = picture_by_picture(sums, counts, resamples=20_000, seed=1)
    assert np.mean(ours) == pytest.approx(np.mean(plain), abs=5e-4)
    for share in (2.5, 25, 50, 75, 97.5):
        assert np.percentile(ours, share) == pytest.approx(np.percentile(plain, share), abs=2e-3)


@pytest.mark.usefixtures("many_blocks")
@pytest.mark.parametrize("kind", ["rare", "common"])
def test_kinds_that_are_all_rare_or_all_common_are_drawn_too(kind):
    sums = np.arange(5.0) if kind == "rare" else np.repeat([0.0, 1.0], 20)
    draws = resampled_ratios(sums, np.ones(len(sums)), resamples=4000, seed=0, stream="a")[:, 0]
    spread = np.std(sums) / np.sqrt(len(sums))
    assert np.mean(draws) == pytest.approx(np.mean(sums), abs=0.06)
    assert np.std(draws) == pytest.approx(spread, rel=0.05)


@pytest.mark.usefixtures("many_blocks")
@pytest.mark.parametrize("scores", [[0.0, 0.3, 1.0], [1 / 3, 0.7, np.pi / 4]])
def test_draws_are_the_same_for_any_number_of_threads_and_order(scores):
    generator = np.random.default_rng(1)
    sums, counts = generator.choice(scores, 300), generator.integers(1, 3, 300)
    order = generator.permutation(300)
    one = resampled_ratios(sums, counts, resamples=2000, seed=3, stream="a", threads=1)
    assert one.shape == (2000, 1)
    for threads in (2, 7, None):
        more = resampled_ratios(
            sums[order], counts[order], resamples=2000, seed=3, stream="a", threads=threads
        )
        assert np.array_equal(one, more)


@pytest.mark.usefixtures("many_blocks")
@pytest.mark.parametrize("rare", [1, 2])
def test_draws_without_any_rare_picture_are_told_from_those_with_some(rare):
    """A draw in e (or in e squared) takes no rare picture at all."""
    pictures = 60
    sums = np.r_[np.zeros(pictures - rare), 10.0 ** np.arange(1, rare + 1)]
    draws = resampled_ratios(sums, np.ones(pictures), resamples=14_000, seed=0, stream="a")[:, 0]
    units = np.rint(draws * pictures / 10)
    for drawn in range(3):
        chance = (
            math.comb(pictures, drawn) * pictures**-drawn * (1 - 1 / pictures) ** (pictures - drawn)
        )
        assert np.mean(units % 10 == drawn) == pytest.approx(chance, abs=0.015)


def test_draws_of_large_sets_are_those_of_before():
    """Golden cases are small: they do not see how blocks and the bin of rare kinds draw."""
    places = np.arange(3000)
    counts = 1 + places * 7 % 29
    sums = places**2 % 1009 % (counts + 1)
    sizes = levels.kinds_of(np.column_stack([sums, counts])).pictures
    assert len(sizes) * 4100 > levels._ONE_BLOCK > len(sizes) * 500
    assert (sizes == levels._RARE).any()
    assert (sizes == levels._RARE - 1).any()
    ends = percentile_interval(resampled_ratios(sums, counts, resamples=4100, seed=5, stream="a"))
    assert ends == pytest.approx(RECORDED, abs=1e-12)


@pytest.mark.usefixtures("many_blocks")
def test_no_two_blocks_hold_the_same_draws():
    sums = np.random.default_rng(1).random(300)
    draws = resampled_ratios(sums, np.ones(300), resamples=2100, seed=0, stream="a")[:, 0]
    assert len(set(draws.tolist())) > 2000


def test_sums_are_counted_in_the_largest_unit_that_holds_them_all():
    assert levels.kinds_of([[2.0, 3], [1.0, 1]]).rows.tolist() == [[1.0, 1.0], [2.0, 3.0]]
    assert levels.kinds_of([[0.3, 1], [0.1 + 0.2, 1]]).rows.tolist() == [[3.0, 10.0]]
    assert levels.kinds_of([[1 / 3, 1]]).rows.tolist() == [[1.0, 3.0]]
    assert levels.kinds_of([[1 / 3, 0.3]]).rows.tolist() == [[10.0, 9.0]]
    assert levels.kinds_of([[np.pi, 1]]).rows.tolist() == [[3141592654.0, 1e9]]


@pytest.mark.parametrize("blocks", [False, True])
def test_sums_of_thirds_are_drawn_as_exactly_as_whole_numbers(blocks, monkeypatch):
    if blocks:
        monkeypatch.setattr(levels, "_ONE_BLOCK", 0)
    generator = np.random.default_rng(2)
    counts = generator.integers(1, 6, 300)
    hits = np.array([generator.integers(0, 4, count).sum() for count in counts])
    # As sums of floats come: term by term.
    thirds = np.array([sum([1 / 3] * hit) for hit in hits.tolist()])
    arguments = {"resamples": 2000, "seed": 0, "stream": "a"}
    found = resampled_ratios(thirds, counts, **arguments)
    whole = resampled_ratios(hits, counts, **arguments)
    np.testing.assert_allclose(found, whole / 3, rtol=1e-15)


def test_totals_stay_whole_numbers_however_many_pictures_there_are():
    """Billionths of ten million items are more than a float counts one by one."""
    rows = np.column_stack([[np.pi, 4e6, 7.1], [9e6, 9e6, 9e6]])
    kinds = levels.kinds_of(rows)
    totals = levels.drawn_totals(kinds, resamples=50, seed=0, stream="a")
    assert totals.max() < 2**53
    assert (kinds.rows == np.rint(kinds.rows)).all()


def test_sums_by_group_keeps_empty_groups():
    assert sums_by_group([1.0, 2.0], np.array([0, 2]), 4).tolist() == [1.0, 0.0, 2.0, 0.0]
