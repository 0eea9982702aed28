"""The books of a preparation: what was read, what was left out and why, what was changed.

Sources note what they read; whoever leaves something out names it with a
reason. At the end read must equal written plus skipped, kind by kind. The
reasons are the words of `skipped.parquet` and `report.json`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from vle_bench.data_prep.spool import SortedRows
from vle_bench.errors import DataProblem
from vle_bench.shards.index import KINDS, SkippedKind, SkippedRow
from vle_bench.shards.report import Counts, RuleReport

ABSENT = "picture absent"
DUPLICATE = "duplicate id"
NO_ANNOTATION = "question without annotation"
NO_QUESTION = "annotation without question"
NOT_LISTED = "about an image that its file does not list"
OTHER_SPLIT = "image belongs to an earlier split"
EMPTY_CAPTION = "caption without text"
NO_NUMBER_ID = "id is no number"


class SkippedRows(SortedRows[SkippedRow]):
    """Everything that was left out, however much, with the counts of each reason.

    Attributes:
        reasons: How often each reason was given, by kind.
    """

    def __init__(self) -> None:
        super().__init__(SkippedRow, skipped_order)
        self.reasons: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}

    def add(self, row: SkippedRow) -> None:
        """Takes one row."""
        self.reasons[row.kind][row.reason] += 1
        super().add(row)


@dataclass
class Books:
    """The books of one split while it is being read; mutable, one writer.

    Attributes:
        split: The split.
        read: Things read, by kind.
        skipped: Things left out; they leave in the order of `skipped_order`.
        adjusted: Things changed or worth knowing, by rule, as they were read; a picture that is
            left out later takes none of its own back.
        licences: Pictures written, by the licence their source names.
        elsewhere: Rows of the sources about pictures of no concern here, by kind.
        sources: sha256 of every annotation file read, by its name below RAW.
        parts: Questions read that belong to a part of the split too, by its name (test-dev).
        absent: Optional files that were nowhere.
        warnings: Sentences for people.
        overlap: What the rules of the leak guard saw and kept out.
    """

    split: str
    read: Counter[str] = field(default_factory=Counter)
    skipped: SkippedRows = field(default_factory=SkippedRows)
    adjusted: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)
    sources: dict[str, str] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    overlap: list[RuleReport] = field(default_factory=list)

    def skip(self, kind: SkippedKind, identity: str, image_id: str, reason: str) -> None:
        """Names one thing that will be in no shard. It must have been counted as read."""
        self.skipped.add(SkippedRow(self.split, kind, identity, image_id, reason))

    def closed(self, written: Counter[str]) -> dict[str, Counts]:
        """The balanced books by kind.

        Args:
            written: How many of each kind are in the shards.

        Raises:
            DataProblem: Something was lost or came from nowhere: a defect of ours.
        """
        reasons = self.skipped.reasons
        closed: dict[str, Counts] = {
            kind: Counts(
                read=self.read[kind],
                written=written[kind],
                skipped=dict(sorted(reasons[kind].items())),
            )
            for kind in KINDS
        }
        for kind, counts in closed.items():
            if not counts.balances():
                raise DataProblem(
                    f"{self.split}: the books of kind {kind} do not balance: {counts.read} read, "
                    f"{counts.written} written, {sum(counts.skipped.values())} skipped. This is a "
                    "defect of vle-prep, please report it; no report was written."
                )
        return closed


def skipped_order(row: SkippedRow) -> tuple[int, int, str, str]:
    """Sorting key within a split: kind, then id by value, then reason."""
    digits = row.id.isascii() and row.id.isdigit()
    return KINDS.index(row.kind), int(row.id) if digits else -1, row.id, row.reason
