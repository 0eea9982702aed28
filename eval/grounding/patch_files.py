"""Scores of patches from files: NPZ or Parquet `key, query_id, scores`, or the stored JSONL.

Parquet is read by its columns: the ids first, so that a file of foreign rows is
refused before its scores are unpacked; then the scores, batch by batch. 32-bit
scores stay 32-bit: the order of equal numbers is not to be invented.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.canonical import json_bytes
from vle_bench.errors import DataProblem, Problems
from vle_bench.eval.grounding.queries import PatchQuery, QuerySet, query_name
from vle_bench.eval.matching import Matching, named
from vle_bench.identity import id_text
from vle_bench.inputs import Source, read_rows
from vle_bench.inputs.arrays import rounded_by_floats
from vle_bench.inputs.npz import read_arrays

Scores = npt.NDArray[Any]
Flags = npt.NDArray[np.bool_]

_EXPECTED = (
    "scores of patches: NPZ or Parquet with key, query_id and scores [patches], row by row from "
    "the top left, without the class token"
)
_COLUMNS = ("key", "query_id", "scores")
_BATCH = 1024
_MOST_ROWS = 50_000_000
_EXACT_IN_32_BITS = frozenset("efbBhH")


class PatchScores(msgspec.Struct, frozen=True, eq=False):
    """Scores in the order of the queries.

    Attributes:
        scores: Shape [queries, patches]; zeros where there is no prediction.
        present: Whether there is one, shape [queries].
    """

    scores: Scores
    present: Flags


def read_patch_scores(
    source: Source, asked: QuerySet, *, patches: int, missing: str
) -> PatchScores:
    """Reads scores and brings them into the order of the queries.

    Args:
        source: The opened file.
        asked: What was asked.
        patches: How many scores a row must have.
        missing: `error`, or `zero` to let queries without prediction pass.

    Raises:
        DataProblem: Ids that do not match, scores that are not finite, rows of another length.
    """
    table = _table(source, patches)
    known = [*(query.name for query in asked.queries), *asked.without_box, *asked.without_patch]
    matching = Matching(known, what="key and query_id", file=str(source.path))
    places = [
        matching.place(query_name(key, query), place) for place, key, query in table.identities()
    ]
    asked_for = len(asked.queries)
    absent = frozenset(matching.missing)
    needed = Matching(known[:asked_for], what="key and query_id", file=str(source.path))
    for name in known[:asked_for]:
        if name not in absent:
            needed.place(name, "")
    matching.check(missing="zero")
    needed.check(missing=missing)
    scores = np.zeros((asked_for, patches), dtype=table.dtype)
    present = np.zeros(asked_for, dtype=np.bool_)
    targets = np.array([-1 if at is None or at >= asked_for else at for at in places], dtype=int)
    read = 0
    for start, block in table.blocks():
        into = targets[start : start + len(block)]
        scores[into[into >= 0]] = block[into >= 0]
        read += len(block)
    if read != len(targets):  # a damaged Parquet file may have columns of different lengths
        found = f"{len(targets):,} ids and {read:,} rows of scores"
        raise DataProblem(f"{source.path}: {found}. Expected {_EXPECTED}.")
    present[targets[targets >= 0]] = True
    return PatchScores(scores, present)


def prediction_lines(scores: PatchScores, queries: Sequence[PatchQuery]) -> bytes:
    """The normal form: JSONL in the order of the queries, those without prediction left out."""
    return b"".join(
        json_bytes({"key": query.key, "query_id": query.query_id, "scores": row.tolist()}) + b"\n"
        for query, row, there in zip(queries, scores.scores, scores.present, strict=True)
        if there
    )


def _table(source: Source, patches: int) -> _Npz | _Parquet | _Rows:
    match source.kind:
        case "npz":
            return _Npz(source, patches)
        case "parquet":
            return _Parquet(source, patches)
        case "json" | "jsonl":
            return _Rows(source, patches)
        case _:
            raise DataProblem(f"{source.path}: a {source.kind} file, expected {_EXPECTED}.")


class _Npz:
    """Three arrays of the same length."""

    def __init__(self, source: Source, patches: int) -> None:
        arrays = read_arrays(source, _EXPECTED)
        absent = [name for name in _COLUMNS if name not in arrays]
        if absent:
            raise DataProblem(f"{source.path}: no {named(absent)}. Expected {_EXPECTED}.")
        self._path = source.path
        self._ids = [self._texts(arrays[name], name) for name in _COLUMNS[:2]]
        self._scores = arrays["scores"]
        lengths = {len(self._ids[0]), len(self._ids[1])}
        if self._scores.ndim != 2 or lengths != {len(self._scores)}:
            shapes = ", ".join(f"{name} {list(arrays[name].shape)}" for name in _COLUMNS)
            raise DataProblem(f"{source.path}: {shapes}. Expected {_EXPECTED}, one row a query.")
        _check_kind(self._scores.dtype, source)
        _check_length(self._scores.shape[1], patches, str(source.path))
        _check_finite(self._scores, str(source.path), 0)
        if rounded_by_floats(self._scores):
            raise DataProblem(
                f"{source.path}: scores of {self._scores.dtype} that 64-bit floats do not hold: "
                "different ones would become equal. Save them as float64."
            )
        self.dtype = _kept(self._scores.dtype)

    def identities(self) -> Iterator[tuple[str, str, str]]:
        for at, (key, query) in enumerate(zip(*self._ids, strict=True)):
            yield f"{self._path}: row {at + 1}", key, query

    def blocks(self) -> Iterator[tuple[int, Scores]]:
        yield 0, self._scores

    def _texts(self, column: Scores, name: str) -> list[str]:
        if column.ndim != 1 or column.dtype.kind not in "Uiu":
            raise DataProblem(
                f"{self._path}[{name}]: {column.dtype} of shape {list(column.shape)}, one text or "
                f"integer a row was expected. Expected {_EXPECTED}."
            )
        return [str(value) for value in column.tolist()]


class _Parquet:
    """Columns of a table; scores as a list of numbers a row."""

    def __init__(self, source: Source, patches: int) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._source, self._patches = source, patches
        with _arrow_problems(source):
            self._file = pq.ParquetFile(pa.BufferReader(source.data))
            schema = self._file.schema_arrow
        if len(set(schema.names)) != len(schema.names):
            raise DataProblem(f"{source.path}: a column name stands twice. Expected {_EXPECTED}.")
        absent = [name for name in _COLUMNS if name not in schema.names]
        if absent:
            raise DataProblem(f"{source.path}: no {named(absent)}. Expected {_EXPECTED}.")
        if self._file.metadata.num_rows > _MOST_ROWS:
            raise DataProblem(f"{source.path}: more than {_MOST_ROWS:,} rows.")
        kind = schema.field("scores").type
        lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
        if not any(is_list(kind) for is_list in lists):
            raise DataProblem(f"{source.path}: scores are {kind}. Expected {_EXPECTED}.")
        number = kind.value_type
        if not (pa.types.is_floating(number) or pa.types.is_integer(number)):
            raise DataProblem(f"{source.path}: scores of {number}, numbers were expected.")
        self.dtype = _kept(np.dtype(number.to_pandas_dtype()))

    def identities(self) -> Iterator[tuple[str, str, str]]:
        with _arrow_problems(self._source):
            columns = self._file.read(columns=list(_COLUMNS[:2])).to_pydict()
        problems = Problems()
        for at, pair in enumerate(zip(columns["key"], columns["query_id"], strict=True)):
            place = f"{self._source.path}: row {at + 1}"
            try:
                key, query = map(id_text, pair)
            except ValueError as error:
                problems.add(f"{place}: {error}")
                continue
            yield place, key, query
        problems.raise_if_any(advice=f"Expected {_EXPECTED}.")

    def blocks(self) -> Iterator[tuple[int, Scores]]:
        start = 0
        with _arrow_problems(self._source):
            for batch in self._file.iter_batches(batch_size=_BATCH, columns=["scores"]):
                block = self._block(batch.column(0), start)
                yield start, block
                start += len(block)

    def _block(self, column: Any, start: int) -> Scores:
        import pyarrow as pa
        import pyarrow.compute as pc

        lengths = pc.list_value_length(column).to_pylist()
        for at, length in enumerate(lengths):
            place = f"{self._source.path}: row {start + at + 1}"
            _check_length(0 if length is None else length, self._patches, place)
        values = column.flatten()
        if values.null_count:
            raise DataProblem(
                f"{self._source.path}: rows {start + 1} to {start + len(lengths)} hold a score "
                "that is null. Every score must be a finite number."
            )
        kind = pa.float32() if self.dtype == np.float32 else pa.float64()
        flat = np.asarray(values.cast(kind, safe=False), dtype=self.dtype)
        block: Scores = flat.reshape(len(lengths), self._patches)
        _check_finite(block, str(self._source.path), start)
        return block


class _Rows:
    """JSONL or a JSON list, as a stored run has it."""

    def __init__(self, source: Source, patches: int) -> None:
        self._rows: list[tuple[str, str, str]] = []
        blocks: list[list[float]] = []
        problems = Problems()
        for place, values in read_rows(source, _EXPECTED):
            try:
                key, query = (id_text(values.get(name)) for name in _COLUMNS[:2])
                blocks.append(_numbers(values.get("scores"), patches))
                self._rows.append((place, key, query))
            except (ValueError, OverflowError) as error:
                problems.add(f"{place}: {error}")
        problems.raise_if_any(advice=f"Expected {_EXPECTED}.")
        self._scores = np.array(blocks, dtype=np.float64).reshape(-1, patches)
        self.dtype = np.dtype(np.float64)

    def identities(self) -> Iterator[tuple[str, str, str]]:
        return iter(self._rows)

    def blocks(self) -> Iterator[tuple[int, Scores]]:
        yield 0, self._scores


def _numbers(scores: Any, patches: int) -> list[float]:
    if not isinstance(scores, list) or len(scores) != patches:
        found = f"{len(scores)} of them" if isinstance(scores, list) else repr(scores)[:40]
        raise ValueError(f"scores must be {patches} numbers, found {found}")
    for at, score in enumerate(scores):
        number = isinstance(score, (int, float)) and not isinstance(score, bool)
        if not (number and math.isfinite(score)):
            raise ValueError(f"scores[{at}] is {score!r}, a finite number was expected")
    return scores


@contextmanager
def _arrow_problems(source: Source) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataProblem(
            f"{source.path}: no readable Parquet ({error}). Expected {_EXPECTED}."
        ) from error


def _kept(kind: np.dtype[Any]) -> np.dtype[Any]:
    """The type to hold scores in: 32 bits where those hold every value of the file's type."""
    return np.dtype(np.float32 if kind.char in _EXACT_IN_32_BITS else np.float64)


def _check_kind(kind: np.dtype[Any], source: Source) -> None:
    if kind.kind not in "fiu":
        raise DataProblem(f"{source.path}: scores of {kind}, numbers were expected.")


def _check_length(found: int, patches: int, place: str) -> None:
    if found == patches:
        return
    advice = "Leave the class token's out." if found == patches + 1 else "Check the frame options."
    raise DataProblem(
        f"{place}: {found:,} scores, {patches:,} were expected, one a patch. {advice}"
    )


def _check_finite(block: Scores, path: str, start: int) -> None:
    finite = np.isfinite(block)
    if not finite.all():
        places: list[list[int]] = np.argwhere(~finite).tolist()
        shown = (f"row {start + row + 1}, patch {at}: {block[row, at]}" for row, at in places)
        raise DataProblem(
            f"{path}: scores that are not finite: {named(shown)}. "
            "Every score must be a finite number."
        )
