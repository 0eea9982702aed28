"""Weights of drawn pictures, and medians under them, against plain repetition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.statistics import draws
from vle_bench.statistics.draws import WeightedMedian, interval_around, picture_draws


def weights(pictures: int, resamples: int, seed: int = 0, stream: str = "s") -> np.ndarray:
    parts = list(picture_draws(pictures, resamples=resamples, seed=seed, stream=stream))
    return np.concatenate(parts) if parts else np.empty((0, pictures))


def test_every_draw_takes_as_many_pictures_as_there_are() -> None:
    found = weights(7, 500)
    assert found.shape == (500, 7)
    assert (found.sum(axis=1) == 7).all()
    assert (found >= 0).all()


def test_each_picture_is_drawn_once_on_average() -> None:
    found = weights(20, 4000)
    assert np.allclose(found.mean(axis=0), 1, atol=0.08)
    # A count of 20 draws at 1/20 has the variance 0.95.
    assert found.var(axis=0).mean() == pytest.approx(0.95, abs=0.05)


def test_seed_and_stream_decide_and_nothing_else() -> None:
    assert np.array_equal(weights(5, 50), weights(5, 50))
    assert not np.array_equal(weights(5, 50), weights(5, 50, seed=1))
    assert not np.array_equal(weights(5, 50), weights(5, 50, stream="t"))


def test_one_picture_gives_no_draws_and_no_resamples_none() -> None:
    assert len(weights(1, 10)) == 0
    assert len(weights(9, 0)) == 0


def test_batches_are_parts_of_one_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = weights(6, 42)
    monkeypatch.setattr(draws, "_MOST_CELLS", 30)
    assert len(list(picture_draws(6, resamples=42, seed=0, stream="s"))) == 9
    assert np.array_equal(weights(6, 42), whole)


def test_two_pictures_are_drawn_in_three_ways() -> None:
    assert {tuple(row) for row in weights(2, 50).tolist()} == {(2, 0), (1, 1), (0, 2)}


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 4)), min_size=1, max_size=60),
    st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=1, max_size=6),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_the_median_is_that_of_the_repeated_values(pairs, drawn) -> None:
    values = np.array([value / 2 for value, _ in pairs])
    owners = np.array([owner for _, owner in pairs])
    found = WeightedMedian(values, owners, 5).of(np.array(drawn, dtype=np.float64))
    for row, median in zip(drawn, found.tolist(), strict=True):
        repeated = np.repeat(values, np.array(row)[owners])
        expected = np.median(repeated) if len(repeated) else np.nan
        assert median == expected or (np.isnan(median) and np.isnan(expected))


def test_a_median_far_from_the_middle_is_found_as_well() -> None:
    """The window of 64 values must widen in both directions."""
    values = np.arange(1000.0)
    owners = np.repeat([0, 1, 2], [450, 100, 450])
    median = WeightedMedian(values, owners, 3)
    found = median.of(np.array([[1.0, 1, 1], [3.0, 0, 0], [0.0, 0, 3], [0.0, 0, 0]]))
    assert found[:3].tolist() == [499.5, 224.5, 774.5]
    assert np.isnan(found[3])


def test_an_end_that_only_rounding_parts_from_the_value_is_the_value() -> None:
    value = 100 * 7 / 15
    assert interval_around(value, [7 / 15 * 100 + 1e-13] * 5) == (value, value)
    assert interval_around(50.0, [49.9, 50.1] * 40) == (49.9, 50.1)
    assert interval_around(50.0, None) is None
    assert interval_around(50.0, [np.nan, np.nan]) is None
