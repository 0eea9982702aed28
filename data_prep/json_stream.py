"""The rows of one list in a JSON document, a chunk at a time.

Annotation files are one JSON object with one huge list in it (COCO, VQA) or one
huge list (Visual Genome).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from vle_bench.inputs import decode_json
from vle_bench.inputs.collector import no_collector

T = TypeVar("T")

ROWS_PER_CHUNK = 10_000


def stream_rows(
    data: bytes, field: str, kind: type[T], *, place: str, required: bool = True, expected: str = ""
) -> Iterator[list[T]]:
    """The rows of a list, in chunks and in order.

    Args:
        data: The document.
        field: The list's name in the top-level object; "" where the document is the list.
        kind: The msgspec type of a row.
        place: What to call the document in messages.
        required: Whether the field must be there.
        expected: What the document should be, in a user's words.

    Raises:
        DataProblem: Broken JSON, values of other types, or the field is absent.

    >>> list(stream_rows(b'{"a": [1, 2]}', "a", int, place="x.json"))
    [[1, 2]]
    """
    with no_collector():
        rows = _all_rows(data, field, kind, place, required=required, expected=expected)
    for start in range(0, len(rows), ROWS_PER_CHUNK):
        yield rows[start : start + ROWS_PER_CHUNK]


def _all_rows(
    data: bytes, field: str, kind: type[T], place: str, *, required: bool, expected: str
) -> list[T]:
    many: Any = list[kind]  # type: ignore[valid-type]  # a runtime type
    if not field:
        rows: list[T] = decode_json(data, many, place, expected or "a list")
        return rows
    member: Any = (
        ("rows", many) if required else ("rows", many, msgspec.field(default_factory=list))
    )
    document: Any = msgspec.defstruct("Document", [member], rename={"rows": field})
    found: list[T] = decode_json(
        data, document, place, expected or f"an object with a list `{field}`"
    ).rows
    return found
