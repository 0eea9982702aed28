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
@click.option("--vocabulary", default="", metavar="V", help="Classes; default COCO's 80, from 0.")
@click.option("--detections", default="", metavar="FILE", help="COCO results instead: AP and AR.")
@scoring_options
def command(**values: Any) -> None:
    """Scores what a model finds in pictures against the boxes of --dataset and --split.

    What a file of predictions holds is seen from its columns: scores of patches (NPZ or Parquet
    with key, query_id, scores: row by row, no class token), classes of boxes (key, box_id,
    label_ids: five, best first) or pairs (image_id, text_id, score, match). A query is a caption of
    COCO, a region of Visual Genome, a phrase of Flickr30k (the id of its first box). With --split
    and nothing to score, every stored run over patches is scored afresh.
    """
    from vle_bench.eval.finish import finish
    from vle_bench.eval.grounding.kinds import task_of
    from vle_bench.eval.requests import GroundingRequest

    fields, options = split_options(values)
    given = {name: value for name, value in fields.items() if value is not None}
    request = GroundingRequest(**given)
    task = task_of(request)
    if request.split and not (request.predictions or request.model or request.detections):
        from vle_bench.eval.afresh import run_afresh

        run_afresh(task, request, options)
        return
    finish(task.score(request), request, options)
