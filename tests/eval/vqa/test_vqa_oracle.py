"""Equal to the recorded output of the official program and of its dialects.

Recorded with GT-Vision-Lab/VQA (commit a013f004) on 589 real val2014 questions
for seven prediction rules; `golden/scores/NOTES.md` of the reference shelf says how.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from vqa_world import write

from vle_bench.eval.requests import VqaRequest
from vle_bench.eval.vqa.task import TASK

DIALECTS = {
    "variant_always_normalise": "always",
    "variant_lavis_blip_albef": "lavis",
    "variant_simple_min_k_over_3": "simple",
    "variant_index_leave_one_out": "official",
}


def majority(answers: Sequence[str]) -> str:
    counts = Counter(answers)
    return max(answers, key=lambda answer: counts[answer])


RULES: dict[str, Callable[[list[str]], str]] = {
    "first": lambda answers: answers[0],
    "last": lambda answers: answers[-1],
    "majority": majority,
    "majority_upper": lambda answers: majority(answers).upper(),
    "the_majority_period": lambda answers: f"The {majority(answers)}.",
    "always_yes": lambda _: "yes",
    "always_two_word": lambda _: "two",
}


@pytest.fixture
def smallval(reference: Path) -> dict[str, Any]:
    path = reference / "data/lmb-freiburg+ovqa/smallval_annotations.json"
    return json.loads(path.read_bytes())


@pytest.fixture
def golden(reference: Path) -> dict[str, Any]:
    recorded = json.loads((reference / "golden/scores/golden_vqa.json").read_bytes())
    return recorded["vqav2_smallval"]


def predictions(path: Path, document: dict[str, Any], rule: str) -> str:
    rows = [
        {
            "question_id": entry["question_id"],
            "answer": RULES[rule]([answer["answer"] for answer in entry["answers"]]),
        }
        for entry in document["annotations"]
    ]
    return str(write(path, rows))


def scores(annotations: Path, predicted: str, protocol: str = "official") -> dict[str, float]:
    asked: Any = {"protocol": protocol}
    request = VqaRequest(
        annotations=str(annotations), predictions=(predicted,), resamples=0, **asked
    )
    metrics = TASK.score(request).metrics
    assert metrics["accuracy"].n == 589
    return {name: round(metric.value, 2) for name, metric in metrics.items()}


def recorded_scores(official: dict[str, Any]) -> dict[str, float]:
    types = {f"accuracy[{name}]": value for name, value in official["perAnswerType"].items()}
    openings = {
        f"accuracy[question_type={name}]": value
        for name, value in official["perQuestionType"].items()
    }
    return {"accuracy": official["overall"], **types, **openings}


@pytest.mark.parametrize("rule", RULES)
def test_official_scores_by_answer_type_and_question_type(rule, smallval, golden, tmp_path):
    annotations = write(tmp_path / "a.json", smallval)
    predicted = predictions(tmp_path / "p.json", smallval, rule)
    recorded = golden["strategies"][rule]
    assert scores(annotations, predicted) == recorded_scores(recorded["official"])


@pytest.mark.parametrize("rule", RULES)
def test_a_second_call_in_the_same_process_finds_the_same(rule, smallval, golden, tmp_path):
    annotations = write(tmp_path / "a.json", smallval)
    predicted = predictions(tmp_path / "p.json", smallval, rule)
    first, second = scores(annotations, predicted), scores(annotations, predicted)
    assert first == second
    assert second["accuracy"] == golden["strategies"][rule]["second_evaluate_on_same_objects"]


@pytest.mark.parametrize("rule", RULES)
def test_every_recorded_dialect(rule, smallval, golden, tmp_path):
    annotations = write(tmp_path / "a.json", smallval)
    predicted = predictions(tmp_path / "p.json", smallval, rule)
    recorded = golden["strategies"][rule]
    assert set(recorded) <= {*DIALECTS, "official", "second_evaluate_on_same_objects"}
    for key, protocol in DIALECTS.items():
        if key in recorded:
            assert scores(annotations, predicted, protocol)["accuracy"] == recorded[key], key


def without_answer_ids(entry: dict[str, Any]) -> None:
    for answer in entry["answers"]:
        del answer["answer_id"]


def with_equal_answers(entry: dict[str, Any]) -> None:
    for answer in entry["answers"]:
        del answer["answer_id"], answer["answer_confidence"]


def with_picture_as_text(entry: dict[str, Any]) -> None:
    entry["image_id"] = str(entry["image_id"])


def with_question_as_text(entry: dict[str, Any]) -> None:
    entry["question_id"] = str(entry["question_id"])


def with_majority_answer(entry: dict[str, Any]) -> None:
    entry["multiple_choice_answer"] = entry["answers"][0]["answer"]


@pytest.mark.parametrize("rule", ["first", "majority_upper"])
@pytest.mark.parametrize(
    "change",
    [
        without_answer_ids,
        with_equal_answers,
        with_picture_as_text,
        with_question_as_text,
        with_majority_answer,
    ],
)
def test_files_in_the_wild_score_the_same(change, rule, smallval, golden, tmp_path):
    predicted = predictions(tmp_path / "p.json", smallval, rule)
    for entry in smallval["annotations"]:
        change(entry)
    annotations = write(tmp_path / "a.json", smallval)
    recorded = golden["strategies"][rule]["official"]
    assert scores(annotations, predicted) == recorded_scores(recorded)


def test_real_questions_without_a_label_are_dropped(reference, smallval, tmp_path):
    annotations = write(tmp_path / "a.json", smallval)
    predicted = predictions(tmp_path / "p.json", smallval, "majority")
    request = VqaRequest(
        annotations=str(annotations),
        predictions=(predicted,),
        protocol="soft-label",
        vocabulary=str(reference / "data/ChenRocks+UNITER/ans2label.json"),
        resamples=0,
    )
    other_order = str(reference / "data/airsplay+lxmert/trainval_label2ans.json")
    scored = TASK.score(request)
    assert scored.metrics["accuracy"].n == 589 - 11
    assert ("dropped", "11") in scored.signature
    again = TASK.score(
        VqaRequest(
            annotations=str(annotations),
            predictions=(predicted,),
            protocol="soft-label",
            vocabulary=other_order,
            resamples=0,
        )
    )
    assert again.signature == scored.signature
    assert again.metrics == scored.metrics
