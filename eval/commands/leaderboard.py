"""`vle-eval leaderboard`: tables from stored results and published scores."""

from __future__ import annotations

from pathlib import Path

import click

from vle_bench.atomic import write_if_changed
from vle_bench.console import PLACE, say
from vle_bench.errors import DataProblem
from vle_bench.eval.leaderboard.board import groups_of
from vle_bench.eval.leaderboard.render import FORMATS, markdown
from vle_bench.eval.leaderboard.tex import tex
from vle_bench.eval.options import DEFAULT_RESULTS
from vle_bench.results import stored_results

_SHORTENED = {"md": markdown, "tex": tex}
"""The forms that `--most` applies to."""


@click.command(name="leaderboard")
@click.option(
    "--results",
    type=PLACE,
    default=DEFAULT_RESULTS,
    show_default=True,
    metavar="ROOT",
    help="Root of the store.",
)
@click.option("--task", default="", help="Only this task: vqa, vcr, retrieval.")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="md",
    show_default=True,
    help="Form of the tables.",
)
@click.option(
    "--most",
    type=click.IntRange(0),
    default=None,
    metavar="N",
    help="Markdown and LaTeX: at most N rows a table that may not be compared.",
)
@click.option("--out", type=PLACE, default=None, help="Write to FILE.")
def command(results: Path, task: str, form: str, most: int | None, out: Path | None) -> None:
    """Shows stored results beside the published scores."""
    text = leaderboard_text(results, task=task, form=form, most=most)
    if out is None:
        click.echo(text, nl=False)
        return
    write_if_changed(out, text.encode("utf-8"))
    say(f"Leaderboard in {out}.")


def leaderboard_text(
    results: Path, *, task: str = "", form: str = "md", most: int | None = None
) -> str:
    """The leaderboard of a store as text.

    Raises:
        DataProblem: The store is absent or holds no result of the task.
    """
    documents = [found.document for found in stored_results(results)]
    if task:
        documents = [document for document in documents if document.task == task]
    if not documents:
        wanted = f" of {task}" if task else ""
        raise DataProblem(
            f"{results}: no stored result{wanted}. "
            "Score something first: vle-eval vqa ... --results ROOT (or `make demo`)."
        )
    groups = groups_of(documents)
    if form in _SHORTENED:
        return _SHORTENED[form](groups, most=most)
    return FORMATS[form](groups)
