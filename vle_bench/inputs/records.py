"""JSONL or a JSON list as typed records, each with the words that say where it stands.

`rows.py` is for tables of any kind; this is for files whose records we know and
that only ever come as JSON, such as references.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from vle_bench.errors import DataProblem
from vle_bench.inputs.bytes import Source
from vle_bench.inputs.json import read_json, read_json_lines

T = TypeVar("T")


def read_records(source: Source, kind: type[T], expected: str) -> Iterator[tuple[str, T]]:
    """Place and record of each row of a JSONL file or a JSON list.

    Args:
        source: An opened file.
        kind: The msgspec type of one record.
        expected: What the file should be, in a user's words.

    Raises:
        DataProblem: Neither JSONL nor a JSON list, or records of another shape.
    """
    if source.kind not in {"json", "jsonl"}:
        raise DataProblem(f"{source.path}: a {source.kind} file. Expected {expected}.")
    if source.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        records = read_json(source, list[kind], expected)  # type: ignore[valid-type]  # a runtime type
        for index, record in enumerate(records, 1):
            yield f"{source.path}: record {index}", record
        return
    for number, record in read_json_lines(source, kind, expected):
        yield f"{source.path}:{number}", record
