"""Tables from users: CSV, TSV, JSONL, JSON list or Parquet, as rows of plain values."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from vle_bench.errors import DataProblem
from vle_bench.inputs.bytes import Source
from vle_bench.inputs.json import read_json, read_json_lines

_LONGEST = 60
_MOST_ROWS = 5_000_000
"""Of Parquet, where a billion equal rows take a few bytes; no benchmark has as many."""


class Row(NamedTuple):
    """One row and the words that say where it stands ("p.csv:7")."""

    place: str
    values: dict[str, Any]


def read_rows(source: Source, expected: str, *, columns: Sequence[str] = ()) -> Iterator[Row]:
    """Each row of a table; CSV values stay text, the other kinds keep their types.

    Args:
        source: An opened file.
        expected: What the file should be, in a user's words.
        columns: What the heading of a CSV file must name. Any text can pass for CSV: without
            this, a page of HTML is a table with a heading and no rows.

    Raises:
        DataProblem: The file is no table, is broken, or a CSV row has too few or too many fields.
    """
    match source.kind:
        case "jsonl":
            for number, record in read_json_lines(source, dict[str, Any], expected):
                yield Row(f"{source.path}:{number}", record)
        case "json":
            yield from _json_rows(source, expected)
        case "parquet":
            yield from _parquet_rows(source, expected)
        case "csv":
            yield from _csv_rows(source, expected, columns)
        case _:
            raise DataProblem(f"{source.path}: an array file, expected {expected}.")


def _json_rows(source: Source, expected: str) -> Iterator[Row]:
    if source.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        # One line of JSONL and a JSON object look the same.
        record = read_json(source, dict[str, Any], expected)
        yield Row(f"{source.path}:1", record)
        return
    for index, record in enumerate(read_json(source, list[dict[str, Any]], expected)):
        yield Row(f"{source.path}: record {index + 1}", record)


def _parquet_rows(source: Source, expected: str) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        stored = pq.ParquetFile(pa.BufferReader(source.data))
        if stored.metadata.num_rows > _MOST_ROWS:
            raise DataProblem(
                f"{source.path}: {stored.metadata.num_rows:,} rows, at most {_MOST_ROWS:,} are "
                f"read. Expected {expected}."
            )
        names = stored.schema_arrow.names
        if len(set(names)) != len(names):
            raise DataProblem(f"{source.path}: a column name stands twice. Expected {expected}.")
        records = stored.read().to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataProblem(
            f"{source.path}: no readable Parquet ({error}). Expected {expected}."
        ) from error
    for index, record in enumerate(records):
        yield Row(f"{source.path}: row {index + 1}", record)


def _csv_rows(source: Source, expected: str, columns: Sequence[str]) -> Iterator[Row]:
    try:
        text = source.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataProblem(
            f"{source.path}: not UTF-8 text (byte {error.start}). Expected {expected}."
        ) from error
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text), delimiter="\t" if "\t" in first else ",", strict=True)
    try:
        header = next(reader)
        if len(set(header)) != len(header):
            raise DataProblem(f"{source.path}:1: a column name stands twice. Expected {expected}.")
        if absent := [name for name in columns if name not in header]:
            raise DataProblem(
                f"{source.path}:1: no column {', '.join(absent)}; the line begins "
                f"{first.strip()[:_LONGEST]!r}. Expected {expected}."
            )
        for fields in reader:
            if not fields:
                continue
            if len(fields) != len(header):
                raise DataProblem(
                    f"{source.path}:{reader.line_num}: {len(fields)} fields, "
                    f"the header has {len(header)}. Expected {expected}."
                )
            yield Row(f"{source.path}:{reader.line_num}", dict(zip(header, fields, strict=True)))
    except csv.Error as error:
        raise DataProblem(
            f"{source.path}:{reader.line_num}: {error}. Expected {expected}."
        ) from error
