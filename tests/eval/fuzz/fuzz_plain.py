"""Damaged files as a plain program reads them: json, csv, NumPy, pyarrow, and no patience.

Whatever is unclear is an `Unclear`: ids twice, values of other types, numbers that are not finite.
Nothing of ours is imported here, for it is ours that is held against this.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]
MARK = b"\xef\xbb\xbf"


class Unclear(Exception):
    """No plain program would call this a number."""


def need(condition: object, what: str) -> None:
    if not condition:
        raise Unclear(what)


def unpacked(data: bytes) -> bytes:
    if data.startswith(b"\x1f\x8b"):
        return gzip.decompress(data)
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        return pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()
    return data


def document(data: bytes) -> Any:
    # What is not read may be anything: bytes that are no text stay what they are.
    text = unpacked(data).removeprefix(MARK).decode("utf-8", "surrogateescape")
    try:
        return json.loads(text, parse_constant=_never)
    except (ValueError, RecursionError) as error:
        raise Unclear(str(error)) from error


def lines(data: bytes) -> list[Row]:
    """An object a line; a carriage return ends a line, or is a blank within one."""
    whole = unpacked(data).removeprefix(MARK)
    try:
        found = [document(line) for line in whole.split(b"\n") if line.strip()]
    except Unclear:
        found = [document(line) for line in whole.splitlines() if line.strip()]
    need(all(isinstance(row, dict) for row in found), "a line that is no object")
    return found


def json_rows(data: bytes) -> list[Row]:
    """A list of objects, or an object a line."""
    plain = unpacked(data).removeprefix(MARK).lstrip()
    if not plain.startswith(b"["):
        return lines(data)
    found = document(data)
    need(all(isinstance(row, dict) for row in found), "a row that is no object")
    return found


def csv_rows(data: bytes) -> list[Row]:
    text = unpacked(data).decode("utf-8-sig")
    tab = "\t" in text.split("\n")[0]
    table = list(
        csv.reader(io.StringIO(text, newline=""), delimiter="\t" if tab else ",", strict=True)
    )
    header, *rows = table
    need(len(set(header)) == len(header), "a column twice")
    rows = [row for row in rows if row]
    need(all(len(row) == len(header) for row in rows), "a row of another length")
    return [dict(zip(header, row, strict=True)) for row in rows]


def parquet_rows(data: bytes) -> list[Row]:
    table = pq.read_table(pa.BufferReader(unpacked(data)))
    need(len(set(table.column_names)) == table.num_columns, "a column twice")
    return table.to_pylist()


def array(data: bytes) -> np.ndarray:
    plain = unpacked(data)
    stream = io.BytesIO(plain)
    found = np.load(stream, allow_pickle=False)
    need(isinstance(found, np.ndarray), "no array")
    need(stream.tell() == len(plain), "more bytes than the array has")
    return found


def arrays(data: bytes) -> dict[str, np.ndarray]:
    found = np.load(io.BytesIO(unpacked(data)), allow_pickle=False)
    need(len(set(found.files)) == len(found.files), "a member twice")
    return {name: found[name] for name in found.files}


def identity(value: Any) -> str:
    """An int or a text that is not empty."""
    if isinstance(value, np.generic):
        value = value.item()
    need(type(value) in (int, str) and value != "", f"{value!r} is no id")
    return str(value)


def text(value: Any) -> str:
    need(isinstance(value, str), f"{value!r} is no text")
    return value


def listed(value: Any) -> list[Any]:
    need(isinstance(value, list), f"{value!r} is no list")
    return value


def number(value: Any) -> float:
    """A finite number as JSON or a table has it."""
    need(type(value) in (int, float, str), f"{value!r} is no number")
    need("_" not in str(value), f"{value!r} is no number")
    try:
        found = float(value)
    except (ValueError, OverflowError) as error:
        raise Unclear(str(error)) from error
    need(math.isfinite(found), f"{value!r} is not finite")
    return found


def numbers(found: np.ndarray) -> np.ndarray:
    """The array itself, of finite numbers."""
    need(found.dtype.kind in "fiu", f"{found.dtype} is no number")
    need(np.isfinite(found).all(), "numbers that are not finite")
    return found


def by_id(rows: list[tuple[str, Any]]) -> dict[str, Any]:
    need(len(dict(rows)) == len(rows), "an id twice")
    return dict(rows)


def same(found: Any, wanted: Any, what: str) -> None:
    need(set(found) == set(wanted), f"other {what} than the references'")


def _never(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
