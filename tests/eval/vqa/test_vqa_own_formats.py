"""TextVQA's and VizWiz's own files score as the same questions in the VQA format do."""

from __future__ import annotations

import pytest
from vqa_world import annotation_file, prediction_file, question, write

from vle_bench.eval.vqa.own_formats import vizwiz_split

PROTOCOLS = ("official", "lavis", "mmf")
ANSWERS = {
    34602: ["nokia", "Nokia", "nokia."] + ["unanswerable"] * 7,
    34603: ["10:20"] * 4 + ["10 20"] * 3 + ["a clock"] * 3,
}
GIVEN = {34602: "Nokia", 34603: "10 20"}


def picture(question_id: int) -> str:
    return f"VizWiz_val_{question_id:08d}.jpg"


@pytest.fixture
def vqa_format(world):
    """The questions in the VQA format, as people convert them: answers without ids."""
    questions = [question(one, texts, ids=False) for one, texts in ANSWERS.items()]
    annotation_file(world / "converted.json", questions)
    prediction_file(world / "given.json", GIVEN)


def textvqa(**more: object) -> dict[str, object]:
    rows = [
        {"question_id": one, "image_id": f"00{one}", "question": f"what is {one}?",
         "answers": list(texts), "image_classes": ["Clock"], "set_name": "val"}
        for one, texts in ANSWERS.items()
    ]  # fmt: skip
    about = {"dataset_type": "val", "dataset_name": "textvqa", "dataset_version": "0.5.1"}
    return {**about, "data": rows, **more}


def vizwiz() -> list[dict[str, object]]:
    return [
        {"image": picture(one), "question": "What is it?", "answer_type": "other", "answerable": 1,
         "answers": [{"answer": text, "answer_confidence": "yes"} for text in texts]}
        for one, texts in ANSWERS.items()
    ]  # fmt: skip


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_file_of_textvqa_scores_as_its_conversion(protocol, score, world, vqa_format):
    write(world / "own.json", textvqa())
    asked = ("--protocol", protocol, "--resamples", 20)
    own, converted = (
        score(*asked, annotations=name, predictions="given.json").document
        for name in ("own.json", "converted.json")
    )
    assert (own["dataset"], own["split"]) == ("textvqa", "val")
    assert own["metrics"]["accuracy"]["value"] == converted["metrics"]["accuracy"]["value"]
    assert "|loo:index|" in own["signature"] or protocol != "official"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_file_of_vizwiz_scores_by_picture(protocol, score, world, vqa_format):
    write(world / "own.json", vizwiz())
    write(world / "by_picture.json",
          [{"image": picture(one), "answer": text} for one, text in GIVEN.items()])  # fmt: skip
    own = score("--protocol", protocol, annotations="own.json", predictions="by_picture.json")
    converted = score(
        "--protocol", protocol, annotations="converted.json", predictions="given.json"
    )
    assert (own.document["dataset"], own.document["split"]) == ("vizwiz", "val")
    for name in ("accuracy", "accuracy[other]"):
        assert own.document["metrics"][name] == converted.document["metrics"][name]


def test_pictures_of_no_split_or_of_several_name_none():
    val, train = picture(1), picture(1).replace("val", "train")
    assert vizwiz_split([val, val]) == "val"
    assert vizwiz_split([val, train]) == vizwiz_split([train, val]) == ""
    assert vizwiz_split(["a.jpg", "b.jpg"]) == vizwiz_split([val, "a.jpg"]) == ""
    assert vizwiz_split([]) == ""


def test_the_question_of_such_a_file_is_explained(score, world, vqa_format, vle_eval):
    write(world / "own.json", textvqa())
    score("--out", "run", annotations="own.json", predictions="given.json")
    told = vle_eval("explain", "run", "--id", 34602)
    assert (told.code, "what is 34602?" in told.out) == (0, True)


def test_annotations_in_the_vqa_format_go_before_a_list_called_data(score, world, vqa_format):
    annotation_file(world / "both.json", [question(34602, ["nokia"] * 10)], data=textvqa()["data"])
    prediction_file(world / "one.json", {34602: "nokia"})
    ran = score(annotations="both.json", predictions="one.json")
    assert ran.document["metrics"]["accuracy"] | {"low": None, "high": None} == {
        "value": 100.0, "n": 1, "low": None, "high": None,
    }  # fmt: skip


def test_an_answer_that_is_no_text_is_refused_with_its_place(score, world, vqa_format):
    broken = textvqa()
    broken["data"][1]["answers"][2] = 7
    write(world / "own.json", broken)
    ran = score(annotations="own.json", predictions="given.json")
    assert ran.code == 3
    assert "Expected `str`, got `int` - at `$.data[1].answers[2]`" in ran.err


def test_a_prediction_names_a_question_or_a_picture(score, world, vqa_format):
    write(world / "own.json", vizwiz())
    write(world / "nothing.json", [{"picture": picture(34602), "answer": "Nokia"}])
    ran = score(annotations="own.json", predictions="nothing.json")
    assert ran.code == 3
    assert "no question_id; found picture, answer" in ran.err
