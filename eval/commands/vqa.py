"""`vle-eval vqa`: VQA accuracy under a named protocol."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import click

from vle_bench.errors import UsageProblem
from vle_bench.eval.options import scoring_options, split_options
from vle_bench.eval.requests import VqaRequest

_HINTS = get_type_hints(VqaRequest)


@click.command("vqa")
@click.option("--annotations", default="", metavar="A.json", help="Official annotations file.")
@click.option(
    "--questions", default="", metavar="Q.json", help="Its questions file: checked, shown."
)
@click.option(
    "--protocol",
    type=click.Choice(get_args(_HINTS["protocol"])),
    default="official",
    show_default=True,
    help="The scoring rule; results name it.",
)
@click.option("--vocabulary", default="", metavar="V", help="Answers of a classifier (JSON).")
@click.option(
    "--labels",
    type=click.Choice(get_args(_HINTS["labels"])),
    default="raw",
    show_default=True,
    help="How soft-label reads annotators: as written, or normalised first.",
)
@click.option("--ceilings", is_flag=True, help="Also human agreement and the vocabulary's best.")
@click.option("--all-protocols", is_flag=True, help="One table of all, with what changes.")
@scoring_options
def command(*, all_protocols: bool, **values: Any) -> None:
    """Scores VQA answers.

    References are an official annotations file, or with --split the shards under --data.
    Predictions are the official list of {"question_id", "answer"} as JSON, JSONL, CSV or Parquet.
    With --split and nothing to score, every stored result of that split is scored afresh.
    """
    asked, options = split_options(values)
    request = VqaRequest(**asked)
    if request.labels != "raw" and request.protocol != "soft-label" and not all_protocols:
        raise UsageProblem("--labels is about --protocol soft-label. Give that with it.")
    if not all_protocols:
        from vle_bench.eval.vqa.task import TASK

        if request.split and not (request.predictions or request.model or request.annotations):
            from vle_bench.eval.afresh import run_afresh

            run_afresh(TASK, request, options)
            return
        from vle_bench.eval.finish import finish

        finish(TASK.score(request), request, options)
        return
    if options.results is not None or options.out is not None:
        raise UsageProblem("--all-protocols stores nothing. Leave --results and --out out.")
    from vle_bench.canonical import pretty_json_bytes
    from vle_bench.eval.vqa.comparison import compare_protocols, comparison_text

    comparison = compare_protocols(request, options)
    if options.as_json:
        click.echo(pretty_json_bytes(comparison).decode("utf-8"), nl=False)
    else:
        click.echo(comparison_text(comparison), nl=False)
