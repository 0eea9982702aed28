import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vle_bench.statistics import paired, percentile_interval, resampled_ratios
from vle_bench.statistics.paired import (
    exact_sign_test,
    holm,
    randomised,
    share_at_least,
    spread,
)
from vle_bench.statistics.power import detectable, standard_error, two_sided

THIRDS = st.lists(st.integers(-3, 3), min_size=1, max_size=9)
TENTHS = st.lists(st.sampled_from([-1.0, -0.7, -0.3, 0.0, 0.3, 0.6, 1.0]), min_size=1, max_size=9)


def every_arrangement(differences, parts=10):
    """The share of all exchanges of the runs that is at least as far from zero as the data."""
    units = [round(parts * one) for one in differences]
    sums = [
        abs(sum(sign * one for sign, one in zip(signs, units, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(units))
    ]
    return sum(one >= abs(sum(units)) for one in sums) / len(sums)


@given(TENTHS)
def test_randomisation_agrees_with_every_arrangement(differences):
    exact = every_arrangement(differences)
    found = randomised(differences, resamples=4000, seed=0, stream="a")
    assert found == pytest.approx(exact, abs=5 * math.sqrt(0.25 / 4000))


def test_randomisation_has_the_law_of_scipys_permutations():
    stats = pytest.importorskip("scipy.stats")
    differences = np.random.default_rng(3).choice([-1, -0.3, 0, 0.3, 0.6, 1], 60)
    theirs = stats.permutation_test(
        (differences, np.zeros(60)),
        lambda one, two, axis: (one - two).sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=np.random.default_rng(0),
    )
    # Both sides of a law that is symmetric.
    away = np.mean(np.abs(theirs.null_distribution) >= abs(differences.sum()) - 1e-9)
    ours = randomised(differences, resamples=20_000, seed=0, stream="a")
    assert ours == pytest.approx(away, abs=0.015)


def test_sums_that_equal_the_data_count_whatever_their_last_bits():
    # 0.1 + 0.2 - 0.3 is not 0 in floating point; as tenths it is.
    assert randomised([0.1, 0.2, -0.3], resamples=99, seed=0, stream="a") == 1.0


# As billionths, two of these sums of thirds that are equal lay one billionth apart.
@pytest.mark.parametrize(
    ("thirds", "exact"), [([-1, -1, -1, 2, 2], 1.0), ([-1, -1, 2, 2], 0.75), ([1, 2, -1, -3], 1.0)]
)
@pytest.mark.parametrize("third", [1 / 3, 0.3333])
def test_ties_of_thirds_are_counted(thirds, exact, third):
    assert every_arrangement(thirds) == exact
    found = randomised(np.array(thirds) * third, resamples=20_000, seed=0, stream="a")
    assert found == pytest.approx(exact, abs=0.015)


@given(THIRDS)
def test_thirds_have_the_p_of_their_whole_numbers(thirds):
    arguments = {"resamples": 200, "seed": 0, "stream": "a"}
    found = randomised([one / 3 for one in thirds], **arguments)
    assert found == randomised(thirds, **arguments)
    assert found == pytest.approx(every_arrangement(thirds), abs=5 * math.sqrt(0.25 / 200))


@pytest.mark.parametrize("size", [1e9, 1e12, 1e17, 1e30])
def test_differences_of_any_size_have_a_p(size):
    """Mean ranks in fractions: billionths of them do not fit into 64 bits."""
    differences = size * np.random.default_rng(0).normal(0.0, 1.0, 200)
    small = differences / size
    found = randomised(differences, resamples=999, seed=0, stream="a")
    assert found == pytest.approx(randomised(small, resamples=999, seed=0, stream="a"), abs=0.06)
    ahead = np.abs(differences)
    assert randomised(ahead, resamples=999, seed=0, stream="a") == 1 / 1000


def test_p_is_never_zero_and_one_without_a_difference():
    assert randomised(np.ones(500), resamples=999, seed=0, stream="a") == 1 / 1000
    assert randomised(np.zeros(500), resamples=999, seed=0, stream="a") == 1.0
    assert randomised(np.ones(5), resamples=0, seed=0, stream="a") is None


@given(TENTHS)
def test_the_order_of_runs_and_pictures_moves_no_p(differences):
    turned = [-one for one in reversed(differences)]
    arguments = {"resamples": 200, "seed": 1, "stream": "a"}
    assert randomised(differences, **arguments) == randomised(turned, **arguments)


@pytest.mark.parametrize("pictures", range(1, 13))
def test_p_is_never_below_that_of_the_data_and_the_data_turned(pictures):
    """Two of all arrangements are always as far from 0: no luck of the draws goes below them."""
    differences = [*range(1, pictures + 1), 0.0, 0.0]
    least = every_arrangement(differences[:pictures])
    drawn = [randomised(differences, resamples=500, seed=seed, stream="a") for seed in range(9)]
    assert min(drawn) >= least
    assert randomised(differences, resamples=1, seed=0, stream="a") >= least


def test_fractions_that_are_no_tenths_are_tested_in_billionths():
    differences = np.random.default_rng(0).normal(0.5, 1.0, 200) / 3
    assert randomised(differences, resamples=999, seed=0, stream="a") < 0.01


def test_p_is_even_where_the_runs_do_not_differ():
    """Under the null a p of at most 0.1 has a chance of at most 0.1: 400 seeded data sets."""
    generator = np.random.default_rng(11)
    below = 0
    for number in range(400):
        differences = generator.normal(0, 1, 30).round(1)
        below += randomised(differences, resamples=199, seed=number, stream="a") <= 0.1
    assert 20 <= below <= 60


def test_the_spread_of_a_difference_is_that_of_the_pictures():
    generator = np.random.default_rng(2)
    sums = generator.choice([-1.0, 0.0, 0.3, 1.0], 500)[:, None]
    counts = np.ones((500, 1))
    found = spread(sums, counts, [100.0], resamples=4000, seed=0, stream="a")
    error = 100 * sums.std() / math.sqrt(500)
    assert found.interval.low == pytest.approx(100 * sums.mean() - 1.96 * error, abs=0.12 * error)
    assert found.interval.high == pytest.approx(100 * sums.mean() + 1.96 * error, abs=0.12 * error)
    none = spread(np.zeros((9, 1)), np.ones((9, 1)), [100.0], resamples=50, seed=0, stream="a")
    assert none == ((0.0, 0.0), 1.0)
    assert spread([[1.0]], [[1.0]], [1.0], resamples=50, seed=0, stream="a") == (None, None)


@given(TENTHS)
def test_exchanging_the_runs_turns_the_interval(differences):
    assume(abs(sum(differences)) > 0.05)  # of a law that is its own mirror image nothing turns
    sums = np.array(differences)[:, None]
    counts = np.ones_like(sums)
    arguments = {"resamples": 100, "seed": 0, "stream": "a"}
    one = spread(sums, counts, [100.0], **arguments)
    two = spread(-sums, counts, [100.0], **arguments)
    assert one.p == two.p
    if one.interval is not None:
        assert one.interval.low == pytest.approx(-two.interval.high, abs=1e-9)
        assert one.interval.high == pytest.approx(-two.interval.low, abs=1e-9)


@pytest.mark.parametrize("differences", [[-0.6, 0.3, 0.2, 0.1], [0.2, 0.1, -0.1, 0.0]])
def test_the_order_of_runs_turns_small_differences_and_none_too(differences):
    """Draws are made for the run that leads, and where none does by the larger single steps."""
    sums = np.array(differences)[:, None]
    arguments = {"resamples": 99, "seed": 0, "stream": "a"}
    one = spread(sums, np.ones_like(sums), [1.0], **arguments)
    two = spread(-sums, np.ones_like(sums), [1.0], **arguments)
    assert (one.p, *one.interval) == (two.p, -two.interval.high, -two.interval.low)


def test_the_second_p_is_how_often_a_draw_is_as_far_off_as_the_difference_from_zero():
    generator = np.random.default_rng(3)
    sums, counts = generator.normal(0.01, 1.0, (400, 1)), generator.integers(1, 4, (400, 1))
    found = spread(sums, counts, [50.0], resamples=4000, seed=0, stream="a")
    difference = 50 * sums.sum() / counts.sum()
    parts = 50 * (sums - difference / 50 * counts) / counts.sum()
    assert found.p == pytest.approx(
        two_sided(difference, float(np.sqrt((parts**2).sum()))), abs=0.02
    )
    assert 0.1 < found.p < 0.9
    draws = 50 * resampled_ratios(sums, counts, resamples=4000, seed=0, stream="a")[:, 0]
    as_far = np.count_nonzero(np.abs(draws - difference) >= abs(difference))
    assert found.p == pytest.approx((as_far + 1) / 4001, abs=1e-12)


def test_no_end_of_an_interval_is_a_negative_zero():
    sums = np.array([[-1.0], *[[0.0]] * 9])
    for runs in (sums, -sums):
        found = spread(runs, np.ones_like(sums), [1.0], resamples=99, seed=0, stream="a")
        ends = [end for end in found.interval if end == 0]
        assert [math.copysign(1, end) for end in ends] == [1.0]


def test_intervals_cover_what_they_should():
    """600 worlds of 120 pictures, 1 to 6 items each, the items of a picture alike."""
    generator = np.random.default_rng(8)
    truth, covered, naive = 0.6, 0, 0
    for number in range(600):
        counts = generator.integers(1, 7, 120)
        chance = generator.beta(1.2, 0.8, 120)
        sums = generator.binomial(counts, chance)
        draws = resampled_ratios(sums, counts, resamples=400, seed=number, stream="a")
        interval = percentile_interval(draws)
        covered += interval.low <= truth <= interval.high
        score = sums.sum() / counts.sum()
        naive += abs(score - truth) <= 1.96 * standard_error(score, int(counts.sum()))
    assert 0.915 <= covered / 600 <= 0.985
    assert naive / 600 < 0.85  # as if questions were independent


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (1, 0), (3, 9), (40, 61), (7, 7), (8, 7)])
def test_the_sign_test_is_the_sum_of_a_binomials_tails(better, worse):
    total = better + worse
    tail = sum(math.comb(total, at) for at in range(min(better, worse) + 1)) / 2**total
    assert exact_sign_test(better, worse) == pytest.approx(min(1.0, 2 * tail), rel=1e-9)
    assert exact_sign_test(worse, better) == exact_sign_test(better, worse)


