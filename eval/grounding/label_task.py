"""Classes of boxes as a task: top-1 and top-5 accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vle_bench.errors import UsageProblem
from vle_bench.eval.grounding.frame import frame_of
from vle_bench.eval.grounding.intervals import picture_means
from vle_bench.eval.grounding.labels import (
    METRICS,
    BoxSet,
    Guesses,
    guess_lines,
    hits,
    read_boxes,
    read_guesses,
)
from vle_bench.eval.grounding.task import grounding_request, one_file, stored_request
from vle_bench.eval.requests import GroundingRequest, ScoringRequest
from vle_bench.eval.scored import Scored, refuse_broken_identity
from vle_bench.inputs import open_source
from vle_bench.inputs.names import stem_of
from vle_bench.labels.vocabulary import ClassVocabulary, coco_vocabulary, read_vocabulary
from vle_bench.results.signature import interval_part

_DIGITS = 12


class LabelTask:
    """`vle-eval grounding` of guessed classes."""

    name = "grounding-mpc"
    request_type: type[ScoringRequest] = GroundingRequest

    def score(self, request: ScoringRequest) -> Scored:
        """Scores the guesses that `request` names.

        Raises:
            DataProblem: Shards, vocabulary or guesses are missing, broken or do not match.
            UsageProblem: The request names nothing to score.
        """
        asked = grounding_request(request)
        if asked.model:
            raise UsageProblem(f"--model {asked.model}: predicts scores of patches, no classes.")
        path, frame = one_file(asked), frame_of(asked)
        vocabulary, space, inputs = _vocabulary(asked)
        found = read_boxes(asked, vocabulary, frame)
        source = open_source(path, "MPC guesses")
        guesses = read_guesses(source, found, classes=len(vocabulary), missing=asked.missing)
        values = hits(guesses, found.boxes)
        metrics = picture_means(
            values,
            [box.image_id for box in found.boxes],
            METRICS,
            resamples=asked.resamples,
            seed=asked.seed,
            stream=self.name,
        )
        refuse_broken_identity(
            metrics["mpc_top1"].value <= metrics["mpc_top5"].value, "mpc_top1 is above mpc_top5"
        )
        return Scored(
            task=self.name,
            protocol=space if frame is None else f"{space}-{frame.label}",
            model=stem_of(path),
            references=found.facts,
            metrics=metrics,
            items=_item_table(found, guesses, values, vocabulary),
            predictions=guess_lines(guesses, found.boxes),
            signature=(
                ("data", found.facts.dataset),
                ("split", found.facts.split),
                ("n", str(len(found.boxes))),
                ("classes", space),
                ("no-class", str(len(found.without_class))),
                ("no-patch", str(len(found.without_patch))),
                ("frame", frame.label if frame else "none"),
                ("missing", asked.missing),
                interval_part("image", asked.resamples, asked.seed),
            ),
            inputs={"shards": found.facts.sha256, "predictions": source.sha256, **inputs},
            notes=(*found.notes, *_notes(found, guesses)),
        )

    def again(self, request: ScoringRequest, folder: str) -> GroundingRequest:
        """The request that scores the stored guesses of `folder`."""
        return stored_request(request, folder)


TASK = LabelTask()


def _vocabulary(request: GroundingRequest) -> tuple[ClassVocabulary, str, dict[str, str]]:
    """The classes, their name in the signature, and the file they were read from."""
    if not request.vocabulary:
        return coco_vocabulary(), "coco80", {}
    path = Path(request.vocabulary)
    vocabulary = read_vocabulary(path)
    digest = open_source(path, "a class vocabulary").sha256
    return vocabulary, f"classes-{digest[:_DIGITS]}", {"vocabulary": digest}


def _item_table(
    found: BoxSet, guesses: Guesses, values: np.ndarray[Any, Any], vocabulary: ClassVocabulary
) -> dict[str, Any]:
    first = guesses.label_ids[:, 0].tolist()
    return {
        "id": [box.name for box in found.boxes],
        "image_id": [box.image_id for box in found.boxes],
        "group": [vocabulary.name(box.label) for box in found.boxes],
        "prediction": ["" if label < 0 else vocabulary.name(label) for label in first],
        "score": values[:, 0],
        "mpc_top1": values[:, 0],
        "mpc_top5": values[:, 1],
    }


def _notes(found: BoxSet, guesses: Guesses) -> tuple[str, ...]:
    notes = []
    unasked = len(found.without_class) + len(found.without_patch)
    if unasked:
        notes.append(
            f"{unasked:,} of {unasked + len(found.boxes):,} boxes are not scored: "
            f"{len(found.without_class):,} have a name that is no class, "
            f"{len(found.without_patch):,} show in no patch."
        )
    absent = int((~guesses.present).sum())
    if absent:
        notes.append(
            f"{absent:,} of {len(found.boxes):,} boxes have no prediction and count as wrong "
            "(--missing zero)."
        )
    return tuple(notes)
