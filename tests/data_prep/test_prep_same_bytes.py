"""The same raw files give the same tree, however many workers, in whatever order of things."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from listings import shuffled_listings

from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.run import Request, prepare


def tree_digest(out: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted((out / "vqav2").rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(out).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def made(raw: Path, out: Path, workers: int = 1) -> str:
    settings = Parameters(samples_per_shard=2, min_answer_count=2)
    prepare(Request(dataset="vqav2", raw=raw, out=out, parameters=settings, workers=workers))
    return tree_digest(out)


def test_worker_counts_change_no_byte(small, tmp_path: Path):
    small.picture("train", 12, b"<html>")
    raw = small.write()
    assert len({made(raw, tmp_path / str(n), workers=n) for n in (1, 2, 5)}) == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_a_listing_changes_no_byte(small, tmp_path: Path, seed: int):
    small.picture("val", 21, small.pictures["val"]["COCO_val2014_000000000022.jpg"], name="21.jpg")
    raw = small.write()
    expected = made(raw, tmp_path / "in-order")
    with shuffled_listings(seed):
        found = made(raw, tmp_path / "shuffled")
    assert found == expected


def test_hash_seeds_change_no_byte(small, tmp_path: Path):
    raw = small.write()
    digests = set()
    for seed in ("0", "1", "4242"):
        out = tmp_path / seed
        command = [sys.executable, "-m", "vle_bench.data_prep.cli", "run", "vqav2"]
        command += ["--raw", raw, "--out", out, "--samples-per-shard", "3", "--workers", "1"]
        subprocess.run(
            command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": seed}
        )
        digests.add(tree_digest(out))
    assert len(digests) == 1
