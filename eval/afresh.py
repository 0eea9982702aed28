"""Stored results, scored again today against the references they were stored with.

Nothing that was printed once is trusted: the stored predictions are read again
and scored by today's code. A score or a reference file that is no longer what
it was is said in a sentence; the store itself is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from vle_bench.canonical import pretty_json_bytes
from vle_bench.console import say
from vle_bench.errors import DataProblem, Problems, UsageProblem, VleBenchError
from vle_bench.eval.finish import document_of
from vle_bench.eval.leaderboard.board import groups_of
from vle_bench.eval.leaderboard.render import markdown
from vle_bench.eval.options import DEFAULT_RESULTS, RunOptions
from vle_bench.eval.references import canonical_split
from vle_bench.eval.requests import ScoringRequest
from vle_bench.eval.scored import ScoringTask
from vle_bench.results import ResultDocument, StoredResult, stored_results

SCHEMA = "vle-bench/results/1"
_SAME = 1e-9
_MOVED = (
    "A path that is not absolute counts from the folder you are in: run where it was scored. Files "
    "that moved: score the predictions.jsonl of its folder against them, with --model-name."
)


class Afresh(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the stored results of one task and split.

    Attributes:
        documents: One fresh document for each result that could be scored again.
        changes: Sentences on references and scores that are no longer what was stored.
        failures: Sentences on results that could not be scored again.
    """

    documents: tuple[ResultDocument, ...]
    changes: tuple[str, ...]
    failures: tuple[str, ...]


def run_afresh(task: ScoringTask, request: ScoringRequest, options: RunOptions) -> None:
    """`vle-eval <task> --split S` with nothing to score: everything stored of it, scored again.

    Raises:
        DataProblem: Nothing is stored, or something stored could not be scored again.
        UsageProblem: Options that say how to score or to store; each result has its own.
    """
    if said := ", ".join(_of_no_use(task, request, options)):
        raise UsageProblem(
            f"{said}: without --predictions or --model, what is stored is scored as it was stored. "
            f"Give --predictions P or --model NAME with it, or leave it out."
        )
    root = options.results or Path(DEFAULT_RESULTS)
    found = score_afresh(task, root, split=request.split, dataset=request.dataset)
    show_afresh(found, as_json=options.as_json)


def score_afresh(task: ScoringTask, root: Path, *, split: str, dataset: str = "") -> Afresh:
    """Scores every stored result of a task and split again.

    Args:
        task: The task.
        root: Root of the store.
        split: The split; `dev` means `val`.
        dataset: Only results of this dataset; "" for all.

    Raises:
        DataProblem: The store holds no such result.
    """
    wanted = canonical_split(split)
    chosen = [
        found
        for found in stored_results(root)
        if (found.document.task, found.document.split) == (task.name, wanted)
        and dataset in {"", found.document.dataset}
    ]
    if not chosen:
        raise DataProblem(
            f"{root}: no stored result of {task.name} {dataset or 'on any dataset'}, {wanted}.\n"
            f"Get one: vle-eval {task.name} --predictions P ... --split {wanted} --results {root}, "
            "or --model baseline:constant instead of --predictions (or run `make demo`)."
        )
    documents: list[ResultDocument] = []
    changes: list[str] = []
    failures: list[str] = []
    for found in chosen:
        try:
            fresh = _again(task, found)
        except VleBenchError as problem:
            failures.append(f"{found.folder}: {problem}")
            continue
        documents.append(fresh)
        changes.extend(_changes(found, fresh))
    return Afresh(documents=tuple(documents), changes=tuple(changes), failures=tuple(failures))


def show_afresh(found: Afresh, *, as_json: bool) -> None:
    """Prints the fresh scores beside the published ones; says what changed.

    Raises:
        DataProblem: A stored result could not be scored again; the others were printed.
    """
    if as_json:
        plain = {"schema": SCHEMA, "results": list(found.documents)}
        click.echo(pretty_json_bytes(plain).decode("utf-8"), nl=False)
    elif found.documents:
        click.echo(markdown(groups_of(found.documents)), nl=False)
    for change in found.changes:
        say(f"changed: {change}")
    problems = Problems("Not scored again:")
    problems.extend(found.failures)
    problems.raise_if_any(advice=_MOVED)


def _of_no_use(task: ScoringTask, request: ScoringRequest, options: RunOptions) -> Iterator[str]:
    """The options given that stored results do not listen to."""
    plain = task.request_type(split=request.split, dataset=request.dataset)
    for name in request.__struct_fields__:
        if getattr(request, name) != getattr(plain, name):
            yield f"--{name.replace('_', '-')}"
    same = RunOptions(results=options.results, as_json=options.as_json)
    for name in options.__struct_fields__:
        if getattr(options, name) != getattr(same, name):
            yield f"--{name.replace('_', '-')}"


def _again(task: ScoringTask, found: StoredResult) -> ResultDocument:
    stored = found.document
    try:
        asked = msgspec.convert(stored.request, task.request_type)
    except msgspec.ValidationError as error:
        raise DataProblem(f"its request cannot be read ({error}). Score the run again.") from error
    request = task.again(asked, str(found.folder))
    if request is None:
        raise DataProblem("its predictions do not hold all that its score needs.")
    options = RunOptions(
        model_name=stored.model, setting=stored.setting, trained_on=stored.trained_on
    )
    return document_of(task.score(request), request, options)


def _changes(found: StoredResult, fresh: ResultDocument) -> list[str]:
    stored = found.document
    changes = []
    if fresh.references.sha256 != stored.references.sha256:
        changes.append(
            f"{found.folder}: the references {stored.references.path} are not those it was stored "
            f"with (sha256 {stored.references.sha256[:12]}, now {fresh.references.sha256[:12]})."
        )
    for name, metric in fresh.metrics.items():
        before = stored.metrics.get(name)
        if before is not None and abs(before.value - metric.value) > _SAME:
            changes.append(
                f"{found.folder}: {name} was {before.value:.4f} when stored, "
                f"is {metric.value:.4f} now."
            )
    return changes
