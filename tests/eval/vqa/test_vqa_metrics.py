"""Accuracies, their parts and their intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from vqa_world import annotation_file, prediction_file, question

from vle_bench.errors import DataProblem
from vle_bench.eval.requests import RetrievalRequest, VqaRequest
from vle_bench.eval.scored import Scored
from vle_bench.eval.vqa.accuracy import ItemScores
from vle_bench.eval.vqa.gold import Annotation, gold_of
from vle_bench.eval.vqa.metrics import _check, accuracy_metrics
from vle_bench.eval.vqa.task import TASK
from vle_bench.results import Metric


def scored(folder: Path, questions: list[dict[str, Any]], answer: str, **more: Any) -> Scored:
    annotation_file(folder / "a.json", questions)
    prediction_file(folder / "p.json", {entry["question_id"]: answer for entry in questions})
    asked = {"annotations": str(folder / "a.json"), "predictions": (str(folder / "p.json"),)}
    return TASK.score(VqaRequest(**{**asked, "resamples": 500, **more}))


def test_metrics_come_in_a_fixed_order_and_add_up(tmp_path):
    made = [
        question(1000, ["cat"] * 4, answer_type="other", question_type="what"),
        question(2000, ["cat"] * 4, answer_type="yes/no", question_type="is"),
        question(3000, ["dog"] * 4, answer_type="number", question_type="what"),
        question(4000, ["dog"] * 4, answer_type="unanswerable", question_type="is"),
    ]
    metrics = scored(tmp_path, made, "cat").metrics
    assert {name: (metric.value, metric.n) for name, metric in metrics.items()} == {
        "accuracy": (50, 4),
        "accuracy[yes/no]": (100, 1),
        "accuracy[number]": (0, 1),
        "accuracy[other]": (100, 1),
        "accuracy[unanswerable]": (0, 1),
        "accuracy[question_type=is]": (50, 2),
        "accuracy[question_type=what]": (50, 2),
    }
    assert list(metrics)[:4] == [
        "accuracy", "accuracy[yes/no]", "accuracy[number]", "accuracy[other]",
    ]  # fmt: skip


def test_types_that_no_question_names_are_no_metrics(tmp_path):
    made = [question(1000, ["cat"] * 4), question(2000, ["cat"] * 4)]
    for entry in made:
        del entry["answer_type"], entry["question_type"]
    assert list(scored(tmp_path, made, "cat").metrics) == ["accuracy"]


def test_questions_without_a_type_among_others_are_a_part_of_their_own(tmp_path):
    made = [question(1000, ["cat"] * 4), question(2000, ["dog"] * 4)]
    del made[1]["answer_type"], made[1]["question_type"]
    metrics = scored(tmp_path, made, "cat").metrics
    assert metrics["accuracy[unstated]"].value == 0
    assert metrics["accuracy[question_type=unstated]"].n == 1


def test_pictures_are_resampled_not_questions(tmp_path):
    one_picture = [question(1000 + n, ["cat" if n % 2 else "dog"] * 4) for n in range(40)]
    overall = scored(tmp_path, one_picture, "cat").metrics["accuracy"]
    assert (overall.value, overall.low, overall.high) == (50, None, None)
    two_pictures = [
        question(1000 * (1 + n % 2) + n, ["cat" if n % 2 else "dog"] * 4) for n in range(40)
    ]
    overall = scored(tmp_path, two_pictures, "cat").metrics["accuracy"]
    assert (overall.value, overall.low, overall.high) == (50, 0, 100)


def test_intervals_hold_the_value_and_depend_on_the_seed(tmp_path):
    made = [question(1000 * n, [("cat", "dog", "ape")[n % 3]] * 4) for n in range(1, 200)]
    first, again, other = (
        scored(tmp_path, made, "cat", seed=seed).metrics["accuracy"] for seed in (0, 0, 1)
    )
    assert first == again != other
    assert first.low < first.value < first.high
    reordered = scored(tmp_path, made[::-1], "cat", seed=0).metrics["accuracy"]
    assert (reordered.low, reordered.high) == (first.low, first.high)


@pytest.mark.parametrize("protocol", ["official", "simple"])
@pytest.mark.parametrize("size", [3, 7, 29])
def test_an_interval_of_equal_scores_is_the_score_to_its_last_bit(tmp_path, protocol, size):
    """Thirds and tenths added up one by one are not the ratio of their whole numbers."""
    made = [question(1000 * n, ["cat"] + ["dog"] * 9) for n in range(1, size + 1)]
    found = scored(tmp_path, made, "cat", protocol=protocol).metrics["accuracy"]
    assert found.low == found.value == found.high


def test_no_draws_no_interval(tmp_path):
    made = [question(1000 * n, ["cat"] * 4) for n in range(1, 5)]
    found = scored(tmp_path, made, "cat", resamples=0)
    assert found.metrics["accuracy"].low is None
    assert dict(found.signature)["ci"] == "none"


def items(scores: list[float]) -> ItemScores:
    size = len(scores)
    return ItemScores(
        rows=np.arange(size),
        scores=np.array(scores),
        matches=np.zeros(size, dtype=np.int64),
        unanimous=np.zeros(size, dtype=np.bool_),
        left_out=0,
    )


@pytest.mark.parametrize(
    ("scores", "parts", "message"),
    [
        ([1.5], {}, "an item score lies outside 0 to 1"),
        ([0.5], {"accuracy[other]": Metric(value=50.1, n=1)}, "is not the weighted mean"),
        ([0.5], {"accuracy[other]": Metric(value=50.0, n=2)}, "is not the weighted mean"),
    ],
)
def test_numbers_that_contradict_each_other_stop_the_run(scores, parts, message):
    metrics = {"accuracy": Metric(value=50.0, n=1), **parts}
    with pytest.raises(DataProblem, match=message):
        _check(items(scores), metrics, tuple(parts))


def test_no_metrics_are_made_of_scores_that_contradict_each_other():
    gold = gold_of(msgspec.convert([question(1000, ["cat"] * 4)], list[Annotation]), "here")
    with pytest.raises(DataProblem, match="an item score lies outside 0 to 1"):
        accuracy_metrics(gold, items([1.5]), resamples=0, seed=0)


def test_few_answers_are_noted(tmp_path):
    made = [question(1000 * at, ["cat"] * size) for at, size in enumerate((10, 9, 4, 3), 1)]
    notes = scored(tmp_path, made, "cat").notes
    assert notes == (
        "3 of 4 questions have fewer than ten answers.",
        (
            "1 of these have fewer than four: leave-one-out leaves too few to agree with, "
            "and no prediction can earn 100 % there."
        ),
    )
    assert scored(tmp_path, made, "cat", protocol="simple").notes == notes[:1]


def test_leave_one_out_by_index_is_noted(tmp_path):
    made = [question(1000, ["cat"] * 10, ids=False)]
    assert scored(tmp_path, made, "cat").notes == (
        "Answers carry no answer_id of their own: leave-one-out is by index.",
    )


def test_a_request_of_another_task_is_a_bug():
    with pytest.raises(TypeError, match="RetrievalRequest is no request of VQA"):
        TASK.score(RetrievalRequest())


def test_no_prediction_at_all_scores_nothing_under_missing_zero(tmp_path):
    annotation_file(tmp_path / "a.json", [question(1000, ["", "cat"]), question(2000, ["dog"])])
    prediction_file(tmp_path / "p.json", {})
    asked = {"annotations": str(tmp_path / "a.json"), "predictions": (str(tmp_path / "p.json"),)}
    found = TASK.score(VqaRequest(**asked, missing="zero"))
    assert found.metrics["accuracy"].value == 0
    assert found.items["prediction"] == [None, None]
    assert found.prediction_lines == b""
