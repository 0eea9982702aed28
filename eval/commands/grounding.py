"""`vle-eval grounding`: heat maps, classes, matches and detections against prepared boxes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vle_bench.console import PLACE
from vle_bench.eval.options import RunOptions, scoring_options, split_options

if TYPE_CHECKING:
    from vle_bench.eval.requests import GroundingRequest


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
@click.option(
    "--pictures",
    type=PLACE,
    default=None,
    metavar="DIR",
    help="Paint scores of patches over photos, one JPEG a query.",
)
@click.option(
    "--samples",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="How many queries to paint, drawn by --seed.",
)
@click.option("--key", "keys", multiple=True, metavar="KEY", help="Paint only these samples.")
@scoring_options
def command(**values: Any) -> None:
    """Scores what a model finds in pictures against the boxes of --dataset and --split.

    What a file of predictions holds is seen from its columns: scores of patches (NPZ or Parquet
    with key, query_id, scores: row by row, no class token), classes of boxes (key, box_id,
    label_ids: five, best first) or pairs (image_id, text_id, score, match). A query is a caption of
    COCO, a region of Visual Genome, a phrase of Flickr30k (the id of its first box). With --split
    and nothing to score, every stored run over patches is scored afresh.
    """
    from vle_bench.errors import UsageProblem
    from vle_bench.eval.finish import finish
    from vle_bench.eval.grounding.kinds import PATCHES, task_of
    from vle_bench.eval.requests import GroundingRequest

    folder, samples, keys = (values.pop(name) for name in ("pictures", "samples", "keys"))
    fields, options = split_options(values)
    given = {name: value for name, value in fields.items() if value is not None}
    request = GroundingRequest(**given)
    task = task_of(request)
    to_score = request.predictions or request.model or request.detections
    if folder is not None:
        if task.name != PATCHES or not to_score:
            raise UsageProblem("--pictures paints scores of patches. Give such --predictions.")
        _score_and_paint(request, options, folder, samples=samples, keys=keys)
    elif keys:
        raise UsageProblem("--key chooses what --pictures paints. Give --pictures DIR with it.")
    elif request.split and not to_score:
        from vle_bench.eval.afresh import run_afresh

        run_afresh(task, request, options)
    else:
        finish(task.score(request), request, options)


def _score_and_paint(
    request: GroundingRequest,
    options: RunOptions,
    folder: Path,
    *,
    samples: int,
    keys: tuple[str, ...],
) -> None:
    from vle_bench.console import say
    from vle_bench.eval.finish import finish
    from vle_bench.eval.grounding.pictures import chosen, write_pictures
    from vle_bench.eval.grounding.task import grounding_request, run_patches, scored_of

    run = run_patches(grounding_request(request))
    places = chosen(run, samples=samples, seed=request.seed, keys=keys)
    finish(scored_of(run, request), request, options)
    written = write_pictures(run, places, folder)
    say(f"{len(written):,} pictures in {folder}.")
