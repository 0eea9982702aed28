"""A copy of the package that a test may spoil, and the gate run on it in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[3]
_LEAVE_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")
_START = "from vle_bench.eval.cli import main; main()"


class Seen(NamedTuple):
    """What the gate said."""

    code: int
    out: str
    err: str

    @property
    def moved(self) -> dict[str, dict[str, Any]]:
        """The checks that moved, by name."""
        checks = json.loads(self.out)["checks"]
        return {check["name"]: check for check in checks if check["status"] == "moved"}


class PackageCopy:
    """`vle_bench` with `eval` and `manifests`, laid out as it is installed."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.package = top / "vle_bench"
        shutil.copytree(ROOT / "vle_bench", self.package, ignore=_LEAVE_OUT)
        for room in ("eval", "manifests"):
            shutil.copytree(ROOT / room, self.package / room, ignore=_LEAVE_OUT)

    def check(self, *options: str) -> Seen:
        """Runs `vle-eval check --json` on the copy."""
        command = [sys.executable, "-B", "-c", _START, "check", "--json", *options]
        environment = {**os.environ, "PYTHONPATH": str(self.top)}
        ran = subprocess.run(
            command, cwd=self.top, env=environment, capture_output=True, text=True, timeout=120
        )
        return Seen(ran.returncode, ran.stdout, ran.stderr)
