"""The lines of a document: JSONL, and tables without a header."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from vle_bench.data_prep.sources import Document
from vle_bench.errors import DataProblem, Problems
from vle_bench.inputs.malformed import malformed

T = TypeVar("T")

_LONGEST = 64 << 20


def lines_of(document: Document) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes of each line that is not blank, without its line end.

    Raises:
        DataProblem: A line of more than 64 MB.
    """
    return ((number, line) for number, line in all_lines(document) if line.strip())


def all_lines(document: Document) -> Iterator[tuple[int, bytes]]:
    """As `lines_of`, with the blank ones: for files whose lines belong together by number.

    Raises:
        DataProblem: A line of more than 64 MB.
    """
    rest, number = b"", 0
    for piece in document.pieces():
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            number += 1
            yield number, line.rstrip(b"\r")
        if len(rest) > _LONGEST:
            raise DataProblem(
                f"{document.place}:{number + 1}: a line of more than {_LONGEST:,} bytes. "
                "Is it the file that it should be?"
            )
    if rest:
        yield number + 1, rest.rstrip(b"\r")


def json_lines(document: Document, kind: type[T], expected: str) -> Iterator[T]:
    """The records of a JSONL document, in order.

    Args:
        document: The document.
        kind: The msgspec type of a record.
        expected: What a line should be, in a user's words.

    Raises:
        DataProblem: Up to ten broken lines at once, after the last good record was yielded.
    """
    decoder = msgspec.json.Decoder(kind)
    problems = Problems()
    for number, line in lines_of(document):
        try:
            yield decoder.decode(line)
        except msgspec.ValidationError as error:
            problems.add(f"{document.place}:{number}: {error}")
        except msgspec.DecodeError as error:
            problems.add(f"{document.place}:{number}: {malformed(error, line)}")
        except (UnicodeDecodeError, RecursionError) as error:
            problems.add(f"{document.place}:{number}: {error or 'nested too deeply'}")
    problems.raise_if_any(advice=f"Expected {expected}, one JSON object a line.")
