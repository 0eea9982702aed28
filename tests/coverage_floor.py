"""The coverage floor: branches of scorers, shards and records, of the last `make test`.

Usage: python -m tests.coverage_floor
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

FLOOR = 90.0
"""Percent of branches, per room."""

ROOMS = {
    "scorers": (
        "eval/vqa/",
        "eval/vcr/",
        "eval/retrieval/",
        "eval/grounding/",
        "vle_bench/answers.py",
    ),
    "shards": ("vle_bench/shards/",),
    "records": ("vle_bench/records.py", "vle_bench/boxes.py", "vle_bench/catalog/"),
}


def branch_share(files: dict[str, dict[str, dict[str, int]]], prefixes: tuple[str, ...]) -> float:
    """Percent of branches taken in the files below `prefixes`; files without branches count 0/0."""
    totals = [data["summary"] for name, data in files.items() if _below(name, prefixes)]
    if not totals:
        raise SystemExit(f"coverage: no file below {', '.join(prefixes)}; run `make test` first")
    branches = sum(total["num_branches"] for total in totals)
    covered = sum(total["covered_branches"] for total in totals)
    return 100.0 * covered / branches if branches else 100.0


def _below(name: str, prefixes: tuple[str, ...]) -> bool:
    return name.replace("\\", "/").startswith(prefixes)


def main() -> int:
    """Compares each room with the floor; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        command = [sys.executable, "-m", "coverage", "json", "--quiet", "-o", str(report)]
        if subprocess.run(command).returncode:
            return 1
        files = json.loads(report.read_text())["files"]
    shares = {room: branch_share(files, prefixes) for room, prefixes in ROOMS.items()}
    for room, share in shares.items():
        sys.stdout.write(f"{room}: {share:.1f} % of branches (floor {FLOOR:.0f} %)\n")
    return 0 if all(share >= FLOOR for share in shares.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
