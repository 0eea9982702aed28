"""Official zip files, read where they lie and never unpacked.

A zip is somebody else's text: member names may climb out of a folder, sizes may
lie, a megabyte may unpack to a terabyte. The table of contents is judged before
a byte of content is read, and a member is found again by its offset, so that
many processes can read one archive without parsing its table each. Checksums
and inflation are ISA-L's, which reads a stored picture as fast as a loose file
is read; zlib's CRC alone would take as long as the rest.
Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from isal import isal_zlib

from vle_bench.errors import DataProblem, Problems, machine_errors

STORED, DEFLATED = 0, 8
MOST_RATIO = 500
"""Deflate reaches 1,032; VQA's annotations, as regular as JSON gets, about 35."""

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_LOCAL_MAGIC = b"PK\x03\x04"
_ENCRYPTED = 0x1
_UNIX = 3
_PIECE = 1 << 20
_Broken: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stub says: an instance
_ADVICE = "Nothing was read from it. Fetch the official file again."


class ZipMember(NamedTuple):
    """Where a file lies inside an archive; enough to read it without the table of contents.

    Attributes:
        archive: Path of the zip file.
        name: Member name.
        offset: Byte of the member's local header.
        stored: Bytes it takes in the archive.
        size: Bytes it unpacks to, as declared.
        method: 0 (stored) or 8 (deflated).
        crc: CRC-32 of the content, as declared.
    """

    archive: str
    name: str
    offset: int
    stored: int
    size: int
    method: int
    crc: int

    @property
    def place(self) -> str:
        """Archive and member in one word, for messages."""
        return f"{self.archive}!{self.name}"


class DamagedMember(ValueError):
    """A member whose bytes are not what the archive's table promises; the text says how."""


def read_table(path: Path) -> list[ZipMember]:
    """The files of an archive in its own order, after every entry was judged.

    Of a name that stands twice the last file counts, as for everybody who unpacks the archive:
    whoever puts a file into a zip again leaves the old one in it.

    Raises:
        DataProblem: No whole zip, or up to ten entries that climb out of the folder, are links,
            are encrypted, use a compression nobody uses here, or unpack to absurd sizes.
    """
    try:
        with machine_errors(path), zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, EOFError, struct.error, ValueError, NotImplementedError) as error:
        raise DataProblem(
            f"{path}: no whole zip archive ({error}): its table of contents, which stands at the "
            "end, is missing or broken. It was probably cut short: fetch it again."
        ) from error
    problems = Problems(f"{path}: refused.")
    members: dict[str, ZipMember] = {}
    for entry in entries:
        if not _climbs(entry.orig_filename) and entry.is_dir():  # which asks for a last letter
            continue
        wrong = _wrong_with(entry)
        if wrong:
            problems.add(f"{path}: member {entry.orig_filename!r} {wrong}")
            continue
        members[entry.filename] = ZipMember(
            str(path),
            entry.filename,
            entry.header_offset,
            entry.compress_size,
            entry.file_size,
            entry.compress_type,
            entry.CRC,
        )
    problems.raise_if_any(advice=_ADVICE)
    return list(members.values())


def read_member(member: ZipMember, *, most_bytes: int) -> bytes:
    """The content of a member, checked against its declared size and CRC-32.

    Raises:
        DamagedMember: Larger than `most_bytes`, or not what the table of contents declares.
        MachineProblem: The archive cannot be read.
    """
    with machine_errors(member.archive):
        archive = _open(member.archive)
        begin = _content_of(archive, member, most_bytes)
        packed = os.pread(archive.handle, member.stored, begin)
    data = packed if member.method == STORED else _inflate(packed, member.size)
    if len(data) != member.size or isal_zlib.crc32(data) != member.crc:
        raise DamagedMember("does not have the size and checksum that the archive declares")
    return data


