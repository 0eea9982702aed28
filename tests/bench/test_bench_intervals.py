"""The contests of intervals and paired tests run, and compare the same thing."""

import numpy as np
import pytest

from bench import intervals
from bench.contest import hold

QUESTIONS = 600


@pytest.fixture
def drawn(tmp_path):
    return intervals.write_scores(tmp_path, QUESTIONS)


def test_every_program_of_the_contests_runs(tmp_path):
    pytest.importorskip("scipy")
    for contest in intervals.contests(tmp_path, QUESTIONS):
        outcome = hold(contest, rounds=1)
        assert {one.name for one in outcome.programs} == {one.name for one in contest.programs}
        assert len(outcome.goals) == len(contest.goals)


def test_threads_change_no_interval_and_scipy_finds_about_the_same(drawn):
    pytest.importorskip("scipy")
    one, two = (intervals.our_interval(drawn, threads)() for threads in ("1", "2"))
    assert one == two
    theirs = intervals.scipy_bootstrap(drawn)().confidence_interval
    # The scores of a picture are drawn independently here, so both units have one law.
    assert one.low == pytest.approx(theirs.low, abs=0.015)
    assert one.high == pytest.approx(theirs.high, abs=0.015)


def test_paired_tests_agree_where_questions_are_independent(drawn):
    pytest.importorskip("scipy")
    ours = intervals.our_randomisation(drawn)()
    assert ours == pytest.approx(intervals.scipy_permutations(drawn)().pvalue, abs=0.12)


def test_drawn_data_have_the_size_of_the_real_ones(drawn):
    stored = np.load(drawn)
    assert len(stored["first"]) == len(stored["second"]) == len(stored["owners"]) == QUESTIONS
    assert QUESTIONS / len(np.unique(stored["owners"])) == pytest.approx(5.3, abs=0.1)
