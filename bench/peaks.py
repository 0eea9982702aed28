"""Peak memory of a program and of every process that it starts, as Linux counts it.

`wait4` tells of one process, and begins with what its parent held before it was
started. `VmHWM` begins anew with each program, and is read again and again
while the tree of processes lives.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

_PAUSE = 0.01
_PEAK = re.compile(rb"VmHWM:\s+([0-9]+)")
_NOW = re.compile(rb"VmRSS:\s+([0-9]+)")
_OWN = re.compile(rb"RssAnon:\s+([0-9]+)")
_KIB = 1024 / 1e6


class Peaks(NamedTuple):
    """Megabytes at the peak.

    Attributes:
        wall: Seconds to the end.
        first: The program itself.
        others: The largest of the processes it started, 0.0 where there was none.
        together: All at one time.
    """

    wall: float
    first: float
    others: float
    together: float


class Together:
    """Megabytes of a program and all that it started at one time, at most; watched by a thread.

    Args:
        root: The program's process.
        own: Whether pages of files do not count, which the system takes back when it likes.
    """

    def __init__(self, root: int, *, own: bool = False) -> None:
        self._root = root
        self._figure = _OWN if own else _NOW
        self._most = 0
        self._over = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Ends the watch; what was the most."""
        self._over.set()
        self._thread.join()
        return self._most * _KIB

    def _watch(self) -> None:
        while not self._over.wait(_PAUSE):
            now = 0
            for number in _tree(self._root):
                with suppress(OSError):
                    now += _number(self._figure, Path(f"/proc/{number}/status").read_bytes())
            self._most = max(self._most, now)


def peaks_of(command: Sequence[str | Path]) -> Peaks:
    """Runs a command and watches its processes; raises RuntimeError where it fails.

    What lives shorter than ten milliseconds may be missed.
    """
    begun = time.perf_counter()
    peaks: dict[int, int] = {}
    together = 0
    with subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        while process.poll() is None:
            now = 0
            for number in _tree(process.pid):
                with suppress(OSError):
                    text = Path(f"/proc/{number}/status").read_bytes()
                    peaks[number] = max(peaks.get(number, 0), _number(_PEAK, text))
                    now += _number(_NOW, text)
            together = max(together, now)
            time.sleep(_PAUSE)
        assert process.stderr is not None
        told = process.stderr.read()
    wall = time.perf_counter() - begun
    if process.returncode:
        raise RuntimeError(f"{command}: {told.decode(errors='replace')}")
    first = peaks.pop(process.pid, 0)
    return Peaks(
        wall, first * _KIB, max(peaks.values(), default=0) * _KIB, max(together, first) * _KIB
    )


def _tree(root: int) -> list[int]:
    """A process and all below it."""
    found = [root]
    for number in found:
        with suppress(OSError):
            for thread in Path(f"/proc/{number}/task").iterdir():
                found += map(int, (thread / "children").read_text().split())
    return found


def _number(pattern: re.Pattern[bytes], text: bytes) -> int:
    match = pattern.search(text)
    return int(match[1]) if match else 0
