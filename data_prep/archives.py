"""Official zip files, read where they lie and never unpacked.

A zip is somebody else's text: member names may climb out of a folder, sizes may
lie, a megabyte may unpack to a terabyte. The table of contents is judged before
a byte of content is read, and a member is found again by its offset, so that
many processes can read one archive without parsing its table each.
Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from vle_bench.errors import DataProblem, Problems, machine_errors

STORED, DEFLATED = 0, 8
MOST_RATIO = 500
"""Deflate reaches 1,032; VQA's annotations, as regular as JSON gets, about 35."""

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_LOCAL_MAGIC = b"PK\x03\x04"
_ENCRYPTED = 0x1
_UNIX = 3
_PIECE = 1 << 20
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
    members: list[ZipMember] = []
    for entry in entries:
        if entry.is_dir() and not _climbs(entry.orig_filename):
            continue
        wrong = _wrong_with(entry)
        if wrong:
            problems.add(f"{path}: member {entry.orig_filename!r} {wrong}")
            continue
        members.append(
            ZipMember(
                str(path),
                entry.filename,
                entry.header_offset,
                entry.compress_size,
                entry.file_size,
                entry.compress_type,
                entry.CRC,
            )
        )
    problems.raise_if_any(advice=_ADVICE)
    return members


def read_member(member: ZipMember, *, most_bytes: int) -> bytes:
    """The content of a member, checked against its declared size and CRC-32.

    Raises:
        DamagedMember: Larger than `most_bytes`, or not what the table of contents declares.
        MachineProblem: The archive cannot be read.
    """
    with machine_errors(member.archive), Path(member.archive).open("rb") as stream:
        _to_content(stream, member, most_bytes)
        packed = stream.read(member.stored)
    if len(packed) < member.stored:
        raise DamagedMember(f"is cut short, {len(packed):,} of {member.stored:,} bytes are there")
    data = packed if member.method == STORED else _inflate(packed, member.size)
    if len(data) != member.size or zlib.crc32(data) != member.crc:
        raise DamagedMember("does not have the size and checksum that the archive declares")
    return data


def member_pieces(member: ZipMember, *, most_bytes: int) -> Iterator[bytes]:
    """The same content in pieces of a megabyte at most; whether it is right shows at its end.

    Raises:
        DamagedMember: As in `read_member`, a wrong checksum after the last piece.
        MachineProblem: The archive cannot be read.
    """
    size = crc = 0
    with machine_errors(member.archive), Path(member.archive).open("rb") as stream:
        _to_content(stream, member, most_bytes)
        for piece in _inflated(stream, member):
            size += len(piece)
            if size > member.size:
                break
            crc = zlib.crc32(piece, crc)
            yield piece
    if size != member.size or crc != member.crc:
        raise DamagedMember("does not have the size and checksum that the archive declares")


def _to_content(stream: BinaryIO, member: ZipMember, most_bytes: int) -> None:
    if member.size > most_bytes:
        raise DamagedMember(f"declares {member.size:,} bytes, at most {most_bytes:,} are read")
    stream.seek(member.offset)
    head = stream.read(_LOCAL_HEADER.size)
    if len(head) < _LOCAL_HEADER.size or not head.startswith(_LOCAL_MAGIC):
        raise DamagedMember("does not begin where the table of contents says")
    name_bytes, extra_bytes = _LOCAL_HEADER.unpack(head)[-2:]
    stream.seek(name_bytes + extra_bytes, 1)


def _inflated(stream: BinaryIO, member: ZipMember) -> Iterator[bytes]:
    engine = None if member.method == STORED else zlib.decompressobj(-zlib.MAX_WBITS)
    left = member.stored
    while left:
        packed = stream.read(min(left, _PIECE))
        if not packed:
            there = member.stored - left
            raise DamagedMember(f"is cut short, {there:,} of {member.stored:,} bytes are there")
        left -= len(packed)
        if engine is None:
            yield packed
            continue
        try:
            while piece := engine.decompress(packed, _PIECE):
                yield piece
                packed = engine.unconsumed_tail
        except zlib.error as error:
            raise DamagedMember(f"holds broken compressed data ({error})") from error


def _inflate(packed: bytes, size: int) -> bytes:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        # One byte more than declared is enough to know that the archive lied.
        return engine.decompress(packed, size + 1)
    except zlib.error as error:
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
