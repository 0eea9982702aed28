"""One program of a contest in a process of its own, which tells the cost of its work.

    python -m bench.entrant bench.writers:ours SOURCE TARGET

The function imports what it needs and returns the work; only that is measured.
"""

from __future__ import annotations

import importlib
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.contest import Program
from bench.processes import Cost

_STATUS = Path("/proc/self/status")
_KIB = 1024
_MEGABYTE = 1e6

Work = Callable[[], object]


def program(name: str, function: Callable[..., Work], *words: Path | str) -> Program:
    """The program of a contest that measures what `function(*words)` returns."""
    target = f"{function.__module__}:{function.__name__}"
    command = (sys.executable, "-m", "bench.entrant", target, *map(str, words))
    return Program(name, command)


def main(target: str, *words: str) -> int:
    """Prints the cost of the work as JSON."""
    module, _, name = target.partition(":")
    work: Work = getattr(importlib.import_module(module), name)(*map(Path, words))
    processor, wall = _processor(), time.perf_counter()
    work()
    cost = Cost(time.perf_counter() - wall, _processor() - processor, _peak())
    sys.stdout.write(msgspec.json.encode(cost).decode())
    return 0


def _processor() -> float:
    """Seconds of the processor, those of programs that were started and have ended included."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def _peak() -> float:
    """Most memory in MB. rusage would count that of the parent, from before the exec."""
    if _STATUS.is_file():
        peak = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * _KIB / _MEGABYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB / _MEGABYTE


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
