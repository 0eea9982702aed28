"""The result document: one evaluation, complete enough to be repeated and compared.

Values are percent (ranks of retrieval: counts) and never rounded here; tables
round. `stamp.created` is the only field that may differ between two runs on the
same bytes, and every comparison of documents leaves it out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from vle_bench.canonical import pretty_json_bytes
from vle_bench.errors import DataProblem
from vle_bench.inputs import open_source, read_json

SCHEMA = "vle-bench/result/1"


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One number: its value, the number of items behind it, and its 95 % interval if there is."""

    value: float
    n: int
    low: float | None = None
    high: float | None = None


class PublishedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A published score beside ours, with the reasons why the two may not be compared."""

    model: str
    metric: str
    dataset: str
    split: str
    setting: str
    value: str
    """The digits as printed by the source."""
    verified: str
    source: str
    comparable: bool
    why: str = ""
    note: str = ""
    split_note: str = ""
    setting_note: str = ""
    part: str = ""
    """The part of the split the score is about; "" is all of it."""
    trained_on: str = ""


class References(msgspec.Struct, frozen=True, kw_only=True):
    """The reference file a result was scored against, as the user named it."""

    path: str
    sha256: str


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """Which bytes and which code made the result, and when."""

    inputs: dict[str, str]
    package: str
    git: str
    created: str


class ResultDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`result.json`, and what `--json` prints."""

    schema: str = SCHEMA
    task: str
    dataset: str
    split: str
    model: str
    sample: bool
    protocol: str
    setting: str = ""
    trained_on: tuple[str, ...] = ()
    part: str = ""
    """"886 of 26,534 questions" where the references are not the whole split."""
    signature: str
    metrics: dict[str, Metric]
    published: tuple[PublishedLine, ...] = ()
    items: str = "items.parquet"
    references: References
    request: dict[str, Any] = {}
    """The options that made the score, enough to score the stored predictions afresh."""
    notes: tuple[str, ...] = ()
    stamp: Stamp


def document_bytes(document: ResultDocument) -> bytes:
    """Canonical JSON of the document."""
    return pretty_json_bytes(document)


def read_document(path: Path) -> ResultDocument:
    """Reads a `result.json`.

    Raises:
        DataProblem: Missing, broken, or of another schema.
    """
    document = read_json(open_source(path, "a result"), ResultDocument, f"a {SCHEMA} document")
    if document.schema != SCHEMA:
        raise DataProblem(
            f"{path}: schema {document.schema!r}, {SCHEMA!r} was expected. Score the run again."
        )
    return document


def without_time(document: ResultDocument) -> bytes:
    """The document's bytes without the moment it was made: equal for equal runs."""
    timeless = msgspec.structs.replace(document.stamp, created="")
    return document_bytes(msgspec.structs.replace(document, stamp=timeless))
