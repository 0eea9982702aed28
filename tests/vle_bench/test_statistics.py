import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.statistics import percentile_interval, resampled_ratios
from vle_bench.statistics.bootstrap import sums_by_group


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
    assert (low, high) == pytest.approx((25, 975))


def test_chunks_of_draws_change_nothing(monkeypatch):
    whole = resampled_ratios([0, 1, 2, 3], [4, 4, 4, 4], resamples=64, seed=0, stream="a")
    monkeypatch.setattr("vle_bench.statistics.bootstrap._MOST_CELLS", 8)
    pieces = resampled_ratios([0, 1, 2, 3], [4, 4, 4, 4], resamples=64, seed=0, stream="a")
    assert np.array_equal(whole, pieces)


def test_sums_by_group_keeps_empty_groups():
    assert sums_by_group([1.0, 2.0], np.array([0, 2]), 4).tolist() == [1.0, 0.0, 2.0, 0.0]
