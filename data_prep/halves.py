"""A list in a JSON file, read by two processes: from its beginning and from its middle.

Where the middle is, is guessed and then proved, as every cut is: if the text up to
a comma and a `]` is one sound list, and a `[` and the text behind it another, then
that comma stands between two records. If they are not, the halves are worth
nothing, and the list is read by one process, which says what is wrong and where.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import IO, Final

from vle_bench.data_prep.sources import Document
from vle_bench.inputs.content import Content, file_content
from vle_bench.inputs.json_cut import between_records
from vle_bench.inputs.json_stream import WINDOW

WORTH_IT: Final = 64 << 20
"""Bytes of a file below which a second process has hardly begun when the first is done."""


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


@contextmanager
def second_half(
    file: Path, cut: int, work: str, stream: IO[bytes]
) -> Iterator[Callable[[], bytes]]:
    """The second half of a file is worked on by a process of its own while the block runs.

    Args:
        file: The file.
        cut: The comma in its middle.
        work: `module:function` of a document and a stream, which returns bytes to tell.
        stream: An empty file that the work writes to, and only that.

    Yields:
        Waits for the work's end and returns its bytes; raises Unsound where the second half is
        no list, or holds other things, or the process was killed.
    """
    output = stream.fileno()
    # No multiprocessing: it would run the user's script again, which need not be made for that.
    command = [sys.executable, "-P", "-m", __name__, str(file), str(cut), work, str(output)]
    with subprocess.Popen(  # noqa: S603  # our own interpreter and module; no shell
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=[output],
    ) as process:
        try:
            yield lambda: _told(process)
        finally:
            process.terminate()


def _told(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    told = process.stdout.read()
    if process.wait():
        raise Unsound
    return told


def main(file: str, cut: str, work: str, output: str) -> None:
    """What the second process does. What it fails on, the first one meets again, and says."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends this one
    Thread(target=_end_with_the_first, daemon=True).start()
    half = Half(file_content(Path(file)), int(cut), second=True)
    module, _, name = work.partition(":")
    with open(int(output), "wb", buffering=0) as stream:  # noqa: PTH123  # it has no path
        told: bytes = getattr(importlib.import_module(module), name)(Document(file, half), stream)
    sys.stdout.buffer.write(told)


def _end_with_the_first() -> None:
    """The first process holds the other end of this one's input, and sends nothing."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
