"""What the shards of a split hold, as it comes in: in any order, and more than memory takes.

Counts stay here, rows wait on disk. Whatever the order in which shards were
done, rows leave in the order of the shards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from vle_bench.data_prep.books import Books
from vle_bench.data_prep.shard_task import ShardOutcome
from vle_bench.data_prep.spool import NumberedRows
from vle_bench.shards.index import SampleRow, SkippedRow
from vle_bench.shards.report import ShardReport


class Gathered:
    """The finished shards of one split.

    Attributes:
        rows: Their samples, in order.
        written: How many of each kind they hold.
    """

    def __init__(self) -> None:
        self.rows: NumberedRows[SampleRow] = NumberedRows(SampleRow)
        self.written: Counter[str] = Counter()
        self._skipped: NumberedRows[SkippedRow] = NumberedRows(SkippedRow)
        self._outcomes: dict[int, ShardOutcome] = {}
        self._samples: dict[int, int] = {}

    def add(self, outcome: ShardOutcome) -> None:
        """Takes one shard.

        Raises:
            MachineProblem: The disk refuses.
        """
        number, entry = outcome.name.number, outcome.entry
        self.rows.add(number, entry.rows)
        self._skipped.add(number, entry.skipped)
        self.written += written_of(entry.rows)
        self._samples[number] = len(entry.rows)
        light = msgspec.structs.replace(entry, rows=[], skipped=[])
        self._outcomes[number] = outcome._replace(entry=light)

    def into(self, books: Books) -> None:
        """Enters into the books what was left out and changed on the way."""
        books.skipped.extend(self._skipped)
        for outcome in self.outcomes:
            books.adjusted.update(outcome.entry.adjusted)
            books.licences.update(outcome.entry.licences)

    @property
    def outcomes(self) -> list[ShardOutcome]:
        """The shards in order, without rows."""
        return [outcome for _, outcome in sorted(self._outcomes.items())]

    @property
    def shards(self) -> tuple[ShardReport, ...]:
        """The shards in order, for the report."""
        return tuple(
            ShardReport(
                name=outcome.name.file_name,
                samples=self._samples[outcome.name.number],
                bytes=outcome.entry.bytes,
                sha256=outcome.entry.sha256,
            )
            for outcome in self.outcomes
        )


def written_of(rows: Iterable[SampleRow]) -> Counter[str]:
    """How many of each kind some samples hold."""
    written: Counter[str] = Counter()
    for row in rows:
        written["image"] += 1
        written["question"] += row.questions
        written["caption"] += row.captions
        written["box"] += row.boxes
    return written
