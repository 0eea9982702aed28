"""GD-VCR with a leaderboard file: the recorded scores, through every accepted form.

`golden_gdvcr.json` holds the recipe of the scores and the wrong variants beside
the right ones (chained through the predicted answer, product of the averages).
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def gdvcr(reference: Path, vle_eval):
    def call(predictions: object):
        return vle_eval(
            "vcr", "--annotations", reference / "data/WadeYin9712+GD-VCR/val.jsonl",
            "--predictions", predictions, "--dataset", "gd-vcr", "--resamples", 1000, "--json",
        )  # fmt: skip

    return call


@pytest.fixture
def golden(reference: Path) -> dict[str, float]:
    recorded = json.loads((reference / "golden/scores/golden_gdvcr.json").read_text())
    return {
        "q2a": recorded["Q2A"],
        "qa2r": recorded["QA2R_conditioned_on_gold_answer"],
        "q2ar": recorded["Q2AR_joint"],
    }


def overall(ran) -> dict[str, float]:
    return {name: value for name, value in ran.values.items() if "[" not in name}


def test_the_leaderboard_file_gives_the_recorded_scores(gdvcr, golden, reference) -> None:
    ran = gdvcr(reference / "golden/scores/gdvcr_val_submission.csv")
    assert overall(ran) == golden
    assert ran.document["metrics"]["q2a"]["n"] == 886


def test_jsonl_and_arrays_give_the_same(gdvcr, golden, reference, tmp_path) -> None:
    annotations = (reference / "data/WadeYin9712+GD-VCR/val.jsonl").read_text().splitlines()
    labels = {row["annot_id"]: row["answer_label"] for row in map(json.loads, annotations)}
    table = (reference / "golden/scores/gdvcr_val_submission.csv").read_text().splitlines()
    rows = {row["annot_id"]: row for row in csv.DictReader(table)}
    answers = [[float(rows[name][f"answer_{i}"]) for i in range(4)] for name in labels]
    reasons = [
        [float(rows[name][f"rationale_conditioned_on_a{label}_{i}"]) for i in range(4)]
        for name, label in labels.items()
    ]
    lines = (
        json.dumps({"annot_id": name, "q2a": q2a, "qa2r": qa2r})
        for name, q2a, qa2r in zip(labels, answers, reasons, strict=True)
    )
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    assert overall(gdvcr(tmp_path / "p.jsonl")) == golden
    np.save(tmp_path / "a.npy", answers)
    np.save(tmp_path / "r.npy", np.asfortranarray(reasons))
    assert overall(gdvcr(f"{tmp_path}/a.npy,{tmp_path}/r.npy")) == golden


def test_the_kinds_of_real_questions_are_all_of_them(gdvcr, golden, reference) -> None:
    metrics = gdvcr(reference / "golden/scores/gdvcr_val_submission.csv").document["metrics"]
    for kind in ("objects", "question_word"):
        parts = [one for name, one in metrics.items() if name.startswith(f"q2ar[{kind}=")]
        assert len(parts) > 3
        assert sum(part["n"] for part in parts) == 886
        mean = sum(part["value"] * part["n"] for part in parts) / 886
        assert mean == pytest.approx(golden["q2ar"])


def test_a_real_submission_is_accepted_as_it_stands(reference, vle_eval) -> None:
    ran = vle_eval(
        "submit", "vcr", "--annotations", reference / "data/WadeYin9712+GD-VCR/val.jsonl",
        "--check", reference / "golden/scores/gdvcr_val_submission.csv", "--json",
    )  # fmt: skip
    assert ran.document["n"] == 886


def test_the_region_is_the_group(gdvcr, reference, tmp_path, vle_eval) -> None:
    import pyarrow.parquet as pq

    ran = vle_eval(
        "vcr", "--annotations", reference / "data/WadeYin9712+GD-VCR/val.jsonl", "--model",
        "baseline:constant", "--resamples", 0, "--out", tmp_path / "r",
    )  # fmt: skip
    assert ran.code == 0
    groups = pq.read_table(tmp_path / "r/items.parquet")["group"].to_pylist()
    assert {name: groups.count(name) for name in sorted(set(groups))} == {
        "africa": 108,
        "east-asia": 282,
        "south-asia": 221,
        "west": 275,
    }


def test_a_real_vcr_row_is_read(reference, vle_eval, tmp_path) -> None:
    row = {"annot_id": "val-1", "q2a": [0, 1, 2, 3], "qa2r": [0, 1, 2, 3]}
    (tmp_path / "p.jsonl").write_text(json.dumps(row))
    (path,) = (reference / "data/iflytek+VLE").rglob("val_sample.jsonl")
    ran = vle_eval("vcr", "--annotations", path, "--predictions", tmp_path / "p.jsonl", "--json")
    assert ran.document["split"] == "val"
    assert ran.document["metrics"]["q2a"]["n"] == 1
