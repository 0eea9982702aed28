"""A leaderboard as Markdown for people, LaTeX for papers, CSV and JSON for programs.

Rows that may not be compared stand below those that may, each with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from vle_bench.canonical import pretty_json_bytes
from vle_bench.eval.leaderboard.board import Group, Row
from vle_bench.eval.leaderboard.notes import RowNotes, group_notes
from vle_bench.eval.leaderboard.tex import tex
from vle_bench.eval.show import VERIFIED_WORDS, heading, interval_text, shown
from vle_bench.tables import Column, Table, to_csv, to_markdown

SCHEMA = "vle-bench/leaderboard/1"
_LEAD = """# Leaderboard

Scores in percent, 95 % intervals resampled by image, n = number of items; one table for each
benchmark, split, protocol and setting, since only such numbers may be compared.

- **Bold** rows were measured here. All others are published scores with the digits of their source.
- comparable: "no [1]" points to the reason below the table. Such a row is no opponent.
- verified: "yes" was read in the source itself, "second hand" in somebody's collection, and
  "NO, recalled" was read nowhere by us: do not cite it.
- Empty cells are numbers that the source does not give. Rows are ordered by the number that has the
  interval; rows without it stand last, which says nothing about the model.
- The lines in code below a table say how our numbers were made; same line, same rules.
"""
_ENTITIES = {sign: f"&#{ord(sign)};" for sign in "*_`[]~"} | {"<": "&lt;", "&": "&amp;"}
_COMMANDS = re.compile(r"[*`\[\]~<&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
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
    return "\n".join([_LEAD, *(to_markdown(_table(group, most)) for group in groups)])


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
                "rules": list(group.rules),
                "metrics": list(group.metrics),
                "rows": [_row_fields(row) for row in group.rows],
            }
            for group in groups
        ],
    }
    return pretty_json_bytes(document).decode("utf-8")


FORMATS: Mapping[str, Callable[[Sequence[Group]], str]] = MappingProxyType(
    {"md": markdown, "csv": comma_separated, "json": json_document, "tex": tex}
)


def _row_fields(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__ if name != "place"}


def _table(group: Group, most: int | None) -> Table:
    notes = group_notes(group, most)
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
    rows = tuple(_markdown_row(group, row, notes) for row in notes.rows)
    return Table(columns, rows, plain(group.title), _footnotes(notes))


def _markdown_row(group: Group, row: Row, notes: RowNotes) -> tuple[str, ...]:
    headline = row.measured.get(group.main)
    name = plain(row.model)
    return (
        f"**{name}**" if row.ours else name,
        *(row.values.get(metric, "") for metric in group.metrics),
        interval_text(headline) if headline else "",
        f"{headline.n:,}" if headline else "",
        plain(row.split),
        plain(row.setting) or "not stated",
        "measured here" if row.ours else VERIFIED_WORDS[row.verified],
        "yes" if row.comparable else f"no [{notes.numbers(row)[0]}]",
        plain(row.source),
    )


def _footnotes(notes: RowNotes) -> tuple[str, ...]:
    return (
        *(
            f"[{number}] not comparable: {plain(why)}"
            for number, why in enumerate(notes.reasons, 1)
        ),
        *(f"`{line.replace('`', ' ')}`" for line in notes.signatures),
        *map(plain, notes.others),
    )


def plain(text: str) -> str:
    r"""Text that Markdown shows as it stands; table cells escape bars and backslashes themselves.

    >>> plain("a*b <i>"), plain("dataset_card"), plain("_x_")
    ('a&#42;b &lt;i>', 'dataset_card', '&#95;x&#95;')
    """
    return _COMMANDS.sub(lambda found: _ENTITIES[found[0]], text)


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
