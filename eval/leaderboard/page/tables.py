"""What the page shows first, as plain values: groups, rows, and the breakdowns of our runs.

All of it is text from strangers. Nothing here escapes anything: the page puts
text into text nodes only, and the writer makes JSON safe to stand in HTML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from vle_bench.catalog.metrics import metrics
from vle_bench.eval.leaderboard.board import SHOWN_METRICS, Group, Row
from vle_bench.eval.leaderboard.notes import group_notes
from vle_bench.eval.show import VERIFIED_WORDS, heading, shown, unit
from vle_bench.results import Metric, ResultDocument

_PART = re.compile(r"(?P<base>[^\[\]]+)\[(?:(?P<kind>[^\[\]=]+)=)?(?P<part>[^\[\]]*)\]")
_DIRECTION = re.compile(r"(?P<direction>i2t|t2i)_(?P<rest>r\d+|mean_recall)")
_DIRECTIONS = {
    "i2t": "Text retrieval (i2t): a picture asks",
    "t2i": "Image retrieval (t2i): a text asks",
}
_WHOLE = "Over all items"
_ALL = 100.0
_MANY = 12
_PLAIN_KINDS = {"accuracy": "answer type", "q2a": "kind", "qa2r": "kind", "q2ar": "kind"}


def page_groups(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """The tables, in their order."""
    return [_group(group) for group in groups]


def breakdown(document: ResultDocument) -> list[dict[str, Any]]:
    """The parts of a result, chart by chart: answer types, question types, kinds, directions.

    Returns:
        `title` and `bars`: name, value, low, high, n each.
    """
    charts: dict[str, list[list[Any]]] = {}
    order = SHOWN_METRICS.get(document.task, ())
    place = {name: at for at, name in enumerate(order)}
    for name in sorted(document.metrics, key=lambda key: place.get(key.split("[")[0], len(place))):
        metric = document.metrics[name]
        if part := _PART.fullmatch(name):
            kind = part["kind"] or _PLAIN_KINDS.get(part["base"], "part")
            title = f"{heading(part['base'])} by {kind.replace('_', ' ')}"
            charts.setdefault(title, []).append([part["part"] or "(none)", *_numbers(metric)])
        elif (found := _DIRECTION.fullmatch(name)) and unit(name) == "%":
            charts.setdefault(_DIRECTIONS[found["direction"]], []).append(
                [heading(name), *_numbers(metric)]
            )
        elif _share(name):
            charts.setdefault(_WHOLE, []).append([heading(name), *_numbers(metric)])
    return [
        {"title": title, "bars": bars if title == _WHOLE else sorted(bars, key=_place_of_bar)}
        for title, bars in sorted(charts.items(), key=_place_of_chart)
    ]


def _share(name: str) -> bool:
    """Whether a metric is a share of items, and not a sum such as RSUM or a rank."""
    known = metrics().find(name)
    return known is not None and known.unit == "percent" and known.highest == _ALL


def _place_of_chart(chart: tuple[str, Sequence[object]]) -> tuple[object, ...]:
    title, bars = chart
    return (title != _WHOLE, len(bars) > _MANY)


def _place_of_bar(bar: Sequence[Any]) -> tuple[object, ...]:
    """TR@1 before TR@10; parts by their size, then by name."""
    digits = re.search(r"@(\d+)$", bar[0])
    return (0, int(digits[1]), "") if digits else (1, -bar[4], bar[0])


def _numbers(metric: Metric) -> list[Any]:
    return [metric.value, metric.low, metric.high, metric.n]


def _group(group: Group) -> dict[str, Any]:
    notes = group_notes(group)
    return {
        "title": group.title,
        "task": group.task,
        "dataset": group.dataset,
        "split": group.split,
        "protocol": group.protocol,
        "setting": group.setting,
        "sample": group.sample,
        "main": group.metrics.index(group.main) if group.main in group.metrics else 0,
        "metrics": [
            {"name": name, "heading": heading(name), "unit": unit(name)} for name in group.metrics
        ],
        "rows": [_row(group, row, notes.numbers(row)) for row in notes.rows],
        "reasons": list(notes.reasons),
        "signatures": list(notes.signatures),
        "others": list(notes.others),
    }


def _row(group: Group, row: Row, reasons: Sequence[str]) -> dict[str, Any]:
    return {
        "model": row.model,
        "run": row.place,
        "split": row.split,
        "setting": row.setting,
        "cells": [_cell(row.values.get(name), row.measured.get(name)) for name in group.metrics],
        "verified": row.verified,
        "word": "measured here" if row.ours else VERIFIED_WORDS[row.verified],
        "reason": int(reasons[0]) if reasons else 0,
        "note": "" if row.ours else row.note,
        "source": row.source,
    }


def _cell(value: str | None, measured: Metric | None) -> list[Any]:
    """The digits; of our numbers also the interval and the number of items behind them."""
    if value is None:
        return []
    if measured is None:
        return [value]
    return [value, _digits(measured.low), _digits(measured.high), measured.n]


def _digits(value: float | None) -> str:
    return "" if value is None else shown(value)


def run_facts(document: ResultDocument) -> Mapping[str, Any]:
    """What the page says of one of our runs wherever it names it."""
    return {
        "model": document.model,
        "signature": document.signature,
        "notes": list(document.notes),
        "charts": breakdown(document),
    }
