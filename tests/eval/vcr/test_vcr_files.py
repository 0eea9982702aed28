"""VCR from files: every accepted form gives the same score, every wrong one says what is wrong."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

WORLD = {"q2a": 50.0, "qa2r": 75.0, "q2ar": 25.0}
COLUMNS = [
    "annot_id",
    *(f"answer_{i}" for i in range(4)),
    *(f"rationale_conditioned_on_a{j}_{i}" for j in range(4) for i in range(4)),
]


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def leaderboard_csv(path: Path, rows: list[dict[str, Any]], labels: list[int]) -> Path:
    """The reasons stand in the block of the right answer; the other blocks would give others."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(COLUMNS)
        for row, label in zip(rows, labels, strict=True):
            wrong = [-score for score in row["qa2r"]]
            blocks = [row["qa2r"] if j == label else wrong for j in range(4)]
            table.writerow([row["annot_id"], *row["q2a"], *(s for block in blocks for s in block)])
    return path


@pytest.fixture
def score(vle_eval, world):
    def call(*args: object, references: str = "val.jsonl"):
        return vle_eval(
            "vcr", "--annotations", world / references, "--resamples", 50, "--json", *args
        )

    return call


def test_jsonl_of_known_scores(score, world) -> None:
    ran = score("--predictions", world / "p.jsonl")
    assert ran.values == WORLD
    assert ran.document["split"] == "val"
    assert ran.document["dataset"] == "vcr"
    assert ran.document["model"] == "p"
    assert ran.document["signature"].startswith(
        "vcr|data:vcr|split:val|n:4|protocol:joint|missing:error|ci:image-50-s0|v:"
    )
    assert "Tied maxima, where the first choice wins: 1 items in Q2A, 1 in QA2R." in ran.err


@pytest.mark.parametrize(
    ("ids", "split"),
    [
        (["val-0", "val-1", "val-2", "val-3"], "val"),
        (["val-0", "val-1", "train-2", "val-3"], ""),
        (["val", "val+1", "val-2", "val-3"], ""),  # what lies between them begins otherwise
        (["dev-0", "dev-1", "dev-2", "dev-3"], ""),
    ],
)
def test_the_split_is_what_every_id_begins_with(score, world, rows, ids, split) -> None:
    lines = [json.loads(line) for line in (world / "val.jsonl").read_text().splitlines()]
    for name, data in (("other.jsonl", lines), ("p.jsonl", rows)):
        write(world / name, [row | {"annot_id": one} for row, one in zip(data, ids, strict=True)])
    ran = score("--predictions", world / "p.jsonl", references="other.jsonl")
    assert ran.values == WORLD
    assert ran.document["split"] == split


def test_reasons_count_in_the_block_of_the_right_answer(score, world, rows) -> None:
    path = leaderboard_csv(world / "p.csv", rows, [0, 1, 2, 3])
    assert score("--predictions", path).values == WORLD


def test_rows_in_another_order_and_more_columns_change_nothing(score, world, rows) -> None:
    rows = [{**row, "comment": "x"} for row in reversed(rows)]
    assert score("--predictions", write(world / "q.jsonl", rows)).values == WORLD


def test_two_arrays_are_taken_in_the_order_of_the_file(score, world, rows) -> None:
    for name in ("q2a", "qa2r"):
        np.save(world / f"{name}.npy", np.array([row[name] for row in rows], dtype=np.float32))
    ran = score("--predictions", f"{world}/q2a.npy,{world}/qa2r.npy")
    assert ran.values == WORLD
    assert set(ran.document["stamp"]["inputs"]) == {
        "annotations",
        "predictions[q2a]",
        "predictions[qa2r]",
    }


def test_parquet_gzip_zstd_and_a_json_list_are_the_same(score, world, rows) -> None:
    pq.write_table(pa.Table.from_pylist(rows), world / "p.parquet")
    text = json.dumps(rows).encode()
    (world / "p.json").write_bytes(text)
    (world / "p.json.gz").write_bytes(gzip.compress(text))
    with pa.output_stream(str(world / "p.zst"), compression="zstd") as stream:
        stream.write((world / "p.jsonl").read_bytes())
    for name in ("p.parquet", "p.json", "p.json.gz", "p.zst"):
        ran = score("--predictions", world / name)
        assert ran.values == WORLD, name
        assert ran.document["model"] == "p"


