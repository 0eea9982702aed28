"""From a scored run to what stays: the document, the published rows beside it, the store."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from vle_bench.console import message_text, say
from vle_bench.eval.options import RunOptions
from vle_bench.eval.published import published_lines
from vle_bench.eval.requests import ScoringRequest
from vle_bench.eval.scored import Scored
from vle_bench.results import (
    References,
    ResultDocument,
    document_bytes,
    make_stamp,
    result_folder,
    signature_line,
    store_result,
)


def document_of(scored: Scored, request: ScoringRequest, options: RunOptions) -> ResultDocument:
    """The result document of a scored run, published rows included.

    Args:
        scored: What the scorer found.
        request: What it was asked; kept, so that the run can be repeated.
        options: The run's name and description.
    """
    references = scored.references
    document = ResultDocument(
        task=scored.task,
        dataset=references.dataset,
        split=references.split,
        model=options.model_name or scored.model,
        sample=references.sample,
        protocol=scored.protocol,
        setting=options.setting,
        trained_on=tuple(sorted(set(options.trained_on))),  # one set of splits, one table
        part=references.part,
        signature=signature_line(scored.task, scored.signature),
        metrics=dict(scored.metrics),
        references=References(path=references.path, sha256=references.sha256),
        request=msgspec.to_builtins(request),
        notes=scored.notes,
        stamp=make_stamp(scored.inputs),
    )
    return msgspec.structs.replace(document, published=published_lines(document))


def finish(scored: Scored, request: ScoringRequest, options: RunOptions) -> ResultDocument:
    """Stores the run where asked to, prints it, and says where it lies.

    Raises:
        DataProblem: The folder holds another model's result.
        MachineProblem: The store cannot be written.
    """
    document = document_of(scored, request, options)
    folder = keep(scored, document, options)
    if options.as_json:
        click.echo(document_bytes(document).decode("utf-8"), nl=False)
    else:
        from vle_bench.eval.report import result_text

        click.echo(result_text(document), nl=False)
    for note in document.notes:
        say(message_text(f"note: {note}"))
    if folder is not None:
        say(f"Stored in {folder}. Next: vle-eval leaderboard")
    return document


def keep(scored: Scored, document: ResultDocument, options: RunOptions) -> Path | None:
    """Stores a run under `--out` or `--results`; None where neither was given."""
    if options.out is not None:
        folder = options.out
    elif options.results is not None:
        folder = result_folder(options.results, document)
    else:
        return None
    store_result(folder, document, items=scored.items, predictions=scored.prediction_lines)
    return folder
