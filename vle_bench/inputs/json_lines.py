"""The records of a JSONL file, a quarter of a megabyte of lines at a time.

A file of 50 MB that is read as a whole costs more in fresh memory than in
parsing; a window is parsed while it is still in the processor's cache, and
what becomes of its records is made of them before the next one is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.inputs.content import Content

T = TypeVar("T")

WINDOW: Final = 1 << 18
_LONGEST: Final = 1 << 28
"""Bytes of a line beyond which it is no record, and the system soon reads no more in one go."""

_LINE_FEED, _CARRIAGE_RETURN, _OPENED, _CLOSED = b"\n\r{}"
Signs = npt.NDArray[np.uint8]


class UnclearLines(ValueError):
    """The file needs a closer look, line by line: it is no JSONL, or a line of it is wrong."""


def every_line(content: Content, kind: type[T]) -> Iterator[list[T]]:
    """The records of all lines, those of one window after those of the other.

    The parser does not mind two records in a line or one over several, so where lines end is held
    against where records do.

    Args:
        content: The file.
        kind: The msgspec type of a record, a JSON object. It may not hold raw JSON, which would
            keep its window.

    Raises:
        UnclearLines: Behind the windows before the one with the first wrong line.
    """
    decoder = msgspec.json.Decoder(kind)
    at, size = 0, WINDOW
    while window := content.read(at, size):
        last = at + len(window) >= content.size
        end = len(window) if last else window.rfind(b"\n") + 1
        if not end:
            if size >= _LONGEST:
                raise UnclearLines("a line without an end")
            size *= 2
            continue
        lines = memoryview(window)[:end]
        try:
            found = decoder.decode_lines(lines)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UnclearLines(str(error)) from error
        if len(found) != _objects(np.frombuffer(lines, dtype=np.uint8)):
            raise UnclearLines("not one record a line")
        yield found
        at, size = at + end, WINDOW


def _objects(signs: Signs) -> int:
    r"""How many lines there are, each of which begins and ends as a JSON object does; -1 if not.

    A line feed between `}` and `{` stands between two records: within one there would be a comma,
    and within a text it would be written as `\n`. As many lines as records are one record a line.
    """
    ends = np.flatnonzero(signs == _LINE_FEED)
    if not len(ends) or ends[-1] != len(signs) - 1:
        ends = np.append(ends, len(signs))
    begins = np.append(0, ends[:-1] + 1)
    if (begins == ends).any() or (signs[begins] != _OPENED).any():
        return -1
    final = signs[ends - 1]
    final = np.where(final == _CARRIAGE_RETURN, signs[np.maximum(ends - 2, 0)], final)
    return len(ends) if (final == _CLOSED).all() else -1
