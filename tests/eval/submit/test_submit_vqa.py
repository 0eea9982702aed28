"""The VQA file for EvalAI: written from any format, refused where the server would refuse it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vle_bench.errors import DataProblem
from vle_bench.eval.submit.vqa import check_submission, read_questions, write_submission

IDS = [30, 4, 100]
ANSWERS = {30: "yes", 4: "2 cats", 100: "n/a"}


def ask(folder: Path, ids: list[Any], name: str = "q.json", **header: Any) -> Path:
    rows = [{"question_id": one, "image_id": 1, "question": "?"} for one in ids]
    path = folder / name
    path.write_text(json.dumps({**header, "questions": rows}), encoding="utf-8")
    return path


def put(path: Path, rows: Any) -> Path:
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def rows_of(answers: dict[Any, Any]) -> list[dict[str, Any]]:
    return [{"question_id": one, "answer": answer} for one, answer in answers.items()]


@pytest.fixture
def submit(vle_eval, tmp_path):
    ask(tmp_path, IDS)

    def call(*args: object, questions: str = "q.json"):
        return vle_eval("submit", "vqa", "--questions", tmp_path / questions, *args)

    return call


def test_answers_are_written_by_the_number_of_the_question(submit, tmp_path) -> None:
    put(tmp_path / "p.json", rows_of({"100": "n/a", 4: "2 cats", "30": "yes"}))
    ran = submit("--predictions", tmp_path / "p.json", "--out", tmp_path / "s.json", "--json")
    assert (tmp_path / "s.json").read_text() == (
        '[{"question_id":4,"answer":"2 cats"},{"question_id":30,"answer":"yes"},'
        '{"question_id":100,"answer":"n/a"}]'
    )
    assert ran.document["n"] == 3
    assert ran.document["written"] is True
    assert ran.document["warnings"] == []
    assert set(ran.document["inputs"]) == {"predictions", "questions"}
    checked = submit("--check", tmp_path / "s.json", "--json").document
    assert checked["sha256"] == ran.document["sha256"]
    assert checked["written"] is False


def test_the_same_answers_in_any_format_are_the_same_bytes(submit, tmp_path) -> None:
    put(tmp_path / "p.json", rows_of(ANSWERS))
    lines = "".join(json.dumps(row) + "\n" for row in reversed(rows_of(ANSWERS)))
    (tmp_path / "p.jsonl").write_text(lines)
    (tmp_path / "p.csv").write_text("answer,question_id\nn/a,100\nyes,30\n2 cats,4\n")
    (tmp_path / "p.json.gz").write_bytes(gzip.compress((tmp_path / "p.json").read_bytes()))
    written = []
    for name in ("p.json", "p.jsonl", "p.csv", "p.json.gz"):
        out = tmp_path / f"{name}.out"
        assert submit("--predictions", tmp_path / name, "--out", out).code == 0
        written.append(out.read_bytes())
    assert len(set(written)) == 1


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (rows_of({30: "yes", 4: "no"}), "1 of 3 question_id absent: 100"),
        (rows_of({**ANSWERS, 5: "x"}), "1 question_id not among the references: 5"),
        ([*rows_of(ANSWERS), *rows_of({4: "no"})], "1 question_id more than once: 4"),
        (rows_of({**ANSWERS, 4: 2}), "the answer of 4 is 2, a text was expected"),
        (rows_of({**ANSWERS, 4: None}), "the answer of 4 is None, a text was expected"),
        (rows_of({30: "yes", "4": "no", 100: "x"}), "question_id '4' is a str"),
        ([*rows_of(ANSWERS), {"question_id": True, "answer": "x"}], "True is no id"),
        ([*rows_of(ANSWERS), {"answer": "x"}], "no question_id; found answer"),
        ([*rows_of(ANSWERS), {"question_id": 4}], "no answer; found question_id"),
        ([], "3 of 3 question_id absent"),
        ({"answers": []}, "Expected a JSON list"),
        ([1], "Expected a JSON list"),
    ],
)
def test_what_the_server_would_refuse_is_refused_before(submit, tmp_path, rows, told) -> None:
    ran = submit("--check", put(tmp_path / "s.json", rows))
    assert ran.code == 3
    assert told in ran.err
    assert "Traceback" not in ran.err
    assert "--missing" not in ran.err  # an option of the scorers: the server takes whole splits


def test_a_packed_file_is_not_what_the_server_reads(submit, tmp_path) -> None:
    (tmp_path / "s.json").write_bytes(gzip.compress(json.dumps(rows_of(ANSWERS)).encode()))
    ran = submit("--check", tmp_path / "s.json")
    assert ran.code == 3
    assert "compressed" in ran.err


def test_a_refused_submission_leaves_no_file(submit, tmp_path) -> None:
    put(tmp_path / "p.json", rows_of({30: "yes"}))
    assert submit("--predictions", tmp_path / "p.json", "--out", tmp_path / "s.json").code == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.json", "q.json"]


def test_answers_that_the_server_scores_as_wrong_are_warned_of(submit, tmp_path) -> None:
    put(tmp_path / "s.json", [{**row, "score": 1} for row in rows_of({30: "the", 4: "", 100: "x"})])
    ran = submit("--check", tmp_path / "s.json")
    assert ran.code == 0
    assert "2 answers are empty after the official normalisation: '', 'the'." in ran.out
    assert "keys that the server does not read: score." in ran.out


def test_labels_of_a_vocabulary_are_warned_of(submit, tmp_path) -> None:
    put(tmp_path / "s.json", rows_of({30: "12", 4: "7", 100: "2410"}))
    assert "places in an answer vocabulary" in submit("--check", tmp_path / "s.json").out
    put(tmp_path / "s.json", rows_of({30: "2", 4: "2", 100: "2"}))
    assert "all 3 answers are '2'." in submit("--check", tmp_path / "s.json").out


def test_a_confirmed_count_binds_where_the_split_is_named(submit, tmp_path) -> None:
    put(tmp_path / "s.json", rows_of(ANSWERS))
    refused = submit("--check", tmp_path / "s.json", "--split", "test-std")
    assert refused.code == 3
    assert "3 questions, 447,793 were expected of vqav2 test-std" in refused.err
    unsure = submit("--check", tmp_path / "s.json", "--split", "test-dev")
    assert unsure.code == 0
    assert "107,394 were expected" in unsure.out
    assert "a count that is not confirmed" in unsure.out


def test_a_split_that_only_the_file_names_binds_nobody_to_its_count(submit, tmp_path) -> None:
    ask(tmp_path, IDS, "test.json", data_subtype="test2015")
    put(tmp_path / "s.json", rows_of(ANSWERS))
    ran = submit("--check", tmp_path / "s.json", questions="test.json")
    assert ran.code == 0
    assert "3 questions, 447,793 were expected of vqav2 test" in ran.out
    assert "not confirmed" not in ran.out


def test_the_split_is_what_the_questions_say(submit, tmp_path) -> None:
    ask(tmp_path, IDS, "dev.json", data_subtype="test-dev2015")
    put(tmp_path / "s.json", rows_of(ANSWERS))
    ran = submit("--check", tmp_path / "s.json", "--json", questions="dev.json")
    assert ran.document["split"] == "test-dev"


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        ([4, "4"], "1 question_id more than once: 4"),
        ([], "holds no question"),
        ([""], "is no id"),
    ],
)
def test_broken_questions_are_refused(submit, tmp_path, ids, told) -> None:
    ask(tmp_path, ids, "broken.json")
    put(tmp_path / "s.json", rows_of(ANSWERS))
    ran = submit("--check", tmp_path / "s.json", questions="broken.json")
    assert ran.code == 3
    assert told in ran.err


def test_one_thing_is_asked_at_a_time(submit, tmp_path) -> None:
    path = put(tmp_path / "s.json", rows_of(ANSWERS))
    assert submit("--check", path, "--out", tmp_path / "x").code == 2
    assert submit("--predictions", path).code == 2
    assert submit().code == 2
    assert submit("--predictions", path, "--out", path).code == 2


answers = st.dictionaries(
    st.integers(0, 10**9), st.text(st.characters(exclude_categories=["Cs"])), min_size=1
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(answers, st.randoms())
def test_what_is_written_is_accepted_and_says_the_same(tmp_path, answers, random) -> None:
    rows = rows_of(answers)
    random.shuffle(rows)
    asked = read_questions(ask(tmp_path, list(answers)), split="")
    out = tmp_path / "s.json"
    submission = write_submission(asked, put(tmp_path / "p.json", rows), out)
    read = json.loads(out.read_bytes())
    assert [row["question_id"] for row in read] == sorted(answers)
    assert {row["question_id"]: row["answer"] for row in read} == answers
    assert check_submission(asked, out).sha256 == submission.sha256


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120)
@given(st.data())
def test_a_damaged_submission_is_refused_or_still_complete(tmp_path, data) -> None:
    whole = json.dumps(rows_of(ANSWERS)).encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    put_in = data.draw(st.binary(max_size=3))
    path = tmp_path / "s.json"
    path.write_bytes(whole[:at] + put_in + whole[at + data.draw(st.integers(0, 4)) :])
    asked = read_questions(ask(tmp_path, IDS), split="")
    try:
        check_submission(asked, path)
    except DataProblem:
        return
    read = json.loads(path.read_bytes())
    assert sorted(row["question_id"] for row in read) == sorted(IDS)
    assert all(type(row["answer"]) is str for row in read)


def test_a_byte_order_mark_is_refused_as_the_server_does(submit, tmp_path) -> None:
    path = put(tmp_path / "s.json", rows_of(ANSWERS))
    assert submit("--check", path).code == 0
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    with pytest.raises(json.JSONDecodeError):
        json.loads(path.read_text(encoding="utf-8"))
    ran = submit("--check", path)
    assert (ran.code, "byte order mark" in ran.err) == (3, True)
    assert submit("--predictions", path, "--out", tmp_path / "new.json").code == 0


@pytest.mark.parametrize(
    ("named", "own", "code"),
    [
        ("test-std", "test2015", 0), ("test-dev", "test-dev2015", 0), ("dev", "val2014", 0),
        ("mine", "test2015", 0), ("test-std", "", 0), ("test-dev", "test2015", 3),
        ("test-std", "test-dev2015", 3), ("val", "test-dev2015", 3),
    ],
)  # fmt: skip
def test_questions_of_another_split_than_was_named_are_refused(
    submit, tmp_path, named, own, code
) -> None:
    ask(tmp_path, IDS, data_subtype=own)
    (tmp_path / "sample_world.json").write_text("{}", encoding="utf-8")
    ran = submit("--check", put(tmp_path / "s.json", rows_of(ANSWERS)), "--split", named)
    assert (ran.code, f"--split says {named}" in ran.err) == (code, code == 3)
