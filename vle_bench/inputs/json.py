"""Typed JSON and JSONL, with errors that say where.

msgspec decodes straight into the records that a caller asks for. It stops at
the first wrong value of a document; of lines, up to ten wrong ones are told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from vle_bench.errors import DataProblem, Problems
from vle_bench.inputs.bytes import Source
from vle_bench.inputs.malformed import malformed

T = TypeVar("T")

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_json(source: Source, kind: type[T], expected: str) -> T:
    """The whole document as `kind`.

    Args:
        source: An opened file.
        kind: The msgspec type to decode into.
        expected: What the file should be, in a user's words.

    Raises:
        DataProblem: Broken JSON (with its line), or a value of another type (with its path).
    """
    return decode_json(source.data.removeprefix(_BYTE_ORDER_MARK), kind, str(source.path), expected)


def decode_json(data: bytes, kind: type[T], place: str, expected: str) -> T:
    """Like `read_json` for bytes that came from somewhere else (a member of a shard)."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise DataProblem(f"{place}: {error}. Expected {expected}.") from error
    except msgspec.DecodeError as error:
        found = malformed(error, data)
        raise DataProblem(
            f"{place}{_line_of(data, found.at)}: {found}. Expected {expected}."
        ) from error
    except UnicodeDecodeError as error:
        raise DataProblem(f"{place}{_not_utf8(data)}. Expected {expected}.") from error
    except RecursionError as error:
        raise DataProblem(f"{place}: nested too deeply. Expected {expected}.") from error


def read_json_lines(source: Source, kind: type[T], expected: str) -> Iterator[tuple[int, T]]:
    """Line number (from 1) and record of each non-empty line of a JSONL file.

    Raises:
        DataProblem: Up to ten broken lines at once, each with its number. Raised after the last
            good record was yielded; a caller that must not act on half a file collects first.
    """
    decoder = msgspec.json.Decoder(kind)
    problems = Problems()
    for number, line in enumerate(source.data.removeprefix(_BYTE_ORDER_MARK).splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield number, decoder.decode(line)
        except msgspec.ValidationError as error:
            problems.add(f"{source.path}:{number}: {error}")
        except msgspec.DecodeError as error:
            problems.add(f"{source.path}:{number}: {malformed(error, line)}")
        except UnicodeDecodeError:
            problems.add(f"{source.path}:{number}: not UTF-8 text")
        except RecursionError:
            problems.add(f"{source.path}:{number}: nested too deeply")
    problems.raise_if_any(advice=f"Expected {expected}, one JSON object a line.")


def _line_of(data: bytes, byte: int) -> str:
    line = data.count(b"\n", 0, max(byte, 0)) + 1
    return f":{line}" if byte >= 0 else ""


def _not_utf8(data: bytes) -> str:
    """Where the first byte stands that is no UTF-8 (msgspec counts within one string only)."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return f":{line}: not UTF-8 text (byte {error.start})"
    return ": not UTF-8 text"
