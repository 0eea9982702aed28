"""What stands below a table, the same in every form of it: reasons, marks, signatures, sources.

A number that is only recalled, or taken from somebody who took it from the
paper, carries its mark wherever it is printed, and every mark is answered.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from vle_bench.eval.leaderboard.board import Group, Row

_MARKS = {
    "secondary": ("s", "Second hand: read in a collection of results, not in the source itself."),
    "no": ("u", "Unverified: recalled from memory, not read in any source by us."),
}


class RowNotes(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a table that are shown and what is said of them.

    Attributes:
        rows: Comparable ones first.
        left_out: How many rows are not shown.
        reasons: Why rows may not be compared; a row names its reason by its place, from 1.
        legend: Marks of rows that are not verified, with their meaning; only those that occur.
        signatures: How our numbers were made.
        others: Sentences on single rows of ours, and on what is left out.
        sources: Of the published rows, in the order of their first row.
    """

    rows: tuple[Row, ...]
    left_out: int
    reasons: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]
    signatures: tuple[str, ...]
    others: tuple[str, ...]
    sources: tuple[str, ...]

    def numbers(self, row: Row) -> tuple[str, ...]:
        """The number of the row's reason; none where it may be compared."""
        return () if row.comparable else (str(self.reasons.index(row.why) + 1),)


def verified_mark(row: Row) -> tuple[str, ...]:
    """The mark of a published row that nobody here read in its source; none for the others."""
    mark = _MARKS.get(row.verified)
    return () if row.ours or mark is None else (mark[0],)


def group_notes(group: Group, most: int | None = None) -> RowNotes:
    """What a table shows and says.

    Args:
        group: The table.
        most: How many rows are shown that may not be compared; None is all of them.
    """
    rows, left_out = most_shown(group, most)
    marks = {row.verified for row in rows if not row.ours}
    more = (
        [f"{len(left_out)} more published rows that are not comparable: leave --most out."]
        if left_out
        else []
    )
    return RowNotes(
        rows=tuple(rows),
        left_out=len(left_out),
        reasons=tuple(dict.fromkeys(row.why for row in rows if not row.comparable)),
        legend=tuple(entry for key, entry in _MARKS.items() if key in marks),
        signatures=tuple(dict.fromkeys(row.signature for row in rows if row.ours)),
        others=(*more, *_ours_said(rows)),
        sources=tuple(dict.fromkeys(row.source for row in rows if not row.ours)),
    )


def most_shown(group: Group, most: int | None) -> tuple[list[Row], list[Row]]:
    """The rows that are shown, and those that are left out."""
    comparable = [row for row in group.rows if row.comparable]
    others = [row for row in group.rows if not row.comparable]
    cut = len(others) if most is None else most
    return comparable + others[:cut], others[cut:]


def _ours_said(rows: Sequence[Row]) -> list[str]:
    """A note of one of our rows, with the model's name before it unless it begins with it."""
    return [
        row.note if row.note.startswith(row.model) else f"{row.model}: {row.note}"
        for row in rows
        if row.ours and row.note
    ]
