"""`vle-eval vcr`: Q2A, QA2R and joint Q2AR of predictions, or of what is stored."""

from __future__ import annotations

from typing import Any

import click

from vle_bench.errors import UsageProblem
from vle_bench.eval.options import scoring_options, split_options


@click.command(name="vcr")
@click.option("--annotations", default="", metavar="val.jsonl", help="The references.")
@click.option("--kinds", is_flag=True, help="Also a table by kind of question.")
@scoring_options
def command(*, kinds: bool, **values: Any) -> None:
    """Scores VCR predictions: Q2A, QA2R and Q2AR.

    Predictions are the leaderboard's CSV, JSONL with q2a and qa2r, or two arrays Q2A.npy,QA2R.npy
    in the order of the references. With --split and neither --predictions nor --model, every
    stored result of that split is scored afresh and shown beside the published scores.
    Scores by kind of question (likelihood, objects named, question word) are in the document, and
    in a table with --kinds.
    """
    from vle_bench.eval.finish import finish
    from vle_bench.eval.requests import VcrRequest
    from vle_bench.eval.vcr.task import TASK

    fields, options = split_options(values)
    request = VcrRequest(**fields)
    if request.split and not (request.predictions or request.model or request.annotations):
        from vle_bench.eval.afresh import run_afresh

        if kinds:
            raise UsageProblem("--kinds is about one run. Give --predictions P or --model NAME.")
        run_afresh(TASK, request, options)
        return
    document = finish(TASK.score(request), request, options)
    if kinds and not options.as_json:
        from vle_bench.eval.vcr.kinds_table import kinds_text

        click.echo("\n" + kinds_text(document), nl=False)