def test_integer_ids_and_digit_texts_are_the_same_id(vle_eval, tmp_path) -> None:
    line = {"annot_id": 7, "img_id": 1, "answer_label": 1, "rationale_label": 1}
    row = {"annot_id": "7", "q2a": [0, 1, 0, 0], "qa2r": [0, 1, 0, 0]}
    ran = vle_eval(
        "vcr", "--json", "--annotations", write(tmp_path / "r.jsonl", [line]),
        "--predictions", write(tmp_path / "p.jsonl", [row]),
    )  # fmt: skip
    assert ran.values == {"q2a": 100.0, "qa2r": 100.0, "q2ar": 100.0}
    assert ran.document["split"] == ""
    assert ran.document["metrics"]["q2a"]["low"] is None


def test_an_integer_and_its_digits_are_one_picture(vle_eval, tmp_path) -> None:
    lines = [
        {"annot_id": f"val-{at}", "img_id": image, "answer_label": 0, "rationale_label": 0}
        for at, image in enumerate((1, "1"))
    ]
    ran = vle_eval(
        "vcr", "--json", "--annotations", write(tmp_path / "r.jsonl", lines),
        "--model", "baseline:constant", "--out", tmp_path / "out",
    )  # fmt: skip
    assert ran.document["metrics"]["q2a"]["low"] is None
    assert pq.read_table(tmp_path / "out" / "items.parquet")["image_id"].to_pylist() == ["1", "1"]


def test_missing_predictions_stop_the_run_or_count_as_wrong(score, world, rows) -> None:
    path = write(world / "few.jsonl", rows[1:])
    ran = score("--predictions", path)
    assert ran.code == 3
    assert ran.err == (
        f"{path}: 1 of 4 annot_id without prediction: val-0. "
        "Predict them, or count them as wrong with --missing zero.\n"
    )
    ran = score("--predictions", path, "--missing", "zero")
    assert ran.values == {"q2a": 25.0, "qa2r": 50.0, "q2ar": 0.0}
    assert "|missing:zero|" in ran.document["signature"]
    tied = "Tied maxima, where the first choice wins: 1 items in Q2A, 1 in QA2R."
    assert tied in ran.document["notes"], "what was not predicted is no tie"
    assert "1 of 4 items have no prediction and count as wrong" in ran.document["notes"][-1]


def test_duplicate_and_foreign_ids_are_named_with_their_lines(score, world, rows) -> None:
    rows += [rows[0], {**rows[1], "annot_id": "val-99"}]
    path = write(world / "bad.jsonl", rows)
    ran = score("--predictions", path)
    assert ran.code == 3
    assert ran.err == (
        f"{path}: 1 annot_id more than once: val-0 (line 1 and line 5). "
        "Keep one prediction each.\n"
        f"{path}: 1 annot_id not among the references: val-99 (line 6). "
        "Predict for the references given, and nothing else.\n"
    )


