"""Members of other people's tar files, found by their headers and read by a seek.

Such a tar may have been cut by a killed download: members that are whole are
used, the rest is not there. A million pictures are three million headers, and
`tarfile` takes six times as long for one as it takes to prove that it is plain;
so it is asked only from the first on that is not.
"""

from __future__ import annotations

import os
import re
import tarfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from vle_bench.errors import machine_errors
from vle_bench.shards.ustar import BLOCK, BrokenHeader, padded, parse_header

_AHEAD = 8 << 10
"""Bytes read from a header on: texts and tables that follow a picture are in them as a rule."""

_ZEROS = bytes(BLOCK)
_TYPE_AT = 156
_PAX = b"x"
_TIMES = re.compile(rb"(?:[0-9]{1,3} [acm]time=[0-9.]+\n)+")
"""All that Python's `tarfile` has to add to a member of a plain name whose time is a float."""


class TarSlice(NamedTuple):
    """Where the bytes of a member stand in their tar file."""

    offset: int
    length: int


def tar_members(path: Path) -> Iterator[tuple[str, TarSlice]]:
    """Name and place of each whole regular file in an uncompressed tar, in order."""
    with machine_errors(path), path.open("rb", buffering=0) as stream:
        there = os.fstat(stream.fileno()).st_size
        at = yield from _plain_members(stream.fileno(), there)
        if at < there:
            stream.seek(at)
            yield from _any_members(stream, there)


def _plain_members(handle: int, there: int) -> Generator[tuple[str, TarSlice], None, int]:
    """Members as long as their headers are plain; returns where the first other one stands.

    That is `there`, the size of the file, where none is left.
    """
    at, begin, window = 0, 0, b""
    while at < there:
        place = at - begin
        if place + 2 * BLOCK > len(window):  # a PAX header has its words behind it
            begin, place, window = at, 0, os.pread(handle, _AHEAD, at)
        if window.startswith(_ZEROS, place):
            return there
        if window.startswith(_PAX, place + _TYPE_AT):
            size = _bytes_of_times(window, place)
            if not size:
                return at
            at += BLOCK + padded(size)
            continue
        try:
            name, size = parse_header(window, place)
        except BrokenHeader:
            return at
        if "\0" in name or name.endswith("/"):
            return at
        first = at + BLOCK
        if first + size <= there:
            yield name, TarSlice(first, size)
        at = first + padded(size)
    return there


def _bytes_of_times(data: bytes, at: int) -> int:
    """Size of the PAX header that begins there; 0 where it tells of more than times, or is none."""
    try:
        _, size = parse_header(data, at, kinds=(_PAX,))
    except BrokenHeader:
        return 0
    words = data[at + BLOCK : at + BLOCK + size]
    return size if len(words) == size and _TIMES.fullmatch(words) else 0


def _any_members(stream: BinaryIO, there: int) -> Iterator[tuple[str, TarSlice]]:
    """Members from where the stream stands on, whatever their headers."""
    try:
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            while (member := archive.next()) is not None:
                # Else it keeps a kilobyte of each to its end.
                archive.members.clear()  # type: ignore[attr-defined]  # typeshed lacks it
                whole = member.offset_data + member.size <= there
                if member.isreg() and not member.issparse() and whole:
                    yield member.name, TarSlice(member.offset_data, member.size)
    except tarfile.TarError:
        return


def read_slice(path: str, place: TarSlice) -> bytes:
    """The bytes of a member.

    Raises:
        MachineProblem: The tar cannot be read.
    """
    with machine_errors(path), Path(path).open("rb", buffering=0) as stream:
        stream.seek(place.offset)
        return stream.read(place.length)
