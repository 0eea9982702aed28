"""References out of prepared shards equal those out of the official file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grounding_world import sample, write_split
from msgspec.structs import asdict, replace

from vle_bench.records import VcrItem, VcrSample, VcrToken

Token = str | list[int]
QUESTIONS: list[list[Token]] = [
    ["Why", "is", [0], "here", "?"],
    ["Is", [0, 1], "older", "than", [2], "?"],
    [[1], "wants", "what", "?"],
    ["How", "?"],
]
CHOICES = [["yes"], ["no", "."], ["so", [1]], ["well", [0], "."]]


def line(at: int) -> dict[str, Any]:
    return {
        "annot_id": f"val-{at}", "img_id": f"val-{at % 3}", "question": QUESTIONS[at % 4],
        "answer_choices": CHOICES, "rationale_choices": CHOICES[::-1],
        "answer_label": at % 2, "rationale_label": at % 3,
        "answer_likelihood": "likely" if at % 2 else "possible",
    }  # fmt: skip


def tokens(given: list[Token]) -> tuple[VcrToken, ...]:
    return tuple(
        VcrToken(text=one) if isinstance(one, str) else VcrToken(objects=tuple(one))
        for one in given
    )


def item(row: dict[str, Any]) -> VcrItem:
    return VcrItem(
        annot_id=row["annot_id"],
        question=tokens(row["question"]),
        answer_choices=tuple(map(tokens, row["answer_choices"])),
        rationale_choices=tuple(map(tokens, row["rationale_choices"])),
        answer_label=row["answer_label"],
        rationale_label=row["rationale_label"],
        answer_likelihood=row["answer_likelihood"],
    )


def prepared(folder: Path, rows: list[dict[str, Any]], *, is_sample: bool = True) -> Path:
    """Shards of the rows, picture by picture."""
    stills: dict[str, list[VcrItem]] = {}
    for row in rows:
        stills.setdefault(row["img_id"], []).append(item(row))
    samples = []
    for at, (image, items) in enumerate(stills.items()):
        plain = sample(at, [], dataset="vcr", split="val")
        still = asdict(plain) | {"image": replace(plain.image, id=image)}
        samples.append(VcrSample(**still, items=tuple(items)))
    return write_split(folder, samples, is_sample=is_sample)


def test_shards_and_the_file_give_the_same_scores_of_every_kind(vle_eval, tmp_path) -> None:
    rows = [line(at) for at in range(12)]
    official = tmp_path / "val.jsonl"
    official.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    prepared(tmp_path / "shards", rows)
    asked = ("vcr", "--split", "val", "--model", "baseline:shortest", "--resamples", 60, "--json")
    from_shards = vle_eval(*asked, "--data", tmp_path / "shards")
    assert from_shards.code == 0, from_shards.err
    (tmp_path / "sample_world.json").write_text("{}")
    from_file = vle_eval(*asked, "--annotations", official)
    assert from_shards.document["metrics"] == from_file.document["metrics"]
    kinds = {"q2a[objects=0]", "q2a[objects=3+]", "q2a[question_word=why]",
             "q2a[question_word=other]", "q2a[answer_likelihood=likely]"}  # fmt: skip
    assert kinds <= set(from_file.document["metrics"])


def test_an_item_of_two_pictures_is_refused(vle_eval, tmp_path) -> None:
    rows = [line(0), line(1), {**line(0), "img_id": "val-7"}]
    prepared(tmp_path, rows)
    ran = vle_eval("vcr", "--split", "val", "--data", tmp_path, "--model", "baseline:constant")
    assert ran.code == 3
    assert "1 annot_id more than once: val-0" in ran.err


def test_real_shards_of_a_named_split_must_be_whole(vle_eval, tmp_path) -> None:
    prepared(tmp_path, [line(0), line(1)], is_sample=False)
    ran = vle_eval("vcr", "--split", "val", "--data", tmp_path, "--model", "baseline:constant")
    assert ran.code == 3
    assert "2 questions, 26,534 were expected of vcr val" in ran.err
