"""Features from files: NPZ {ids, features}, Chinese-CLIP JSONL, or NPY with an id file.

Scores are the inner products. Nothing is normalised here: a model whose
features need it writes them so.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.errors import DataProblem, Problems
from vle_bench.eval.matching import Matching
from vle_bench.eval.requests import MissingRule
from vle_bench.eval.retrieval.gold import NONE, Gold, Ints
from vle_bench.eval.retrieval.id_files import IdFile
from vle_bench.eval.retrieval.scores import refuse_not_finite
from vle_bench.eval.retrieval.similarity import (
    Array,
    FeatureSimilarity,
    Flags,
    Similarity,
    WithAbsent,
    positions,
)
from vle_bench.identity import id_text
from vle_bench.inputs import Source, open_source, read_array, read_arrays
from vle_bench.inputs.records import read_records

_EXPECTED = 'features: NPZ {ids, features}, JSONL {ID, "feature"} a line, or NPY with an id file'
_TWO = 2
_MOST = 1e140
"""Largest number whose inner products are sure to stay finite."""

FOREIGN_ADVICE = {
    "image_id": "A picture without text joins the gallery only when --image-ids names it.",
    "text_id": "Give texts of the references, and nothing else.",
}
"""What to do about an id that the references do not know."""


class _Row(msgspec.Struct, frozen=True):
    feature: list[float]
    image_id: int | str | None = None
    text_id: int | str | None = None


class _Wanted(NamedTuple):
    """The items of one side, what their ids are called, and the id file that was given."""

    ids: tuple[str, ...]
    what: str
    file: IdFile | None


class _Features(NamedTuple):
    """Vectors [rows, d], and the place and id of each row."""

    rows: list[tuple[str, str]]
    vectors: Array


class ReadFeatures(NamedTuple):
    """Scores from features, which items have any, and the digests of both files."""

    similarity: Similarity
    images: Flags
    texts: Flags
    sha256: tuple[str, str]


def read_features(
    image_path: str,
    text_path: str,
    gold: Gold,
    *,
    image_ids: IdFile | None,
    text_ids: IdFile | None,
    missing: MissingRule,
) -> ReadFeatures:
    """Reads the features of both sides and brings them into the order of `gold`.

    Args:
        image_path: The pictures' features.
        text_path: The texts' features.
        gold: The references.
        image_ids: The pictures of the rows of an NPY file.
        text_ids: The texts of the rows of an NPY file.
        missing: Whether pictures and texts without features may pass.

    Raises:
        DataProblem: Broken files, ids that do not match, NaN or infinity, unlike dimensions.
    """
    sources = (open_source(Path(image_path), "features"), open_source(Path(text_path), "features"))
    images, image_lines = _side(sources[0], _Wanted(gold.image_ids, "image_id", image_ids), missing)
    texts, text_lines = _side(sources[1], _Wanted(gold.text_ids, "text_id", text_ids), missing)
    if images.shape[1] != texts.shape[1]:
        raise DataProblem(
            f"{image_path} has {images.shape[1]} dimensions, {text_path} {texts.shape[1]}. "
            "Inner products need the same number on both sides."
        )
    similarity: Similarity = FeatureSimilarity(
        images, texts, image_rows=positions(image_lines), text_rows=positions(text_lines)
    )
    image_there, text_there = image_lines != NONE, text_lines != NONE
    if not (image_there.all() and text_there.all()):
        similarity = WithAbsent(similarity, image_there, text_there)
    digests = (sources[0].sha256, sources[1].sha256)
    return ReadFeatures(similarity, image_there, text_there, digests)


def _side(source: Source, wanted: _Wanted, missing: MissingRule) -> tuple[Array, Ints]:
    """The vectors as they stand in the file, and the line of each item wanted, -1 without one."""
    path = str(source.path)
    found = _read(source, wanted)
    vectors = _checked(found.vectors, path)
    matching = Matching(wanted.ids, what=wanted.what, file=path, advice=FOREIGN_ADVICE[wanted.what])
    lines = np.full(len(wanted.ids), NONE, dtype=np.int64)
    for line, (place, name) in enumerate(found.rows):
        at = matching.place(name, place)
        if at is not None:
            lines[at] = line
    matching.check(missing=missing)
    return vectors, lines


def _read(source: Source, wanted: _Wanted) -> _Features:
    if source.kind == "npz":
        return _from_npz(source)
    if source.kind == "npy":
        return _from_npy(source, wanted)
    return _from_lines(source, wanted.what)


def _from_npz(source: Source) -> _Features:
    arrays = read_arrays(source, _EXPECTED)
    if not {"ids", "features"} <= arrays.keys():
        held = ", ".join(sorted(arrays)) or "nothing"
        raise DataProblem(f"{source.path}: holds {held}. Expected {_EXPECTED}.")
    ids, vectors = arrays["ids"], arrays["features"]
    if ids.ndim != 1 or ids.dtype.kind not in "iuU" or len(ids) != len(np.atleast_1d(vectors)):
        raise DataProblem(
            f"{source.path}: ids of shape {list(ids.shape)} ({ids.dtype}) for features of shape "
            f"{list(vectors.shape)}; one whole number or text for each feature was expected."
        )
    names = [(f"{source.path}: ids[{at}]", str(name)) for at, name in enumerate(ids.tolist())]
    return _Features(names, vectors)


def _from_npy(source: Source, wanted: _Wanted) -> _Features:
    vectors = read_array(source, _EXPECTED)
    ids = wanted.file.ids if wanted.file else wanted.ids
    if vectors.ndim != _TWO or len(vectors) != len(ids):
        order = f"the lines of {wanted.file.path}" if wanted.file else "the references"
        raise DataProblem(
            f"{source.path}: shape {list(vectors.shape)}, [{len(ids)}, d] was expected: "
            f"one row a {wanted.what}, in the order of {order}."
        )
    return _Features([(f"{source.path}: row {at}", name) for at, name in enumerate(ids)], vectors)


def _from_lines(source: Source, what: str) -> _Features:
    rows: list[tuple[str, str]] = []
    vectors: list[npt.NDArray[np.float64]] = []
    problems = Problems()
    for place, row in read_records(source, _Row, _EXPECTED):
        try:
            name = id_text(row.image_id if what == "image_id" else row.text_id)
        except ValueError:
            problems.add(f"{place}: no {what}; are the two feature files swapped?")
            continue
        if vectors and len(row.feature) != len(vectors[0]):
            problems.add(
                f"{place}: {len(row.feature)} numbers, the first line has {len(vectors[0])}"
            )
            continue
        rows.append((place, name))
        vectors.append(np.array(row.feature, dtype=np.float64))
    problems.raise_if_any(advice=f"Expected {_EXPECTED}.")
    if not rows:
        raise DataProblem(f"{source.path}: no feature in it. Expected {_EXPECTED}.")
    return _Features(rows, np.array(vectors))


def _checked(vectors: Array, path: str) -> Array:
    """The vectors as float32 or float64; refused where they are no finite vectors."""
    if vectors.ndim != _TWO or vectors.size == 0 or vectors.dtype.kind not in "fiu":
        raise DataProblem(
            f"{path}: shape {list(vectors.shape)} of {vectors.dtype}, a row of numbers for each "
            f"item was expected. Expected {_EXPECTED}."
        )
    refuse_not_finite(vectors, path)
    single = vectors.dtype.kind == "f" and vectors.dtype.itemsize <= np.dtype(np.float32).itemsize
    found: Array = vectors.astype(np.float32 if single else np.float64, copy=False)
    longest = max(abs(float(found.max())), abs(float(found.min())))
    if longest > _MOST:
        raise DataProblem(
            f"{path}: numbers up to {longest:g}, whose products overflow. Scale the features."
        )
    return found
