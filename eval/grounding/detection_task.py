"""Detection results as a task: COCO's twelve numbers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.eval.grounding.detections import (
    coco_boxes,
    detection_lines,
    evaluate,
    read_detections,
)
from vle_bench.eval.grounding.shards import read_split
from vle_bench.eval.grounding.task import grounding_request, one_file, stored_request
from vle_bench.eval.requests import GroundingRequest, ScoringRequest
from vle_bench.eval.scored import Scored, refuse_broken_identity
from vle_bench.inputs import open_source
from vle_bench.inputs.names import stem_of
from vle_bench.results import Metric
from vle_bench.results.signature import interval_part

PROTOCOL = "coco-bbox"


class DetectionTask:
    """`vle-eval grounding --detections`."""

    name = "grounding-detection"
    request_type: type[ScoringRequest] = GroundingRequest

    def score(self, request: ScoringRequest) -> Scored:
        """Scores the results that `request` names.

        Raises:
            DataProblem: Shards or results are missing, broken or do not match.
            UsageProblem: The request names nothing to score.
        """
        asked = grounding_request(request)
        if asked.model or (asked.detections and asked.predictions):
            raise UsageProblem("--detections stands alone, without --predictions or --model.")
        path = Path(asked.detections) if asked.detections else one_file(asked)
        known, facts, notes = read_split(asked, coco_boxes)
        if not any(not crowd for *_, crowd in known.boxes):
            raise DataProblem(
                f"{facts.path}: no box with a category id, so there is nothing to detect. "
                "Prepare COCO with its instances."
            )
        source = open_source(path, "COCO results")
        found = read_detections(source, known)
        result = evaluate(known, found)
        refuse_broken_identity(
            result.metrics["box_ap"] <= result.metrics["box_ap50"] + 1e-12, "box_ap > box_ap50"
        )
        classes = list(result.by_class)
        return Scored(
            task=self.name,
            protocol=PROTOCOL,
            model=stem_of(path),
            references=facts,
            metrics={
                name: Metric(value=100 * value, n=len(known.images))
                for name, value in result.metrics.items()
            },
            items={
                "id": [str(category) for category in classes],
                "image_id": [""] * len(classes),
                "group": [known.classes[category] for category in classes],
                "prediction": [
                    str(sum(one.category_id == category for one in found)) for category in classes
                ],
                "score": np.array([result.by_class[category] for category in classes]),
            },
            predictions=detection_lines(found),
            signature=(
                ("data", facts.dataset),
                ("split", facts.split),
                ("n", str(len(known.images))),
                ("boxes", str(sum(not crowd for *_, crowd in known.boxes))),
                ("protocol", PROTOCOL),
                ("size", "box"),
                interval_part("image", 0, asked.seed),
            ),
            inputs={"shards": facts.sha256, "detections": source.sha256},
            notes=(
                *notes,
                "n counts pictures; average precision is no mean over them and has no interval.",
                "Small, medium and large go by the area of the box, officially by the outline's.",
            ),
        )

    def again(self, request: ScoringRequest, folder: str) -> GroundingRequest:
        """The request that scores the stored results of `folder`."""
        return msgspec.structs.replace(stored_request(request, folder), detections="")


TASK = DetectionTask()
