"""A list in a JSON file, read by two processes: from its beginning and from its middle.

Where the middle is, is guessed and then proved, as every cut is: if the text up to
a comma and a `]` is one sound list, and a `[` and the text behind it another, then
that comma stands between two records. If they are not, the halves are worth
nothing, and the list is read by one process, which says what is wrong and where.
"""

from __future__ import annotations

import importlib
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from vle_bench.data_prep.sources import Document
from vle_bench.errors import DataProblem
from vle_bench.inputs.content import Content, file_content
from vle_bench.inputs.json_cut import between_records
from vle_bench.inputs.json_stream import WINDOW

WORTH_IT: Final = 64 << 20
"""Bytes of a file below which a second process has hardly begun when the first is done."""

_LENGTH = struct.Struct("<Q")


class Unsound(Exception):
    """The halves are no two lists."""


class Half(Content):
    """One half of a list as a list of its own.

    Args:
        whole: The list.
        cut: The comma in its middle.
        second: Which half.
    """

    def __init__(self, whole: Content, cut: int, *, second: bool) -> None:
        self._whole = whole
        self._cut = cut
        self._second = second
        self.place = whole.place
        self.size = whole.size - cut if second else cut + 1

    def read(self, start: int, count: int) -> bytes:
        """At most `count` bytes from `start` on, a bracket in the place of the comma."""
        if self._second:
            data = self._whole.read(self._cut + start, count)
            return b"[" + data[1:] if start == 0 and data else data
        data = self._whole.read(start, min(count, self._cut - start)) if start < self._cut else b""
        return data + b"]" if start <= self._cut < start + count else data


def middle_of(content: Content) -> int | None:
    """Where the comma in the middle of a list of records seems to stand; None for no idea."""
    middle = content.size // 2
    text = content.read(0, min(WINDOW, middle))
    text = text[text.find(b"[") + 1 :]
    # A window may end between a comma and the name behind it.
    tries = (between_records(text[: len(text) * part // 4]) for part in (4, 3, 2))
    between = next(filter(None, tries), b"")
    found = content.read(middle, WINDOW).find(between) if between else -1
    return middle + found + 1 if found >= 0 else None


def second_half(file: Path, cut: int, read: str) -> Iterator[bytes]:
    """What a process of its own makes of the second half of a file.

    Args:
        file: The file.
        cut: The comma in its middle.
        read: `module:function` that makes pieces of bytes of a document.

    Raises:
        Unsound: The second half is no list, or holds other things, or the process was killed.
    """
    # No multiprocessing: it would run the user's script again, which need not be made for that.
    command = [sys.executable, "-P", "-m", __name__, str(file), str(cut), read]
    with subprocess.Popen(  # noqa: S603  # our own interpreter and module; no shell
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        try:
            while len(head := process.stdout.read(_LENGTH.size)) == _LENGTH.size:
                (size,) = _LENGTH.unpack(head)
                if not size:
                    return
                yield process.stdout.read(size)
        finally:
            process.terminate()
    raise Unsound


def main(file: str, cut: str, read: str) -> None:
    """What the second process does: each piece behind its length, a length of 0 at the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends this one
    half = Half(file_content(Path(file)), int(cut), second=True)
    module, _, name = read.partition(":")
    pieces: Iterator[bytes] = getattr(importlib.import_module(module), name)(Document(file, half))
    # A first process that has gone is a broken pipe, and nobody is left to be told.
    with suppress(BrokenPipeError, DataProblem):
        for piece in pieces:
            sys.stdout.buffer.write(_LENGTH.pack(len(piece)))
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.write(_LENGTH.pack(0))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
