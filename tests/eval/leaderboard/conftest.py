"""Stored results of strangers, whose names, questions and answers try to be markup."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chromium
import pytest

from vle_bench.results import StoredResult, stored_results

browser = chromium.browser

STRANGER = "</script><img src=x onerror=\"document.title='owned'\">\u2028'];--"
QUESTIONS = 12
PARTS = ("yes/no", "number", "other")


def references(path: Path, questions: int) -> None:
    """Ten annotators: eight say "right N", one "</script>", one nothing."""
    annotations: list[dict[str, Any]] = []
    for number in range(questions):
        given = [f"right {number}"] * 8 + ["</script><b>bold</b>", ""]
        annotations.append(
            {
                "question_id": number,
                "image_id": number // 3,
                "answer_type": PARTS[number % 3],
                "question_type": STRANGER if number == 0 else f"what {number % 2}",
                "answers": [
                    {"answer": answer, "answer_id": at} for at, answer in enumerate(given, 1)
                ],
            }
        )
    data = {"data_subtype": "val2014", "annotations": annotations}
    path.write_text(json.dumps(data), encoding="utf-8")
    asked = [
        {"question_id": one["question_id"], "image_id": one["image_id"],
         "question": f"{STRANGER if at == 3 else 'What'} is {at}?"}
        for at, one in enumerate(annotations)
    ]  # fmt: skip
    path.with_name("questions.json").write_text(json.dumps({"questions": asked}), "utf-8")


@pytest.fixture
def store(tmp_path: Path, vle_eval: Callable[..., Any]) -> Callable[..., Path]:
    """Scores invented answers; the root of the store."""

    def make(models: dict[str, Callable[[int], str]], *, questions: int = QUESTIONS) -> Path:
        gold = tmp_path / "gold.json"
        references(gold, questions)
        for place, (model, answer) in enumerate(models.items()):
            given = [{"question_id": at, "answer": answer(at)} for at in range(questions)]
            mine = tmp_path / f"predictions{place}.json"
            mine.write_text(json.dumps(given), encoding="utf-8")
            done = vle_eval(
                "vqa", "--annotations", gold, "--questions", gold.with_name("questions.json"),
                "--predictions", mine, "--dataset", "invented", "--resamples", 200,
                "--model-name", model, "--results", tmp_path / "results",
            )  # fmt: skip
            assert done.code == 0, done.err
        return tmp_path / "results"

    return make


@pytest.fixture
def three(store: Callable[..., Path]) -> Path:
    """A store of three models: all right, the even ones right, and one with a bad name."""
    return store(
        {
            "all": lambda at: f"right {at}",
            "even": lambda at: f"right {at}" if at % 2 == 0 else f"wrong {at}",
            f"none {STRANGER}": lambda _: STRANGER,
        }
    )


@pytest.fixture
def found(three: Path) -> list[StoredResult]:
    return stored_results(three)
