"""Arrays that stay in their file: NPY, and NPZ whose members are stored as they are.

The pages of a mapped file belong to the operating system, which takes them back
when it needs to: a gigabyte of features costs no memory of ours. What is packed
cannot be mapped and is read. A file that is cut short while it is read ends the
process (SIGBUS); it is held against its own header before that.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy.typing as npt

from vle_bench.errors import machine_errors, needs_file
from vle_bench.inputs.arrays import load
from vle_bench.inputs.bytes import open_source
from vle_bench.inputs.npz import read_arrays

Array = npt.NDArray[Any]

_NPY = b"\x93NUMPY"
_ZIP = b"PK\x03\x04"
_PIECE = 1 << 20
_NOT_PLAIN = 1 | 1 << 5
"""Encrypted, or a patch of another file."""
_LOCAL = struct.Struct("<4s5H3I2H")
"""A member's own header in a ZIP; its name and extra field follow."""


class MappedArrays(NamedTuple):
    """The arrays of one file.

    Attributes:
        path: Where it lies.
        arrays: By name; an NPY file's only one is called "".
        sha256: Digest of the file as it lies on disk.
        release: Gives the pages that were looked at back to the system; they come again when
            they are looked at again.
    """

    path: Path
    arrays: dict[str, Array]
    sha256: str
    release: Callable[[], None] = lambda: None


def map_arrays(path: Path, what: str, expected: str) -> MappedArrays | None:
    """The arrays of an NPY or NPZ file, read-only; None where the file is neither.

    Args:
        path: The file.
        what: What the user meant it to be, for messages ("features").
        expected: What it should hold, for messages.

    Raises:
        DataProblem: No such file, damaged, cut short, or holding Python objects.
    """
    needs_file(path, f"a file of {what}")
    with machine_errors(path), path.open("rb") as stream:
        head = stream.read(len(_NPY))
    if head == _NPY:
        mapped = _mapped(path)
        arrays = {"": load(memoryview(mapped), str(path), expected)}
        return MappedArrays(path, arrays, _digest(path), _releaser(mapped))
    if not head.startswith(_ZIP):
        return None
    mapped = _mapped(path)
    members = _stored_members(path, memoryview(mapped))
    if members is None:
        source = open_source(path, what)
        return MappedArrays(path, read_arrays(source, expected), source.sha256)
    arrays = {name: load(member, f"{path}[{name}]", expected) for name, member in members.items()}
    return MappedArrays(path, arrays, _digest(path), _releaser(mapped))


def _mapped(path: Path) -> mmap.mmap:
    """The file as memory; what looks at it keeps it mapped."""
    with machine_errors(path), path.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


def _releaser(mapped: mmap.mmap) -> Callable[[], None]:
    advice = getattr(mmap, "MADV_DONTNEED", None)
    if advice is None:  # no such call on this system, which then decides alone
        return lambda: None
    return lambda: mapped.madvise(advice)


def _digest(path: Path) -> str:
    # Read, not looked at in the map: read pages are nobody's memory.
    with machine_errors(path), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _stored_members(path: Path, data: memoryview) -> dict[str, memoryview] | None:
    """The bytes of each member; None where one is packed or does not keep what the file says.

    Who gets None reads the file whole, and says what is wrong with it.
    """
    members: dict[str, memoryview] = {}
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as stream:
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                packed = member.compress_type != zipfile.ZIP_STORED or member.flag_bits & _NOT_PLAIN
                if packed or member.compress_size != member.file_size:
                    return None
                archive.open(member).close()  # holds the member's own header against the list
                local = _LOCAL.unpack_from(data, member.header_offset)
                start = member.header_offset + _LOCAL.size + local[-2] + local[-1]
                stream.seek(start)
                if name in members or _checksum(stream, member.file_size) != member.CRC:
                    return None
                members[name] = data[start : start + member.file_size]
    except (zipfile.BadZipFile, OSError, struct.error, NotImplementedError, UnicodeDecodeError):
        return None
    return members


def _checksum(stream: BinaryIO, size: int) -> int:
    """CRC-32 of the next `size` bytes, or of those that are there."""
    found = 0
    while size > 0 and (piece := stream.read(min(size, _PIECE))):
        found = zlib.crc32(piece, found)
        size -= len(piece)
    return found
