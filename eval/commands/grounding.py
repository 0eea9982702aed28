"""`vle-eval grounding`: heat maps, classes, matches and detections against prepared boxes."""

from __future__ import annotations

from typing import Any

import click

from vle_bench.eval.options import scoring_options, split_options


@click.command(name="grounding")
@click.option(
    "--geometry",
    type=click.Choice(["stretch", "center_crop"]),
    default=None,
    help="The whole picture squeezed to a square, or CLIP's square out of its middle.",
)
@click.option("--image-size", type=click.IntRange(1, 16_384), default=None, help="Of the input.")
@click.option("--patch-size", type=click.IntRange(1, 16_384), default=None, help="Of a patch.")
@click.option(
    "--threshold",
    type=float,
    default=0.5,
    show_default=True,
    help="From this score on a patch is found; fix it beforehand.",
)
@scoring_options  # fmt: skip
def command(**values: Any) -> None:
    """Scores what a model finds in pictures against the boxes of --dataset and --split.

    Predictions are scores of patches, NPZ or Parquet with key, query_id and scores (row by row, no
    class token). A query is a caption of COCO, a region of Visual Genome, a phrase of Flickr30k
    (its first box's id). With --split and nothing to score, every stored result is scored afresh.
    """
    from vle_bench.eval.finish import finish
    from vle_bench.eval.grounding.task import TASK
    from vle_bench.eval.requests import GroundingRequest

    fields, options = split_options(values)
    given = {name: value for name, value in fields.items() if value is not None}
    request = GroundingRequest(**given)
    if request.split and not (request.predictions or request.model):
        from vle_bench.eval.afresh import run_afresh

        run_afresh(TASK, request, options)
        return
    finish(TASK.score(request), request, options)
