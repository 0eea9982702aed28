"""Annotations, questions and vocabularies as they come, and what is said about broken ones."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from vqa_world import annotation_file, question, write

IDS = (1000, 1001, 2000, 3000)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "a.json: holds no question. Give a file of annotated questions."),
        ([question(1000, ["x"])], "a.json: Object missing required field `image` - at `$[0]`."),
        ({"data": [{"question_id": 1}]}, "a.json: Object missing required field `image_id`"),
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
            {"annotations": [question(1000, ["x"]), question("", ["x"])]},
            "a.json: question_id is empty: annotation 2. An id is an integer or a text.",
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
    annotation_file(world / "a.json", [question(key, ["x"]) for key in IDS], **more)
    document = score().document
    assert (document["dataset"], document["split"]) == (data, split)


def test_the_user_may_name_dataset_and_split(score):
    document = score("--dataset", "my-vqa", "--split", "dev").document
    assert (document["dataset"], document["split"]) == ("my-vqa", "val")


def test_a_named_split_of_a_known_dataset_must_be_whole(score):
    ran = score("--split", "val")
    assert ran.code == 3
    assert ran.err.startswith("a.json: 4 questions, 214,354 were expected of vqav2 val")


@pytest.mark.parametrize(
    ("dataset", "count"),
    [("vqav1", "121,512"), ("vizwiz", "4,319"), ("textvqa", "5,000"), ("okvqa", "5,046")],
)
def test_the_split_of_any_benchmark_with_a_manifest_must_be_whole(dataset, count, score):
    ran = score("--dataset", dataset, "--split", "val")
    assert ran.code == 3
    assert ran.err.startswith(f"a.json: 4 questions, {count} were expected of {dataset} val")
    part = score("--dataset", dataset).document
    assert part["dataset"] == dataset
    assert f"|data:{dataset}|" in part["signature"]


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
        ({"1" * 5000: "x"}, "v.json: neither labels nor answers are numbers."),
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
