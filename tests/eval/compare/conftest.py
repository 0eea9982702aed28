"""Stored VCR and retrieval runs, small and drawn."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from vle_bench.eval.compare import StoredRun, read_run

ITEMS = 60


@pytest.fixture
def references(tmp_path: Path) -> Path:
    """Sixty VCR items, three a picture; every answer is 0 and every reason 1."""
    lines = [
        {"annot_id": f"val-{at}", "img_id": f"p{at // 3}", "answer_label": 0, "rationale_label": 1}
        for at in range(ITEMS)
    ]
    return write_lines(tmp_path / "val.jsonl", lines)


@pytest.fixture
def store(vle_eval, references: Path, tmp_path: Path) -> Callable[..., Path]:
    """`store("a", right)`: scores a run whose answers are right where `right` says so."""

    def call(name: str, right: Sequence[bool], *, against: Path | None = None) -> Path:
        rows = [
            {"annot_id": f"val-{at}", "q2a": [2, 1, 0, 0] if good else [0, 1, 0, 0],
             "qa2r": [0, 1, 0, 0]}
            for at, good in enumerate(right)
        ]  # fmt: skip
        predictions = write_lines(tmp_path / f"{name}.jsonl", rows)
        folder = tmp_path / "runs" / name
        done = vle_eval(
            "vcr", "--annotations", against or references, "--predictions", predictions,
            "--resamples", 0, "--out", folder,
        )  # fmt: skip
        assert done.code == 0, done.err
        return folder

    return call


@pytest.fixture
def two_runs(store: Callable[..., Path]) -> tuple[StoredRun, StoredRun]:
    """Runs `a` and `b`; `b` is right on six items more, wrong on two others."""
    before = np.arange(ITEMS) % 2 == 0
    after = before.copy()
    after[[1, 3, 5, 21, 33, 45]] = True
    after[[0, 20]] = False
    return read_run(store("a", before.tolist())), read_run(store("b", after.tolist()))


@pytest.fixture
def retrieval_runs(vle_eval, tmp_path: Path) -> tuple[StoredRun, StoredRun]:
    """Two runs over twelve pictures with two or three texts each; text 5 has two pictures."""
    texts = [
        {"text_id": at, "text": f"t{at}", "image_ids": [at % 12, 3] if at == 5 else [at % 12]}
        for at in range(30)
    ]
    file = write_lines(tmp_path / "T.jsonl", texts)
    generator = np.random.default_rng(4)
    truth = np.array([[float(at % 12 == image) for at in range(30)] for image in range(12)])
    for name, noise in (("x", 1.2), ("y", 0.5)):
        scores = truth + noise * generator.normal(size=truth.shape)
        np.save(tmp_path / f"{name}.npy", scores)
        done = vle_eval(
            "retrieval", "--texts", file, "--scores", tmp_path / f"{name}.npy",
            "--resamples", 0, "--out", tmp_path / name,
        )  # fmt: skip
        assert done.code == 0, done.err
    return read_run(tmp_path / "x"), read_run(tmp_path / "y")


def write_lines(path: Path, rows: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
