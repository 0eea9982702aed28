"""The bytes of an input file, and what kind of file they are.

The name of a file proves nothing: `.json` may be gzip, `.csv` may be Parquet. The
first bytes decide. Decompressed sizes are bounded, so that a small file cannot
fill the memory (a "zip bomb").
"""

from __future__ import annotations

import gzip
import re
import zlib
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from vle_bench.canonical import sha256_bytes
from vle_bench.errors import DataProblem, EmptyFile, machine_errors, needs_file

Kind = Literal["json", "jsonl", "csv", "npy", "npz", "parquet"]

MOST_BYTES = 16 << 30
"""Bound of a decompressed input: far above any real annotation file, below most disks."""
_HARMLESS = 1 << 30
_MOST_TIMES = 200
"""Real files shrink to a tenth, empty ones to a thousandth."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_UTF_16 = re.compile(rb"\xff\xfe|\xfe\xff|[\t-~]\0[\t-~]\0|\0[\t-~]\0[\t-~]")
"""A byte order mark, or two plain characters of two bytes each."""
_PIECE = 1 << 22
_SIGN = re.compile(rb"[^ \t\n\r\x0b\f]")
"""Anything but what `bytes.isspace` calls space."""


class Source(msgspec.Struct, frozen=True, dict=True):
    """One input file, decompressed.

    Attributes:
        path: Where it was read, for messages.
        data: The decompressed bytes.
        stored: The file as it lies on disk; the same where it is not compressed.
        kind: What the bytes are.
    """

    path: Path
    data: bytes
    stored: bytes
    kind: Kind

    def __repr__(self) -> str:
        return f"Source({self.path}, {self.kind}, {len(self.data):,} bytes)"

    @cached_property
    def sha256(self) -> str:
        """Digest of the file as it lies on disk; taken when it is first asked for."""
        return sha256_bytes(self.stored)


def open_source(path: Path, what: str, *, most_bytes: int = MOST_BYTES) -> Source:
    """Reads, decompresses and classifies `path`.

    Args:
        path: The file.
        what: What the user meant it to be, for messages ("predictions").
        most_bytes: Largest decompressed size accepted.

    Raises:
        DataProblem: No such file, damaged compression, too large, or empty (`EmptyFile`).
    """
    needs_file(path, f"a file of {what}")
    with machine_errors(path):
        stored = path.read_bytes()
    data = _decompressed(stored, path, most_unpacked(len(stored), most_bytes=most_bytes))
    if data.isspace() or not data:
        raise EmptyFile(f"{path}: the file of {what} is empty. Give a file with content.")
    if _UTF_16.match(data):
        raise DataProblem(
            f"{path}: UTF-16 text, as Windows PowerShell writes it. Save it as UTF-8."
        )
    return Source(path, data, stored, _kind(data))


def most_unpacked(size: int, *, most_bytes: int = MOST_BYTES) -> int:
    """How large a packed file of `size` bytes may become: a gigabyte, or 200 times as large.

    >>> most_unpacked(1000), most_unpacked(10 << 20), most_unpacked(1 << 30) == MOST_BYTES
    (1073741824, 2097152000, True)
    """
    return min(most_bytes, max(_HARMLESS, size * _MOST_TIMES))


def _decompressed(stored: bytes, path: Path, most_bytes: int) -> bytes:
    try:
        if stored.startswith(_GZIP):
            return _gunzip(stored, path, most_bytes)
        if stored.startswith(_ZSTD):
            return _unzstd(stored, path, most_bytes)
    except (OSError, EOFError, zlib.error) as error:
        raise DataProblem(
            f"{path}: compressed data is damaged or cut short ({error}). Fetch the file again."
        ) from error
    return stored


def _gunzip(stored: bytes, path: Path, most_bytes: int) -> bytes:
    import io

    pieces: list[bytes] = []
    size = 0
    with gzip.GzipFile(fileobj=io.BytesIO(stored)) as stream:
        while piece := stream.read(_PIECE):
            size += len(piece)
            _bounded(size, path, most_bytes)
            pieces.append(piece)
    return b"".join(pieces)


def _unzstd(stored: bytes, path: Path, most_bytes: int) -> bytes:
    import pyarrow as pa

    pieces: list[bytes] = []
    size = 0
    with pa.CompressedInputStream(pa.BufferReader(stored), "zstd") as stream:
        while piece := stream.read(_PIECE):
            size += len(piece)
            _bounded(size, path, most_bytes)
            pieces.append(piece)
    return b"".join(pieces)


def _bounded(size: int, path: Path, most_bytes: int) -> None:
    if size > most_bytes:
        raise DataProblem(
            f"{path}: unpacks to more than {most_bytes:,} bytes. "
            "Unpack it yourself if it really is that large."
        )


def _kind(data: bytes) -> Kind:
    if data.startswith(b"\x93NUMPY"):
        return "npy"
    if data.startswith(b"PK\x03\x04"):
        return "npz"
    if data.startswith(b"PAR1"):
        return "parquet"
    head = data[:65536].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"["):
        return "json"
    if head.startswith(b"{"):
        return "jsonl" if _more_than_one_line_of_objects(data) else "json"
    return "csv"


def _more_than_one_line_of_objects(data: bytes) -> bool:
    """JSONL puts a whole object on its first line; a JSON document of one line has no second."""
    text = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    end = text.find(b"\n")
    if end < 0 or not text[:end].rstrip().endswith(b"}"):
        return False
    # No copy of what follows, which may be gigabytes: the next sign is looked for.
    following = _SIGN.search(text, end)
    return following is not None and following[0] == b"{"
