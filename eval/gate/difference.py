"""One thing that moved, and the table of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vle_bench.tables import Column, Table, to_text

_MOST_ROWS = 40


class Difference(NamedTuple):
    """What stands in the repository and what came out today."""

    case: str
    metric: str
    stored: str
    found: str


def difference_table(differences: Sequence[Difference]) -> str:
    """Every difference as a row, up to forty; the rest is counted."""
    columns = (Column("case"), Column("metric"), Column("stored"), Column("found"))
    rows = tuple(tuple(difference) for difference in differences[:_MOST_ROWS])
    more = len(differences) - len(rows)
    footnotes = (f"... and {more} more.",) if more else ()
    return to_text(Table(columns, rows, footnotes=footnotes))
