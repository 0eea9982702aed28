"""Files that come in every shape, and what is said about the broken ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from vqa_world import Ran, annotation_file, prediction_file, question, write

ANSWERS = {1000: "Yes", 1001: "Two", 2000: "red", 3000: "Cat."}
SCORES = {"accuracy": 62.5, "accuracy[yes/no]": 0.0, "accuracy[number]": 100.0}
EXPECTED = 'Expected VQA predictions: a list of {"question_id": 42, "answer": "yes"}.'


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
    # 1000.5 must stay a number: JSON objects would make its key a text.
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


def test_missing_zero_scores_nothing_and_says_so(score, world):
    prediction_file(world / "p.json", {2000: "red"})
    document = score("--missing", "zero").document
    assert document["metrics"]["accuracy"] == {"value": 15.0, "n": 4, "low": None, "high": None}
    assert "|missing:zero|" in document["signature"]
    assert "3 of 4 questions have no prediction and score 0." in document["notes"]


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
        (b"id,text\n1,x\n", f"p.json:2: no question_id; found id, text.\n{EXPECTED}\n"),
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
    ("document", "message"),
    [
        ([], "a.json: Expected `object`, got `array`."),
        ({}, "a.json: Object missing required field `annotations`."),
        ({"annotations": []}, "a.json: holds no question. Give a file of annotated questions."),
        (
            {"annotations": [question(1000, ["x"]), question("1000", ["x"])]},
            (
                "a.json: 1 question_id more than once: 1000 (annotation 1 and annotation 2). "
                "References must have one row each."
            ),
        ),
        (
            {"annotations": [question(1000, ["x"]), question(2000, [])]},
            (
                "a.json: 1 of 2 questions have no answers: 2000. "
                "A test split hides its answers and is scored by the official server only."
            ),
        ),
        (
            {"annotations": [{**question(1000, ["x"]), "image_id": ""}]},
            "a.json: image_id is empty: annotation 1. An id is an integer or a text.",
        ),
        (
            {"annotations": [{**question(1000, ["x"]), "question_id": 1.0}]},
            "a.json: Expected `int | str`, got `float` - at `$.annotations[0].question_id`.",
        ),
        (
            {"annotations": [{**question(1000, ["x"]), "answers": [{"answer": None}]}]},
            "a.json: Expected `str`, got `null` - at `$.annotations[0].answers[0].answer`.",
        ),
    ],
)
def test_broken_annotations_end_with_a_sentence(document, message, score, world):
    write(world / "a.json", document)
    ran = score()
    assert ran.code == 3
    assert ran.err.startswith(message)
    assert ran.err.count("\n") == 1


def test_a_path_that_does_not_exist_is_missing_data(score):
    ran = score(annotations="nothere.json")
    assert ran.code == 3
    assert ran.err == (
        "nothere.json: a file of VQA annotations expected, found nothing there. Check the path.\n"
    )


def test_a_hundred_thousand_fold_nesting_is_refused(score, world):
    (world / "a.json").write_text('{"annotations": [], "info": {"description": ' + "[" * 100_000)
    ran = score()
    assert ran.code == 3
    assert "nested too deeply" in ran.err


@pytest.mark.parametrize(
    ("more", "data", "split"),
    [
        ({}, "vqav2", "valtiny"),
        ({"data_subtype": "val2014"}, "vqav2", "val"),
        ({"data_subtype": "train2014", "info": {"version": 1.0}}, "vqav1", "train"),
        ({"data_type": "abstract_v002", "data_subtype": "val2015"}, "abstract_v002", "val2015"),
        ({"data_type": "", "data_subtype": "", "info": {}}, "vqa", ""),
    ],
)
def test_dataset_and_split_are_what_the_file_says(more, data, split, score, world):
    annotation_file(world / "a.json", [question(key, ["x"]) for key in ANSWERS], **more)
    document = score().document
    assert (document["dataset"], document["split"]) == (data, split)


def test_the_user_may_name_dataset_and_split(score):
    document = score("--dataset", "my-vqa", "--split", "dev").document
    assert (document["dataset"], document["split"]) == ("my-vqa", "val")


def test_a_named_split_of_a_known_dataset_must_be_whole(score):
    ran = score("--split", "val")
    assert ran.code == 3
    assert ran.err.startswith("a.json: 4 questions, 214,354 were expected of vqav2 val")


def test_sample_references_may_have_any_size(score, world):
    (world / "sample_world.json").write_text("{}")
    document = score("--split", "val").document
    assert document["sample"] is True
    assert document["split"] == "val"


def questions(world: Path, *entries: tuple[int, int]) -> None:
    made = [
        {"question_id": key, "image_id": image, "question": f"What is {key}?"}
        for key, image in entries
    ]
    write(world / "q.json", {"questions": made})


def test_a_questions_file_adds_texts_and_may_hold_more(score, world):
    questions(world, (3000, 3), (2000, 2), (1001, 1), (1000, 1), (4000, 4))
    ran = score("--questions", "q.json", "--out", "out")
    assert "1 more questions in q.json are not annotated." in ran.document["notes"]
    assert sorted(ran.document["stamp"]["inputs"]) == ["annotations", "predictions", "questions"]
    table = pq.read_table(world / "out" / "items.parquet").to_pydict()
    assert table["question"][0] == "What is 1000?"


def test_a_questions_file_of_something_else_is_refused(score, world):
    questions(world, (1000, 7), (1001, 1), (2000, 2))
    ran = score("--questions", "q.json")
    assert ran.code == 3
    assert ran.err == (
        "q.json and a.json do not belong together:\n"
        "1 annotated questions are not there: 3000.\n"
        "1 questions are about another picture: 1000 (picture 7, annotated 1).\n"
        "Give the questions file of the same split.\n"
    )


def test_a_questions_file_with_a_question_twice_is_refused(score, world):
    questions(world, (1000, 1), (1000, 1))
    assert score("--questions", "q.json").err == (
        "q.json: 1 question ids stand more than once. Keep each question once.\n"
    )


def test_a_question_without_an_id_is_refused(score, world):
    write(world / "q.json", {"questions": [{"question_id": "", "image_id": 1, "question": ""}]})
    ran = score("--questions", "q.json")
    assert ran.code == 3
    assert ran.err.startswith("q.json: '' is no id: an integer or a non-empty text was expected.")


@pytest.mark.parametrize(
    "vocabulary",
    [
        ["yes", "red", "black"],
        {"yes": 0, "red": 2, "black": 1},
        {"0": "red", "2": "yes", "1": "black"},
    ],
    ids=["list", "answer2label", "label2answer"],
)
def test_every_form_of_a_vocabulary_is_read(vocabulary, score, world):
    write(world / "v.json", vocabulary)
    document = score("--protocol", "soft-label", "--vocabulary", "v.json").document
    assert document["metrics"]["accuracy"]["n"] == 2
    assert document["metrics"]["accuracy"]["value"] == pytest.approx(30)
    assert "|protocol:soft-label|labels:raw|vocabulary:3-" in document["signature"]
    assert "|dropped:2|" in document["signature"]
    assert (
        "2 of 4 questions have no answer in the vocabulary and are left out." in document["notes"]
    )


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        (["blue"], "a.json: none of the 4 questions has an answer in the vocabulary."),
        (["blue", "blue"], "v.json: answers that have two labels: 'blue'."),
        ({"a": 1, "b": 1}, "v.json: two answers share a label."),
        ({"a": "x"}, "v.json: neither labels nor answers are numbers."),
        ([], "v.json: holds no answer."),
        ({}, "v.json: holds no answer."),
        ([1], "v.json: Expected `str`, got `int` - at `$[0]`."),
    ],
)
def test_a_broken_vocabulary_ends_with_a_sentence(vocabulary, message, score, world):
    write(world / "v.json", vocabulary)
    ran = score("--protocol", "soft-label", "--vocabulary", "v.json")
    assert ran.code == 3
    assert ran.err.startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--predictions", "p.json"],
            (
                "No references. Give --annotations A.json, "
                "or --split S for prepared shards under --data."
            ),
        ),
        (
            ["--annotations", "a.json"],
            "Nothing to score. Give --predictions P or --model baseline:NAME.",
        ),
        (
            ["--annotations", "a.json", "--predictions", "p.json", "--predictions", "p.json"],
            "2 files of predictions. Give one; join parts beforehand.",
        ),
        (
            ["--questions", "q.json", "--split", "val", "--predictions", "p.json"],
            "--questions adds to --annotations: give both, or neither.",
        ),
        (
            ["--annotations", "a.json", "--predictions", "p.json", "--protocol", "soft-label"],
            "--protocol soft-label scores labels. Give --vocabulary V.",
        ),
        (
            ["--annotations", "a.json", "--model", "baseline:oracle"],
            "baseline:oracle picks from a vocabulary. Give --vocabulary V.",
        ),
        (
            ["--annotations", "a.json", "--model", "baseline:human"],
            (
                "--model baseline:human: no such predictor of vqa. "
                "Known: baseline:prior, baseline:annotator, baseline:oracle."
            ),
        ),
    ],
)
def test_options_that_do_not_fit_together_are_wrong_usage(
    arguments, message, vle_eval, world, monkeypatch
):
    monkeypatch.chdir(world)
    ran = vle_eval("vqa", *arguments)
    assert (ran.code, ran.out, ran.err) == (2, "", message + "\n")
