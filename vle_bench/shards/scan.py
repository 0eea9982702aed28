"""Walks a shard from header to header and says where it is damaged.

The common readers stop without a word where a shard was cut between two
members or where one bit of a header flipped, and training goes on with half of
the data. This scanner demands the end-of-archive blocks, checks every header's
checksum, and names the sample at which something is wrong.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from vle_bench.errors import machine_errors, needs_file
from vle_bench.shards.layout import JSON_ENDING, PICTURE_FORMATS
from vle_bench.shards.ustar import BLOCK, END_OF_ARCHIVE, BrokenHeader, padded, parse_header


class Member(NamedTuple):
    """One file inside a shard; offsets count bytes from the shard's first byte."""

    name: str
    offset: int
    data_offset: int
    size: int

    @property
    def key(self) -> str:
        """The part of the name before its first dot."""
        return self.name.partition(".")[0]

    @property
    def ending(self) -> str:
        """The part of the name after its first dot."""
        return self.name.partition(".")[2]

    @property
    def end(self) -> int:
        """Where the next header begins."""
        return self.data_offset + padded(self.size)


class Damage(NamedTuple):
    """Something wrong in a shard: at which byte, at which sample (""), and what."""

    offset: int
    key: str
    reason: str

    def __str__(self) -> str:
        where = f"{self.key}: " if self.key else ""
        return f"{where}{self.reason} (byte {self.offset:,})"


class Scan(NamedTuple):
    """The members before the first damage, and the damages found."""

    members: tuple[Member, ...]
    damages: tuple[Damage, ...]


def scan_shard(path: Path) -> Scan:
    """Reads every header of a shard and checks that samples are whole and adjacent.

    Args:
        path: The tar file.

    Raises:
        DataProblem: There is no such file.
        MachineProblem: It cannot be read.
    """
    with mapped(path) as data:
        return scan_bytes(data)


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap | bytes]:
    """The bytes of a file as a read-only map (an empty file cannot be mapped)."""
    needs_file(path, "a shard")
    with machine_errors(path), path.open("rb") as stream:
        if path.stat().st_size == 0:
            yield b""
            return
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def scan_bytes(data: mmap.mmap | bytes) -> Scan:
    """Like `scan_shard`, for bytes at hand.

    >>> scan_bytes(bytes(1024))
    Scan(members=(), damages=())
    >>> scan_bytes(bytes(512)).damages[0].reason
    'the shard ends without its end-of-archive blocks'
    """
    members, damage = _walk(data)
    damages = [*_sample_damages(members)]
    if damage is not None:
        damages.append(damage)
    return Scan(tuple(members), tuple(damages))


def _walk(data: mmap.mmap | bytes) -> tuple[list[Member], Damage | None]:
    members: list[Member] = []
    at, length = 0, len(data)
    while True:
        after = members[-1].key if members else ""
        block = data[at : at + BLOCK]
        if len(block) < BLOCK:
            return members, _cut(at, after, len(block))
        if not any(block):
            return members, _ending(data, at, after)
        try:
            name, size = parse_header(block)
        except BrokenHeader as error:
            return members, Damage(at, _guess(block) or after, str(error))
        member = Member(name, at, at + BLOCK, size)
        if member.end > length:
            there = max(length - member.data_offset, 0)
            reason = f"cut short inside {name}, {there:,} of {size:,} bytes are there"
            return members, Damage(at, member.key, reason)
        members.append(member)
        at = member.end


def _cut(at: int, after: str, rest: int) -> Damage:
    if rest:
        return Damage(at, after, "cut short inside a header after this sample")
    return Damage(at, after, "the shard ends without its end-of-archive blocks")


def _ending(data: mmap.mmap | bytes, at: int, after: str) -> Damage | None:
    """GNU tar and tarfile round the end up to 10,240 bytes of zeros; both are whole shards."""
    tail = data[at:]
    if tail.strip(b"\0"):
        return Damage(at, after, "bytes follow the end-of-archive blocks")
    if len(tail) < len(END_OF_ARCHIVE) or len(tail) % BLOCK:
        return Damage(at, after, "the shard ends without its end-of-archive blocks")
    return None


def _guess(block: bytes) -> str:
    """The key a broken header seems to belong to, "" where it is unreadable."""
    name = bytes(block[:100]).rstrip(b"\0")
    plain = name.isascii() and name.decode("ascii", "replace").isprintable()
    return name.decode("ascii").partition(".")[0] if plain else ""


def _sample_damages(members: list[Member]) -> Iterator[Damage]:
    """A sample is a picture followed at once by its JSON; every key comes once."""
    seen: set[str] = set()
    at = 0
    while at < len(members):
        first = members[at]
        second = members[at + 1] if at + 1 < len(members) else None
        if first.key in seen:
            yield Damage(first.offset, first.key, "the key comes a second time")
        seen.add(first.key)
        if first.ending not in PICTURE_FORMATS:
            yield Damage(first.offset, first.key, f"{first.name} stands where a picture should")
            at += 1
        elif second is None or second.name != f"{first.key}.{JSON_ENDING}":
            yield Damage(first.offset, first.key, f"{first.name} is not followed by its JSON")
            at += 1
        else:
            at += 2
