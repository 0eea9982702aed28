"""Numbers of a result as people read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from vle_bench.catalog.metrics import metrics
from vle_bench.results import Metric, ResultDocument

VERIFIED_WORDS: Mapping[str, str] = MappingProxyType(
    {"yes": "yes", "secondary": "second hand", "no": "NO, recalled", "": ""}
)

_MOST_SOURCE = 40
"""Characters of a source that a terminal has room for; the document has all of them."""
_DETAIL = re.compile(r"\[[a-z_]+=")
_PART = re.compile(r"\[(?P<name>[^\[\]]+)\]$")


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
    """Whether a metric is one of the many that only the document lists.

    >>> is_detail("accuracy[yes/no]"), is_detail("q2a[question_word=why]")
    (False, True)
    """
    return _DETAIL.search(metric) is not None


def unit(metric: str) -> str:
    """What the metric's value counts.

    >>> unit("i2t_r1"), unit("i2t_medr")
    ('%', 'rank')
    """
    known = metrics().find(metric)
    return "rank" if known is not None and known.unit == "count" else "%"


def is_mean(metric: str) -> bool:
    """Whether the metric is a mean over its items; one that nobody knows is taken for one.

    >>> is_mean("q2ar"), is_mean("box_ap")
    (True, False)
    """
    known = metrics().find(metric)
    return known is None or known.mean


def heading(metric: str) -> str:
    """The short heading of a metric's column; a part of the items is named alone.

    >>> heading("i2t_r1"), heading("accuracy[yes/no]"), heading("f1")
    ('TR@1', 'yes/no', 'f1')
    """
    part = _PART.search(metric)
    known = metrics().find(metric)
    if part is not None:
        return part["name"]
    return metric if known is None else known.title


def short_source(source: str) -> str:
    """The beginning of a source, marked where more follows.

    >>> short_source("BLIP paper, Table 5"), len(short_source("x" * 50))
    ('BLIP paper, Table 5', 40)
    """
    return source if len(source) <= _MOST_SOURCE else f"{source[: _MOST_SOURCE - 3]}..."


def headline(document: ResultDocument) -> str:
    """Task, data, model and protocol in one line; sample data says so."""
    where = f"{document.dataset} {document.split}".strip()
    if document.part:
        where += f", {document.part}"
    line = f"{document.task}, {where}: {document.model} (protocol {document.protocol})"
    return f"{line} - sample world, not real data" if document.sample else line
