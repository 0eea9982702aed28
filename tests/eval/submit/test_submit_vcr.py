"""The VCR leaderboard's CSV: written from every form that has the reasons under each answer."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vle_bench.errors import DataProblem
from vle_bench.eval.submit.vcr import COLUMNS, check_submission, read_items, write_submission

IDS = ["test-10", "test-2", "test-0"]


def scores_of(seed: int, count: int = 3) -> np.ndarray:
    drawn = np.random.default_rng(seed).random((count, 5, 4))
    return drawn / drawn.sum(axis=2, keepdims=True)


def ask(folder: Path, ids: list[Any], name: str = "test.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps({"annot_id": one}) + "\n" for one in ids), encoding="utf-8")
    return path


def lines(path: Path, ids: list[str], scores: np.ndarray) -> Path:
    rows = [
        {"annot_id": one, "q2a": row[0], "qa2r": row[1:]}
        for one, row in zip(ids, scores.tolist(), strict=True)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def submit(vle_eval, tmp_path):
    ask(tmp_path, IDS)

    def call(*args: object):
        return vle_eval("submit", "vcr", "--annotations", tmp_path / "test.jsonl", *args)

    return call


@pytest.fixture
def written(submit, tmp_path) -> Path:
    out = tmp_path / "s.csv"
    path = lines(tmp_path / "p.jsonl", IDS, scores_of(0))
    assert submit("--predictions", path, "--out", out).code == 0
    return out


def test_rows_stand_by_the_number_in_the_id(written) -> None:
    with written.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == list(COLUMNS)
    assert len(COLUMNS) == 21
    assert [row["annot_id"] for row in rows] == ["test-0", "test-2", "test-10"]
    given = dict(zip(IDS, scores_of(0), strict=True))
    for row in rows:
        scores = given[row["annot_id"]]
        assert float(row["answer_3"]) == scores[0, 3]
        assert float(row["rationale_conditioned_on_a2_1"]) == scores[3, 1]


def test_a_table_in_any_order_becomes_the_same_bytes(submit, written, tmp_path) -> None:
    with written.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    with (tmp_path / "mixed.csv").open("w", newline="") as stream:
        table = csv.DictWriter(stream, ["note", *reversed(COLUMNS)])
        table.writeheader()
        table.writerows({**row, "note": "x"} for row in rows[::-1])
    refused = submit("--check", tmp_path / "mixed.csv")
    assert refused.code == 3
    assert "other columns: note" in refused.err
    out = tmp_path / "again.csv"
    ran = submit("--predictions", tmp_path / "mixed.csv", "--out", out, "--json")
    (count,) = ran.document["warnings"]
    assert "25,263 were expected of vcr test" in count
    assert ran.document["split"] == "test"
    assert out.read_bytes() == written.read_bytes()


def test_an_unsorted_table_passes_with_a_word(submit, written) -> None:
    assert "order" not in submit("--check", written).out
    head, *rows = written.read_text().splitlines(keepends=True)
    written.write_text("".join([head, *rows[::-1]]))
    ran = submit("--check", written)
    assert ran.code == 0
    assert "not in the order of the number in annot_id" in ran.out


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("test-2,", "test-0,", "1 annot_id more than once: test-0"),
        ("test-2,", "test-3,", "1 annot_id not among the references: test-3"),
        ("\ntest-2,", "\ntest-2,nan,", "22 fields, the header has 21"),
        ("\ntest-2,0.", "\ntest-2,1e9", "a finite number was expected"),
        ("answer_1", "answer_x", "no column answer_1"),
        ("answer_0,answer_1", "answer_1,answer_0", "columns in another order"),
        ("annot_id,", "", "no column annot_id"),
    ],
)
def test_what_the_server_cannot_score_is_refused(submit, written, old, new, told) -> None:
    text = written.read_text()
    assert old in text
    written.write_text(text.replace(old, new, 1))
    ran = submit("--check", written)
    assert ran.code == 3
    assert told in ran.err


def test_reasons_under_one_answer_cannot_be_submitted(submit, tmp_path) -> None:
    rows = [{"annot_id": one, "q2a": [1, 0, 0, 0], "qa2r": [1, 0, 0, 0]} for one in IDS]
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ran = submit("--predictions", path, "--out", tmp_path / "s.csv")
    assert ran.code == 3
    assert "under one answer only" in ran.err
    assert not (tmp_path / "s.csv").exists()


def test_ties_repeated_reasons_and_logits_are_warned_of(submit, tmp_path) -> None:
    scores = np.zeros((3, 5, 4))
    scores[0, 0, 1] = 7
    scores[1, 1:, 2] = 3
    scores[2] = np.arange(20).reshape(5, 4)
    ran = submit(
        "--predictions", lines(tmp_path / "p.jsonl", IDS, scores), "--out", tmp_path / "s.csv"
    )
    assert ran.code == 0
    assert "1 among answers; reasons 1 under a0, 1 under a1, 1 under a2, 1 under a3." in ran.out
    assert "2 of 3 items have the same reason scores under all four answers" in ran.out
    assert "no probabilities" in ran.out


def test_reasons_alike_in_part_and_probabilities_are_not_warned_of(submit, tmp_path) -> None:
    scores = scores_of(1)
    scores[:, 2] = scores[:, 1]
    path, out = tmp_path / "p.jsonl", tmp_path / "s.csv"
    ran = submit("--predictions", lines(path, IDS, scores), "--out", out)
    assert (ran.code, "same reason" in ran.out, "no probabilities" in ran.out) == (0, False, False)
    ran = submit("--predictions", lines(path, IDS, 0.99 * scores), "--out", out)
    assert "no probabilities" in ran.out


def test_ties_are_counted_under_the_answer_that_has_them(submit, tmp_path) -> None:
    scores = scores_of(2)
    scores[:2, 1] = scores[0, 3] = 0.25
    ran = submit(
        "--predictions", lines(tmp_path / "p.jsonl", IDS, scores), "--out", tmp_path / "s.csv"
    )
    assert "0 among answers; reasons 2 under a0, 0 under a1, 1 under a2, 0 under a3." in ran.out
    assert "no probabilities" not in ran.out
    scores[1, 4] = [1.5, -0.5, 0, 0]  # sums to one all the same
    ran = submit(
        "--predictions", lines(tmp_path / "p.jsonl", IDS, scores), "--out", tmp_path / "s.csv"
    )
    assert "no probabilities" in ran.out


def test_a_list_of_no_items_is_no_question(tmp_path) -> None:
    (tmp_path / "none.json").write_text("[]")
    with pytest.raises(DataProblem, match="holds no item"):
        read_items(tmp_path / "none.json", split="")


@pytest.mark.parametrize(
    ("ids", "split"), [(["val-1", "val-0"], "val"), (["val-1", "test-0"], ""), (["mine-1"], "")]
)
def test_ids_of_one_known_split_say_it(tmp_path, ids, split) -> None:
    assert read_items(ask(tmp_path, ids), split="").split == split


def test_an_unconfirmed_count_is_told_and_a_confirmed_one_binds(submit, written) -> None:
    ran = submit("--check", written, "--split", "test")
    assert ran.code == 0
    assert "3 questions, 25,263 were expected of vcr test" in ran.out
    assert "not confirmed" in ran.out


@pytest.mark.parametrize(
    ("ids", "told"),
    [(["test-1", "test-1"], "more than once: test-1"), ([""], "is no id"), ([1.5], "annot_id")],
)
def test_broken_items_are_refused(vle_eval, written, tmp_path, ids, told) -> None:
    path = ask(tmp_path, ids, "broken.jsonl")
    ran = vle_eval("submit", "vcr", "--annotations", path, "--check", written)
    assert ran.code == 3
    assert told in ran.err


def test_json_is_no_file_for_the_server(submit, tmp_path) -> None:
    ran = submit("--check", lines(tmp_path / "p.jsonl", IDS, scores_of(0)))
    assert ran.code == 3
    assert "no plain CSV" in ran.err


def test_a_submission_for_val_is_scored_in_the_block_of_the_right_answer(
    vle_eval, tmp_path
) -> None:
    """The scorer takes the written file and the JSONL of all blocks, and agrees with NumPy."""
    count = 40
    draw = np.random.default_rng(5)
    labels = draw.integers(0, 4, (count, 2))
    ids = [f"val-{at}" for at in range(count)]
    references = tmp_path / "val.jsonl"
    references.write_text(
        "".join(
            json.dumps({"annot_id": one, "img_id": one, "answer_label": a, "rationale_label": r})
            + "\n"
            for one, (a, r) in zip(ids, labels.tolist(), strict=True)
        )
    )
    scores = scores_of(6, count)
    path = lines(tmp_path / "p.jsonl", ids, scores)
    out = tmp_path / "s.csv"
    asked = ("--annotations", references)
    assert vle_eval("submit", "vcr", *asked, "--predictions", path, "--out", out).code == 0
    right = scores[np.arange(count), 1 + labels[:, 0]]
    expected = 100 * np.mean(right.argmax(axis=1) == labels[:, 1])
    for predictions in (path, out):
        options = ("--predictions", predictions, "--resamples", 0, "--json")
        assert vle_eval("vcr", *asked, *options).values["qa2r"] == pytest.approx(expected)


def test_references_without_labels_point_at_submit(vle_eval, written, tmp_path) -> None:
    asked = ("vcr", "--annotations", tmp_path / "test.jsonl", "--predictions", written)
    ran = vle_eval(*asked, "--split", "test")
    assert ran.code == 3
    assert "vle-eval submit vcr" in ran.err
    assert len(ran.err.splitlines()) == 1


finite = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda data: data.replace(b",", b"\t"), "columns apart by tabs"),
        (lambda data: b"\xef\xbb\xbf" + data, "byte order mark"),
    ],
)
def test_a_table_that_only_our_reader_takes_is_refused(submit, written, spoil, told) -> None:
    written.write_bytes(spoil(written.read_bytes()))
    ran = submit("--check", written)
    assert (ran.code, told in ran.err) == (3, True)


def test_items_of_another_split_than_was_named_are_refused(submit, written) -> None:
    ran = submit("--check", written, "--split", "val")
    assert (ran.code, "questions of test, --split says val" in ran.err) == (3, True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(names, min_size=1, max_size=5, unique=True), st.data())
def test_scores_and_ids_survive_the_table_to_the_last_bit(tmp_path, ids, data) -> None:
    count = len(ids) * 20
    flat = data.draw(st.lists(finite, min_size=count, max_size=count))
    scores = np.array(flat).reshape(-1, 5, 4)
    items = read_items(ask(tmp_path, ids), split="")
    out = tmp_path / "s.csv"
    write_submission(items, lines(tmp_path / "p.jsonl", ids, scores), out)
    assert check_submission(items, out).n == len(ids)
    with out.open(newline="", encoding="utf-8") as stream:
        _, *rows = csv.reader(stream)
    read = {row[0]: [float(cell) for cell in row[1:]] for row in rows}
    assert read == dict(zip(ids, scores.reshape(len(ids), -1).tolist(), strict=True))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(st.data())
def test_a_damaged_table_is_refused_or_read_as_it_stands(tmp_path, data) -> None:
    ask(tmp_path, IDS)
    items = read_items(tmp_path / "test.jsonl", split="")
    out = tmp_path / "s.csv"
    write_submission(items, lines(tmp_path / "p.jsonl", IDS, scores_of(1)), out)
    whole = out.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    put_in = data.draw(st.binary(max_size=3))
    out.write_bytes(whole[:at] + put_in + whole[at + data.draw(st.integers(0, 30)) :])
    try:
        check_submission(items, out)
    except DataProblem:
        return
    with out.open(newline="", encoding="utf-8-sig") as stream:
        rows = [row for row in csv.reader(stream) if row]
    assert sorted(row[0] for row in rows[1:]) == sorted(IDS)
    assert all(np.isfinite([float(cell) for cell in row[1:]]).all() for row in rows[1:])
