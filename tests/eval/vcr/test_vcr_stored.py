"""VCR results that stay: the item table, the normal form, and scoring what is stored afresh."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest


@pytest.fixture
def stored(vle_eval, world):
    """One stored result of the small world; returns its folder."""
    ran = vle_eval(
        "vcr", "--annotations", world / "val.jsonl", "--predictions", world / "p.jsonl",
        "--model-name", "Mine", "--resamples", 20, "--results", world / "results",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    return world / "results" / "vcr" / "vcr" / "val" / "mine"


def test_the_item_table_has_one_row_an_item(stored) -> None:
    table = pq.read_table(stored / "items.parquet").to_pydict()
    assert table["id"] == ["val-0", "val-1", "val-2", "val-3"]
    assert table["image_id"] == ["val-0", "val-0", "m/b@0.jpg", "val-2"]
    assert table["prediction"] == ["a0 r1", "a1 r0", "a0 r3", "a0 r0"]
    assert table["q2a"] == [True, True, False, False]
    assert table["qa2r"] == [True, False, True, True]
    assert table["score"] == [1.0, 0.0, 0.0, 0.0]
    assert set(table) >= {"group", "q2ar"}


def test_an_item_without_prediction_has_none_in_the_table(vle_eval, world, rows) -> None:
    few = "".join(json.dumps(row) + "\n" for row in rows[1:])
    (world / "few.jsonl").write_text(few, encoding="utf-8")
    ran = vle_eval(
        "vcr", "--annotations", world / "val.jsonl", "--predictions", world / "few.jsonl",
        "--missing", "zero", "--out", world / "out",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    table = pq.read_table(world / "out" / "items.parquet").to_pydict()
    assert table["prediction"] == ["", "a1 r0", "a0 r3", "a0 r0"]
    assert table["score"] == [0.0] * 4


def test_the_stored_form_is_in_the_order_of_the_references(stored) -> None:
    lines = [json.loads(line) for line in (stored / "predictions.jsonl").read_text().splitlines()]
    assert [line["annot_id"] for line in lines] == ["val-0", "val-1", "val-2", "val-3"]
    assert lines[0] == {"annot_id": "val-0", "q2a": [9, 1, 1, 1], "qa2r": [0, 7, 0, 0]}


def test_a_stored_result_is_scored_afresh_beside_the_published_scores(
    vle_eval, world, stored
) -> None:
    ran = vle_eval("vcr", "--split", "dev", "--results", world / "results")
    assert ran.code == 0, ran.err
    assert "**Mine**" in ran.out
    assert "50.00" in ran.out
    assert "VLE-large" in ran.out
    assert "changed" not in ran.err
    ran = vle_eval("vcr", "--split", "val", "--results", world / "results", "--json")
    (fresh,) = json.loads(ran.out)["results"]
    before = json.loads((stored / "result.json").read_text())
    assert fresh["metrics"] == before["metrics"]
    assert fresh["signature"] == before["signature"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--out", "x"), "--out: "),
        (("--missing", "zero", "--resamples", 5), "--missing, --resamples: "),
        (("--model-name", "y", "--setting", "zero-shot"), "--model-name, --setting: "),
        (("--trained-on", "train", "--data", "d"), "--data, --trained-on: "),
    ],
)
def test_what_stored_results_do_not_listen_to_is_wrong_usage(
    vle_eval, tmp_path, monkeypatch, options, told
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = vle_eval("vcr", "--split", "val", *options)
    assert ran.code == 2
    assert ran.err.startswith(f"{told}without --predictions or --model, what is stored is scored")
    assert list(tmp_path.iterdir()) == []


def test_what_a_run_says_of_itself_stays_and_speaks_against_published_scores(
    vle_eval, world
) -> None:
    """Setting and training splits decide what is comparable, today as when it was stored."""
    given = ("--annotations", world / "val.jsonl", "--predictions", world / "p.jsonl")
    said = ("--setting", "zero-shot", *("--trained-on", "val") * 2, "--trained-on", "train")
    ran = vle_eval("vcr", *given, *said, "--results", world / "results", "--json")
    (fresh,) = vle_eval(
        "vcr", "--split", "val", "--dataset", "vcr", "--results", world / "results", "--json"
    ).document["results"]
    for document in (ran.document, fresh):
        assert (document["setting"], document["trained_on"]) == ("zero-shot", ["train", "val"])
        reasons = "; ".join(row["why"] for row in document["published"])
        assert "setting: finetuned, ours is zero-shot" in reasons
        assert "ours was trained on val" in reasons
    assert fresh["published"] == ran.document["published"]


def test_changed_references_and_scores_are_named(vle_eval, world, stored) -> None:
    lines = (world / "val.jsonl").read_text().replace('"answer_label": 0', '"answer_label": 3')
    (world / "val.jsonl").write_text(lines)
    kept = {path.name: path.read_bytes() for path in stored.iterdir()}
    ran = vle_eval("vcr", "--split", "val", "--results", world / "results")
    assert ran.code == 0
    assert f"the references {world}/val.jsonl are not those it was stored with" in ran.err
    assert "q2a was 50.0000 when stored, is 25.0000 now." in ran.err
    assert {path.name: path.read_bytes() for path in stored.iterdir()} == kept


def test_references_that_are_gone_are_told_and_the_rest_is_shown(vle_eval, world, stored) -> None:
    other = world / "other.jsonl"
    other.write_bytes((world / "val.jsonl").read_bytes())
    vle_eval(
        "vcr", "--annotations", other, "--predictions", world / "p.jsonl",
        "--model-name", "other", "--resamples", 0, "--results", world / "results",
    )  # fmt: skip
    (world / "val.jsonl").unlink()
    ran = vle_eval("vcr", "--split", "val", "--results", world / "results")
    assert ran.code == 3
    assert "**other**" in ran.out
    assert "Not scored again:" in ran.err
    assert "score the predictions.jsonl of its folder against them, with --model-name." in ran.err
    assert str(stored) in ran.err


def test_an_empty_store_says_how_to_get_a_result(vle_eval, tmp_path: Path) -> None:
    ran = vle_eval("vcr", "--split", "dev", "--results", tmp_path / "none")
    assert ran.code == 3
    assert ran.err == (
        f"{tmp_path}/none: no stored result of vcr on any dataset, val.\n"
        f"Get one: vle-eval vcr --predictions P ... --split val --results {tmp_path}/none, "
        "or --model baseline:constant instead of --predictions (or run `make demo`).\n"
    )


def test_only_the_dataset_that_was_asked_for(vle_eval, world, stored) -> None:
    ran = vle_eval("vcr", "--split", "dev", "--dataset", "gd-vcr", "--results", world / "results")
    assert ran.code == 3
    assert "no stored result of vcr gd-vcr, val." in ran.err