def test_a_huge_sign_test_is_neither_zero_nor_slow():
    assert 0 < exact_sign_test(100_000, 10) < 1e-250
    assert exact_sign_test(50_000, 50_400) == pytest.approx(0.2075, abs=0.001)


@given(st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=8), st.randoms())
def test_holm_follows_its_definition_in_any_order(values, random):
    found = holm(values)
    for value, adjusted in zip(values, found, strict=True):
        smaller = sorted(values)
        steps = [(len(values) - at) * one for at, one in enumerate(smaller) if one <= value]
        assert adjusted == pytest.approx(min(1.0, max(steps)))
    order = list(range(len(values)))
    random.shuffle(order)
    assert holm([values[at] for at in order]) == pytest.approx([found[at] for at in order])
    assert holm([]) == []


def test_the_data_count_among_the_draws():
    assert share_at_least(np.zeros(9), 1.0) == 0.1
    assert share_at_least(np.ones(9), 1.0) == 1.0


def test_power_is_what_simulation_finds():
    """A true difference of the detectable size is found in four of five experiments."""
    generator = np.random.default_rng(0)
    n, share = 2000, 0.5
    error = standard_error(share, n)
    scores = generator.binomial(n, share + detectable(error), 4000) / n
    found = np.mean([two_sided(float(score - share), error) <= 0.05 for score in scores])
    assert found == pytest.approx(0.8, abs=0.025)


def test_numbers_that_are_no_shares_are_refused():
    with pytest.raises(ValueError, match="no share"):
        standard_error(1.2, 5)
    with pytest.raises(ValueError, match="no share"):
        standard_error(0.5, 0)
    with pytest.raises(ValueError, match="no p"):
        two_sided(1.0, 0.0)
    assert two_sided(99.0, 1.0) > 0


def test_differences_are_counted_in_the_largest_part_they_share():
    assert paired._whole(np.array([0.3, -0.1, 2.0])).tolist() == [3, -1, 20]
    assert paired._whole(np.array([0.25])).tolist() == [1]
    assert paired._whole(np.array([1 / 3, -0.5])).tolist() == [2, -3]
    assert paired._whole(np.array([math.pi])).tolist() == [3_141_592_654]
    assert paired._whole(np.array([])).tolist() == []
