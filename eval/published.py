"""The published scores that stand beside a result, each with its reasons for or against."""

from __future__ import annotations

from vle_bench.catalog.comparison import RunDescription, rows_for
from vle_bench.results import PublishedLine, ResultDocument, signature_parts


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
        captions=captions_of(document),
    )


def captions_of(document: ResultDocument) -> int:
    """How many captions a run of retrieval had; 0 for other tasks.

    Texts that ask are the captions. Where pictures alone ask, the signature says how many.
    """
    asked = document.metrics.get("t2i_r1")
    if asked is not None or document.task != "retrieval":
        return asked.n if asked is not None else 0
    _, _, texts = signature_parts(document.signature).get("n", "").partition("x")
    return int(texts) if texts.isdecimal() else 0


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
