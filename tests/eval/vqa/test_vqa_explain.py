"""Why an item scored as it did: the steps are the reader's, the terms make the score."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vqa_world import annotation_file, prediction_file, question, write

from vle_bench.answers import (
    normalise_answer,
    normalise_answer_mmf,
    punctuation_step,
    strip_step,
)
from vle_bench.eval.vqa.protocols import PROTOCOLS, as_written
from vle_bench.eval.vqa.steps import steps_of

READERS = (as_written, strip_step, punctuation_step, normalise_answer, normalise_answer_mmf)
TEXTS = st.text(st.sampled_from("aAtheTwo 'sS,.?-1\n\t२dont"), max_size=24)

QUESTIONS = [
    question(1000, ["yes"] * 10),
    question(1001, ["2"] * 3 + ["two"] * 4 + ["3"] * 3),
    question(2000, ["red", "red", "dark red"] + ["black"] * 7),
]


@pytest.fixture
def stored(vle_eval, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    annotation_file(tmp_path / "a.json", QUESTIONS)
    prediction_file(tmp_path / "p.json", {1000: "Yes", 1001: "Two.", 2000: "red"})
    ran = vle_eval(
        "vqa", "--annotations", "a.json", "--predictions", "p.json", "--resamples", 0,
        "--out", "out",
    )  # fmt: skip
    assert ran.code == 0
    return tmp_path / "out"


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_the_last_step_is_what_the_reader_reads(reader, text):
    steps = steps_of(text, reader)
    assert (steps[-1].text if steps else text) == reader(text)


def test_each_step_and_each_term_of_a_question_is_shown(vle_eval, stored):
    found = vle_eval("explain", stored, "--id", "1001", "--json").document
    assert (found["schema"], found["task"]) == ("vle-bench/explanation/1", "vqa")
    (asked,) = found["questions"]
    texts = {(text["side"], text["written"]): text for text in asked["texts"]}
    assert [list(step) for step in texts["prediction", "Two."]["steps"]] == [
        ["strip", "Two."],
        ["marks", "Two."],
        ["periods", "Two"],
        ["lower case", "two"],
        ["number words", "2"],
        ["articles", "2"],
        ["contractions", "2"],
    ]
    assert texts["answer", "two"]["times"] == 4
    assert [term["agrees"] for term in asked["terms"]] == [True] * 7 + [False] * 3
    assert [term["others"] for term in asked["terms"]] == [6] * 7 + [7] * 3
    assert asked["matches"] == 7
    assert asked["score"] == 100


def test_the_terms_make_the_score_and_the_stored_row_agrees(vle_eval, stored):
    found = vle_eval("explain", stored, "--id", "2000", "--json").document
    (asked,) = found["questions"]
    assert [round(term["term"], 4) for term in asked["terms"]] == [0.3333] * 2 + [0.6667] * 8
    assert asked["score"] == pytest.approx(60)
    assert found["items"][0]["columns"]["score"] == pytest.approx(0.6)
    assert found["items"][0]["prediction"] == {"answer": "red", "question_id": 2000}
    assert found["notes"] == []


def test_a_capital_among_unanimous_answers_is_seen_to_cost_everything(vle_eval, stored):
    text = vle_eval("explain", stored, "--id", "1000").out
    assert "Annotators are unanimous." in text
    assert "0 agree; score 0.00" in text
    assert "'Yes'" in text


def test_every_protocol_explains_the_same_question(vle_eval, stored):
    found = vle_eval("explain", stored, "--id", "1000", "--all-protocols", "--json").document
    scores = {one["protocol"]: one["score"] for one in found["questions"]}
    assert list(scores) == list(PROTOCOLS)
    assert scores == {"official": 0, "always": 100, "lavis": 100, "simple": 0, "mmf": 100}
    simple = found["questions"][list(PROTOCOLS).index("simple")]
    assert {term["term"] for term in simple["terms"]} == {None}


def test_soft_labels_say_which_questions_do_not_count(vle_eval, stored, tmp_path):
    write(tmp_path / "v.json", ["red"])
    vle_eval(
        "vqa", "--annotations", "a.json", "--predictions", "p.json", "--resamples", 0,
        "--protocol", "soft-label", "--vocabulary", "v.json", "--out", "soft",
    )  # fmt: skip
    found = vle_eval("explain", "soft", "--id", "1000", "--json").document
    assert found["questions"][0]["score"] is None
    assert found["items"] == []
    text = vle_eval("explain", "soft", "--id", "1000").out
    assert "No answer is in the vocabulary: the question is left out." in text
    assert "2 agree; score 60.00" in vle_eval("explain", "soft", "--id", "2000").out


def test_a_missing_answer_is_said_to_be_missing(vle_eval, stored, tmp_path):
    prediction_file(tmp_path / "p.json", {1000: "yes"})
    vle_eval(
        "vqa", "--annotations", "a.json", "--predictions", "p.json", "--resamples", 0,
        "--missing", "zero", "--out", "few",
    )  # fmt: skip
    assert "No prediction. 0 agree; score 0.00" in vle_eval("explain", "few", "--id", "2000").out


def test_an_annotator_is_explained_by_the_others(vle_eval, stored):
    vle_eval(
        "vqa", "--annotations", "a.json", "--model", "baseline:annotator", "--resamples", 0,
        "--out", "human",
    )  # fmt: skip
    found = vle_eval("explain", "human", "--id", "1000", "--json").document
    asked = found["questions"][0]
    assert (asked["matches"], asked["score"]) == (9, 100)
    assert asked["rule"] == "min(annotators who agree / 3, 1)"


def test_an_unknown_id_names_those_that_look_like_it(vle_eval, stored):
    ran = vle_eval("explain", stored, "--id", "1002")
    assert ran.code == 3
    assert "no item '1002' among 3. There are: 1001, 1000." in ran.err
    assert "There are: 1000, 1001, 2000." in vle_eval("explain", stored, "--id", "cat").err


def test_references_that_changed_explain_nothing(vle_eval, stored, tmp_path):
    annotation_file(tmp_path / "a.json", [*QUESTIONS[:2], question(2000, ["red"] * 10)])
    ran = vle_eval("explain", stored, "--id", "2000")
    assert ran.code == 3
    assert ran.err.startswith("a.json: not the references that ")


def test_a_stored_score_that_todays_code_does_not_find_is_named(vle_eval, stored):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = stored / "items.parquet"
    table = pq.read_table(path)
    at = table.schema.get_field_index("score")
    pq.write_table(table.set_column(at, "score", pa.array([0.5, 1.0, 0.6])), path)
    found = vle_eval("explain", stored, "--id", "1000", "--json").document
    assert found["notes"] == ["Stored as 50.00; today's code finds 0.00."]


def test_a_request_that_is_no_request_ends_with_a_sentence(vle_eval, stored):
    path = stored / "result.json"
    document = json.loads(path.read_text())
    document["request"]["protocol"] = "unheard of"
    write(path, document)
    ran = vle_eval("explain", stored, "--id", "1000")
    assert ran.code == 3
    assert "its request cannot be read" in ran.err


def test_a_folder_without_a_result_is_missing_data(vle_eval, tmp_path):
    assert vle_eval("explain", tmp_path / "nothing", "--id", "1").code == 3
