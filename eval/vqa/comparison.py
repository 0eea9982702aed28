"""One run under every protocol: the table, the questions that change, and the document."""

from __future__ import annotations

from typing import Any

import msgspec

from vle_bench.eval.finish import document_of
from vle_bench.eval.options import RunOptions
from vle_bench.eval.requests import VqaRequest
from vle_bench.eval.show import shown
from vle_bench.eval.vqa.changes import Change, Shift, all_protocols, changes, shift
from vle_bench.eval.vqa.metrics import ACCURACY
from vle_bench.eval.vqa.task import read_run, scored_under
from vle_bench.results import Metric, ResultDocument
from vle_bench.tables import Column, Table, to_text

SCHEMA = "vle-bench/vqa-protocols/1"
_MOST_SHOWN = 20
_MOST_ANSWERS = 4
_MOST_TEXT = 32


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What `vle-eval vqa --all-protocols --json` prints.

    Attributes:
        schema: Name and version of this form.
        base: The protocol that the others are compared with.
        results: One result document a protocol.
        shifts: By protocol, how many questions score higher and lower than under `base`.
        changed: Every question that does not score the same under all of them.
    """

    schema: str = SCHEMA
    base: str
    results: tuple[ResultDocument, ...]
    shifts: dict[str, Shift]
    changed: tuple[Change, ...]


def compare_protocols(request: VqaRequest, options: RunOptions) -> Comparison:
    """Scores one request under every protocol that it allows.

    Args:
        request: `protocol` names the one that the others are compared with.
        options: The run's name; nothing is stored.

    Raises:
        DataProblem: As for scoring under one protocol.
        UsageProblem: As for scoring under one protocol.
    """
    run = read_run(request)
    protocols = {protocol.name: protocol for protocol in all_protocols(run)}
    items = {name: run.items(protocol) for name, protocol in protocols.items()}
    results: list[ResultDocument] = []
    for name, protocol in protocols.items():
        asked: Any = msgspec.structs.replace(request, protocol=name)
        scored = scored_under(run, protocol, question_types=options.as_json)
        results.append(document_of(scored, asked, options))
    base = items[request.protocol]
    return Comparison(
        base=request.protocol,
        results=tuple(results),
        shifts={name: shift(scores, base) for name, scores in items.items()},
        changed=tuple(changes(run, items)),
    )


def comparison_text(comparison: Comparison) -> str:
    """The comparison for a terminal: one row a protocol, then the questions that change most."""
    return _protocol_table(comparison) + "\n" + _change_table(comparison)


def _protocol_table(comparison: Comparison) -> str:
    first = comparison.results[0]
    parts = [name for name in first.metrics if name != ACCURACY and "question_type=" not in name]
    columns = (
        Column("protocol"),
        *(Column(name, number=True) for name in (ACCURACY, *parts)),
        Column("n", number=True),
        Column("higher", number=True),
        Column("lower", number=True),
    )
    rows = tuple(
        (
            name,
            *(_value(result.metrics.get(metric)) for metric in (ACCURACY, *parts)),
            f"{result.metrics[ACCURACY].n:,}",
            f"{moved.higher:,}",
            f"{moved.lower:,}",
        )
        for (name, moved), result in zip(comparison.shifts.items(), comparison.results, strict=True)
    )
    sample = " - sample world, not real data" if first.sample else ""
    title = f"vqa, {first.dataset} {first.split}: {first.model}, every protocol{sample}"
    notes = (
        f"higher, lower: questions that score more or less than under {comparison.base}.",
        *(result.signature for result in comparison.results),
    )
    return to_text(Table(columns, rows, title=title, footnotes=notes))


def _change_table(comparison: Comparison) -> str:
    names = tuple(comparison.shifts)
    shown_changes = comparison.changed[:_MOST_SHOWN]
    columns = (
        Column("question_id"),
        Column("prediction"),
        *(Column(name, number=True) for name in names),
        Column("annotators"),
    )
    rows = tuple(
        (
            change.question_id,
            "(missing)" if change.prediction is None else _short(repr(change.prediction)),
            *(_score(change.scores[name]) for name in names),
            _annotators(change.answers),
        )
        for change in shown_changes
    )
    count = len(comparison.changed)
    left = count - len(shown_changes)
    notes = (f"{left:,} more with --json.",) if left else ()
    title = f"Questions whose score changes: {count:,}"
    return to_text(Table(columns, rows, title=title, footnotes=notes))


def _annotators(answers: tuple[str, ...]) -> str:
    """The answers with how often each was given, the most frequent first."""
    counts = {answer: answers.count(answer) for answer in dict.fromkeys(answers)}
    order = sorted(counts, key=lambda answer: -counts[answer])
    told = ", ".join(f"{counts[answer]} x {answer!r}" for answer in order[:_MOST_ANSWERS])
    return told + (", ..." if len(order) > _MOST_ANSWERS else "")


def _short(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 3] + "..."


def _value(metric: Metric | None) -> str:
    return "-" if metric is None else shown(metric.value)


def _score(score: float | None) -> str:
    return "-" if score is None else shown(score)
