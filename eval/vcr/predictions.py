"""VCR predictions: the leaderboard's CSV, JSONL, or two arrays in the file's order.

The CSV scores each reason under each of the four answers. Only the block under
the RIGHT answer counts for QA2R, as on the official server; what a model says
under its own wrong pick is not asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.errors import DataProblem, Problems, UsageProblem
from vle_bench.eval.matching import Matching, named
from vle_bench.eval.vcr.references import CHOICES, VcrItem
from vle_bench.identity import id_text
from vle_bench.inputs import Source, open_source, read_array, read_rows

Floats = npt.NDArray[np.float64]

ANSWER_COLUMNS = tuple(f"answer_{i}" for i in range(CHOICES))
RATIONALE_COLUMNS = tuple(
    tuple(f"rationale_conditioned_on_a{j}_{i}" for i in range(CHOICES)) for j in range(CHOICES)
)
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


@dataclass(frozen=True)
class VcrPredictions:
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
            at = matching.place(_annot_id(values), place)
            if at is not None:
                q2a[at], qa2r[at] = _scores(values, items[at].answer_label)
                present[at] = True
        except ValueError as error:
            problems.add(f"{place}: {error}")
    problems.raise_if_any(advice=f"Expected {_EXPECTED}.")
    matching.check(missing=missing)
    return VcrPredictions(q2a, qa2r, present)


def _annot_id(values: Mapping[str, Any]) -> str:
    if "annot_id" not in values:
        raise ValueError(f"no annot_id; found {named(values)}")
    return id_text(values["annot_id"])


def _scores(values: Mapping[str, Any], answer_label: int) -> tuple[list[float], list[float]]:
    if "q2a" in values or "qa2r" in values:
        return _four(values, "q2a"), _four(values, "qa2r")
    blocks = (ANSWER_COLUMNS, *RATIONALE_COLUMNS)
    absent = [name for block in blocks for name in block if name not in values]
    if absent:
        raise ValueError(f"no {named(absent)}")
    scores = [[_finite(values[name], name) for name in block] for block in blocks]
    return scores[0], scores[1 + answer_label]


def _four(values: Mapping[str, Any], key: str) -> list[float]:
    scores = values.get(key)
    if not isinstance(scores, list) or len(scores) != CHOICES:
        found = f"{len(scores)} of them" if isinstance(scores, list) else repr(scores)
        raise ValueError(f"{key} must be a list of {CHOICES} scores, found {found}")
    return [_finite(score, f"{key}[{index}]") for index, score in enumerate(scores)]


def _finite(value: Any, name: str) -> float:
    """A score from a table (text) or from JSON (a number), refused where it is neither."""
    number = _number(value)
    if number is None:
        raise ValueError(f"{name} is {value!r}, a number was expected")
    if not math.isfinite(number):
        raise ValueError(f"{name} is {value}, a finite number was expected")
    return number


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and "_" in value:
        return None  # Python reads "1_5" as 15
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _array(source: Source, rows: int) -> Floats:
    array = read_array(source, _EXPECTED_ARRAYS)
    if array.shape != (rows, CHOICES) or array.dtype.kind not in "fiu":
        raise DataProblem(
            f"{source.path}: shape {list(array.shape)} of {array.dtype}, "
            f"[{rows}, {CHOICES}] numbers were expected: one row a reference, in their order."
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
