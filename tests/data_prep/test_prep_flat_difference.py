"""Memory of a comparison does not grow with the builds, however their orders and keys differ."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from vle_bench.shards.index import SampleRow, write_samples

COMPARE = r"""
import re, sys
from pathlib import Path
from vle_bench.data_prep.difference import difference
found = difference(Path(sys.argv[1]), Path(sys.argv[2]))
first = next(iter(found.only_a)).key
counts = len(found.only_a), len(found.only_b), len(found.pictures), len(found.records)
peak = re.search(r"VmHWM:\s+([0-9]+)", Path("/proc/self/status").read_text())[1]
print(*found.samples, *counts, found.elsewhere, first, peak)
"""


def draw(folder: Path, numbers: Iterable[int], *, digit: str) -> Path:
    """An index of one train shard that says where nothing lies; nothing needs to be read of it."""
    numbers = list(numbers)
    name = "vqav2-train-000000.tar"
    shard = {"name": name, "samples": len(numbers), "bytes": 0, "sha256": "5" * 64}
    report = {
        "schema": "vle-bench/preparation/1",
        "dataset": "vqav2",
        "sample": True,
        "parameters": {},
        "counts": {},
        "splits": {"train": {"counts": {}, "shards": [shard]}},
    }
    (folder / "train").mkdir(parents=True)
    (folder / "train" / name).touch()
    (folder / "report.json").write_text(json.dumps(report))
    sha256 = digit * 64
    rows = (
        SampleRow(
            f"vqav2-{number:012d}", "train", name, 9 * number, 9, 0, 0, 0, 0, 0, sha256, 1, 1,
            f"{number}", f"{number}", "", 5, 5, 5,
        )
        for number in numbers
    )  # fmt: skip
    write_samples(folder / "samples.parquet", rows)
    return folder


def compare(folder: Path, count: int) -> tuple[list[str], float]:
    """What is found, and the peak memory in megabytes, of a process of its own."""
    folder.mkdir()
    a = draw(folder / "a", range(count), digit="a")
    b = draw(folder / "b", range(count + 4, 4, -1), digit="b")
    command = [sys.executable, "-c", COMPARE, str(a), str(b)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *found, kilobytes = done.stdout.split()
    return found, int(kilobytes) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc on this system")
def test_four_times_the_samples_take_the_same_memory(tmp_path: Path):
    few, before = compare(tmp_path / "few", 40_000)
    many, after = compare(tmp_path / "many", 160_000)
    assert few == ["40000", "40000", "5", "5", "39995", "0", "0", "vqav2-000000000000"]
    assert many == ["160000", "160000", "5", "5", "159995", "0", "0", "vqav2-000000000000"]
    assert after - before < 80  # buffers that fill; held as objects, both builds take 250 MB more