def test_ten_ids_are_named_and_the_rest_counted(vle_eval, world, tmp_path, rows) -> None:
    lines = [
        {"annot_id": f"val-{at}", "img_id": "a", "answer_label": 0, "rationale_label": 0}
        for at in range(16)
    ]
    many = write(tmp_path / "many.jsonl", lines)
    ran = vle_eval("vcr", "--annotations", many, "--predictions", world / "p.jsonl")
    assert ran.code == 3
    assert "12 of 16 annot_id without prediction: val-4, val-5," in ran.err
    assert "val-13, ... and 2 more." in ran.err
    assert "val-14" not in ran.err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"q2a": [1, 2, 3]}, "p2.jsonl:1: q2a must be a list of 4 scores, found 3 of them"),
        ({"q2a": None}, "p2.jsonl:1: q2a must be a list of 4 scores, found None"),
        ({"qa2r": [1, 2, 3, "x"]}, "p2.jsonl:1: qa2r[3] is 'x', a number was expected"),
        ({"qa2r": [1, 2, True, 3]}, "p2.jsonl:1: qa2r[2] is True, a number was expected"),
        ({"q2a": ["inf", 2, 3, 4]}, "p2.jsonl:1: q2a[0] is inf, a finite number was expected"),
        ({"annot_id": 1.5}, "p2.jsonl:1: 1.5 is no id"),
        ({"qa2r": ...}, "p2.jsonl:1: qa2r must be a list of 4 scores, found None"),
        ({"q2a": ...}, "p2.jsonl:1: q2a must be a list of 4 scores, found None"),
    ],
)
def test_wrong_scores_are_told_with_their_place(score, world, rows, change, told) -> None:
    first = {key: value for key, value in {**rows[0], **change}.items() if value is not ...}
    path = write(world / "p2.jsonl", [first, *rows[1:]])
    ran = score("--predictions", path)
    assert ran.code == 3
    assert told in ran.err
    assert "Traceback" not in ran.err


def test_nan_is_no_json_and_no_score(score, world) -> None:
    bad = (world / "p.jsonl").read_text().replace("[9,", "[NaN,", 1)
    (world / "nan.jsonl").write_text(bad)
    ran = score("--predictions", world / "nan.jsonl")
    assert ran.code == 3
    assert "NaN" in ran.err
    assert "nan.jsonl:1:" in ran.err


def test_nan_and_absent_columns_in_csv(score, world, rows) -> None:
    path = leaderboard_csv(world / "p.csv", rows, [0, 1, 2, 3])
    text = path.read_text()
    path.write_text(text.replace("val-2,5", "val-2,nan"))
    ran = score("--predictions", path)
    assert ran.code == 3
    assert f"{path}:4: answer_0 is nan, a finite number was expected" in ran.err
    path.write_text(text.replace("answer_3", "answer_4", 1))
    ran = score("--predictions", path)
    assert ran.code == 3
    assert f"{path}:2: no answer_3" in ran.err
    path.write_text(text.replace("val-2,5", "val-2,1_5"))
    assert "answer_0 is '1_5', a number was expected" in score("--predictions", path).err


def test_no_table_is_no_set_of_missing_predictions(score, world) -> None:
    (world / "p.csv").write_text("<html>moved, permanently</html>\n")
    ran = score("--predictions", world / "p.csv", "--missing", "zero")
    assert ran.code == 3
    assert "p.csv:1: no column annot_id; the line begins '<html>moved" in ran.err


def test_arrays_of_another_shape_or_with_nan_are_refused(score, world) -> None:
    good, bad = np.zeros((4, 4)), np.zeros((5, 4))
    np.save(world / "good.npy", good)
    np.save(world / "bad.npy", bad)
    ran = score("--predictions", f"{world}/good.npy,{world}/bad.npy")
    assert ran.code == 3
    assert "bad.npy: shape [5, 4] of float64, [4, 4] numbers were expected" in ran.err
    good[2, 1] = np.inf
    np.save(world / "inf.npy", good)
    ran = score("--predictions", f"{world}/inf.npy,{world}/good.npy")
    assert ran.code == 3
    assert "inf.npy: scores that are not finite: [2, 1] is inf." in ran.err
    np.save(world / "big.npy", np.arange(16).reshape(4, 4) + 2**53)
    ran = score("--predictions", f"{world}/big.npy,{world}/good.npy")
    assert ran.code == 3
    assert "big.npy: int64 numbers that 64-bit floats do not hold" in ran.err
    ran = score("--predictions", world / "good.npy")
    assert ran.code == 3
    assert "expected two arrays Q2A.npy,QA2R.npy" in ran.err


def test_a_comma_in_a_file_name_is_a_comma(score, world) -> None:
    (world / "a,b.jsonl").write_bytes((world / "p.jsonl").read_bytes())
    assert score("--predictions", world / "a,b.jsonl").values == WORLD


