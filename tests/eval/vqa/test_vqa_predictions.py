"""Predictions that come in every shape, and what is said about the broken ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from vqa_world import annotation_file, prediction_file, question, write

from vle_bench.eval.vqa import predictions

ANSWERS = {1000: "Yes", 1001: "Two", 2000: "red", 3000: "Cat."}
SCORES = {"accuracy": 62.5, "accuracy[yes/no]": 0.0, "accuracy[number]": 100.0}
EXPECTED = 'Expected VQA predictions: a list of {"question_id": 42, "answer": "yes"}.'


def rows(answers: dict[Any, Any]) -> list[dict[str, Any]]:
    return [{"question_id": key, "answer": answer} for key, answer in answers.items()]


def as_jsonl(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(ANSWERS)))


def as_text_ids(path: Path) -> None:
    write(path, rows({str(key): answer for key, answer in ANSWERS.items()}))


def as_csv(path: Path) -> None:
    lines = [f"{key},{answer},0.5" for key, answer in ANSWERS.items()]
    path.write_text("\n".join(["question_id,answer,confidence", *lines]) + "\n")


def as_tsv(path: Path) -> None:
    path.write_text("question_id\tanswer\n" + "".join(f"{k}\t{v}\n" for k, v in ANSWERS.items()))


def as_parquet(path: Path) -> None:
    pq.write_table(pa.table({"question_id": list(ANSWERS), "answer": list(ANSWERS.values())}), path)


def as_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(json.dumps(rows(ANSWERS)).encode()))


def as_zstd(path: Path) -> None:
    with pa.CompressedOutputStream(str(path), "zstd") as stream:
        stream.write(json.dumps(rows(ANSWERS)).encode())


@pytest.mark.parametrize(
    "form", [as_jsonl, as_text_ids, as_csv, as_tsv, as_parquet, as_gzip, as_zstd]
)
def test_predictions_are_told_apart_by_content(form, score, world):
    form(world / "p.any")
    found = score(predictions="p.any").values
    assert {name: found[name] for name in SCORES} == pytest.approx(SCORES)


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_is_text_whatever_it_looks_like(packed, score, world):
    texts = ["None", "n/a", "", "NaN", "[1]", "1e5"]
    entries = [question(1000 * place, [text] * 10) for place, text in enumerate(texts, 1)]
    annotation_file(world / "a.json", entries)
    answers = {entry["question_id"]: text for entry, text in zip(entries, texts, strict=True)}
    if packed:
        lines = [f"{key},{text}" for key, text in answers.items()]
        (world / "p.json").write_text("\n".join(["question_id,answer", *lines]) + "\n")
    else:
        prediction_file(world / "p.json", answers)
    assert score().values["accuracy"] == 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda made: made[:1],
            (
                "p.json: 3 of 4 question_id without prediction: 1001, 2000, 3000. "
                "Predict them, or count them as wrong with --missing zero.\n"
            ),
        ),
        (
            lambda made: [*made, made[0]],
            (
                "p.json: 1 question_id more than once: 1000 (record 1 and record 5). "
                "Keep one prediction each.\n"
            ),
        ),
        (
            lambda made: [*made, *rows({9: "x"})],
            (
                "p.json: 1 question_id not among the references: 9 (record 5). "
                "Predict for the references given, and nothing else.\n"
            ),
        ),
        (
            lambda made: [*made[1:], *rows({1000: 2})],
            (
                "p.json: record 4: the answer of question 1000 is the number 2, "
                "a text was expected.\n"
                f"{EXPECTED}\n"
            ),
        ),
        (
            lambda made: [*made[2:], *rows({1000: None, 1001: True})],
            (
                "p.json: record 3: the answer of question 1000 is null, a text was expected.\n"
                "p.json: record 4: the answer of question 1001 is true, a text was expected.\n"
                f"{EXPECTED}\n"
            ),
        ),
        (
            lambda made: [*made[2:], *rows({1000: ["yes"]}), {"question_id": 1001}],
            (
                "p.json: record 3: the answer of question 1000 is a list, a text was expected.\n"
                "p.json: record 4: no answer; found question_id.\n"
                f"{EXPECTED}\n"
            ),
        ),
        (
            lambda made: [*made[1:], *rows({1000.5: "yes"}), {"answer": "x"}],
            (
                "p.json: record 4: 1000.5 is no id: an integer or a non-empty text was expected.\n"
                "p.json: record 5: no question_id; found answer.\n"
                f"{EXPECTED}\n"
            ),
        ),
    ],
    ids=["missing", "twice", "foreign", "number", "null", "list", "no id"],
)
def test_wrong_predictions_are_named(change, message, score, world):
    made = change(rows(ANSWERS))
    write(world / "p.json", made)
    ran = score()
    assert (ran.code, ran.out, ran.err) == (3, "", message)


def test_up_to_ten_ids_are_named(score, world):
    write(world / "p.json", rows({**ANSWERS, **dict.fromkeys(range(12), "x")}))
    assert score().err == (
        "p.json: 12 question_id not among the references: "
        + ", ".join(f"{number} (record {number + 5})" for number in range(10))
        + ", ... and 2 more. Predict for the references given, and nothing else.\n"
    )


def test_an_integer_and_its_digits_are_the_same_question(score, world):
    write(world / "p.json", [*rows(ANSWERS), *rows({"1000": "no"})])
    assert "1000 (record 1 and record 5)" in score().err


@pytest.mark.parametrize("given", ["1000.0", " 1000", "001000"])
def test_an_id_that_a_spreadsheet_rewrote_is_told_with_the_one_it_means(score, world, given):
    made = rows(ANSWERS)
    write(world / "p.json", [*rows({"7.0": "x", given: "no"}), *made[1:]])
    ran = score()
    assert (ran.code, ran.err.count("\n")) == (3, 3)
    assert f"ids are compared as they are written: '{given}' is not '1000'." in ran.err


def test_missing_zero_scores_nothing_and_says_so(score, world):
    prediction_file(world / "p.json", {2000: "red"})
    document = score("--missing", "zero").document
    assert document["metrics"]["accuracy"] == {"value": 15.0, "n": 4, "low": None, "high": None}
    assert "|missing:zero|" in document["signature"]
    assert "3 of 4 questions have no prediction and score 0." in document["notes"]


def test_as_many_answers_as_questions_without_one_are_no_whole_file(score, world):
    write(world / "p.json", rows({1000: "no"}) * 3)
    ran = score("--missing", "zero")
    assert ran.code == 3
    assert "1000 (record 1 and record 2)" in ran.err


def test_an_official_file_needs_no_closer_look(score, world, monkeypatch):
    """Row by row takes many times as long, and only finds places for problems."""
    monkeypatch.delattr(predictions, "answers_by_id")
    assert score().document["metrics"]["accuracy"]["value"] == SCORES["accuracy"]
    prediction_file(world / "p.json", {2000: "red"})
    assert score("--missing", "zero").document["metrics"]["accuracy"]["value"] == 15.0


def test_missing_zero_still_refuses_foreign_ids(score, world):
    prediction_file(world / "p.json", {9: "red"})
    ran = score("--missing", "zero")
    assert (ran.code, ran.err.count("\n")) == (3, 1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "p.json: the file of VQA predictions is empty. Give a file with content.\n"),
        (
            b'[{"question_id": 1000, "answ',
            f"p.json: the JSON ends in the middle (truncated file?). {EXPECTED}\n",
        ),
        (b'{"question_id": 1000}', f"p.json:1: no answer; found question_id.\n{EXPECTED}\n"),
        (b"[[1]]", f"p.json: Expected `object`, got `array` - at `$[0]`. {EXPECTED}\n"),
        (b"[" * 100_000, f"p.json: Expected `object`, got `array` - at `$[0]`. {EXPECTED}\n"),
        (
            b"id,text\n1,x\n",
            f"p.json:1: no column question_id, answer; the line begins 'id,text'. {EXPECTED}\n",
        ),
        (
            b"question_id,answer\n1000\n",
            f"p.json:2: 1 fields, the header has 2. {EXPECTED}\n",
        ),
        (b'[{"question_id":1,"answer":' + b'{"a":' * 100_000, None),
        (b"\x1f\x8b\x08\x00damaged", None),
        (b"PAR1damaged", None),
        (b"\x93NUMPY", f"p.json: an array file, {EXPECTED[0].lower()}{EXPECTED[1:]}\n"),
    ],
    ids=["empty", "cut", "object", "array", "nested", "columns", "fields", "deep", "gzip",
         "parquet", "numpy"],
)  # fmt: skip
def test_broken_predictions_end_with_a_sentence(data, message, score, world):
    (world / "p.json").write_bytes(data)
    ran = score()
    assert ran.code == 3
    assert ran.out == ""
    assert 1 <= ran.err.count("\n") <= 10
    assert "Traceback" not in ran.err
    assert ran.err.startswith("p.json")
    if message is not None:
        assert ran.err == message


@pytest.mark.parametrize(
    "data", ["<html><body>404</body></html>", "null", "12", "<!DOCTYPE a, b>\n"]
)
def test_no_table_is_no_set_of_missing_predictions(data, score, world):
    (world / "p.json").write_text(data)
    ran = score("--missing", "zero")
    assert ran.code == 3
    assert "no column question_id, answer" in ran.err


def test_a_long_id_is_cut_in_the_message(score, world):
    (world / "p.json").write_text(json.dumps(rows({"x" * 100_000: "yes"})))
    ran = score()
    assert ran.code == 3
    assert f"not among the references: {'x' * 80}... (record 1)." in ran.err
