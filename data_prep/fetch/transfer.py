"""One large file, from wherever an earlier attempt stopped.

A beginning is continued only if it is of the very version that the server has now
(If-Range with a strong ETag, else its date); where that cannot be told, only a sha256
in the manifest can vouch for the whole, and a mismatch after a resume is answered by
one download from the start. Under its final name a file is whole and as promised.
Source: RFC 9110, sections 13.1.5 and 14
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import NamedTuple, NoReturn

from vle_bench.atomic import make_folder
from vle_bench.canonical import sha256_file
from vle_bench.data_prep import web_reasons as reasons
from vle_bench.data_prep.fetch.client import Client, Reply, Target, status_failure, target
from vle_bench.data_prep.fetch.failure import Failure
from vle_bench.data_prep.fetch.ledger import Ledger, PartFacts
from vle_bench.data_prep.fetch.rules import Rules
from vle_bench.data_prep.sources import PART
from vle_bench.errors import DataProblem, MachineProblem, machine_errors

_SPARE = 64 << 20
"""Bytes of disk that are left alone."""
_RANGE = re.compile(r"bytes (?:(?P<first>[0-9]{1,18})-[0-9]{1,18}|\*)/(?P<total>[0-9]{1,18}|\*)")

Heard = Callable[[int, int], None]
"""Told how many bytes are there, and of the whole size (0: unknown)."""


class Wanted(NamedTuple):
    """A file and what is known of it; 0 and "" where it is not."""

    file: str
    url: str
    path: Path
    size: int
    sha256: str
    told_by: str
    """Who knows its size and sha256."""


class Came(NamedTuple):
    """A whole file."""

    size: int
    sha256: str
    resumed_at: int
    """Byte from which this call went on; 0 where it began anew."""
    joined: bool = False
    """Whether it was put together from several answers."""


class _Start(NamedTuple):
    """Where a body goes, and how long it is (0: unknown)."""

    at: int
    total: int


async def transfer(
    client: Client, wanted: Wanted, ledger: Ledger, *, rules: Rules, heard: Heard
) -> Came:
    """Fetches one file; transient failures are tried again, as long as bytes come without end.

    Raises:
        Failure: The server does not give it.
        DataProblem: It gives another file than the manifest or an earlier receipt describes.
        MachineProblem: The disk is full or refuses.
    """
    load = _Transfer(client, wanted, ledger, rules=rules, heard=heard)
    came = await load.whole()
    if wanted.sha256 and came.sha256 != wanted.sha256 and came.joined:
        load.start_over()
        came = await load.whole()
    if wanted.sha256 and came.sha256 != wanted.sha256:
        raise DataProblem(load.set_aside(came))
    with machine_errors(wanted.path):
        load.part.replace(wanted.path)
    ledger.keep_part(wanted.file, None)
    return came


class _Transfer:
    """The attempts at one file."""

    def __init__(
        self, client: Client, wanted: Wanted, ledger: Ledger, *, rules: Rules, heard: Heard
    ) -> None:
        self._client = client
        self._wanted = wanted
        self._ledger = ledger
        self._rules = rules
        self._heard = heard
        self._resumed = 0
        self._joined = False
        self.part = wanted.path.with_name(f"{wanted.path.name}{PART}")

    async def whole(self) -> Came:
        """Until all of it is in the part file."""
        failed = 0
        furthest = self._resumed = self._size()
        self._joined = bool(furthest)
        while True:
            try:
                await self._once()
                break
            except Failure as failure:
                # Whoever begins anew again and again gets no further.
                failed = 1 if self._size() > furthest else failed + 1
                furthest = max(furthest, self._size())
                late = failure.after > self._rules.longest_retry_after
                if not failure.transient or late or failed >= self._rules.attempts:
                    raise
                pause = self._rules.wait_before(failed, self._wanted.url)
                await asyncio.sleep(max(pause, failure.after))
        digest = await asyncio.to_thread(sha256_file, self.part)
        with machine_errors(self.part):
            size = self.part.stat().st_size
        return Came(size, digest, self._resumed, self._joined)

    def start_over(self) -> None:
        """Forgets the beginning."""
        with machine_errors(self.part):
            self.part.unlink(missing_ok=True)
        self._ledger.keep_part(self._wanted.file, None)

    def set_aside(self, came: Came) -> str:
        """Keeps what came under a name that nothing reads; returns what to tell."""
        wanted = self._wanted
        aside = wanted.path.with_name(f"{wanted.path.name}.rejected")
        with machine_errors(aside):
            self.part.replace(aside)
        self._ledger.keep_part(wanted.file, None)
        return (
            f"{wanted.file}: what came has sha256 {came.sha256} ({came.size:,} bytes), "
            f"{wanted.told_by} says {wanted.sha256}. It is kept as {aside}, and nothing reads it. "
            f"If {wanted.url} changed for good, the manifest must say so."
        )

    def _size(self) -> int:
        """Bytes of the part file that are worth keeping."""
        facts = self._ledger.part_facts(self._wanted.file)
        if facts is None or facts.url != self._wanted.url or not self.part.is_file():
            return 0
        if not _validator(facts) and not self._wanted.sha256:
            return 0
        return self.part.stat().st_size

    async def _once(self) -> None:
        where = target(self._wanted.url)
        visited: list[str] = []
        while True:
            moved = await self._ask(where)
            if moved is None:
                return
            visited.append(where.url)
            if moved.url in visited or len(visited) > self._rules.most_hops:
                raise Failure(reasons.REDIRECTS, f"{where.url}: redirected without end")
            if where.scheme == "https" and moved.scheme == "http":
                raise Failure(reasons.REDIRECTS, f"{where.url}: redirected to plain http, refused")
            where = moved

    async def _ask(self, where: Target) -> Target | None:
        """One request; where it leads, or None once the body is in the part file."""
        at = self._size()
        facts = self._ledger.part_facts(self._wanted.file)
        headers: list[tuple[str, str]] = []
        if at and facts is not None:
            headers.append(("Range", f"bytes={at}-"))
            if _validator(facts):
                headers.append(("If-Range", _validator(facts)))
        async with self._client.get(where, headers) as reply:
            if reply.moved_to:
                return where.joined(reply.moved_to)
            if reply.status == 416 and at:
                self._beyond_the_end(reply, at)
                return None
            if reply.status not in (200, 206):
                raise status_failure(reply, self._rules)
            self._expect_plain(reply)
            start = self._start(reply, at)
            self._expect_size(start.total)
            self._expect_room(start)
            if not start.at:
                self._begin(reply, start.total)
            await self._body(reply, start)
        return None

    def _beyond_the_end(self, reply: Reply, at: int) -> None:
        """Nothing is left to ask for, or the file was another one."""
        match = _RANGE.fullmatch(reply.header("content-range"))
        facts = self._ledger.part_facts(self._wanted.file)
        promised = facts.total if facts is not None else 0
        if match is not None and match["total"] == str(at) and promised in (0, at):
            self._expect_size(at)
            return
        self.start_over()
        raise Failure(reasons.TRUNCATED, "the beginning was of another file", transient=True)

    def _start(self, reply: Reply, at: int) -> _Start:
        if reply.status == 200:
            return _Start(0, reply.length or 0)
        match = _RANGE.fullmatch(reply.header("content-range"))
        if match is None or match["first"] != str(at):
            self.start_over()
            raise Failure(reasons.TRUNCATED, "the server sent another range", transient=True)
        total = 0 if match["total"] == "*" else int(match["total"])
        facts = self._ledger.part_facts(self._wanted.file)
        if facts is not None and total and facts.total not in (0, total):
            self._changed()
        if facts is not None and not self._wanted.sha256:
            theirs = _facts(self._wanted.url, reply, total)
            if _differ(facts.etag, theirs.etag) or _differ(
                facts.last_modified, theirs.last_modified
            ):
                self._changed()  # If-Range was not heard, and no digest would tell of the seam
        return _Start(at, total)

    def _changed(self) -> NoReturn:
        self.start_over()
        raise Failure(reasons.TRUNCATED, "the file changed meanwhile", transient=True)

    def _expect_plain(self, reply: Reply) -> None:
        """What is packed on the way is another file; of a `.gz` some servers only say so."""
        coding = reply.header("content-encoding").strip().lower()
        if coding in ("", "identity") or self._wanted.sha256:  # a digest knows for sure
            return
        if self._wanted.path.suffix not in (".gz", ".tgz"):
            told = f"it comes packed (Content-Encoding: {coding}), though asked for as it is"
            raise Failure(reasons.OTHER, told)

    def _expect_size(self, total: int) -> None:
        wanted = self._wanted
        if total and wanted.size and total != wanted.size:
            raise DataProblem(
                f"{wanted.file}: {wanted.url} offers {total:,} bytes, {wanted.told_by} says "
                f"{wanted.size:,}. Nothing was fetched: it is another file, or another version."
            )

    def _expect_room(self, start: _Start) -> None:
        total = start.total or self._wanted.size
        folder = make_folder(self.part.parent)
        with machine_errors(folder):
            free = shutil.disk_usage(folder).free
        need = total - start.at + _SPARE
        if free < need:
            raise MachineProblem(
                f"{folder}: {free:,} bytes are free, {self._wanted.file} needs {need:,} more. "
                "Free space; the same command goes on from what is there."
            )

    def _begin(self, reply: Reply, total: int) -> None:
        facts = _facts(self._wanted.url, reply, total)
        # In this order: a part without facts is thrown away, facts without a part are harmless.
        self.start_over()
        self._ledger.keep_part(self._wanted.file, facts)
        self._resumed, self._joined = 0, False

    async def _body(self, reply: Reply, start: _Start) -> None:
        most = start.total or self._wanted.size
        at = start.at
        self._joined = self._joined or at > 0
        self._heard(at, most)
        pace = _Pace(self._rules)
        with machine_errors(self.part):
            stream = self.part.open("ab" if at else "wb", buffering=0)
        with stream:
            async for piece in reply.pieces:
                at += len(piece)
                if most and at > most:
                    break
                _write(stream, piece)
                self._heard(at, most)
                pace.keep(len(piece))
            with machine_errors(self.part):
                os.fsync(stream.fileno())
        if most and at > most:
            self.start_over()
            raise DataProblem(
                f"{self._wanted.file}: more than the {most:,} bytes that were announced came from "
                f"{self._wanted.url}. They were thrown away."
            )
        if at < most:
            told = f"{at:,} of {most:,} bytes came"
            raise Failure(reasons.TRUNCATED, told, transient=True)


class _Pace:
    """Bytes must keep coming: a drip is no better than silence."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._since = asyncio.get_running_loop().time()
        self._bytes = 0

    def keep(self, size: int) -> None:
        self._bytes += size
        now = asyncio.get_running_loop().time()
        span = now - self._since
        if span < self._rules.rate_seconds:
            return
        if self._bytes < span * self._rules.least_rate:
            told = f"{self._bytes:,} bytes in {span:.0f} s"
            raise Failure(reasons.TIMEOUT, told, transient=True)
        self._since, self._bytes = now, 0


def _write(stream: FileIO, piece: bytes) -> None:
    with machine_errors(str(stream.name)):
        view = memoryview(piece)
        while view:
            view = view[stream.write(view) :]


def _facts(url: str, reply: Reply, total: int) -> PartFacts:
    """Of which version a reply says that it is."""
    etag, changed = reply.header("etag"), reply.header("last-modified")
    return PartFacts(url=url, etag=etag, last_modified=changed, total=total)


def _differ(known: str, told: str) -> bool:
    """Whether two replies name two versions; one that does not name its own says nothing."""
    return bool(known and told) and known.removeprefix("W/") != told.removeprefix("W/")


def _validator(facts: PartFacts) -> str:
    """What If-Range may carry: a strong ETag, else the date of the last change."""
    if facts.etag and not facts.etag.startswith("W/"):
        return facts.etag
    return facts.last_modified
