"""`vle-eval leaderboard`: tables from stored results and published scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vle_bench.atomic import write_if_changed
from vle_bench.console import PLACE, say
from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.eval.leaderboard.board import groups_of
from vle_bench.eval.leaderboard.render import FORMATS, markdown
from vle_bench.eval.leaderboard.tex import tex
from vle_bench.eval.options import DEFAULT_RESULTS
from vle_bench.results import StoredResult, stored_results

HTML = "html"

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
@click.option(
    "--task", default="", help="Only this task: vqa, vcr, retrieval, grounding, grounding-mpc, ..."
)
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS, HTML]),
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
@click.option(
    "--single",
    is_flag=True,
    help="HTML: one file that holds up to 2,000 items itself, instead of a folder beside it.",
)
@click.option(
    "--data",
    type=PLACE,
    default=None,
    metavar="ROOT",
    help="HTML: shards that pictures come from, if not those that were scored.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="HTML: of the sample."
)
@click.option("--out", type=PLACE, default=None, help="Write to FILE.")
def command(
    results: Path,
    task: str,
    form: str,
    most: int | None,
    out: Path | None,
    **page: Any,
) -> None:
    """Shows stored results beside the published scores."""
    if most is not None and form not in _SHORTENED:
        raise UsageProblem(
            f"--most shortens Markdown and LaTeX; {form} holds every row. Leave it out."
        )
    if form == HTML:
        _page(_found(results, task), out, **page)
        return
    for option in ("single", "data"):
        if page[option]:
            raise UsageProblem(f"--{option} shapes a page. Give --format html with it.")
    text = leaderboard_text(results, task=task, form=form, most=most)
    if out is None:
        click.echo(text, nl=False)
        return
    write_if_changed(out, text.encode("utf-8"), shared=True)
    say(f"Leaderboard in {out}.")


def leaderboard_text(
    results: Path, *, task: str = "", form: str = "md", most: int | None = None
) -> str:
    """The leaderboard of a store as text.

    Raises:
        DataProblem: The store is absent or holds no result of the task.
    """
    groups = groups_of(found.document for found in _found(results, task))
    if form in _SHORTENED:
        return _SHORTENED[form](groups, most=most)
    return FORMATS[form](groups)


def _found(results: Path, task: str) -> list[StoredResult]:
    found = [one for one in stored_results(results) if task in {"", one.document.task}]
    if not found:
        wanted = f" of {task}" if task else ""
        raise DataProblem(
            f"{results}: no stored result{wanted}. "
            "Score something first: vle-eval vqa ... --results ROOT (or `make demo`)."
        )
    return found


def _page(
    found: list[StoredResult], out: Path | None, *, single: bool, data: Path | None, seed: int
) -> None:
    from vle_bench.eval.leaderboard.page.pieces import Options
    from vle_bench.eval.leaderboard.page.write import single_page, write_page

    options = Options(data=data, seed=seed)
    if single:
        page = single_page(found, options=options)
        if out is None:
            click.echo(page, nl=False)
            return
        write_if_changed(out, page, shared=True)
        say(f"Leaderboard in {out}: one file.")
        return
    if out is None:
        raise UsageProblem(
            "A page has a folder beside it. Give --out FILE.html, or --single for one file."
        )
    write_page(out, found, options=options)
    say(f"Leaderboard in {out}; keep {out.stem}_items beside it.")
