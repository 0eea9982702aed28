"""VCR as a task: from a request to item scores, metrics and notes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from vle_bench.errors import UsageProblem
from vle_bench.eval.references import part_note, with_part
from vle_bench.eval.requests import ScoringRequest, VcrRequest
from vle_bench.eval.scored import LaterTable, Scored
from vle_bench.eval.vcr.kinds import breakdowns, unstated_notes
from vle_bench.eval.vcr.predictions import (
    VcrPredictions,
    prediction_lines,
    prediction_paths,
    read_predictions,
)
from vle_bench.eval.vcr.references import VcrItem, read_references
from vle_bench.eval.vcr.score import ItemScores, metrics_of, score_items
from vle_bench.inputs.names import stem_of
from vle_bench.results.signature import interval_part
from vle_bench.results.store import PREDICTIONS

PROTOCOL = "joint"
"""Q2AR needs both picks on the same item; QA2R is shown the right answer."""


class VcrTask:
    """`vle-eval vcr`."""

    name = "vcr"
    request_type: type[ScoringRequest] = VcrRequest

    def score(self, request: ScoringRequest) -> Scored:
        """Scores the predictions, or the predictor, that `request` names.

        Raises:
            DataProblem: References or predictions are missing, broken or do not match.
            UsageProblem: The request names nothing to score.
        """
        asked = _asked(request)
        if asked.split and not asked.annotations:
            # Reading shards takes as long to import as the references take to read.
            from vle_bench.eval.vcr.shards import read_shards

            items, facts = read_shards(asked)
        else:
            items, facts = read_references(asked, choices=asked.model != "")
        inputs: dict[str, str] = {}
        if asked.model:
            from vle_bench.eval.predictors import load_predictor

            predictor = load_predictor(self.name, asked.model)
            predictions: VcrPredictions = predictor(items, seed=asked.seed)
            model = asked.model
        elif asked.predictions:
            predictions, inputs = read_predictions(asked.predictions, items, missing=asked.missing)
            model = stem_of(prediction_paths(asked.predictions)[0])
        else:
            raise UsageProblem("Nothing to score. Give --predictions P or --model baseline:NAME.")
        scores = score_items(predictions, items)
        parted = breakdowns(items)
        return Scored(
            task=self.name,
            protocol=PROTOCOL,
            model=model,
            references=with_part(facts, kind="questions", found=len(items)),
            metrics=metrics_of(
                scores, items, resamples=asked.resamples, seed=asked.seed, parted=parted
            ),
            items=LaterTable(lambda: _item_table(items, predictions, scores)),
            predictions=lambda: prediction_lines(predictions, items),
            signature=(
                ("data", facts.dataset),
                ("split", facts.split),
                ("n", str(len(items))),
                ("protocol", PROTOCOL),
                ("missing", asked.missing),
                interval_part("image", asked.resamples, asked.seed),
            ),
            inputs={"annotations": facts.sha256, **inputs},
            notes=(
                *part_note(facts=facts, kind="questions", found=len(items)),
                *_notes(predictions, scores),
                *unstated_notes(parted, len(items)),
            ),
        )

    def again(self, request: ScoringRequest, folder: str) -> VcrRequest:
        """The request that scores the stored predictions of `folder`."""
        stored = (str(Path(folder) / PREDICTIONS),)
        return msgspec.structs.replace(_asked(request), predictions=stored, model="")


TASK = VcrTask()


def _asked(request: ScoringRequest) -> VcrRequest:
    if not isinstance(request, VcrRequest):
        raise TypeError(f"a {type(request).__name__} is no request of VCR")
    return request


def _item_table(
    items: Sequence[VcrItem], predictions: VcrPredictions, scores: ItemScores
) -> dict[str, Any]:
    picked = zip(
        scores.answers.chosen.tolist(),
        scores.rationales.chosen.tolist(),
        predictions.present.tolist(),
        strict=True,
    )
    return {
        "id": [item.annot_id for item in items],
        "image_id": [item.image_id for item in items],
        "group": [item.group for item in items],
        "prediction": [f"a{answer} r{reason}" if there else "" for answer, reason, there in picked],
        "score": scores.q2ar.astype(np.float64),
        "q2a": scores.q2a,
        "qa2r": scores.qa2r,
        "q2ar": scores.q2ar,
    }


def _notes(predictions: VcrPredictions, scores: ItemScores) -> tuple[str, ...]:
    tied = [
        int((picks.tied & predictions.present).sum())
        for picks in (scores.answers, scores.rationales)
    ]
    notes = [
        f"Tied maxima, where the first choice wins: {tied[0]:,} items in Q2A, {tied[1]:,} in QA2R."
    ]
    absent = int((~predictions.present).sum())
    if absent:
        notes.append(
            f"{absent:,} of {len(predictions.present):,} items have no prediction "
            "and count as wrong (--missing zero)."
        )
    return tuple(notes)
