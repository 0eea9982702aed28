"""What was checked, what of it moved, and the tables that say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from vle_bench.results import Metric
from vle_bench.tables import Column, Table, to_text

TOLERANCE = 1e-9
_MOST_ROWS = 40

Kind = Literal["case", "tables", "pin", "published"]
Status = Literal["passed", "moved", "not checked", "broken"]


class Difference(NamedTuple):
    """What stands in the repository and what came out today."""

    case: str
    metric: str
    stored: str
    found: str


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One case, pin or file of published rows, as it was found.

    Attributes:
        kind: What it is.
        name: Its name, as the tables show it.
        differences: What moved.
        since: What changed since the stored number was written; only where something moved.
        reason: Why nothing could be checked, or what is broken; "" else.
        broken: Whether that reason is a fault.
        writes: What `--update` would write.
    """

    kind: Kind
    name: str
    differences: tuple[Difference, ...] = ()
    since: tuple[str, ...] = ()
    reason: str = ""
    broken: bool = False
    writes: Mapping[Path, bytes] = {}

    @property
    def status(self) -> Status:
        """One word for it."""
        if self.broken:
            return "broken"
        if self.differences:
            return "moved"
        return "not checked" if self.reason else "passed"


def difference_table(differences: Sequence[Difference]) -> str:
    """Every difference as a row, up to forty; the rest is counted."""
    columns = (Column("case"), Column("metric"), Column("stored"), Column("found"))
    rows = tuple(tuple(difference) for difference in differences[:_MOST_ROWS])
    more = len(differences) - len(rows)
    footnotes = (f"... and {more} more.",) if more else ()
    return to_text(Table(columns, rows, footnotes=footnotes))


def since_table(checks: Iterable[Checked]) -> str:
    """What changed since each moved number was stored; "" where nothing is known to have."""
    rows = tuple(
        (check.name, change)
        for check in checks
        if check.status == "moved"
        for change in check.since
    )
    return to_text(Table((Column("case"), Column("since it was stored")), rows)) if rows else ""


def metric_difference(
    case: str, name: str, pair: tuple[float | None, float | None], *, tolerance: float = TOLERANCE
) -> Difference | None:
    """The row of a number, stored and found, that moved by more than `tolerance`; else None."""
    before, after = pair
    if before is None or after is None:
        return None if before is after else Difference(case, name, digits(before), digits(after))
    if abs(before - after) <= tolerance:
        return None
    return Difference(case, name, digits(before), digits(after))


def value_of(metric: Metric | None) -> float | None:
    """A metric's value; None where there is none."""
    return None if metric is None else metric.value


def digits(value: float | None) -> str:
    """All digits of a number."""
    return "absent" if value is None else repr(value)
