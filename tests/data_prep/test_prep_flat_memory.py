"""Memory does not grow with the annotations: ten times the file, the same peak."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PICTURES = 200
WORDS = "A text of some length, as captions are, with }, { and \\u00e9 in it."

READ = r"""
import re, sys
from pathlib import Path
from vle_bench.data_prep.books import Books
from vle_bench.data_prep.coco_files import CocoFacts
from vle_bench.data_prep.sources import RawTree
pictures = range(200)
facts = CocoFacts(RawTree(Path(sys.argv[1])), "val2014", frozenset(pictures), Books("val"))
count = sum(len(facts.boxes.of(one)) + len(facts.captions.of(one)) for one in pictures)
# The peak that wait() tells of begins with what the parent held when it started this process.
print(count, re.search(r"VmHWM:\s+([0-9]+)", Path("/proc/self/status").read_text())[1])
"""


def write(raw: Path, rows: int) -> None:
    folder = raw / "coco/annotations"
    folder.mkdir(parents=True)
    images = [{"id": number, "width": 9, "height": 9} for number in range(PICTURES)]
    for kind in ("captions", "instances"):
        more = {"caption": WORDS} if kind == "captions" else {"bbox": [1, 2, 3.5, 4]}
        annotations = [
            {"id": number, "image_id": number * 7 % PICTURES, "category_id": 1, **more}
            for number in range(rows)
        ]
        document = {
            "images": images,
            "annotations": annotations,
            "categories": [{"id": 1, "name": "x"}],
        }
        (folder / f"{kind}_val2014.json").write_text(json.dumps(document))


def read(raw: Path) -> tuple[int, float]:
    """Rows read and peak memory in megabytes, of a process of its own."""
    command = [sys.executable, "-c", READ, str(raw)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, kilobytes = map(int, done.stdout.split())
    return count, kilobytes / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc on this system")
def test_ten_times_the_annotations_take_the_same_memory(tmp_path: Path):
    write(tmp_path / "one", 10_000)
    write(tmp_path / "ten", 100_000)
    few, before = read(tmp_path / "one")
    many, after = read(tmp_path / "ten")
    assert (few, many) == (20_000, 200_000)
    assert after - before < 20  # held as objects they take 120 MB more
