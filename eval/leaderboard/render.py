"""A leaderboard as Markdown for people, CSV and JSON for programs.

Rows that may not be compared stand below those that may, each with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from vle_bench.canonical import pretty_json_bytes
from vle_bench.eval.leaderboard.board import Group, Row
from vle_bench.eval.show import VERIFIED_WORDS, heading, interval_text, shown
from vle_bench.tables import Column, Table, to_csv, to_markdown

SCHEMA = "vle-bench/leaderboard/1"
_CSV_COLUMNS = (
    "task", "dataset", "split", "protocol", "setting", "sample", "model", "ours", "row_split",
    "row_setting", "metric", "value", "low", "high", "n", "verified", "comparable", "why", "note",
    "source", "signature",
)  # fmt: skip


def markdown(groups: Sequence[Group], *, most: int | None = None) -> str:
    """The leaderboard as one Markdown page.

    Args:
        groups: Its tables.
        most: How many rows a table shows that may not be compared; None is all of them.
    """
    if not groups:
        return "# Leaderboard\n\nNo result is stored yet.\n"
    pages = [to_markdown(_table(group, most)) for group in groups]
    lead = (
        "# Leaderboard\n\n"
        "Scores in percent, 95 % intervals resampled by image, n = number of items. "
        "Published scores keep the digits of their source.\n"
    )
    return "\n".join([lead, *pages])


def comma_separated(groups: Sequence[Group]) -> str:
    """One line per model, source and metric, all of them."""
    rows = tuple(
        _csv_row(group, row, metric)
        for group in groups
        for row in group.rows
        for metric in group.metrics
        if metric in row.values
    )
    return to_csv(Table(tuple(Column(name) for name in _CSV_COLUMNS), rows))


def json_document(groups: Sequence[Group]) -> str:
    """Groups with all their rows, values as text with the digits shown."""
    document = {
        "schema": SCHEMA,
        "groups": [
            {
                "task": group.task,
                "dataset": group.dataset,
                "split": group.split,
                "protocol": group.protocol,
                "setting": group.setting,
                "trained_on": list(group.trained_on),
                "part": group.part,
                "sample": group.sample,
                "metrics": list(group.metrics),
                "rows": [vars(row) for row in group.rows],
            }
            for group in groups
        ],
    }
    return pretty_json_bytes(document).decode("utf-8")


FORMATS: Mapping[str, Callable[[Sequence[Group]], str]] = MappingProxyType(
    {"md": markdown, "csv": comma_separated, "json": json_document}
)


def _table(group: Group, most: int | None) -> Table:
    shown_rows, left_out = _shown(group, most)
    reasons = list(dict.fromkeys(row.why for row in shown_rows if not row.comparable))
    columns = (
        Column("model"),
        *(Column(heading(name), number=True) for name in group.metrics),
        Column(f"95 % interval of {heading(group.main)}", number=True),
        Column("n", number=True),
        Column("split"),
        Column("setting"),
        Column("verified"),
        Column("comparable"),
        Column("source"),
    )
    rows = tuple(_markdown_row(group, row, reasons) for row in shown_rows)
    return Table(columns, rows, group.title, tuple(_footnotes(group, reasons, left_out)))


def _shown(group: Group, most: int | None) -> tuple[list[Row], list[Row]]:
    comparable = [row for row in group.rows if row.comparable]
    others = [row for row in group.rows if not row.comparable]
    cut = len(others) if most is None else most
    return comparable + others[:cut], others[cut:]


def _markdown_row(group: Group, row: Row, reasons: Sequence[str]) -> tuple[str, ...]:
    headline = row.measured.get(group.main)
    return (
        f"**{row.model}**" if row.ours else row.model,
        *(row.values.get(name, "") for name in group.metrics),
        interval_text(headline) if headline else "",
        f"{headline.n:,}" if headline else "",
        row.split,
        row.setting or "not stated",
        "measured here" if row.ours else VERIFIED_WORDS[row.verified],
        "yes" if row.comparable else f"no [{reasons.index(row.why) + 1}]",
        row.source,
    )


def _footnotes(group: Group, reasons: Sequence[str], left_out: Sequence[Row]) -> list[str]:
    notes = [f"[{number}] not comparable: {why}" for number, why in enumerate(reasons, 1)]
    if left_out:
        notes.append(
            f"{len(left_out)} more published rows that are not comparable: leave --most out."
        )
    signatures = dict.fromkeys(row.signature for row in group.rows if row.ours)
    notes += [f"`{line}`" for line in signatures]
    for row in group.rows:
        if row.ours and row.note:
            told = row.note.startswith(row.model)
            notes.append(row.note if told else f"{row.model}: {row.note}")
    return notes


def _csv_row(group: Group, row: Row, metric: str) -> tuple[str, ...]:
    measured = row.measured.get(metric)
    return (
        group.task,
        group.dataset,
        group.split,
        group.protocol,
        group.setting,
        _yes(group.sample),
        row.model,
        _yes(row.ours),
        row.split,
        row.setting,
        metric,
        row.values[metric],
        _digits(measured.low if measured else None),
        _digits(measured.high if measured else None),
        str(measured.n) if measured else "",
        row.verified,
        _yes(row.comparable),
        row.why,
        row.note,
        row.source,
        row.signature,
    )


def _digits(value: float | None) -> str:
    return "" if value is None else shown(value)


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"
