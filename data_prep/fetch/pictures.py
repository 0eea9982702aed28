"""The pictures of a list of addresses: asked politely, each decision kept at once.

One loop hands out the jobs whose turn it is; a job that fails for now goes back to
the end of its host's line. Nothing about the result depends on who answers first.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vle_bench.canonical import sha256_bytes
from vle_bench.data_prep import web_reasons as reasons
from vle_bench.data_prep.fetch.addressed import Addresses
from vle_bench.data_prep.fetch.client import Client, Target, open_client, target
from vle_bench.data_prep.fetch.failure import Failure
from vle_bench.data_prep.fetch.picture import GotPicture, Moved, ask_picture
from vle_bench.data_prep.fetch.rules import Rules
from vle_bench.data_prep.fetch.shelf import ROWS_PER_SHARD, Listed, Shelf
from vle_bench.data_prep.fetch.table import FAILED, Decision
from vle_bench.data_prep.fetch.turns import Turns
from vle_bench.data_prep.web_reasons import SUCCESS
from vle_bench.errors import MachineProblem

_WINDOW = 100
"""Jobs that wait for each one under way: enough that other hosts have work."""
_SILENT_AFTER = 8
"""Requests in a row that a host did not answer; then it is left until the next call."""
_NO_NETWORK_AFTER = 40
_NO_NETWORK_HOSTS = 4
_UNREACHED = frozenset({reasons.DNS, reasons.TIMEOUT, reasons.CONNECTION})

Step = Callable[[], None]
"""Called for every address that was decided."""


@dataclass
class PictureTally:
    """What a call did to a list.

    Attributes:
        addresses: How many there are.
        before: Pictures that were there already.
        got: Pictures fetched.
        bytes: Their bytes.
        requests: Requests made, repeated and redirected ones included.
        failed: Addresses that brought nothing, by class.
        again: How many of these the next call will ask again.
        left: Addresses that this call did not ask (`--limit`).
    """

    addresses: int = 0
    before: int = 0
    got: int = 0
    bytes: int = 0
    requests: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    again: int = 0
    left: int = 0


@dataclass(frozen=True)
class _Job:
    row: Listed
    where: Target
    attempt: int = 0
    visited: tuple[str, ...] = ()


@dataclass
class PictureList:
    """A list whose pictures are wanted.

    Attributes:
        addresses: The list.
        shelf: Where its pictures go.
        wanted: For each address whether it is to be asked.
        tally: What is known so far.
    """

    addresses: Addresses
    shelf: Shelf
    wanted: npt.NDArray[np.bool_]
    tally: PictureTally

    @property
    def open(self) -> int:
        """How many addresses are to be asked."""
        return int(self.wanted.sum())


def look(
    addresses: Addresses, shelf: Shelf, folder: Path, rules: Rules, *, limit: int | None = None
) -> PictureList:
    """What there is of a list, before anything is asked.

    Args:
        addresses: The list.
        shelf: Where its pictures go.
        folder: The dataset's raw folder.
        rules: The rules of this call.
        limit: Only the first so many addresses of the list.
    """
    wanted, there = addresses.open_ones(folder, shelf, rules)
    tally = PictureTally(addresses=len(addresses), before=there)
    if limit is not None:
        tally.left = int(wanted[limit:].sum())
        wanted[limit:] = False
    return PictureList(addresses, shelf, wanted, tally)


def fetch_pictures(work: PictureList, rules: Rules, step: Step) -> PictureTally:
    """Fetches the pictures of a list, and packs each shard when nothing of it is under way.

    Args:
        work: The list, looked at.
        rules: The rules of this call.
        step: Told of every address that is decided.

    Raises:
        MachineProblem: The disk refuses, or no address at all could be reached.
    """
    for shard in work.shelf.unpacked():
        work.shelf.mend(shard)
    asyncio.run(_Fetching(work, rules, step).run())
    return work.tally


class _Fetching:
    """One call: jobs in flight, shards being worked on."""

    def __init__(self, work: PictureList, rules: Rules, step: Step) -> None:
        self._work = work
        self._shelf = work.shelf
        self._tally = work.tally
        self._rules = rules
        self._step = step
        self._turns: Turns[_Job] = Turns(rules)
        self._under_way = asyncio.Semaphore(rules.concurrency)
        self._feed = self._shards_to_ask()
        self._refilling = False
        self._rows: dict[int, list[Listed]] = {}
        self._open: Counter[int] = Counter()
        """Undecided addresses of each shard that is being worked on."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._error: BaseException | None = None
        self._hosts = _HostHealth()

    async def run(self) -> None:
        """Until every address of this call is decided and every shard packed."""
        async with open_client(self._rules) as client:
            try:
                self._refill()
                await self._hand_out(client)
                while self._tasks and self._error is None:
                    await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._error is not None:
            raise self._error

    async def _hand_out(self, client: Client) -> None:
        while True:
            await self._under_way.acquire()
            job = await self._turns.take()
            if job is None:
                return
            self._start(self._handle(client, job), self._under_way.release)

    def _start(self, work: Coroutine[None, None, None], ended: Callable[[], None]) -> None:
        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            ended()
            error = None if task.cancelled() else task.exception()
            if error is not None:
                self._stop(error)

        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(done)

    def _stop(self, error: BaseException) -> None:
        self._error = self._error or error
        self._turns.close()

    def _shards_to_ask(self) -> Iterator[tuple[int, list[Listed], list[Listed]]]:
        unpacked = set(self._shelf.unpacked())
        for shard, rows in self._work.addresses.shards():
            wanted = [row for row in rows if self._work.wanted[row.number]]
            if wanted or shard in unpacked:
                yield shard, rows, wanted

    def _refill(self) -> None:
        """Takes shards from the list while there are few jobs; closes the turns behind the last."""
        if self._refilling:
            return
        self._refilling = True
        while self._open.total() < _WINDOW * self._rules.concurrency:
            taken = next(self._feed, None)
            if taken is None:
                if not self._open.total():
                    self._turns.close()
                break
            shard, rows, wanted = taken
            self._rows[shard] = rows
            self._open[shard] = len(wanted)
            if not wanted:
                self._pack(shard)
            for row in wanted:
                self._put(row, 0, 0.0)
        self._refilling = False

    def _put(self, row: Listed, attempt: int, wait: float) -> None:
        try:
            where = target(row.url)
        except Failure as failure:
            self._settle(row, failure)
            return
        self._turns.put(where.host, _Job(row, where, attempt), wait=wait)

    async def _handle(self, client: Client, job: _Job) -> None:
        host = job.where.host
        outcome: GotPicture | Moved | Failure | None = self._hosts.left(host)
        try:
            if outcome is None:
                self._tally.requests += 1
                outcome = await ask_picture(client, job.where, self._rules)
                self._hosts.answered(host)
        except Failure as failure:
            outcome = self._hosts.failed(host, failure, self._rules)
            if self._hosts.no_network:
                raise MachineProblem(
                    f"None of {self._hosts.unreached} addresses could be reached, the last one "
                    f"for: {failure}. Is the network there? The same command goes on."
                ) from failure
        finally:
            self._turns.done(host)
        if isinstance(outcome, Moved):
            self._follow(job, outcome.to)
        elif isinstance(outcome, Failure):
            self._again_or_never(job, outcome)
        else:
            self._settle(job.row, outcome)

    def _follow(self, job: _Job, to: Target) -> None:
        visited = (*job.visited, job.where.url)
        if to.url in visited:
            self._settle(job.row, Failure(reasons.REDIRECTS, "redirects go round in a ring"))
        elif len(visited) > self._rules.most_hops:
            told = f"more than {self._rules.most_hops} redirects"
            self._settle(job.row, Failure(reasons.REDIRECTS, told))
        else:
            self._turns.put(to.host, _Job(job.row, to, job.attempt, visited))

    def _again_or_never(self, job: _Job, failure: Failure) -> None:
        attempt = job.attempt + 1
        host = job.where.host
        left = self._hosts.left(host) is not None
        if not failure.transient or left or attempt >= self._rules.attempts:
            self._settle(job.row, failure)
            return
        wait = max(failure.after, self._rules.wait_before(attempt, job.row.url))
        if failure.after:
            self._turns.pause(host, failure.after)
        self._put(job.row, attempt, wait)

    def _settle(self, row: Listed, outcome: GotPicture | Failure) -> None:
        """Keeps what was decided of an address; the last one of a shard has it packed."""
        if isinstance(outcome, GotPicture):
            self._shelf.keep(_success(row, outcome), outcome.data)
            self._tally.got += 1
            self._tally.bytes += len(outcome.data)
        else:
            self._shelf.keep(_failure(row, outcome))
            self._tally.failed[outcome.reason] += 1
            self._tally.again += outcome.transient
        self._step()
        shard = row.number // ROWS_PER_SHARD
        self._open[shard] -= 1
        if not self._open[shard]:
            self._pack(shard)
        self._refill()

    def _pack(self, shard: int) -> None:
        del self._open[shard]
        work = asyncio.to_thread(self._shelf.pack, shard, self._rows.pop(shard))
        self._start(work, lambda: None)