def member_pieces(member: ZipMember, *, most_bytes: int) -> Iterator[bytes]:
    """The same content in pieces of a megabyte at most; whether it is right shows at its end.

    Raises:
        DamagedMember: As in `read_member`, a wrong checksum after the last piece.
        MachineProblem: The archive cannot be read.
    """
    size = crc = 0
    with machine_errors(member.archive):
        archive = _open(member.archive)
        begin = _content_of(archive, member, most_bytes)
        for piece in _inflated(archive, member, begin):
            size += len(piece)
            if size > member.size:
                break
            crc = isal_zlib.crc32(piece, crc)
            yield piece
    if size != member.size or crc != member.crc:
        raise DamagedMember("does not have the size and checksum that the archive declares")


class _Archive:
    """An open archive, closed when nobody reads it any more."""

    handle = -1

    def __init__(self, path: str) -> None:
        self.handle = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self.handle).st_size

    def __del__(self) -> None:
        if self.handle >= 0:
            os.close(self.handle)


def _open(path: str) -> _Archive:
    """The archive under that name now; one that was opened before serves again."""
    look = os.stat(path)  # noqa: PTH116  # once a picture, and a Path takes three times as long
    return _opened(path, look.st_dev, look.st_ino, look.st_size, look.st_mtime_ns)


@lru_cache(maxsize=4)
def _opened(path: str, *_look: int) -> _Archive:
    return _Archive(path)


def _content_of(archive: _Archive, member: ZipMember, most_bytes: int) -> int:
    """Where the content begins; all that is declared is there, and not too much."""
    if member.size > most_bytes:
        raise DamagedMember(f"declares {member.size:,} bytes, at most {most_bytes:,} are read")
    head = os.pread(archive.handle, _LOCAL_HEADER.size, member.offset)
    if len(head) < _LOCAL_HEADER.size or not head.startswith(_LOCAL_MAGIC):
        raise DamagedMember("does not begin where the table of contents says")
    name_bytes, extra_bytes = _LOCAL_HEADER.unpack(head)[-2:]
    begin = member.offset + _LOCAL_HEADER.size + int(name_bytes) + int(extra_bytes)
    there = max(archive.size - begin, 0)
    if there < member.stored:
        raise DamagedMember(f"is cut short, {there:,} of {member.stored:,} bytes are there")
    return begin


def _inflated(archive: _Archive, member: ZipMember, at: int) -> Iterator[bytes]:
    engine = None if member.method == STORED else isal_zlib.decompressobj(-isal_zlib.MAX_WBITS)
    end = at + member.stored
    while at < end:
        packed = os.pread(archive.handle, min(end - at, _PIECE), at)
        if not packed:
            raise DamagedMember(f"is cut short, {end - at:,} bytes of it are gone")
        at += len(packed)
        if engine is None:
            yield packed
            continue
        try:
            while piece := engine.decompress(packed, _PIECE):
                yield piece
                packed = engine.unconsumed_tail
        except _Broken as error:
            raise DamagedMember(f"holds broken compressed data ({error})") from error


def _inflate(packed: bytes, size: int) -> bytes:
    engine = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS)
    try:
        # One byte more than declared is enough to know that the archive lied.
        return engine.decompress(packed, size + 1)
    except _Broken as error:
        raise DamagedMember(f"holds broken compressed data ({error})") from error


def _wrong_with(entry: zipfile.ZipInfo) -> str:
    """What speaks against an entry, "" if nothing does."""
    if _climbs(entry.orig_filename):
        return "names a place outside its folder"
    if entry.create_system == _UNIX and stat.S_ISLNK(entry.external_attr >> 16):
        return "is a symbolic link"
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if entry.compress_type not in (STORED, DEFLATED):
        return f"is compressed by method {entry.compress_type}; stored or deflated was expected"
    if entry.compress_type == STORED and entry.file_size != entry.compress_size:
        return f"is stored in {entry.compress_size:,} bytes but declares {entry.file_size:,}"
    if entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
        return f"declares {entry.file_size:,} bytes, packed into {entry.compress_size:,}"
    return ""


def _climbs(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    drive = len(parts[0]) == 2 and parts[0].endswith(":")  # "C:"
    return not parts[0] or drive or ".." in parts or "\0" in name
