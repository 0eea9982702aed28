"""The bytes of an annotation file, at hand in pieces and never as a whole.

A plain file is read where it lies. What is packed (gzip, zstd, a member of a
zip) is unpacked once to an unnamed file on disk, because lists are asked for in
any order and none of those formats can be read from its middle.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path
from typing import IO

from vle_bench.bars import ByteBar
from vle_bench.canonical import sha256_file
from vle_bench.errors import DataProblem, EmptyFile, machine_errors, needs_file
from vle_bench.inputs.bytes import MOST_BYTES
from vle_bench.scratch import scratch_file, write_whole

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PIECE = 1 << 20
_DIGESTED = 1 << 22
"""Bytes digested at a time: beside a parse, each piece has to wait for the interpreter twice."""


class Content:
    """Bytes on disk, counted from behind a byte order mark.

    Args:
        stream: The file that holds them.
        place: What to call them in messages.
        sha256: Their digest where it is known, or that of what they were unpacked from; None
            for the digest of all that the stream holds, once it is asked for.
        what: Of what the file is, for messages.
        may_be_empty: Whether nothing but blanks is content too.

    Attributes:
        place: What to call them in messages.
        size: How many there are.
        file: The file, where they lie in it as they are.
    """

    file: Path | None = None

    def __init__(
        self,
        stream: IO[bytes],
        place: str,
        sha256: str | None,
        *,
        what: str = "annotations",
        may_be_empty: bool = False,
    ) -> None:
        self._stream = stream
        self.place = place
        self._sha256 = sha256
        with machine_errors(place):
            head = os.pread(stream.fileno(), len(_BYTE_ORDER_MARK), 0)
            self._begin = len(_BYTE_ORDER_MARK) if head == _BYTE_ORDER_MARK else 0
            self.size = os.fstat(stream.fileno()).st_size - self._begin
        self._bar = ByteBar(0, "")
        if not may_be_empty and not any(piece.strip() for piece in self.pieces()):
            raise EmptyFile(f"{place}: the file of {what} is empty. Give a file with content.")
        self._bar = ByteBar(self.size, f"reading {Path(place).name}")

    @property
    def sha256(self) -> str:
        """Digest of the file as it was handed to us; of a zip, of the unpacked member."""
        if self._sha256 is None:
            digest, at = hashlib.sha256(), 0
            # Memory beside the heap, which gives back less once it was asked for so large a piece.
            with machine_errors(self.place), mmap(-1, _DIGESTED) as piece:
                while count := os.preadv(self._stream.fileno(), [piece], at):
                    with memoryview(piece) as whole, whole[:count] as part:
                        digest.update(part)
                    at += count
            self._sha256 = digest.hexdigest()
        return self._sha256

    def read(self, start: int, count: int) -> bytes:
        """At most `count` bytes from `start` on; b"" behind the end."""
        self._bar.reach(start + count)
        with machine_errors(self.place):
            return os.pread(self._stream.fileno(), count, self._begin + start)

    def pieces(self) -> Iterator[bytes]:
        """All bytes in order."""
        start = 0
        while piece := self.read(start, _PIECE):
            yield piece
            start += len(piece)

    def line_of(self, byte: int) -> int:
        """The line, from 1, in which a byte stands."""
        lines, start = 1, 0
        while start < byte and (piece := self.read(start, min(_PIECE, byte - start))):
            lines += piece.count(b"\n")
            start += len(piece)
        return lines


def file_content(
    path: Path,
    what: str = "annotations",
    *,
    most_bytes: int = MOST_BYTES,
    may_be_empty: bool = False,
) -> Content:
    """The content of a file, plain or behind gzip or zstd.

    Raises:
        DataProblem: No such file, empty, damaged compression, or too large when unpacked.
    """
    needs_file(path, f"a file of {what}")
    with machine_errors(path):
        stream = path.open("rb", buffering=0)
    head = stream.read(len(_ZSTD)) or b""
    if not head.startswith((_GZIP, _ZSTD)):
        plain = Content(stream, str(path), None, what=what, may_be_empty=may_be_empty)
        plain.file = path
        return plain
    stream.close()
    digest = sha256_file(path)
    unpacked = _gunzipped(path) if head.startswith(_GZIP) else _unzstandard(path)
    kept = scratch_file()
    size = 0
    try:
        for piece in unpacked:
            size += len(piece)
            if size > most_bytes:
                raise DataProblem(
                    f"{path}: unpacks to more than {most_bytes:,} bytes. "
                    "Unpack it yourself if it really is that large."
                )
            write_whole(kept, piece)
    except (EOFError, zlib.error, OSError) as error:
        raise DataProblem(
            f"{path}: compressed data is damaged or cut short ({error}). Fetch the file again."
        ) from error
    return Content(kept, str(path), digest, what=what)


def _gunzipped(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _unzstandard(path: Path) -> Iterator[bytes]:
    import pyarrow as pa

    with pa.input_stream(str(path), compression="zstd") as stream:
        while piece := stream.read(_PIECE):
            yield piece
