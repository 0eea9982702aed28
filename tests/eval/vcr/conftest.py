"""A VCR world of four items on three pictures, and the command that scores it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

LINES = [
    {"annot_id": "val-0", "img_id": "val-0", "answer_label": 0, "rationale_label": 1},
    {"annot_id": "val-1", "img_id": "val-0", "answer_label": 1, "rationale_label": 2},
    {"annot_id": "val-2", "img_fn": "m/b@0.jpg", "answer_label": 2, "rationale_label": 3},
    {"annot_id": "val-3", "img_id": "val-2", "answer_label": 3, "rationale_label": 0,
     "objects": ["person"], "answer_match_iter": [1, 2, 3, 0], "region": None},
]  # fmt: skip

# Right answer: val-0, val-1, val-3 (val-3 by a tie that the first maximum loses: wrong).
Q2A = [[9, 1, 1, 1], [0, 2, 1, 0], [5, 4, 3, 2], [1, 0, 0, 1]]
QA2R = [[0, 7, 0, 0], [3, 0, 1, 0], [0, 0, 0, 1], [2, 2, 0, 0]]


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """`val.jsonl` and `p.jsonl`; Q2A is 50, QA2R 75, Q2AR 25."""
    write_lines(tmp_path / "val.jsonl", LINES)
    write_lines(tmp_path / "p.jsonl", predictions())
    return tmp_path


def predictions() -> list[dict[str, Any]]:
    return [
        {"annot_id": line["annot_id"], "q2a": Q2A[at], "qa2r": QA2R[at]}
        for at, line in enumerate(LINES)
    ]


def write_lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """The predictions, for a test to damage."""
    return predictions()
