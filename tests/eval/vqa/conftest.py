"""The command, and a VQA world of four questions about three pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from eval_runs import Ran
from vqa_world import annotation_file, prediction_file, question

QUESTIONS = [
    question(1000, ["yes"] * 10, answer_type="yes/no", question_type="is the"),
    question(1001, ["2"] * 3 + ["two"] * 4 + ["3"] * 3, answer_type="number", question_type="how"),
    question(2000, ["red", "red", "dark red"] + ["black"] * 7),
    question(3000, ["the cat", "cat", "a cat"] + ["dog"] * 7),
]


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """`a.json` and `p.json`: 0 (a capital), 100 (number words), 60 (two agree), 90 (articles)."""
    annotation_file(tmp_path / "a.json", QUESTIONS)
    prediction_file(tmp_path / "p.json", {1000: "Yes", 1001: "Two", 2000: "red", 3000: "Cat."})
    return tmp_path


@pytest.fixture
def score(vle_eval, world: Path, monkeypatch: pytest.MonkeyPatch):
    """Scores `p.json` (or another file) against `a.json`, inside their folder."""
    monkeypatch.chdir(world)

    def call(*more: object, predictions: str = "p.json", annotations: str = "a.json") -> Ran:
        return vle_eval(
            "vqa", "--annotations", annotations, "--predictions", predictions,
            "--resamples", 0, "--json", *more,
        )  # fmt: skip

    return call
