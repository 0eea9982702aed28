"""The coverage floor looks at files that coverage measures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.coverage_floor import ROOMS, branch_share

ROOT = Path(__file__).parents[2]
SCORING = "import vle_bench.eval.vqa.protocols as p; p.thirds(p.Hits(p.np.ones(1), p.np.arange(2)))"


def measured(*, taken: int, of: int) -> dict[str, dict[str, int]]:
    return {"summary": {"num_branches": of, "covered_branches": taken}}


def test_every_room_is_measured_though_the_scorers_lie_outside_the_package(tmp_path) -> None:
    """`vle_bench.eval` is the folder `eval`, which the source `vle_bench` does not hold."""
    data, report = tmp_path / "data", tmp_path / "coverage.json"
    coverage = [sys.executable, "-m", "coverage"]
    script = tmp_path / "scoring.py"
    script.write_text(SCORING)
    for command in (
        ["run", f"--data-file={data}", str(script)],
        ["json", "--quiet", f"--data-file={data}", "-o", str(report)],
    ):
        subprocess.run([*coverage, *command], cwd=ROOT, check=True)
    files = json.loads(report.read_text())["files"]
    for room in ROOMS.values():
        assert 0 <= branch_share(files, room.prefixes) < room.floor
    assert files["eval/vqa/protocols.py"]["summary"]["covered_lines"] > 0


def test_a_room_has_the_share_of_all_its_files() -> None:
    files = {"eval/a.py": measured(taken=1, of=4), "vle_bench/b.py": measured(taken=5, of=6)}
    assert branch_share(files, ("eval/", "vle_bench/b.py", "eval/a.py")) == 60
    assert branch_share({"eval/a.py": measured(taken=0, of=0)}, ("eval/",)) == 100


def test_a_part_of_a_room_that_was_not_measured_is_told() -> None:
    files = {"vle_bench/answers.py": measured(taken=4, of=4)}
    with pytest.raises(SystemExit, match="no file below eval/"):
        branch_share(files, ("vle_bench/answers.py", "eval/"))
