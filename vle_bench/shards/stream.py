"""The samples of a shard in order, as bytes, nearly as fast as the file is read at all.

Two reads a sample: the picture straight into the bytes that are handed out, and
everything up to the next picture. The common readers end without a word where a
shard was cut; this one raises there, after the samples that are whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vle_bench.errors import DataProblem, machine_errors, needs_file
from vle_bench.shards.layout import JSON_ENDING, PICTURE_FORMATS
from vle_bench.shards.scan import scan_shard
from vle_bench.shards.ustar import (
    BLOCK,
    END_OF_ARCHIVE,
    BrokenHeader,
    padded,
    parse_header,
)

_AHEAD = 8 << 10
"""Bytes behind a picture that are read with it: a header, most records, the next header."""

_TAIL = 1 << 20
"""Bytes from the end-of-archive blocks on that are looked at; GNU tar fills up 10,240 at most."""

_ZEROS = bytes(BLOCK)


class RawSample(NamedTuple):
    """A picture with its record, neither looked into."""

    key: str
    ending: str
    picture: bytes
    record: bytes


class _Torn(ValueError):
    """The shard is not what it should be here; `scan_shard` knows how to say it."""


def raw_samples(path: Path) -> Iterator[RawSample]:
    """Every sample of a shard in order.

    Args:
        path: The tar file.

    Raises:
        DataProblem: No such file, or damaged: told behind the last sample before the damage.
        MachineProblem: It cannot be read.
    """
    needs_file(path, "a shard")
    with machine_errors(path), path.open("rb", buffering=0) as stream:
        handle = stream.fileno()
        try:
            yield from _walk(handle, os.fstat(handle).st_size)
        except (BrokenHeader, _Torn) as error:
            # Which sample it is takes a careful look, and nobody is in a hurry any more.
            found = next(iter(scan_shard(path).damages), None)
            reason = str(found or error)
            raise DataProblem(f"{path}: {reason}. Run vle-prep verify.") from error


def _walk(handle: int, length: int) -> Iterator[RawSample]:
    at, place, ahead = 0, 0, os.pread(handle, BLOCK, 0)
    seen: set[str] = set()
    while not ahead.startswith(_ZEROS, place):
        name, size = parse_header(ahead, place)
        key, _, ending = name.partition(".")
        begin = at + BLOCK
        behind = begin + size
        if behind > length or ending not in PICTURE_FORMATS or key in seen:
            raise _Torn(f"{name} does not belong there")
        seen.add(key)
        picture = os.pread(handle, size, begin)
        gap = -size % BLOCK
        rest = os.pread(handle, gap + _AHEAD, behind)
        second, count = parse_header(rest, gap)
        if second != f"{key}.{JSON_ENDING}":
            raise _Torn(f"{name} is not followed by its JSON")
        start = gap + BLOCK
        at = behind + start + padded(count)
        if at > length:
            raise _Torn(f"cut short inside {second}")
        record = rest[start : start + count]
        if len(record) < count:
            record = os.pread(handle, count, behind + start)
        place, ahead = at - behind, rest
        if place + BLOCK > len(ahead):
            place, ahead = 0, os.pread(handle, BLOCK, at)
        yield RawSample(key, ending, picture, record)
    tail = os.pread(handle, min(length - at, _TAIL), at)
    if len(tail) < len(END_OF_ARCHIVE) or tail.strip(b"\0"):
        raise _Torn("the shard does not end with its end-of-archive blocks")
