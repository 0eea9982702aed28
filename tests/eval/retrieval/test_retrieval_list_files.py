"""Ranked lists in one file or two, of a gallery of one, and of ids that meet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def lines(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Two texts of two pictures."""
    rows = [{"text_id": at, "text": "t", "image_ids": [at]} for at in (7, 8)]
    return lines(tmp_path / "T.jsonl", rows)


def test_two_files_are_known_each_by_its_digest(vle_eval, texts, tmp_path) -> None:
    one = lines(tmp_path / "a.jsonl", [{"text_id": at, "image_ids": [7, 8]} for at in (7, 8)])
    two = lines(tmp_path / "b.jsonl", [{"image_id": at, "text_ids": [7, 8]} for at in (7, 8)])
    asked = ("retrieval", "--texts", texts, "--json", "--predictions")
    both = vle_eval(*asked, one, "--predictions", two)
    alone = vle_eval(*asked, one)
    inputs = [set(ran.document["stamp"]["inputs"]) for ran in (both, alone)]
    assert {"predictions[1]", "predictions[2]"} <= inputs[0]
    assert "predictions" in inputs[1]
    assert both.values["t2i_r1"] == alone.values["t2i_r1"] == 50


def test_a_file_without_lists_is_no_set_of_missing_ones(vle_eval, texts, tmp_path) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text("[]")
    ran = vle_eval("retrieval", "--texts", texts, "--predictions", empty, "--missing", "zero")
    assert ran.code == 3
    assert "no ranked list in it" in ran.err


def test_a_text_named_as_a_picture_that_nobody_asks_for_is_asked(vle_eval, texts, tmp_path) -> None:
    """Picture 5 has no text; text 5 is another thing."""
    lines(texts, [{"text_id": at, "text": "t", "image_ids": [7]} for at in (5, 6)])
    (tmp_path / "ids.txt").write_text("7\n5\n")
    rows = [{"text_id": 5, "image_ids": [7, 5]}, {"text_id": 6, "image_ids": [5, 7]}]
    ran = vle_eval(
        "retrieval", "--texts", texts, "--predictions", lines(tmp_path / "p.jsonl", rows),
        "--image-ids", tmp_path / "ids.txt", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.values["t2i_r1"] == 50


def test_a_list_of_a_gallery_of_one_is_there(vle_eval, texts, tmp_path) -> None:
    lines(texts, [{"text_id": at, "text": "t", "image_ids": [7]} for at in (5, 6)])
    rows = [{"text_id": 5, "image_ids": [7]}]
    ran = vle_eval(
        "retrieval", "--texts", texts, "--predictions", lines(tmp_path / "p.jsonl", rows),
        "--missing", "zero", "--out", tmp_path / "out",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    stored = (tmp_path / "out" / "predictions.jsonl").read_text()
    assert [json.loads(line) for line in stored.splitlines()] == [
        {"text_id": "5", "image_ids": ["7"]}
    ]
