"""Whose turn it is, on a clock that jumps: hours of politeness in no time."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Coroutine
from itertools import pairwise
from typing import Any

import pytest

from vle_bench.data_prep.fetch.rules import Rules
from vle_bench.data_prep.fetch.turns import Turns


class Jumping(asyncio.SelectorEventLoop):
    """A loop that does not wait: where nothing is ready, its clock stands at the next moment."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self.now = max(self.now, self._scheduled[0]._when)
        super()._run_once()


def at_once(work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=Jumping) as runner:
        return runner.run(work)


class Trial:
    """Hands out jobs, each of which lasts a while."""

    def __init__(self, rules: Rules, lasts: float) -> None:
        self.turns: Turns[tuple[str, int]] = Turns(rules)
        self.starts: dict[str, list[float]] = defaultdict(list)
        self.jobs: list[tuple[str, int]] = []
        self.most: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        self._places = asyncio.Semaphore(rules.concurrency)
        self._lasts = lasts

    async def hand_out(self, count: int) -> None:
        tasks = []
        for _ in range(count):
            await self._places.acquire()
            job = await self.turns.take()
            assert job is not None
            tasks.append(asyncio.create_task(self._do(job)))
        await asyncio.gather(*tasks)

    async def _do(self, job: tuple[str, int]) -> None:
        host = job[0]
        self.jobs.append(job)
        self.starts[host].append(asyncio.get_running_loop().time())
        self._running[host] += 1
        self.most[host] = max(self.most[host], self._running[host])
        await asyncio.sleep(self._lasts)
        self._running[host] -= 1
        self.turns.done(host)
        self._places.release()


@pytest.mark.parametrize(("lasts", "per_host"), [(0.0, 1), (0.3, 1), (5.0, 2), (0.1, 4)])
def test_starts_at_a_host_keep_their_distance_and_their_number(lasts, per_host):
    rules = Rules(concurrency=16, per_host=per_host, delay=0.5)

    async def trial() -> Trial:
        trial = Trial(rules, lasts)
        for number in range(60):
            host = "abc"[number % 3]
            trial.turns.put(host, (host, number))
        await trial.hand_out(60)
        return trial

    done = at_once(trial())
    for host in "abc":
        assert len(done.starts[host]) == 20
        assert min(b - a for a, b in pairwise(done.starts[host])) >= 0.5
        assert done.most[host] <= per_host
        mine = [number for name, number in done.jobs if name == host]
        assert mine == sorted(mine)


def test_hosts_that_are_done_with_are_forgotten():
    async def trial() -> int:
        trial = Trial(Rules(concurrency=4, delay=1.0), 0.1)
        for number in range(500):
            trial.turns.put(f"host-{number}", (f"host-{number}", number))
        await trial.hand_out(500)
        await asyncio.sleep(10.0)
        trial.turns.put("last", ("last", 0))
        await trial.hand_out(1)
        return len(trial.turns)

    assert at_once(trial()) <= 1


def test_a_slow_host_holds_nobody_else_up():
    rules = Rules(concurrency=8, per_host=2, delay=1.0)

    async def trial() -> Trial:
        trial = Trial(rules, 100.0)
        for number in range(50):
            trial.turns.put("slow", ("slow", number))
        trial.turns.put("other", ("other", 0))
        await trial.hand_out(4)
        return trial

    assert at_once(trial()).starts["other"] == [0.0]


def test_a_job_that_waits_takes_no_place_and_comes_when_it_is_due():
    rules = Rules(concurrency=1, per_host=4, delay=0.0)

    async def trial() -> Trial:
        trial = Trial(rules, 1.0)
        trial.turns.put("a", ("a", 1), wait=10.0)
        trial.turns.put("a", ("a", 2), wait=3600.0)
        trial.turns.put("b", ("b", 3))
        await trial.hand_out(3)
        return trial

    done = at_once(trial())
    assert done.jobs == [("b", 3), ("a", 1), ("a", 2)]
    assert done.starts["a"] == [10.0, 3600.0]


def test_a_paused_host_is_left_alone_until_its_time():
    rules = Rules(concurrency=4, per_host=4, delay=0.0)

    async def trial() -> Trial:
        trial = Trial(rules, 0.0)
        trial.turns.put("a", ("a", 1))
        trial.turns.pause("a", 30.0)
        trial.turns.put("b", ("b", 2))
        await trial.hand_out(2)
        return trial

    done = at_once(trial())
    assert (done.starts["b"], done.starts["a"]) == ([0.0], [30.0])


def test_who_waits_when_it_is_closed_gets_nothing():
    async def trial() -> object:
        turns: Turns[str] = Turns(Rules())
        waiting = asyncio.create_task(turns.take())
        await asyncio.sleep(1.0)
        turns.close()
        return await waiting

    assert at_once(trial()) is None
