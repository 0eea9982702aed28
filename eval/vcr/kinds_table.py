"""The scores of every kind of VCR question as one table: a row a kind, a column a metric."""

from __future__ import annotations

import re

from vle_bench.eval.show import heading, interval_text, shown
from vle_bench.eval.vcr.score import METRICS
from vle_bench.results import ResultDocument
from vle_bench.tables import Column, Table, to_text

_KEY = re.compile(rf"{METRICS[0]}(?P<part>\[(?P<name>\w+)=(?P<value>.+)\])")


def kinds_text(document: ResultDocument) -> str:
    """The table for a terminal; its only line is a footnote where the items state no kind."""
    columns = [Column("kind"), Column("is")]
    for metric in METRICS:
        columns += [Column(heading(metric), number=True), Column("95 % interval", number=True)]
    rows = tuple(
        (found["name"], found["value"], *_cells(document, found["part"]))
        for found in map(_KEY.fullmatch, document.metrics)
        if found is not None
    )
    footnotes = () if rows else ("The references state no question and no answer_likelihood.",)
    table = Table((*columns, Column("n", number=True)), rows, "By kind of question", footnotes)
    return to_text(table)


def _cells(document: ResultDocument, part: str) -> tuple[str, ...]:
    chosen = [document.metrics[f"{metric}{part}"] for metric in METRICS]
    pairs = ((shown(metric.value), interval_text(metric)) for metric in chosen)
    return (*(cell for pair in pairs for cell in pair), f"{chosen[0].n:,}")
