"""The samples of a shard in order, as bytes, nearly as fast as the file is read at all.

Two reads a sample: the picture straight into the bytes that are handed out, and
everything up to the next picture. The common readers end without a word where a
shard was cut; this one raises there, after the samples that are whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from vle_bench.errors import DataProblem, machine_errors, needs_file
from vle_bench.shards.layout import JSON_ENDING, PICTURE_FORMATS
from vle_bench.shards.scan import scan_shard
from vle_bench.shards.ustar import (
    BLOCK,
    END_OF_ARCHIVE,
    NAME_BYTES,
    BrokenHeader,
    own_size,
    padded,
    parse_header,
)

_AHEAD = 4 << 10
"""Bytes behind a picture that are read with it: a header, most records, the next header."""

_TAIL = 1 << 20
"""Bytes from the end-of-archive blocks on that are looked at; GNU tar fills up 10,240 at most."""

_KEPT = 4 << 20
"""Bytes of free memory that are kept for the next picture."""

_ZEROS = bytes(BLOCK)
_JSON = f".{JSON_ENDING}".encode()
_ENDINGS = {ending.encode(): ending for ending in PICTURE_FORMATS}


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
        _keep_memory()
        try:
            yield from _walk(handle, os.fstat(handle).st_size)
        except (BrokenHeader, _Torn) as error:
            # Which sample it is takes a careful look, and nobody is in a hurry any more.
            found = next(iter(scan_shard(path).damages), None)
            reason = str(found or error)
            raise DataProblem(f"{path}: {reason}. Run vle-prep verify.") from error


@cache
def _keep_memory() -> None:
    """Has freed pictures kept for the next ones.

    The allocator of glibc returns what is free at the end of its memory to the system from
    128 KB on, so that about every picture is new memory, a page fault for each 4 KB: a
    quarter of the time. It keeps twice the largest block of its own that was ever freed: one
    that is never written to takes no memory. Other allocators learn nothing from it.
    """
    bytes(_KEPT)


def _walk(handle: int, length: int) -> Iterator[RawSample]:
    begin, head, ahead = BLOCK, os.pread(handle, BLOCK, 0), _AHEAD
    seen: set[bytes] = set()
    while head != _ZEROS:
        if (size := own_size(head)) < 0:
            _, size = parse_header(head)
        stem, _, ending = head[:NAME_BYTES].rstrip(b"\0").partition(b".")
        behind = begin + size
        if behind > length or ending not in _ENDINGS or stem in seen:
            raise _Torn(f"the member at byte {begin - BLOCK:,} does not belong there")
        seen.add(stem)
        picture = os.pread(handle, size, begin)
        start = BLOCK + -size % BLOCK
        rest = os.pread(handle, start + ahead, behind)
        head = rest[start - BLOCK : start]
        if (count := own_size(head)) < 0:
            _, count = parse_header(head)
        if head[:NAME_BYTES] != (stem + _JSON).ljust(NAME_BYTES, b"\0"):
            raise _Torn(f"the picture at byte {begin:,} is not followed by its JSON")
        stop = start + count
        record = rest[start:stop]
        stop += -count % BLOCK
        if behind + stop > length:
            raise _Torn(f"cut short inside the record at byte {behind + start:,}")
        head = rest[stop : stop + BLOCK]
        if len(head) < BLOCK:
            # A longer record than those before it; the next one is likely to be of its kind.
            ahead = padded(count) + _AHEAD
            record = os.pread(handle, count, behind + start)
            head = os.pread(handle, BLOCK, behind + stop)
        begin = behind + stop + BLOCK
        yield RawSample(stem.decode("ascii"), _ENDINGS[ending], picture, record)
    at = begin - BLOCK
    tail = os.pread(handle, min(length - at, _TAIL), at)
    if len(tail) < len(END_OF_ARCHIVE) or tail.strip(b"\0"):
        raise _Torn("the shard does not end with its end-of-archive blocks")
