"""VCR predictions: the leaderboard's CSV, JSONL, or two arrays in the file's order.

The CSV scores each reason under each of the four answers. Only the block under
the RIGHT answer counts for QA2R, as on the official server; what a model says
under its own wrong pick is not asked. JSONL may hold the same four blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.errors import DataProblem, Problems, UsageProblem
from vle_bench.eval.matching import Matching, named
from vle_bench.eval.vcr.references import CHOICES, VcrItem
from vle_bench.eval.vcr.rows import annot_id_of, row_scores
from vle_bench.inputs import Source, open_source, read_array, read_rows
from vle_bench.inputs.arrays import rounded_by_floats

Floats = npt.NDArray[np.float64]

_EXPECTED = (
    "VCR predictions: the leaderboard CSV (annot_id, answer_0..3, "
    'rationale_conditioned_on_a{0..3}_{0..3}) or JSONL {"annot_id", "q2a": [4], "qa2r": [4]}'
)
_EXPECTED_ARRAYS = "two arrays Q2A.npy,QA2R.npy of shape [N, 4] in the order of the references"


class _Prediction(msgspec.Struct, frozen=True):
    """In alphabetical order of the keys, which is how they are written."""

    annot_id: str
    q2a: list[float]
    qa2r: list[float]


class VcrPredictions(msgspec.Struct, frozen=True):
    """Scores of every choice, in the order of the references.

    Attributes:
        q2a: Scores of the answers, shape [N, 4]; zeros where there is no prediction.
        qa2r: Scores of the reasons given the right answer, shape [N, 4].
        present: Whether there is a prediction, shape [N].
    """

    q2a: Floats
    qa2r: Floats
    present: npt.NDArray[np.bool_]


def read_predictions(
    names: Sequence[str], items: Sequence[VcrItem], *, missing: str
) -> tuple[VcrPredictions, dict[str, str]]:
    """Reads predictions of any accepted form and brings them into the references' order.

    Args:
        names: As the user wrote them; "Q2A.npy,QA2R.npy" is two files.
        items: The references.
        missing: `error`, or `zero` to let references without prediction pass.

    Returns:
        The predictions, and the sha256 of each file by its role.

    Raises:
        DataProblem: Ids that do not match, scores that are not finite, wrong shapes.
        UsageProblem: A number of files that fits no form.
    """
    sources = [open_source(path, "VCR predictions") for path in prediction_paths(names)]
    if len(sources) == 1 and sources[0].kind not in {"npy", "npz"}:
        return _from_rows(sources[0], items, missing), {"predictions": sources[0].sha256}
    if len(sources) == 2 and all(source.kind == "npy" for source in sources):
        q2a, qa2r = (_array(source, len(items)) for source in sources)
        shas = {"predictions[q2a]": sources[0].sha256, "predictions[qa2r]": sources[1].sha256}
        return VcrPredictions(q2a, qa2r, np.ones(len(items), dtype=np.bool_)), shas
    if any(source.kind in {"npy", "npz"} for source in sources):
        kinds = " and ".join(f"{source.path} ({source.kind})" for source in sources)
        raise DataProblem(f"{kinds}: expected {_EXPECTED_ARRAYS}.")
    raise UsageProblem(
        f"--predictions: {len(sources)} files. Give one table, or {_EXPECTED_ARRAYS}."
    )


def prediction_paths(names: Sequence[str]) -> list[Path]:
    """The files of `--predictions`; a comma separates two, unless such a file exists.

    >>> prediction_paths(["a.npy,b.npy"])
    [PosixPath('a.npy'), PosixPath('b.npy')]
    """
    paths: list[Path] = []
    for name in names:
        parts = [name] if Path(name).exists() else name.split(",")
        paths.extend(Path(part) for part in parts if part)
    return paths


def prediction_lines(predictions: VcrPredictions, items: Sequence[VcrItem]) -> bytes:
    """The normal form: JSONL in the references' order, items without prediction left out."""
    rows = zip(items, predictions.q2a.tolist(), predictions.qa2r.tolist(), strict=True)
    present = predictions.present.tolist()
    return msgspec.json.Encoder().encode_lines(
        [
            _Prediction(item.annot_id, q2a, qa2r)
            for (item, q2a, qa2r), there in zip(rows, present, strict=True)
            if there
        ]
    )


def _from_rows(source: Source, items: Sequence[VcrItem], missing: str) -> VcrPredictions:
    matching = Matching([item.annot_id for item in items], what="annot_id", file=str(source.path))
    problems = Problems()
    q2a = np.zeros((len(items), CHOICES))
    qa2r = np.zeros((len(items), CHOICES))
    present = np.zeros(len(items), dtype=np.bool_)
    for place, values in read_rows(source, _EXPECTED, columns=("annot_id",)):
        try:
            at = matching.place(annot_id_of(values), place)
            if at is not None:
                row = row_scores(values)
                q2a[at], qa2r[at] = row.answers, row.reasons_given(items[at].answer_label)
                present[at] = True
        except ValueError as error:
            problems.add(f"{place}: {error}")
    problems.raise_if_any(advice=f"Expected {_EXPECTED}.")
    matching.check(missing=missing)
    return VcrPredictions(q2a, qa2r, present)


def _array(source: Source, rows: int) -> Floats:
    array = read_array(source, _EXPECTED_ARRAYS)
    if array.shape != (rows, CHOICES) or array.dtype.kind not in "fiu":
        raise DataProblem(
            f"{source.path}: shape {list(array.shape)} of {array.dtype}, "
            f"[{rows}, {CHOICES}] numbers were expected: one row a reference, in their order."
        )
    if rounded_by_floats(array):
        raise DataProblem(
            f"{source.path}: {array.dtype} numbers that 64-bit floats do not hold: different "
            "scores would become equal. Save the scores as float64."
        )
    scores = array.astype(np.float64)
    if not np.isfinite(scores).all():
        raise DataProblem(
            f"{source.path}: scores that are not finite: {named(_not_finite(scores))}. "
            "Every score must be a finite number."
        )
    return scores


def _not_finite(scores: Floats) -> Iterator[str]:
    places: Iterable[list[int]] = np.argwhere(~np.isfinite(scores)).tolist()
    return (f"[{row}, {choice}] is {scores[row, choice]}" for row, choice in places)
