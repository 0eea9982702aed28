"""Progress for people: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vle_bench.console import say

_SECONDS = 60.0


class Terminal:
    """Tells on stderr."""

    def say(self, text: str) -> None:
        """A sentence."""
        say(text)

    @contextmanager
    def bar(self, total: int, what: str, unit: str) -> Iterator[Callable[[int], None]]:
        """How much is done, how fast, and how long it will take.

        Args:
            total: How much there is; 0 is not known.
            what: Of what.
            unit: What is counted; `B` is bytes.
        """
        if not sys.stderr.isatty():
            yield _Lines(total, what, unit).add
            return
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread that ends badly; see vle_bench.console.counted
        scale = unit == "B"
        with tqdm(total=total or None, desc=what, unit=unit, unit_scale=scale, leave=False) as bar:

            def add(count: int) -> None:
                bar.update(count)

            yield add


class _Lines:
    """A line a minute: downloads of a day are watched in a log."""

    def __init__(self, total: int, what: str, unit: str) -> None:
        self._total, self._what, self._unit = total, what, unit
        self._done = 0
        self._began = self._told = time.monotonic()

    def add(self, count: int) -> None:
        self._done += count
        now = time.monotonic()
        if now - self._told < _SECONDS:
            return
        self._told = now
        rate = self._done / (now - self._began)
        of = f" of {self._total:,}" if self._total else ""
        left = (self._total - self._done) / rate if rate > 0 else 0.0
        ends = f", about {left / 60:,.0f} min left" if left > 0 else ""
        unit = " bytes" if self._unit == "B" else self._unit
        say(f"{self._what}: {self._done:,}{of}{unit}, {rate:,.0f} a second{ends}.")