class _HostHealth:
    """Which hosts are worth asking in this call, and whether anybody answers at all."""

    def __init__(self) -> None:
        self.unreached = 0
        self._silent: Counter[str] = Counter()
        self._left: dict[str, Failure] = {}
        self._answered = False

    @property
    def no_network(self) -> bool:
        """Whether many addresses at several hosts were tried and nobody answered."""
        many = self.unreached >= _NO_NETWORK_AFTER
        return many and not self._answered and len(self._silent) >= _NO_NETWORK_HOSTS

    def left(self, host: str) -> Failure | None:
        """Why a host is not asked any more in this call; None where it is."""
        return self._left.get(host)

    def answered(self, host: str) -> None:
        """A host answered, whatever it said."""
        self._answered = True
        self._silent.pop(host, None)

    def failed(self, host: str, failure: Failure, rules: Rules) -> Failure:
        """Notes a failure; returns it as it is to be kept."""
        if failure.reason not in _UNREACHED:
            self._answered |= failure.reason not in (reasons.PRIVATE, reasons.BAD_ADDRESS)
            self._silent.pop(host, None)
            if failure.after > rules.longest_retry_after:
                self._left[host] = failure
            return failure
        self.unreached += 1
        self._silent[host] += 1
        if self._silent[host] >= _SILENT_AFTER:
            told = f"{host}: silent {_SILENT_AFTER} times in a row, left until the next call"
            self._left[host] = Failure(failure.reason, told, transient=failure.transient)
        if failure.reason == reasons.DNS and not self._answered and not failure.transient:
            # Without a network some systems say of every name that there is no such.
            return Failure(failure.reason, failure.detail, transient=True)
        return failure


def _success(row: Listed, got: GotPicture) -> Decision:
    return Decision(
        number=row.number,
        url=row.url,
        status=SUCCESS,
        final=True,
        sha256=sha256_bytes(got.data),
        bytes=len(got.data),
        width=got.seen.width,
        height=got.seen.height,
        ending=got.seen.format,
    )


def _failure(row: Listed, failure: Failure) -> Decision:
    return Decision(
        number=row.number,
        url=row.url,
        status=FAILED,
        error_message=failure.reason,
        detail=failure.detail,
        final=not failure.transient,
    )
