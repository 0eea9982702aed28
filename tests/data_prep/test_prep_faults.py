"""Killed at any change of the disk: no torn file under a final name, and the same tree at last.

`make test` tries a part of the points, `make test-faults` each of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.run import Request, prepare

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="trials fork")

SCRIPT = Path(__file__).with_name("fault_trials.py")


@pytest.fixture
def raw(small) -> Path:
    small.picture("train", 12, b"<html>")
    return small.write()


def tried(raw: Path, place: Path, every: int, first: int = 0, **plan: Any) -> dict[str, Any]:
    place.mkdir()
    asked = {
        "raw": str(raw),
        "place": str(place),
        "begin": "",
        "command": "run",
        "dataset": "vqav2",
        "workers": 1,
        "samples_per_shard": 2,
        "every": every,
        "first": first,
        "moments": 0,
    }
    done = subprocess.run(
        [sys.executable, SCRIPT, json.dumps(asked | plan)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def prepared(raw: Path, out: Path, samples_per_shard: int) -> Path:
    settings = Parameters(samples_per_shard=samples_per_shard)
    prepare(Request(dataset="vqav2", raw=raw, out=out, parameters=settings))
    return out


def damaged(raw: Path, out: Path) -> Path:
    folder = prepared(raw, out, 2) / "vqav2"
    (folder / "train/vqav2-train-000001.tar").unlink()
    (folder / "val/vqav2-val-000000.tar").write_bytes(b"torn")
    (folder / "val/vqav2-val-000001.tar").rename(folder / "val/vqav2-val-000007.tar")
    (folder / "samples.parquet").write_bytes(b"torn")
    return out


def test_a_first_run_survives_kills_at_a_part_of_its_points(raw: Path, tmp_path: Path):
    found = tried(raw, tmp_path / "trials", every=17)
    assert found["wrong"] == []
    assert found["points"] > 200
    assert found["tried"] >= 12
    assert len(found["kinds"]) >= 3


@pytest.mark.slow
def test_a_first_run_survives_a_kill_at_every_point(raw: Path, tmp_path: Path):
    found = tried(raw, tmp_path / "trials", every=1)
    assert found["wrong"] == []
    assert found["tried"] == found["points"] > 200
    assert {"open", "write", "fsync", "replace", "mkdir"} <= set(found["kinds"])


@pytest.mark.parametrize(
    "every", [pytest.param(35, id="part"), pytest.param(1, id="all", marks=pytest.mark.slow)]
)
def test_a_run_that_replaces_an_older_build_survives_kills(raw: Path, tmp_path: Path, every: int):
    begin = prepared(raw, tmp_path / "begin", 3)
    found = tried(raw, tmp_path / "trials", every, first=7 if every > 1 else 0, begin=str(begin))
    assert found["wrong"] == []
    assert found["tried"] >= 4


@pytest.fixture(scope="module")
def drawn(drawn_world) -> Path:
    """Raw files of every dataset, so that a training corpus has pictures to leave out."""
    return drawn_world(24, seed=5, hard=True)


@pytest.mark.parametrize(
    "every", [pytest.param(71, id="part"), pytest.param(1, id="all", marks=pytest.mark.slow)]
)
def test_a_corpus_with_its_leak_guard_survives_kills(drawn: Path, tmp_path: Path, every: int):
    found = tried(drawn, tmp_path / "trials", every, dataset="coco", samples_per_shard=3)
    assert found["wrong"] == []
    assert found["points"] > 200
    assert found["tried"] >= 3


@pytest.mark.parametrize(
    "moments", [pytest.param(2, id="few"), pytest.param(50, id="many", marks=pytest.mark.slow)]
)
def test_a_run_with_workers_survives_kills_at_random_moments(
    drawn: Path, tmp_path: Path, moments: int
):
    plan = {"dataset": "coco", "samples_per_shard": 3, "workers": 2, "moments": moments}
    found = tried(drawn, tmp_path / "trials", 1, **plan)
    assert found["wrong"] == []
    assert found["tried"] == moments


@pytest.mark.slow
def test_a_repair_survives_a_kill_at_every_point(raw: Path, tmp_path: Path):
    begin = damaged(raw, tmp_path / "begin")
    found = tried(raw, tmp_path / "trials", every=1, begin=str(begin), command="repair")
    assert found["wrong"] == []
    assert found["points"] > 30


def test_the_trials_notice_a_file_that_is_written_in_place(raw: Path, tmp_path: Path):
    """The trials themselves must be able to fail: a writer without a temporary name is caught."""
    shutil.copy(SCRIPT, tmp_path / "in_place.py")
    text = (tmp_path / "in_place.py").read_text()
    text = text.replace(
        "from vle_bench.data_prep.repair",
        "from vle_bench import atomic\n"
        "atomic.temporary_name = lambda path: path\n"
        "atomic._same_bytes = lambda *_: False\n"
        "from vle_bench.data_prep.repair",
        1,
    )
    (tmp_path / "in_place.py").write_text(text)
    (tmp_path / "trials").mkdir()
    asked = {
        "raw": str(raw),
        "place": str(tmp_path / "trials"),
        "begin": "",
        "command": "run",
        "dataset": "vqav2",
        "workers": 1,
        "samples_per_shard": 4,
        "every": 23,
        "first": 3,
        "moments": 0,
    }
    done = subprocess.run(
        [sys.executable, tmp_path / "in_place.py", json.dumps(asked)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert any("is torn under its final name" in one for one in json.loads(done.stdout)["wrong"])
