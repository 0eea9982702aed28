"""`report.json`: the books of a prepared dataset.

For every kind of thing, what was read is what was written plus what was
skipped, reason by reason; a report that does not balance is never written. It
holds no time, host, worker count or absolute path, so two runs agree in it. It
vouches for every other file by a sha256, and for itself by a seal.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Literal

import msgspec

from vle_bench.canonical import pretty_json_bytes, sha256_bytes
from vle_bench.errors import DataProblem, machine_errors
from vle_bench.inputs import open_source, read_json
from vle_bench.records import Record
from vle_bench.shards.layout import REPORT

SCHEMA: Literal["vle-bench/preparation/1"] = "vle-bench/preparation/1"

_SEAL = re.compile(rb'\n  "seal": "(?P<digits>[0-9a-f]{64})"')
"""Two spaces of indent: a key of the document itself, never one further in."""


class Counts(Record, frozen=True, kw_only=True):
    """The books of one kind of thing: `read` = `written` + the sum of `skipped`."""

    read: int
    written: int
    skipped: dict[str, int] = msgspec.field(default_factory=dict)
    """How many were left out for each reason; every one stands in `skipped.parquet`."""
    classes: dict[str, int] = msgspec.field(default_factory=dict)
    """The same by the class of the reason ("missing", "truncated", "download")."""

    def balances(self) -> bool:
        """Whether nothing was lost and nothing came from nowhere.

        >>> Counts(read=3, written=2, skipped={"picture absent": 1}).balances()
        True
        """
        return self.read == self.written + sum(self.skipped.values())


class ShardReport(Record, frozen=True, kw_only=True):
    """One shard as it must be."""

    name: str
    samples: int
    bytes: int
    sha256: str


class Expectation(Record, frozen=True, kw_only=True):
    """A published count beside ours; `source` says who published it.

    Found is what was written; of a part of the split (`test-dev questions`) what was read.
    """

    what: str
    expected: int
    found: int
    source: str


class ListReport(Record, frozen=True, kw_only=True):
    """A list of evaluation pictures as it was found: its path below RAW, how many ids, which."""

    file: str
    ids: int
    sha256: str
    """Of the ids, sorted, one a line."""


class RuleReport(Record, frozen=True, kw_only=True):
    """What one rule of the leak guard could see, and what it kept out."""

    rule: str
    lists: tuple[ListReport, ...] = ()
    not_checked: str = ""
    """What is absent so that the rule, or a part of it, could not be checked; "" where it was."""
    known: dict[str, int] = msgspec.field(default_factory=dict)
    """How many evaluation pictures are known by each kind of evidence."""
    bytes_sha256: str = ""
    """Digest of the digests of the evaluation pictures; "" where none is there."""
    excluded: dict[str, int] = msgspec.field(default_factory=dict)
    """Pictures left out, by the evidence against them; one of two rules counts in both."""


class SplitReport(Record, frozen=True, kw_only=True):
    """The books of one split."""

    counts: dict[str, Counts]
    """By kind: image, question, caption, box."""
    adjusted: dict[str, int] = msgspec.field(default_factory=dict)
    """What was written but changed or is worth knowing, by rule ("box clipped")."""
    licences: dict[str, int] = msgspec.field(default_factory=dict)
    """Pictures written, by the licence their source names; "" where it names none."""
    elsewhere: dict[str, int] = msgspec.field(default_factory=dict)
    """Rows of the source files about pictures that are not of this split, by kind."""
    expectations: tuple[Expectation, ...] = ()
    absent_sources: tuple[str, ...] = ()
    sources: dict[str, str] = msgspec.field(default_factory=dict)
    """sha256 of each annotation file read, by its path below RAW."""
    picture_endings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    overlap: tuple[RuleReport, ...] = ()
    """The rules of the leak guard in force; () for a split that is there to evaluate on."""
    shards: tuple[ShardReport, ...] = ()


class Report(Record, frozen=True, kw_only=True):
    """The whole of `report.json`."""

    schema: Literal["vle-bench/preparation/1"] = SCHEMA
    dataset: str
    sample: bool
    """Whether the pictures are drawn (the sample world) and no real data set's."""
    parameters: dict[str, str | int]
    counts: dict[str, Counts]
    """Over all splits, by kind."""
    splits: dict[str, SplitReport]
    files: dict[str, str] = msgspec.field(default_factory=dict)
    """sha256 of the files beside the shards (index, card, vocabulary), by relative path."""
    seal: str = ""
    """sha256 of this very file with these digits left out; put in where the file is written."""


def report_bytes(report: Report) -> bytes:
    """The report as JSON for people and programs, sealed; the same report is the same bytes."""
    bare = pretty_json_bytes(msgspec.structs.replace(report, seal=""))
    return pretty_json_bytes(msgspec.structs.replace(report, seal=sha256_bytes(bare)))


def seal_fits(dataset_folder: Path) -> bool:
    """Whether the report of a dataset is, byte for byte, what was written.

    Raises:
        MachineProblem: It cannot be read.
    """
    path = dataset_folder / REPORT
    with machine_errors(path):
        data = path.read_bytes()
    seal = _SEAL.search(data)
    if seal is None:
        return False
    bare = data[: seal.start("digits")] + data[seal.end("digits") :]
    return sha256_bytes(bare) == seal["digits"].decode("ascii")


def read_report(dataset_folder: Path) -> Report:
    """The report of a prepared dataset.

    Raises:
        DataProblem: No such folder or report, or one that is not of this form.
    """
    path = dataset_folder / REPORT
    if not path.is_file():
        raise DataProblem(
            f"{path}: no report, so this is no prepared dataset. "
            "Give the folder that vle-prep run made, e.g. data/shards/vqav2."
        )
    return read_json(open_source(path, "books"), Report, "the report.json that vle-prep run writes")


def total(parts: list[Counts]) -> Counts:
    """The sum of several books.

    >>> total([Counts(read=1, written=1), Counts(read=2, written=1, skipped={"x": 1})])
    Counts(read=3, written=2, skipped={'x': 1}, classes={})
    """
    skipped: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    for part in parts:
        skipped.update(part.skipped)
        classes.update(part.classes)
    return Counts(
        read=sum(part.read for part in parts),
        written=sum(part.written for part in parts),
        skipped=dict(skipped),
        classes=dict(classes),
    )
