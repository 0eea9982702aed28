"""`vle-eval vcr`: Q2A, QA2R and joint Q2AR of predictions, or of what is stored."""

from __future__ import annotations

from typing import Any

import click

from vle_bench.eval.options import scoring_options, split_options


@click.command(name="vcr")
@click.option("--annotations", default="", metavar="val.jsonl", help="The references.")
@scoring_options
def command(**values: Any) -> None:
    """Scores VCR predictions: Q2A, QA2R and Q2AR.

    Predictions are the leaderboard's CSV, JSONL with q2a and qa2r, or two arrays Q2A.npy,QA2R.npy
    in the order of the references. With --split and neither --predictions nor --model, every
    stored result of that split is scored afresh and shown beside the published scores.
    """
    from vle_bench.eval.finish import finish
    from vle_bench.eval.requests import VcrRequest
    from vle_bench.eval.vcr.task import TASK

    fields, options = split_options(values)
    request = VcrRequest(**fields)
    if request.split and not (request.predictions or request.model or request.annotations):
        from vle_bench.eval.afresh import run_afresh

        run_afresh(TASK, request, options)
        return
    finish(TASK.score(request), request, options)
