"""The published scores that stand beside a result, each with its reasons for or against."""

from __future__ import annotations

from vle_bench.catalog.comparison import RunDescription, rows_for
from vle_bench.results import PublishedLine, ResultDocument


def describe(document: ResultDocument) -> RunDescription:
    """What a result says of itself, as the published rows are compared with it."""
    return RunDescription(
        dataset=document.dataset,
        split=document.split,
        protocol=document.protocol,
        setting=document.setting,
        trained_on=document.trained_on,
        part=document.part,
        metrics=tuple(document.metrics),
        sample=document.sample,
        captions=_captions(document),
    )


def _captions(document: ResultDocument) -> int:
    """Texts that ask are the captions."""
    asked = document.metrics.get("t2i_r1")
    return asked.n if asked is not None else 0


def published_lines(document: ResultDocument) -> tuple[PublishedLine, ...]:
    """The published scores of the same dataset and metrics, comparable ones first."""
    return tuple(
        PublishedLine(
            model=row.model,
            metric=row.metric,
            dataset=row.dataset,
            split=row.split,
            split_note=row.split_note,
            setting=row.setting,
            setting_note=row.setting_note,
            part=row.part,
            trained_on=row.trained_on,
            value=row.value,
            verified=row.verified,
            source=row.source,
            comparable=verdict.comparable,
            why="; ".join(verdict.why),
            note="; ".join(verdict.notes),
        )
        for row, verdict in rows_for(describe(document))
    )
