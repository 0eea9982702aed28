"""Items of VCR, retrieval, grounding: the row, its prediction, picks, ties, what stands above."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import vle_bench.manifests
from vle_bench.canonical import sha256_file
from vle_bench.eval.facts.read import facts_of

GOLDEN = Path(vle_bench.manifests.__file__).parent / "golden"


@pytest.fixture
def vcr(vle_eval, tmp_path: Path) -> Path:
    row = {
        "annot_id": "val-0",
        "img_fn": "a/b.jpg",
        "answer_label": 2,
        "rationale_label": 0,
        "objects": ["dog", "person"],
        "question": ["Why", "does", [1], "run", "?"],
        "answer_choices": [["No"], ["Yes"], [[0], "barks"], ["Home"]],
    }
    (tmp_path / "val.jsonl").write_text(json.dumps(row) + "\n")
    scores = {"annot_id": "val-0", "q2a": [0.1, 0.4, 0.4, 0.1], "qa2r": [0.7, 0.1, 0.1, 0.1]}
    (tmp_path / "p.jsonl").write_text(json.dumps(scores) + "\n")
    ran = vle_eval(
        "vcr", "--annotations", tmp_path / "val.jsonl", "--predictions", tmp_path / "p.jsonl",
        "--resamples", 0, "--out", tmp_path / "out",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    return tmp_path / "out"


def test_vcr_shows_the_picks_and_that_the_first_of_tied_choices_counts(vle_eval, vcr):
    found = vle_eval("explain", vcr, "--id", "val-0", "--json").document
    (item,) = found["items"]
    assert item["picks"] == {"q2a": [1, 2], "qa2r": [0, 1]}
    assert [item["columns"][name] for name in ("q2a", "qa2r", "q2ar")] == [False, True, False]
    text = " ".join(vle_eval("explain", vcr, "--id", "val-0").out.split())
    assert "pick of q2a 1, tied with 1 more: the first counts" in text


def test_vcr_shows_what_was_asked_and_what_is_right(vle_eval, vcr):
    (item,) = vle_eval("explain", vcr, "--id", "val-0", "--json").document["items"]
    assert item["question"] == "Why does [person 2] run ?"
    assert item["right"] == ["answer 2: [dog 1] barks", "reason 0"]
    text = " ".join(vle_eval("explain", vcr, "--id", "val-0").out.split())
    assert "right answer 2: [dog 1] barks right reason 0" in text


def test_references_that_changed_are_not_taken_for_what_is_right(vle_eval, vcr):
    (vcr.parent / "val.jsonl").write_text('{"annot_id": "val-0", "answer_label": 1}\n')
    found = vle_eval("explain", vcr, "--id", "val-0", "--json").document
    assert found["items"][0]["right"] == []
    assert "right answers are not shown" in found["notes"][0]


def test_references_that_were_written_to_break_us_are_no_traceback(vle_eval, vcr):
    """A stranger's result may name any file, and its digest too."""
    path = vcr.parent / "val.jsonl"
    path.write_text('{"annot_id": "val-0", "answer_label": 9, "rationale_label": -1}\n')
    document = json.loads((vcr / "result.json").read_text())
    document["references"]["sha256"] = sha256_file(path)
    (vcr / "result.json").write_text(json.dumps(document))
    ran = vle_eval("explain", vcr, "--id", "val-0", "--json")
    assert (ran.code, ran.document["items"][0]["right"]) == (0, [])
    assert "right answers are not shown" in ran.document["notes"][0]


@pytest.mark.parametrize("task", ["retrieval", "grounding-itm", "vcr", "grounding-mpc"])
def test_a_split_that_was_prepared_once_and_is_gone_is_told(make_document, task):
    data = str(GOLDEN / "grounding_captions" / "shards")
    request = {"data": data, "dataset": "coco", "split": "gone"}
    found = facts_of(make_document(task=task, request=request))
    assert found.note.startswith("Questions and right answers are not shown: ")
    assert "gone" in found.note


def test_retrieval_shows_what_a_list_has_above_the_first_right_picture(vle_eval, tmp_path):
    golden = GOLDEN / "retrieval"
    ran = vle_eval(
        "retrieval", "--texts", golden / "texts.jsonl",
        "--image-features", golden / "img_feat.jsonl",
        "--text-features", golden / "txt_feat.jsonl",
        "--resamples", 0, "--out", tmp_path / "out",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    seen = set()
    for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines():
        row = json.loads(line)
        one, ranked = (
            (row["text_id"], row["image_ids"])
            if "image_ids" in row
            else (row["image_id"], row["text_ids"])
        )
        found = vle_eval("explain", tmp_path / "out", "--id", one, "--json").document
        for item in found["items"]:
            rank = item["columns"]["rank"]
            right = [name.partition(":")[0] for name in item["right"]]
            assert right
            if item["prediction"] == row and rank < len(ranked):
                places = [at for at, one_found in enumerate(ranked) if str(one_found) in right]
                assert places[0] == rank
            if item["prediction"] == row and 0 < rank < len(ranked):
                text = " ".join(vle_eval("explain", tmp_path / "out", "--id", one).out.split())
                above = ", ".join(map(str, ranked[: int(rank)]))
                assert f"stands above {above}" in text
                seen.add(one)
    assert seen


def test_an_id_that_no_row_has_is_named_with_those_there(vle_eval, vcr):
    ran = vle_eval("explain", vcr, "--id", "val-1")
    assert ran.code == 3
    assert "no item 'val-1' among 1. There are: val-0." in ran.err


def test_a_prediction_that_is_not_there_is_said_to_be_missing(vle_eval, vcr):
    (vcr / "predictions.jsonl").write_text('{"annot_id": "val-9"}\n')
    assert "nothing stored under this id" in vle_eval("explain", vcr, "--id", "val-0").out


@pytest.mark.parametrize(
    ("case", "options", "one", "told"),
    [
        (
            "grounding",
            ("--dataset", "vg", "--split", "train", "--predictions", "predictions.jsonl",
             "--geometry", "stretch", "--image-size", 32, "--patch-size", 8),
            "vg-1 11",
            ("predicted query_id 11 predicted scores 0.125, 0.125, 0.875, 0.5, 0.625, 0.625, "
            "0.75, 0.0, 0.5, 0.125, ... and 6 more pick of scores 11"),
        ),
        (
            "grounding_mpc",
            ("--dataset", "coco", "--split", "val", "--predictions", "guesses.csv"),
            "coco-1 2",
            "predicted box_id 2 predicted key coco-1 predicted label_ids 1, 2, 3, 4, 0",
        ),
        ("grounding_itm", ("--predictions", "pairs.csv"), "1 20", "predicted score 0.5"),
        (
            "grounding_detection",
            ("--dataset", "coco", "--split", "val", "--detections", "detections.json"),
            "18",
            "predicted results 4",
        ),
    ],
)  # fmt: skip
def test_grounding_shows_what_was_predicted(vle_eval, tmp_path, case, options, one, told):
    golden = GOLDEN / case
    named = [golden / word if (golden / str(word)).is_file() else word for word in options]
    data = ("--data", golden / "shards") if (golden / "shards").is_dir() else ()
    out = tmp_path / "out"
    ran = vle_eval("grounding", *data, *named, "--resamples", 0, "--out", out)
    assert ran.code == 0, ran.err
    assert told in " ".join(vle_eval("explain", out, "--id", one).out.split())
