"""VCR: picks, hits, identities and intervals, on items small enough to check by hand."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.errors import DataProblem
from vle_bench.eval.vcr.kinds import Breakdown
from vle_bench.eval.vcr.predictions import VcrPredictions
from vle_bench.eval.vcr.references import VcrItem
from vle_bench.eval.vcr.score import metrics_of, picks, score_items


def items_of(labels: list[tuple[int, int]], images: list[str] | None = None) -> list[VcrItem]:
    names = images or [f"val-{at}" for at in range(len(labels))]
    return [
        VcrItem(f"val-{at}", names[at], answer, reason)
        for at, (answer, reason) in enumerate(labels)
    ]


def one_hot(chosen: list[int]) -> np.ndarray:
    return np.eye(4)[chosen]


def predictions_of(answers: list[int], reasons: list[int]) -> VcrPredictions:
    there = np.ones(len(answers), dtype=np.bool_)
    return VcrPredictions(one_hot(answers), one_hot(reasons), there)


def values(predictions: VcrPredictions, items: list[VcrItem]) -> dict[str, float]:
    scores = score_items(predictions, items)
    found = metrics_of(scores, items, resamples=0, seed=0)
    return {name: metric.value for name, metric in found.items()}


def test_the_first_of_several_maxima_wins_and_is_counted() -> None:
    found = picks(np.array([[0.0, 2.0, 2.0, 1.0], [5.0, 1.0, 1.0, 1.0], [3.0, 3.0, 3.0, 3.0]]))
    assert found.chosen.tolist() == [1, 0, 0]
    assert found.tied.tolist() == [True, False, True]


def test_q2ar_needs_both_picks_on_the_same_item() -> None:
    items = items_of([(0, 0)] * 4)
    # The answer is right in items 0 and 1, the reason in 1 and 2: half each, together a quarter.
    found = values(predictions_of([0, 0, 3, 3], [3, 0, 0, 3]), items)
    assert found == {"q2a": 50.0, "qa2r": 50.0, "q2ar": 25.0}


def test_q2ar_is_not_the_product_of_the_averages() -> None:
    items = items_of([(0, 0)] * 2)
    found = values(predictions_of([0, 1], [1, 0]), items)
    assert found["q2ar"] == 0.0
    assert found["q2a"] * found["qa2r"] / 100 == 25.0


def test_an_item_without_prediction_is_wrong_even_where_the_label_is_the_first() -> None:
    items = items_of([(0, 0), (0, 0)])
    empty = VcrPredictions(np.zeros((2, 4)), np.zeros((2, 4)), np.array([True, False]))
    assert values(empty, items) == {"q2a": 50.0, "qa2r": 50.0, "q2ar": 50.0}


def test_intervals_hold_their_value_and_need_two_pictures() -> None:
    rng = np.random.default_rng(0)
    labels = [(int(a), int(r)) for a, r in rng.integers(0, 4, (60, 2))]
    guesses = rng.integers(0, 4, (60, 2)).tolist()
    predictions = predictions_of([a for a, _ in guesses], [r for _, r in guesses])
    many = items_of(labels, [f"picture-{at % 20}" for at in range(60)])
    scores = score_items(predictions, many)
    for metric in metrics_of(scores, many, resamples=500, seed=3).values():
        assert metric.low is not None
        assert metric.high is not None
        assert metric.low <= metric.value <= metric.high
        assert metric.n == 60
    alone = items_of(labels, ["one"] * 60)
    assert all(
        metric.low is None
        for metric in metrics_of(
            score_items(predictions, alone), alone, resamples=500, seed=3
        ).values()
    )


def test_items_of_one_picture_widen_the_interval() -> None:
    """Ten items of a picture that are right or wrong together tell as much as one."""
    items = items_of([(0, 0)] * 100, [f"p{at // 10}" for at in range(100)])
    apart = items_of([(0, 0)] * 100)
    predictions = predictions_of([0] * 50 + [1] * 50, [0] * 100)

    def width(chosen: list[VcrItem]) -> float:
        metric = metrics_of(score_items(predictions, chosen), chosen, resamples=2000, seed=0)["q2a"]
        assert metric.low is not None
        assert metric.high is not None
        return metric.high - metric.low

    assert width(items) > 2 * width(apart)


def slow_reference(predictions: VcrPredictions, items: list[VcrItem]) -> dict[str, float]:
    """Plain loops over plain lists, sharing no line with the scorer."""
    hits = {"q2a": 0, "qa2r": 0, "q2ar": 0}
    rows = zip(predictions.q2a.tolist(), predictions.qa2r.tolist(), items, strict=True)
    for answers, reasons, item in rows:
        answer = answers.index(max(answers)) == item.answer_label
        reason = reasons.index(max(reasons)) == item.rationale_label
        hits["q2a"] += answer
        hits["qa2r"] += reason
        hits["q2ar"] += answer and reason
    return {name: 100 * count / len(items) for name, count in hits.items()}


ROWS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 2).map(float), min_size=4, max_size=4),
        st.lists(st.integers(0, 2).map(float), min_size=4, max_size=4),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=12,
)


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_the_scorer_equals_plain_loops_in_any_order(rows: list, random: object) -> None:
    items = items_of([(answer, reason) for _, _, answer, reason in rows])
    predictions = VcrPredictions(
        np.array([row[0] for row in rows]),
        np.array([row[1] for row in rows]),
        np.ones(len(rows), dtype=np.bool_),
    )
    found = values(predictions, items)
    assert found == pytest.approx(slow_reference(predictions, items), abs=1e-12)
    assert found["q2ar"] <= min(found["q2a"], found["qa2r"])
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = VcrPredictions(
        predictions.q2a[order], predictions.qa2r[order], predictions.present[order]
    )
    assert values(shuffled, [items[at] for at in order]) == found


@given(ROWS)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_turning_a_pick_wrong_never_helps(rows: list) -> None:
    items = items_of([(answer, reason) for _, _, answer, reason in rows])
    predictions = VcrPredictions(
        np.array([row[0] for row in rows]),
        np.array([row[1] for row in rows]),
        np.ones(len(rows), dtype=np.bool_),
    )
    worse = predictions.q2a.copy()
    worse[0, (items[0].answer_label + 1) % 4] = 9.0
    before = values(predictions, items)
    after = values(msgspec.structs.replace(predictions, q2a=worse), items)
    assert all(after[name] <= before[name] for name in before)


def test_both_right_where_one_is_wrong_stops_the_run() -> None:
    items = items_of([(0, 0)] * 2)
    scores = score_items(predictions_of([0, 1], [0, 0]), items)
    broken = msgspec.structs.replace(scores, q2ar=np.ones(2, dtype=np.bool_))
    with pytest.raises(DataProblem, match="q2ar is above q2a or qa2r"):
        metrics_of(broken, items, resamples=0, seed=0)


@pytest.mark.parametrize(
    ("rows", "unstated", "stops"),
    [([0, 1, 2, 3], 0, False), ([0, 1, 2], 0, True), ([0, 1, 2, 2], 0, True), ([0, 1], 2, False)],
)
def test_kinds_that_are_not_all_items_once_stop_the_run(rows, unstated, stops) -> None:
    """Three are not four; one of them twice is another mean; who states no kind is in none."""
    items = items_of([(0, 0)] * 4)
    scores = score_items(predictions_of([0, 0, 1, 0], [0, 0, 0, 0]), items)
    first, rest = np.array(rows[:1]), np.array(rows[1:])
    parted = [Breakdown("objects", (("1", first), ("2", rest)), unstated)]
    if stops:
        with pytest.raises(DataProblem, match=r"is not the weighted mean .* of its objects"):
            metrics_of(scores, items, resamples=0, seed=0, parted=parted)
    else:
        found = metrics_of(scores, items, resamples=0, seed=0, parted=parted)
        assert found["q2a[objects=1]"].value == 100
