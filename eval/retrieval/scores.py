"""A score matrix from a file: [pictures, texts], with or without id files.

A square matrix cannot show which side is which: rows are pictures, always.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vle_bench.errors import DataProblem
from vle_bench.eval.matching import Matching, named
from vle_bench.eval.requests import MissingRule
from vle_bench.eval.retrieval.gold import NONE, Gold, Ints
from vle_bench.eval.retrieval.id_files import IdFile
from vle_bench.eval.retrieval.similarity import (
    Array,
    Flags,
    MatrixSimilarity,
    Similarity,
    WithAbsent,
    positions,
)
from vle_bench.inputs import open_source, read_array
from vle_bench.inputs.arrays import rounded_by_floats
from vle_bench.inputs.mapped import MappedArrays, map_arrays

_EXPECTED = "scores [pictures, texts]"
_FLOATS = (2, 4, 8)
_CELLS = 1 << 22


class ReadScores(NamedTuple):
    """Scores from a matrix, which items have any, and the digest of the file."""

    similarity: Similarity
    images: Flags
    texts: Flags
    sha256: str


def read_scores(
    path: str,
    gold: Gold,
    *,
    image_ids: IdFile | None,
    text_ids: IdFile | None,
    missing: MissingRule,
) -> ReadScores:
    """Reads a matrix and finds the place of every picture and text in it.

    Args:
        path: An NPY file.
        gold: The references.
        image_ids: The pictures of the rows; None where they are those of `gold` in order.
        text_ids: The texts of the columns, likewise.
        missing: Whether pictures and texts that the id files do not name may pass.

    Raises:
        DataProblem: Another shape, no numbers, NaN or infinity, ids that do not match.
    """
    found = _matrix(Path(path))
    matrix = found.arrays[""]
    rows = place_ids(image_ids, gold.image_ids, what="image_id", missing=missing)
    columns = place_ids(text_ids, gold.text_ids, what="text_id", missing=missing)
    shape = (
        len(image_ids.ids if image_ids else gold.image_ids),
        len(text_ids.ids if text_ids else gold.text_ids),
    )
    _check_shape(matrix, shape, path)
    refuse_not_finite(matrix, path)
    if rounded_by_floats(matrix):
        raise DataProblem(
            f"{path}: {matrix.dtype} numbers that 64-bit floats do not hold: different scores "
            "would become equal. Save the scores as float64."
        )
    images, texts = rows != NONE, columns != NONE
    similarity: Similarity = MatrixSimilarity(
        matrix, positions(rows), positions(columns), found.release
    )
    if not (images.all() and texts.all()):
        similarity = WithAbsent(similarity, images, texts)
    return ReadScores(similarity, images, texts, found.sha256)


def _matrix(path: Path) -> MappedArrays:
    mapped = map_arrays(path, "retrieval scores", _EXPECTED)
    if mapped is not None and "" in mapped.arrays:
        return mapped
    source = open_source(path, "retrieval scores")
    return MappedArrays(path, {"": read_array(source, _EXPECTED)}, source.sha256)


def place_ids(
    file: IdFile | None, ids: tuple[str, ...], *, what: str, missing: MissingRule
) -> Ints:
    """Line (from 0) of each of `ids` in an id file, -1 where it has none; in order without a file.

    Raises:
        DataProblem: The file names others, or not all of them.
    """
    if file is None:
        return np.arange(len(ids))
    matching = Matching(ids, what=what, file=file.path)
    lines = np.full(len(ids), NONE, dtype=np.int64)
    for line, name in enumerate(file.ids):
        at = matching.place(name, file.place(line))
        if at is not None:
            lines[at] = line
    matching.check(missing=missing)
    return lines


def refuse_not_finite(array: Array, path: str) -> None:
    """Names the places of NaN and infinity in an array of two dimensions.

    Raises:
        DataProblem: There is at least one.
    """
    if array.dtype.kind != "f":
        return
    step = max(1, _CELLS // max(array.shape[1], 1))
    blocks = range(0, len(array), step)
    count = sum(int(np.count_nonzero(~np.isfinite(array[at : at + step]))) for at in blocks)
    if count:
        raise DataProblem(
            f"{path}: {count:,} scores are not finite: {named(_not_finite(array, step))}. "
            "A model that gives NaN is broken; mend it, do not mask it."
        )


def _not_finite(array: Array, step: int) -> Iterator[str]:
    for start in range(0, len(array), step):
        for row, column in np.argwhere(~np.isfinite(array[start : start + step])).tolist():
            yield f"[{start + row}, {column}] is {array[start + row, column]}"


def _check_shape(matrix: Array, shape: tuple[int, int], path: str) -> None:
    floats = matrix.dtype.kind == "f" and matrix.dtype.itemsize in _FLOATS
    if matrix.shape == shape and (floats or matrix.dtype.kind in "iu"):
        return
    found = f"{path}: shape {list(matrix.shape)} of {matrix.dtype}"
    if matrix.shape == shape[::-1] and shape[0] != shape[1]:
        raise DataProblem(
            f"{found}, {list(shape)} were expected: one row a picture, one column a text. "
            "It is the other way round: save its transpose."
        )
    raise DataProblem(
        f"{found}, {list(shape)} numbers were expected: one row a picture, one column a text, "
        "in the order of the references or of --image-ids and --text-ids."
    )
