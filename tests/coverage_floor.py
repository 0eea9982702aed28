"""The coverage floor: branches of scorers, shards and records, of the last `make test`.

Usage: python -m tests.coverage_floor
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple


class Room(NamedTuple):
    """Files that are looked at together, and the least percent of their branches."""

    floor: float
    prefixes: tuple[str, ...]


ROOMS = {
    "scorers": Room(95.0, ("eval/", "vle_bench/answers.py", "vle_bench/statistics/")),
    "shards": Room(90.0, ("vle_bench/shards/",)),
    "records": Room(90.0, ("vle_bench/records.py", "vle_bench/boxes.py", "vle_bench/catalog/")),
}

Files = dict[str, dict[str, dict[str, int]]]


def branch_share(files: Files, prefixes: tuple[str, ...]) -> float:
    """Percent of branches taken in the files below `prefixes`; files without branches count 0/0."""
    for prefix in prefixes:
        # One that finds nothing was not measured, and the others' share would hide it.
        if not _below(files, prefix):
            raise SystemExit(f"coverage: no file below {prefix}; run `make test` first")
    found = {name for prefix in prefixes for name in _below(files, prefix)}
    totals = [files[name]["summary"] for name in found]
    branches = sum(total["num_branches"] for total in totals)
    covered = sum(total["covered_branches"] for total in totals)
    return 100.0 * covered / branches if branches else 100.0


def _below(files: Files, prefix: str) -> list[str]:
    return [name for name in files if name.replace("\\", "/").startswith(prefix)]


def main() -> int:
    """Compares each room with its floor; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        command = [sys.executable, "-m", "coverage", "json", "--quiet", "-o", str(report)]
        if subprocess.run(command).returncode:
            return 1
        files = json.loads(report.read_text())["files"]
    shares = {name: branch_share(files, room.prefixes) for name, room in ROOMS.items()}
    for name, share in shares.items():
        sys.stdout.write(f"{name}: {share:.1f} % of branches (floor {ROOMS[name].floor:.0f} %)\n")
    return 0 if all(share >= ROOMS[name].floor for name, share in shares.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
