"""Which kind of predictions a file holds: its columns say it, its name does not."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from vle_bench.errors import DataProblem
from vle_bench.eval.matching import named
from vle_bench.eval.requests import GroundingRequest
from vle_bench.eval.scored import ScoringTask
from vle_bench.eval.tasks import load_task
from vle_bench.inputs import Source, open_source, read_rows

PATCHES, LABELS, PAIRS, DETECTIONS = (
    "grounding", "grounding-mpc", "grounding-itm", "grounding-detection",
)  # fmt: skip
TASKS = (PATCHES, LABELS, PAIRS, DETECTIONS)
_TELLING = {"scores": PATCHES, "label_ids": LABELS, "match": PAIRS, "bbox": DETECTIONS}
_EXPECTED = (
    "predictions with scores (of patches), label_ids (classes of boxes), match (pairs of picture "
    "and text) or bbox (COCO results)"
)


def task_of(request: GroundingRequest) -> ScoringTask:
    """The task that scores what a request names; patches where that is a predictor or unclear.

    Raises:
        DataProblem: The predictions cannot be read, or are of no known kind.
    """
    if request.detections:
        return load_task(DETECTIONS)
    if request.model or len(request.predictions) != 1:
        return load_task(PATCHES)
    return load_task(kind_of(open_source(Path(request.predictions[0]), "predictions")))


def kind_of(source: Source) -> str:
    """The name of the task that a file's columns belong to.

    Raises:
        DataProblem: It has none of the telling columns, or cannot be read.
    """
    columns = _columns(source)
    for column, task in _TELLING.items():
        if column in columns:
            return task
    raise DataProblem(f"{source.path}: columns {named(columns) or 'none'}. Expected {_EXPECTED}.")


def _columns(source: Source) -> tuple[str, ...]:
    if source.kind in {"npz", "npy"}:
        return ("scores",)  # of arrays there is one kind; its reader names what is wrong
    if source.kind == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return tuple(pq.read_schema(pa.BufferReader(source.data)).names)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise DataProblem(
                f"{source.path}: no readable Parquet ({error}). Expected {_EXPECTED}."
            ) from error
    first = next(iter(read_rows(source, _EXPECTED)), None)
    return () if first is None else tuple(cast("dict[str, object]", first.values))