def test_references_without_labels_say_that_the_test_split_has_none(vle_eval, world) -> None:
    path = write(world / "test.jsonl", [{"annot_id": "test-0", "img_id": "test-0"}])
    ran = vle_eval("vcr", "--annotations", path, "--predictions", world / "p.jsonl")
    assert ran.code == 3
    assert f"{path}:1: Object missing required field `answer_label`" in ran.err
    assert "the test split comes without labels" in ran.err


def test_references_that_are_wrong_are_told(vle_eval, world) -> None:
    good = {"annot_id": "val-0", "img_id": "a", "answer_label": 0, "rationale_label": 0}
    cases = {
        "twice": ([good, good], "1 annot_id more than once: val-0"),
        "range": ([{**good, "answer_label": 4}], "$.answer_label"),
        "picture": ([{"annot_id": "v", "answer_label": 0, "rationale_label": 0}],
                    "neither img_id nor img_fn"),
        "empty": ([{**good, "img_id": ""}], "'' is no id"),
        "nameless": ([{**good, "annot_id": ""}], "'' is no id"),
        "array": ([good, [1, 2]], "array.jsonl:2: Expected `object`, got `array`"),
        "text": ([{**good, "answer_label": "0"}], "Expected `int`, got `str`"),
    }  # fmt: skip
    for name, (rows, told) in cases.items():
        path = write(world / f"{name}.jsonl", rows)
        ran = vle_eval("vcr", "--annotations", path, "--predictions", world / "p.jsonl")
        assert ran.code == 3, name
        assert told in ran.err, name
    (world / "none.json").write_text("[]")
    ran = vle_eval("vcr", "--annotations", world / "none.json", "--predictions", world / "p.jsonl")
    assert ran.code == 3
    assert "no references in it" in ran.err
    (world / "deep.jsonl").write_text('{"region": ' + "[" * 100_000)
    ran = vle_eval("vcr", "--annotations", world / "deep.jsonl", "--predictions", world / "p.jsonl")
    assert ran.code == 3
    assert "nested too deeply" in ran.err


def test_nothing_to_score_is_a_wrong_usage(vle_eval, world) -> None:
    ran = vle_eval("vcr", "--annotations", world / "val.jsonl")
    assert ran.code == 2
    assert ran.err == "Nothing to score. Give --predictions P or --model baseline:NAME.\n"
    ran = vle_eval("vcr", "--predictions", world / "p.jsonl")
    assert ran.code == 2
    assert ran.err == "No references. Give --annotations val.jsonl, or --split with --data.\n"
    ran = vle_eval("vcr", "--predictions", world / "p.jsonl", "--split", "dev", "--data", world)
    assert ran.code == 3
    assert f"{world}/vcr/val: no VCR shards to take references from" in ran.err
    ran = vle_eval(
        "vcr", "--annotations", world / "val.jsonl", "--predictions", world / "p.jsonl",
        "--predictions", world / "p.jsonl", "--predictions", world / "p.jsonl",
    )  # fmt: skip
    assert ran.code == 2
    assert "3 files" in ran.err


def test_a_named_split_must_be_whole_and_an_unnamed_part_is_noted(score, world) -> None:
    ran = score("--predictions", world / "p.jsonl", "--split", "dev")
    assert ran.code == 3
    assert "4 questions, 26,534 were expected of vcr val" in ran.err
    ran = score("--predictions", world / "p.jsonl")
    assert "Scored on 4 of 26,534 questions of vcr val." in ran.document["notes"][0]
    ran = score("--predictions", world / "p.jsonl", "--split", "dev", "--dataset", "gd-vcr")
    assert (ran.document["dataset"], ran.document["split"]) == ("gd-vcr", "val")


def test_sample_references_are_marked_and_not_counted(score, world) -> None:
    (world / "sample_world.json").write_text("{}")
    ran = score("--predictions", world / "p.jsonl", "--split", "dev")
    assert ran.document["sample"] is True
    assert not any("whole" in note for note in ran.document["notes"])
