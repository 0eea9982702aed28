"""`vle-eval compare`: is the difference of stored runs real?"""

from __future__ import annotations

from pathlib import Path

import click

from vle_bench.console import PLACE


@click.command(name="compare")
@click.argument("places", nargs=-1, required=True, type=PLACE, metavar="A [B]...")
@click.option("--metric", multiple=True, metavar="M", help="Default: the task's first.")
@click.option("--published", multiple=True, metavar="MODEL", help="Published figures beside A.")
@click.option(
    "--published-n",
    type=click.IntRange(1),
    default=None,
    metavar="N",
    help="Items behind the published figure.",
)
@click.option(
    "--resamples",
    type=click.IntRange(1, 1_000_000),
    default=10_000,
    show_default=True,
    help="Draws of each test.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the draws.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(
    places: tuple[Path, ...],
    *,
    metric: tuple[str, ...],
    published: tuple[str, ...],
    published_n: int | None,
    resamples: int,
    seed: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Tests stored runs against the first of them, or one against published figures.

    Each of A, B, ... is a leaf folder of the store, or the result.json in it. All must be scored
    against the same references in the same way; items are joined by id.
    """
    from vle_bench.errors import UsageProblem
    from vle_bench.eval.compare import Drawing, against_published, contrast_with_first, read_run
    from vle_bench.eval.compare.report import comparison_json, comparison_text
    from vle_bench.eval.compare.terms import main_metric

    if len(places) == 1 and not published:
        raise UsageProblem("One run alone. Give a second one, or --published MODEL.")
    if published_n is not None and not published:
        raise UsageProblem("--published-n says how many items a figure is about. Name its MODEL.")
    runs = [read_run(place) for place in places]
    metrics = tuple(dict.fromkeys(metric)) or (main_metric(runs[0]),)
    drawing = Drawing(resamples=resamples, seed=seed)
    contrasts = contrast_with_first(runs, metrics, drawing) if len(runs) > 1 else ()
    figures = tuple(
        test
        for model in dict.fromkeys(published)
        for name in metrics
        for test in against_published(runs[0], model, name, n_published=published_n)
    )
    if as_json:
        document = comparison_json(runs, contrasts, figures, drawing)
        click.echo(document.decode("utf-8"), nl=False)
    else:
        click.echo(comparison_text(runs, contrasts, figures, drawing), nl=False)
