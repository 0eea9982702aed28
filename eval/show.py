"""A result for people: every number with its interval, its n and how it was made."""

from __future__ import annotations

from vle_bench.results import Metric, PublishedLine, ResultDocument
from vle_bench.tables import Column, Table, to_text

_MOST_PUBLISHED = 12
_MOST_SOURCE = 40
_COUNTS = frozenset({"i2t_medr", "t2i_medr", "i2t_meanr", "t2i_meanr"})


def shown(value: float) -> str:
    """Two decimals, the field's habit.

    >>> shown(64.1049)
    '64.10'
    """
    return f"{value:.2f}"


def interval_text(metric: Metric) -> str:
    """The 95 % interval, or a dash where there is none.

    >>> interval_text(Metric(value=50.0, n=4, low=25.0, high=75.0))
    '25.00 to 75.00'
    """
    if metric.low is None or metric.high is None:
        return "-"
    return f"{shown(metric.low)} to {shown(metric.high)}"


def is_detail(metric: str) -> bool:
    """Whether a metric is one of the many that only the document lists."""
    return "[question_type=" in metric


def result_text(document: ResultDocument) -> str:
    """The whole result as text for a terminal."""
    main = {name: metric for name, metric in document.metrics.items() if not is_detail(name)}
    rows = tuple(
        (name, shown(metric.value), interval_text(metric), f"{metric.n:,}", _unit(name))
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
        notes.append(f"{hidden} more metrics (by question type) with --json.")
    text = to_text(Table(columns, rows, title=headline(document), footnotes=tuple(notes)))
    return text + _published_text(document)


def headline(document: ResultDocument) -> str:
    """Task, data, model and protocol in one line; sample data says so."""
    where = f"{document.dataset} {document.split}".strip()
    line = f"{document.task}, {where}: {document.model} (protocol {document.protocol})"
    return f"{line} - sample world, not real data" if document.sample else line


def _unit(name: str) -> str:
    return "rank" if name in _COUNTS else "%"


def _published_text(document: ResultDocument) -> str:
    lines = document.published
    if not lines:
        return ""
    comparable = [line for line in lines if line.comparable]
    chosen = (comparable or list(lines))[:_MOST_PUBLISHED]
    title = (
        f"Published, comparable: {len(comparable)} of {len(lines)} scores"
        if comparable
        else f"Published, none comparable ({len(lines)} scores)"
    )
    columns = (
        Column("model"),
        Column("metric"),
        Column("score", number=True),
        Column("split"),
        Column("setting"),
        Column("verified"),
        Column("source"),
        Column("not comparable because" if not comparable else "note"),
    )
    footnotes = (
        (f"{len(comparable or lines) - len(chosen)} more with --json.",)
        if len(comparable or lines) > len(chosen)
        else ()
    )
    table = Table(columns, tuple(_published_row(line) for line in chosen), title, footnotes)
    return "\n" + to_text(table)


def _published_row(line: PublishedLine) -> tuple[str, ...]:
    source = line.source
    if len(source) > _MOST_SOURCE:
        source = source[: _MOST_SOURCE - 3] + "..."
    return (
        line.model,
        line.metric,
        line.value,
        line.split,
        line.setting,
        line.verified,
        source,
        line.note if line.comparable else line.why,
    )
