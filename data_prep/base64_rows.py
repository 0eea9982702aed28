"""Pictures as base64 text in a TSV, one `id<TAB>base64` a line, as Chinese-CLIP has them.

Such a file takes gigabytes and a line megabytes, so it is walked through in
pieces and no line is ever held: what is kept of a picture is where its text
begins and how long it is. Reading one later is a seek.
Format: https://github.com/OFA-Sys/Chinese-CLIP
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vle_bench.errors import machine_errors

MOST_ID_BYTES = 64
_PIECE = 1 << 20


class Base64Cell(NamedTuple):
    """Where the text of a picture stands in its file, in bytes."""

    offset: int
    length: int


class TsvRow(NamedTuple):
    """A line of the file; `cell` is None where it is no id, tab and text.

    Attributes:
        line: Its number, from 1.
        identity: What stands before the tab.
        cell: Where the picture's text is.
    """

    line: int
    identity: str
    cell: Base64Cell | None


class Base64Table:
    """A TSV of pictures.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()

    def rows(self) -> Iterator[TsvRow]:
        """Every line that is not empty, in order.

        Raises:
            DataProblem: No such file.
            MachineProblem: It cannot be read.
        """
        for line, (start, end, head) in enumerate(self._spans(), 1):
            identity, tab, _ = head.partition(b"\t")
            if not head.strip() and end - start <= MOST_ID_BYTES:
                continue
            offset = start + len(identity) + 1
            cell = Base64Cell(offset, end - offset) if tab and offset < end else None
            text = identity.decode("utf-8", "replace")
            if line == 1:
                text = text.removeprefix("\ufeff")  # some editors begin a file with a mark
            yield TsvRow(line, text.strip(), cell)

    @property
    def sha256(self) -> str:
        """Digest of the file, once its rows were read to the end."""
        return self._digest.hexdigest()

    def _spans(self) -> Iterator[tuple[int, int, bytes]]:
        """Begin, end and first bytes of every line."""
        start, position, head = 0, 0, b""
        with machine_errors(self._path), self._path.open("rb", buffering=0) as stream:
            while piece := stream.read(_PIECE):
                self._digest.update(piece)
                at = 0
                while (end := piece.find(b"\n", at)) >= 0:
                    yield (
                        start,
                        position + end,
                        (head + piece[at : min(end, at + MOST_ID_BYTES)])[:MOST_ID_BYTES],
                    )
                    at, head, start = end + 1, b"", position + end + 1
                head = (head + piece[at : at + MOST_ID_BYTES])[:MOST_ID_BYTES]
                position += len(piece)
        if start < position:
            yield start, position, head


def decoded(text: bytes) -> bytes:
    """The bytes that base64 text of the standard alphabet stands for.

    Raises:
        ValueError: It is not such text.

    >>> decoded(b"aGk=")
    b'hi'
    """
    try:
        return base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
