"""`vle-eval retrieval`: recalls of texts and pictures under a named tie rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vle_bench.console import PLACE
from vle_bench.eval.options import scoring_options, split_options

_RULES = ("pessimistic", "optimistic", "stable", "expected")


@click.command(name="retrieval")
@click.option("--texts", default="", metavar="T", help="texts.jsonl, captions_*, dataset_*.json.")
@click.option("--scores", default="", metavar="S.npy", help="Scores [pictures, texts].")
@click.option("--image-ids", default="", metavar="F", help="The gallery's pictures, one id a line.")
@click.option("--text-ids", default="", metavar="F", help="The texts of the columns.")
@click.option("--image-features", default="", metavar="F", help="NPZ {ids, features} or JSONL.")
@click.option("--text-features", default="", metavar="F", help="NPZ {ids, features} or JSONL.")
@click.option("--ties", type=click.Choice(_RULES), default=_RULES[0], show_default=True,
              help="Where a positive stands among equal scores.")  # fmt: skip
@click.option(
    "--folds",
    default="",
    metavar="N|FILE",
    help="Mean over folds: N consecutive pictures each (COCO 1K: 1000), or a JSON file.",
)
@click.option(
    "--positives",
    multiple=True,
    metavar="FILE",
    help="Extended positives (ECCV-Caption, CxC), JSON: adds mAP@R and R-precision.",
)
@click.option(
    "--score-json",
    type=PLACE,
    default=None,
    metavar="FILE",
    help="Write the score JSON of ERNIE-ViL 2.0; of pictures that ask: *.tr.json.",
)
@click.option(
    "--lists",
    type=PLACE,
    default=None,
    metavar="DIR",
    help="Write SPLIT_predictions.jsonl and SPLIT_tr_predictions.jsonl there.",
)
@click.option(
    "--feature-lines",
    type=PLACE,
    default=None,
    metavar="DIR",
    help="Write SPLIT_imgs.img_feat.jsonl and SPLIT_texts.txt_feat.jsonl there.",
)
@scoring_options
def command(
    score_json: Path | None, lists: Path | None, feature_lines: Path | None, **values: Any
) -> None:
    """Scores retrieval: R@1, R@5, R@10 of both directions, their sums, and ranks.

    Predictions are a matrix of scores, features of both sides, or ranked lists of ten
    (--predictions, once or twice). Texts stand in the order of the references, pictures in the
    order of their first appearance among them. With --split and nothing to score, every stored
    result of that split is scored afresh.
    """
    from vle_bench.eval.finish import finish
    from vle_bench.eval.requests import RetrievalRequest
    from vle_bench.eval.retrieval.task import TASK

    fields, options = split_options(values)
    request = RetrievalRequest(**fields)
    named = (request.predictions, request.model, request.texts, request.scores,
             request.image_features, request.text_features)  # fmt: skip
    if request.split and not any(named):
        from vle_bench.errors import UsageProblem
        from vle_bench.eval.afresh import run_afresh

        if (score_json, lists, feature_lines) != (None, None, None):
            raise UsageProblem(
                "--score-json, --lists and --feature-lines write one run. "
                "Give --predictions P, --scores S, features or --model NAME with it."
            )
        run_afresh(TASK, request, options)
        return
    if feature_lines is not None:
        from vle_bench.eval.retrieval.interchange import refuse_without_features

        refuse_without_features(request)
    scored = TASK.score(request)
    finish(scored, request, options)
    if (score_json, lists, feature_lines) != (None, None, None):
        from vle_bench.eval.retrieval.interchange import write_interchange

        write_interchange(scored, score_json=score_json, lists=lists, features=feature_lines)
