"""One way to turn a value into bytes, so that the same value is always the same bytes.

JSON in UTF-8, keys sorted, no spaces (or two spaces of indent where people
read it), shortest floats that read back exactly. NaN and infinity have no JSON
form and are refused here rather than written as null.
"""

from __future__ import annotations

import hashlib
import math
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
