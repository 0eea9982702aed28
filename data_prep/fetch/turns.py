"""Whose turn it is: no host is asked more often, or by more requests at once, than is polite.

A request that must wait (for its host, or for its next attempt) holds none of the
places of the requests under way, so one slow host never stops the others.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from vle_bench.data_prep.fetch.rules import Rules

T = TypeVar("T")


@dataclass
class _Host(Generic[T]):
    waiting: deque[T] = field(default_factory=deque)
    running: int = 0
    free_at: float = 0.0
    listed: bool = False
    """Whether it stands in the heap of hosts that may be due."""


class Turns(Generic[T]):
    """Jobs by host; `take` gives the next one that may start, `done` ends it."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._hosts: dict[str, _Host[T]] = {}
        self._due: list[tuple[float, int, str]] = []
        self._later: list[tuple[float, int, str, T]] = []
        self._count = 0
        self._news = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        """How many hosts are remembered: those with jobs, and those just asked."""
        return len(self._hosts)

    def put(self, host: str, job: T, *, wait: float = 0.0) -> None:
        """Adds a job, to be started after `wait` seconds at the earliest."""
        if wait > 0.0:
            self._count += 1
            at = asyncio.get_running_loop().time() + wait
            heapq.heappush(self._later, (at, self._count, host, job))
        else:
            self._hosts.setdefault(host, _Host()).waiting.append(job)
            self._list(host)
        self._news.set()

    def pause(self, host: str, seconds: float) -> None:
        """Leaves a host alone for a while: it asked for it."""
        entry = self._hosts.setdefault(host, _Host())
        entry.free_at = max(entry.free_at, asyncio.get_running_loop().time() + seconds)

    def done(self, host: str) -> None:
        """A job of this host ended."""
        entry = self._hosts[host]
        entry.running -= 1
        self._list(host)
        self._news.set()

    def close(self) -> None:
        """No more jobs: everybody who waits gets None."""
        self._closed = True
        self._news.set()

    async def take(self) -> T | None:
        """The next job that may start; None once closed."""
        loop = asyncio.get_running_loop()
        while not self._closed:
            now = loop.time()
            self._wake(now)
            job = self._next(now)
            if job is not None:
                return job
            await self._rest(now)
        return None

    def _wake(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            _, _, host, job = heapq.heappop(self._later)
            self.put(host, job)

    def _next(self, now: float) -> T | None:
        while self._due and self._due[0][0] <= now:
            _, _, host = heapq.heappop(self._due)
            entry = self._hosts[host]
            entry.listed = False
            if not entry.waiting and not entry.running and entry.free_at <= now:
                del self._hosts[host]  # a list has hundreds of thousands of hosts
            if not entry.waiting or entry.running >= self._rules.per_host:
                continue
            if entry.free_at > now:
                self._list(host)
                continue
            job = entry.waiting.popleft()
            entry.running += 1
            entry.free_at = now + self._rules.delay
            self._list(host)
            return job
        return None

    async def _rest(self, now: float) -> None:
        """Until something may have become due."""
        moments = [heap[0][0] for heap in (self._due, self._later) if heap]
        self._news.clear()
        try:
            async with asyncio.timeout(max(0.0, min(moments) - now) if moments else None):
                await self._news.wait()
        except TimeoutError:
            return

    def _list(self, host: str) -> None:
        entry = self._hosts[host]
        idle = not entry.waiting and not entry.running
        startable = entry.waiting and entry.running < self._rules.per_host
        if not entry.listed and (startable or idle):
            entry.listed = True
            self._count += 1
            # Not before now, or new hosts would for ever stand before those to be forgotten.
            at = max(entry.free_at, asyncio.get_running_loop().time())
            heapq.heappush(self._due, (at, self._count, host))
