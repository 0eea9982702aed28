"""Fresh processes side by side: wall time, processor time and memory, as the system counts them.

Programs are run in turn (A B A B), because a machine's load drifts; what is
compared is the ratio of medians within one run, never a time from another day.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from bench.peaks import Together
from vle_bench.tables import Column, Table, to_text

_KEEPS_NOTHING = "PYTHONDONTWRITEBYTECODE"
_MEGABYTE = 1e6
_RSS_UNIT = 1024


class Cost(NamedTuple):
    """What one process took; its own memory is that of no file, 0.0 where nobody looked."""

    wall: float
    processor: float
    rss_mb: float
    own_mb: float = 0.0


def console(name: str) -> str:
    """Where the command of that name lies, beside the Python that runs this."""
    return str(Path(sys.executable).with_name(name))


def cost_of(command: Sequence[str]) -> Cost:
    """Runs `command` to its end, its output thrown away; raises RuntimeError where it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=_environment()
    )
    with process:
        assert process.stderr is not None
        together = Together(process.pid)
        told = process.stderr.read()
        summed = together.stop()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: {told.decode(errors='replace')}")
    wall = time.perf_counter() - start
    # The system tells of the largest process; several at one time are seen by watching them.
    rss = max(usage.ru_maxrss * _RSS_UNIT / _MEGABYTE, summed)
    return Cost(wall, usage.ru_utime + usage.ru_stime, rss)


def _environment() -> dict[str, str]:
    """Ours, but that Python may keep the modules it compiles.

    pip compiles what it installs. In a checkout that may not be kept, every start would compile
    our modules anew, and no peer's.
    """
    return {name: value for name, value in os.environ.items() if name != _KEEPS_NOTHING}


def side_by_side(
    programs: Mapping[str, Sequence[str]], *, rounds: int, floor: str, title: str
) -> str:
    """A table of the programs' median costs, with ratios to one of them.

    Args:
        programs: Commands by name, in the order of the table.
        rounds: How often each runs.
        floor: The program that the others are divided by.
        title: What is measured.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, command in programs.items():
            costs[name].append(cost_of(command))
    medians = {
        name: Cost(*(statistics.median(column) for column in zip(*found, strict=True)))
        for name, found in costs.items()
    }
    base = medians[floor]
    rows = tuple(
        (
            name,
            f"{found.wall:.2f}",
            f"{found.processor:.2f}",
            f"{found.wall / base.wall:.2f}",
            f"{found.rss_mb:.0f}",
        )
        for name, found in medians.items()
    )
    columns = (
        Column("program"),
        Column("wall s", number=True),
        Column("processor s", number=True),
        Column(f"x {floor}", number=True),
        Column("RSS MB", number=True),
    )
    return to_text(Table(columns, rows, title=title, footnotes=(machine(rounds),)))


def machine(rounds: int) -> str:
    """What the numbers were made on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("msgspec", "numpy"))
    return (
        f"median of {rounds}, {os.cpu_count()} processors, {platform.machine()}, "
        f"Python {platform.python_version()}, {packages}"
    )
