"""Grounding of texts in patches as a task: from a request to query scores and metrics."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from vle_bench.errors import UsageProblem
from vle_bench.eval.grounding.frame import Frame, needed_frame
from vle_bench.eval.grounding.patch_files import (
    PatchScores,
    prediction_lines,
    read_patch_scores,
)
from vle_bench.eval.grounding.patches import PatchItems, metrics_of, score_queries
from vle_bench.eval.grounding.queries import COVERAGE, QuerySet, read_queries
from vle_bench.eval.predictors import load_predictor
from vle_bench.eval.requests import DEFAULT_THRESHOLD, GroundingRequest, ScoringRequest
from vle_bench.eval.scored import Scored
from vle_bench.inputs import open_source
from vle_bench.inputs.names import stem_of
from vle_bench.results.signature import interval_part
from vle_bench.results.store import PREDICTIONS


class PatchRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run before it is folded into numbers: what pictures of it are painted from."""

    frame: Frame
    asked: QuerySet
    scores: PatchScores
    items: PatchItems
    model: str
    inputs: dict[str, str]


class GroundingTask:
    """`vle-eval grounding` of scores of patches."""

    name = "grounding"
    request_type: type[ScoringRequest] = GroundingRequest

    def score(self, request: ScoringRequest) -> Scored:
        """Scores the heat maps, or the predictor, that `request` names.

        Raises:
            DataProblem: Shards or predictions are missing, broken or do not match.
            UsageProblem: The request names nothing to score, or no frame.
        """
        asked = grounding_request(request)
        return scored_of(run_patches(asked), asked)

    def again(self, request: ScoringRequest, folder: str) -> GroundingRequest:
        """The request that scores the stored predictions of `folder`."""
        return stored_request(request, folder)


TASK = GroundingTask()


def grounding_request(request: ScoringRequest) -> GroundingRequest:
    """The request as one of grounding.

    Raises:
        UsageProblem: Its threshold is no finite number, so that nothing or everything is found.
    """
    if not isinstance(request, GroundingRequest):
        raise TypeError(f"a {type(request).__name__} is no request of grounding")
    if not math.isfinite(request.threshold):
        raise UsageProblem(f"--threshold {request.threshold}: a finite number was expected.")
    return request


def stored_request(request: ScoringRequest, folder: str) -> GroundingRequest:
    """The request that scores the stored predictions of `folder` as it was stored."""
    stored = (str(Path(folder) / PREDICTIONS),)
    return msgspec.structs.replace(grounding_request(request), predictions=stored, model="")


def one_file(request: GroundingRequest) -> Path:
    """The one predictions file of a request.

    Raises:
        UsageProblem: None is named, or several.
    """
    if not request.predictions:
        raise UsageProblem("Nothing to score. Give --predictions P or --model baseline:NAME.")
    if len(request.predictions) > 1:
        raise UsageProblem(f"--predictions: {len(request.predictions)} files. Give one a run.")
    return Path(request.predictions[0])


def run_patches(request: GroundingRequest) -> PatchRun:
    """Reads what a request names and scores every query.

    Raises:
        DataProblem: Shards or predictions are missing, broken or do not match.
        UsageProblem: The request names nothing to score, or no frame.
    """
    frame = needed_frame(request)
    if request.model:
        predictor = load_predictor(TASK.name, request.model)
    else:
        path = one_file(request)
    asked = read_queries(request, frame)
    inputs: dict[str, str] = {}
    if request.model:
        found = predictor(asked.queries, frame=frame, seed=request.seed)
        scores = PatchScores(found, np.ones(len(found), dtype=np.bool_))
        model = request.model
    else:
        source = open_source(path, "scores of patches")
        scores = read_patch_scores(source, asked, patches=len(frame.grid), missing=request.missing)
        inputs, model = {"predictions": source.sha256}, stem_of(path)
    items = score_queries(scores.scores, scores.present, asked.queries, threshold=request.threshold)
    return PatchRun(
        frame=frame, asked=asked, scores=scores, items=items, model=model, inputs=inputs
    )


def scored_of(run: PatchRun, request: GroundingRequest) -> Scored:
    """Metrics, item table, notes and signature of a run."""
    asked = run.asked
    protocol = run.frame.label
    if request.threshold != DEFAULT_THRESHOLD:
        protocol += f"-t{request.threshold_text}"
    return Scored(
        task=TASK.name,
        protocol=protocol,
        model=run.model,
        references=asked.facts,
        metrics=metrics_of(
            run.items,
            [query.image_id for query in asked.queries],
            resamples=request.resamples,
            seed=request.seed,
        ),
        items=_item_table(run),
        predictions=prediction_lines(run.scores, asked.queries),
        signature=(
            ("data", asked.facts.dataset),
            ("split", asked.facts.split),
            ("n", str(len(asked.queries))),
            ("queries", asked.kind),
            ("no-box", str(len(asked.without_box))),
            ("no-patch", str(len(asked.without_patch))),
            ("frame", run.frame.label),
            ("coverage", f"{COVERAGE:g}"),
            ("threshold", request.threshold_text),
            ("missing", request.missing),
            interval_part("image", request.resamples, request.seed),
        ),
        inputs={"shards": asked.facts.sha256, **run.inputs},
        notes=(*asked.notes, *_notes(run, request.threshold)),
    )


def _item_table(run: PatchRun) -> dict[str, Any]:
    queries, items = run.asked.queries, run.items
    return {
        "id": [query.name for query in queries],
        "image_id": [query.image_id for query in queries],
        "group": [run.asked.kind] * len(queries),
        "prediction": ["" if best < 0 else str(best) for best in items.best.tolist()],
        "score": items.values[:, 0],
        "patch_ap": items.values[:, 0],
        "pointing": items.values[:, 1],
        "patch_iou": items.values[:, 2],
        "text": [query.text for query in queries],
        "related": [int((query.related == 1).sum()) for query in queries],
    }


def _notes(run: PatchRun, threshold: float) -> tuple[str, ...]:
    asked, scores = run.asked, run.scores
    notes = []
    unscored = len(asked.without_box) + len(asked.without_patch)
    if unscored:
        notes.append(
            f"{unscored:,} of {unscored + len(asked.queries):,} texts are not scored: "
            f"{len(asked.without_box):,} have no box, {len(asked.without_patch):,} none that shows "
            f"in a patch of {run.frame.label}."
        )
    notes.append(
        "Tied maxima, where the first patch is pointed at: "
        f"{int(run.items.tied.sum()):,} of {len(asked.queries):,} queries."
    )
    absent = int((~scores.present).sum())
    if absent:
        notes.append(
            f"{absent:,} of {len(asked.queries):,} queries have no prediction and count as zero "
            "(--missing zero)."
        )
    given = scores.scores[scores.present]
    if given.size and not ((given >= threshold).any() and (given < threshold).any()):
        notes.append(
            f"Every score is on one side of the threshold {threshold:g}: the IoU says nothing. "
            "Give probabilities, or --threshold on the scale of the scores."
        )
    return tuple(notes)
