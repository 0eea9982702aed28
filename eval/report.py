"""A result for people: every number with its interval, its n and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vle_bench.eval.leaderboard.board import Group, Row, groups_of
from vle_bench.eval.show import (
    VERIFIED_WORDS,
    heading,
    headline,
    interval_text,
    is_detail,
    is_mean,
    short_source,
    shown,
    unit,
)
from vle_bench.results import Metric, ResultDocument
from vle_bench.statistics.power import detectable, standard_error
from vle_bench.tables import Column, Table, to_text

_MOST_PUBLISHED = 10
_PERCENT = 100.0


def result_text(document: ResultDocument) -> str:
    """The whole result as text for a terminal, published scores below."""
    (group,) = groups_of([document])
    return _measured_text(document) + _published_text(group)


def _measured_text(document: ResultDocument) -> str:
    main = {name: metric for name, metric in document.metrics.items() if not is_detail(name)}
    rows = tuple(
        (name, shown(metric.value), interval_text(metric), f"{metric.n:,}", unit(name))
        for name, metric in main.items()
    )
    columns = (
        Column("metric"),
        Column("score", number=True),
        Column("95 % interval", number=True),
        Column("n", number=True),
        Column("unit"),
    )
    hidden = len(document.metrics) - len(main)
    notes = [document.signature]
    if hidden:
        notes.append(f"{hidden} more metrics (by kind of question) with --json.")
    notes += _power_note(main)
    return to_text(Table(columns, rows, title=headline(document), footnotes=tuple(notes)))


def _power_note(metrics: Mapping[str, Metric]) -> list[str]:
    """What the first metric's n can tell; nothing where all or none of its items are right."""
    for name, metric in metrics.items():
        if unit(name) != "%" or not is_mean(name) or not 0 < metric.value < _PERCENT:
            break
        least = _PERCENT * detectable(standard_error(metric.value / _PERCENT, metric.n))
        note = f"{name}: {metric.n:,} independent items show differences of {shown(least)} or more"
        return [f"{note} from a fixed figure (80 % power, 5 % level)."]
    return []


def _published_text(group: Group) -> str:
    theirs = [row for row in group.rows if not row.ours]
    if not theirs:
        return ""
    comparable = [row for row in theirs if row.comparable]
    chosen = (comparable or theirs)[:_MOST_PUBLISHED]
    title = (
        f"Published and comparable: {len(comparable)} of {len(theirs)} rows"
        if comparable
        else f"Published: {len(theirs)} rows, none of them comparable"
    )
    metrics = [name for name in group.metrics if any(name in row.values for row in chosen)]
    columns = (
        Column("model"),
        *(Column(heading(name), number=True) for name in metrics),
        Column("split"),
        Column("setting"),
        Column("verified"),
        Column("source"),
        Column("note" if comparable else "not comparable because"),
    )
    left = len(comparable or theirs) - len(chosen)
    footnotes = (f"{left} more: vle-eval leaderboard, or --json.",) if left else ()
    rows = tuple(_published_row(metrics, row) for row in chosen)
    return "\n" + to_text(Table(columns, rows, title, footnotes))


def _published_row(metrics: Sequence[str], row: Row) -> tuple[str, ...]:
    return (
        row.model,
        *(row.values.get(name, "") for name in metrics),
        row.split,
        row.setting,
        VERIFIED_WORDS[row.verified],
        short_source(row.source),
        row.note if row.comparable else row.why,
    )
