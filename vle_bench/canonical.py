"""One way to turn a value into bytes, so that the same value is always the same bytes.

JSON in UTF-8, keys sorted, no spaces (or two spaces of indent where people
read it), shortest floats that read back exactly. NaN and infinity have no JSON
form and are refused here rather than written as null.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from vle_bench.errors import needs_file

_ENCODER = msgspec.json.Encoder(order="sorted")


def json_bytes(value: Any) -> bytes:
    """Compact canonical JSON.

    >>> json_bytes({"b": 1, "a": [0.5, "ü"]}).decode()
    '{"a":[0.5,"ü"],"b":1}'
    """
    return _ENCODER.encode(value)


def pretty_json_bytes(value: Any) -> bytes:
    """Canonical JSON for people: two spaces of indent and a last newline."""
    return msgspec.json.format(_ENCODER.encode(value), indent=2) + b"\n"


def pretty_json_stream(document: Mapping[str, Any]) -> Iterator[bytes]:
    """An object as `pretty_json_bytes` writes it, in portions; iterators become lists as they run.

    >>> parts = pretty_json_stream({"b": 1, "a": iter([{"c": 2}])})
    >>> b"".join(parts) == pretty_json_bytes({"b": 1, "a": [{"c": 2}]})
    True
    """
    before = b"{"
    for name, value in sorted(document.items()):
        yield before + b"\n  " + _ENCODER.encode(name) + b": "
        before = b","
        if not isinstance(value, Iterator):
            yield _indented(value, b"\n  ")
            continue
        count = 0
        for count, item in enumerate(value, 1):
            yield (b"[\n    " if count == 1 else b",\n    ") + _indented(item, b"\n    ")
        yield b"\n  ]" if count else b"[]"
    yield b"\n}\n" if document else b"{}\n"


def _indented(value: Any, newline: bytes) -> bytes:
    return msgspec.json.format(_ENCODER.encode(value), indent=2).replace(b"\n", newline)


def finite(value: float, what: str) -> float:
    """Returns `value`, or raises ValueError where it is NaN or infinite."""
    if not math.isfinite(value):
        raise ValueError(f"{what} is {value}, a finite number was expected")
    return value


def sha256_bytes(data: bytes) -> str:
    """Lower-case hex digest of `data`."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Lower-case hex digest of the file's bytes, read in pieces."""
    with needs_file(path, "a file to hash").open("rb", buffering=0) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
