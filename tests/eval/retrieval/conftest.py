"""Runs `vle-eval` in this process, and a retrieval world of three pictures and four texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TEXTS = [
    {"text_id": 70, "text": "three birds", "image_ids": [5]},
    {"text_id": 71, "text": "a dog", "image_ids": [3]},
    {"text_id": 72, "text": "一只红色的鸟", "image_ids": [5]},
    {"text_id": 73, "text": "x", "image_ids": [9, 3]},
]
# Rows 5, 3, 9 (first appearance), columns 70 to 73.
SCORES = np.array([[0.9, 0.1, 0.2, 0.3], [0.8, 0.7, 0.1, 0.6], [0.1, 0.2, 0.9, 0.5]])
# 5: text 70 first. 3: 70 before its 71. 9: 72 before its 73, so R@1 of i2t is 1/3;
# 70 finds 5, 71 finds 3, 72 finds 9 (wrong), 73 finds 3: R@1 of t2i is 3/4.


def write_lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def world(tmp_path: Path) -> Path:
    write_lines(tmp_path / "T.jsonl", TEXTS)
    np.save(tmp_path / "S.npy", SCORES)
    (tmp_path / "images.txt").write_text("5\n3\n9\n")
    (tmp_path / "texts.txt").write_text("70\n71\n72\n73\n")
    return tmp_path


@pytest.fixture
def score(vle_eval, world):
    """`score("--scores", ...)` against the small world."""

    def call(*args: object, texts: str = "T.jsonl"):
        return vle_eval("retrieval", "--texts", world / texts, "--resamples", 40, "--json", *args)

    return call
