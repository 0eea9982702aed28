"""Tasks for engines, in a module that workers can import; run by itself, a driver on Ray."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from vle_bench.data_prep.engines.ray import RayEngine
from vle_bench.errors import DataProblem


def square(number: int) -> int:
    return number * number


def refuse(number: int) -> int:
    raise DataProblem(f"task {number} is wrong")


def divide(number: int) -> float:
    return number / 0


def killed_once(path: Path) -> int:
    if not path.exists():
        path.write_bytes(b"")
        os.kill(os.getpid(), signal.SIGKILL)
    return 1


def killed_always(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def process(number: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def note(path: Path) -> int:
    with path.open("ab") as stream:
        stream.write(b"x")
    time.sleep(0.05)
    return 1


def slowly(path: Path) -> int:
    for _ in range(600):
        note(path)
    return 1


def drive(name: str, path: Path) -> None:
    """Runs a task of this module, which workers import by its name."""
    import engine_tasks

    with RayEngine(2) as engine:
        outcomes = list(engine.map(getattr(engine_tasks, name), [path], total=1))
        time.sleep(1)  # Ray's messages come late
    sys.stdout.write(str(outcomes))


if __name__ == "__main__":
    try:
        drive({"killed": "killed_once"}.get(sys.argv[1], sys.argv[1]), Path(sys.argv[2]))
    except KeyboardInterrupt:
        sys.exit(130)
