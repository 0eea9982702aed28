"""Features from files: NPZ {ids, features}, Chinese-CLIP JSONL, or NPY with an id file.

Scores are the inner products. Nothing is normalised here: a model whose
features need it writes them so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
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
    vector_norms,
)
from vle_bench.identity import id_text
from vle_bench.inputs import Source, open_source, read_array
from vle_bench.inputs.mapped import MappedArrays, map_arrays
from vle_bench.inputs.npz import read_arrays
from vle_bench.inputs.records import read_records

_EXPECTED = 'features: NPZ {ids, features}, JSONL {ID, "feature"} a line, or NPY with an id file'
_TWO = 2
_MOST = 1e140
"""Length of vectors whose inner products are sure to stay finite."""

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
    """Vectors [rows, d], the place and id of each row, and the file's digest."""

    rows: list[tuple[str, str]]
    vectors: Array
    sha256: str
    release: Callable[[], None] = lambda: None


class _Side(NamedTuple):
    """Vectors as they stand in their file, the line of each item wanted (-1: none), its digest."""

    vectors: Array
    lines: Ints
    sha256: str
    release: Callable[[], None]


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
    images = _side(Path(image_path), _Wanted(gold.image_ids, "image_id", image_ids), missing)
    texts = _side(Path(text_path), _Wanted(gold.text_ids, "text_id", text_ids), missing)
    dimensions = images.vectors.shape[1], texts.vectors.shape[1]
    if dimensions[0] != dimensions[1]:
        raise DataProblem(
            f"{image_path} has {dimensions[0]} dimensions, {text_path} {dimensions[1]}. "
            "Inner products need the same number on both sides."
        )

    def pages() -> None:
        images.release()
        texts.release()

    similarity: Similarity = FeatureSimilarity(
        images.vectors,
        texts.vectors,
        image_rows=positions(images.lines),
        text_rows=positions(texts.lines),
        pages=pages,
    )
    image_there, text_there = images.lines != NONE, texts.lines != NONE
    if not (image_there.all() and text_there.all()):
        similarity = WithAbsent(similarity, image_there, text_there)
    return ReadFeatures(similarity, image_there, text_there, (images.sha256, texts.sha256))


def _side(path: Path, wanted: _Wanted, missing: MissingRule) -> _Side:
    found = _read(path, wanted)
    vectors = _checked(found.vectors, str(path))
    found.release()
    advice = FOREIGN_ADVICE[wanted.what]
    matching = Matching(wanted.ids, what=wanted.what, file=str(path), advice=advice)
    lines = np.full(len(wanted.ids), NONE, dtype=np.int64)
    for line, (place, name) in enumerate(found.rows):
        at = matching.place(name, place)
        if at is not None:
            lines[at] = line
    matching.check(missing=missing)
    return _Side(vectors, lines, found.sha256, found.release)


def _read(path: Path, wanted: _Wanted) -> _Features:
    mapped = map_arrays(path, "features", _EXPECTED)
    if mapped is None:
        source = open_source(path, "features")
        if source.kind in {"npz", "npy"}:  # behind gzip or zstd, so that there is nothing to map
            arrays = (
                read_arrays(source, _EXPECTED)
                if source.kind == "npz"
                else {"": read_array(source, _EXPECTED)}
            )
            mapped = MappedArrays(path, arrays, source.sha256)
        else:
            return _from_lines(source, wanted.what)
    return _from_npy(mapped, wanted) if "" in mapped.arrays else _from_npz(mapped)


def _from_npz(found: MappedArrays) -> _Features:
    arrays = found.arrays
    if not {"ids", "features"} <= arrays.keys():
        held = ", ".join(sorted(arrays)) or "nothing"
        raise DataProblem(f"{found.path}: holds {held}. Expected {_EXPECTED}.")
    ids, vectors = arrays["ids"], arrays["features"]
    if ids.ndim != 1 or ids.dtype.kind not in "iuU" or len(ids) != len(np.atleast_1d(vectors)):
        raise DataProblem(
            f"{found.path}: ids of shape {list(ids.shape)} ({ids.dtype}) for features of shape "
            f"{list(vectors.shape)}; one whole number or text for each feature was expected."
        )
    names = [(f"{found.path}: ids[{at}]", str(name)) for at, name in enumerate(ids.tolist())]
    return _Features(names, vectors, found.sha256, found.release)


def _from_npy(found: MappedArrays, wanted: _Wanted) -> _Features:
    vectors = found.arrays[""]
    ids = wanted.file.ids if wanted.file else wanted.ids
    if vectors.ndim != _TWO or len(vectors) != len(ids):
        order = f"the lines of {wanted.file.path}" if wanted.file else "the references"
        raise DataProblem(
            f"{found.path}: shape {list(vectors.shape)}, [{len(ids)}, d] was expected: "
            f"one row a {wanted.what}, in the order of {order}."
        )
    names = [(f"{found.path}: row {at}", name) for at, name in enumerate(ids)]
    return _Features(names, vectors, found.sha256, found.release)


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
    return _Features(rows, np.array(vectors), source.sha256)


def _checked(vectors: Array, path: str) -> Array:
    """The vectors, which stay where they are; refused where they are no finite vectors."""
    if vectors.ndim != _TWO or vectors.size == 0 or vectors.dtype.kind not in "fiu":
        raise DataProblem(
            f"{path}: shape {list(vectors.shape)} of {vectors.dtype}, a row of numbers for each "
            f"item was expected. Expected {_EXPECTED}."
        )
    longest = float(vector_norms(vectors).max())
    if not math.isfinite(longest) or longest > _MOST:
        refuse_not_finite(vectors, path)
        raise DataProblem(
            f"{path}: vectors up to {longest:g} long, whose products overflow. Scale the features."
        )
    return vectors
