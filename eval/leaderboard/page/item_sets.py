"""Item tables of stored results, lined up: runs on the same items can be laid side by side.

An item's value is what the page orders by: its score in percent, or, where a
rank is known, its rank from 1. Values are kept as codes that rise from worst to
best, so that the page sorts, compares and colours 214,354 items without
reading a single one of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.canonical import json_bytes, sha256_bytes
from vle_bench.errors import DataProblem
from vle_bench.eval.leaderboard.board import same_terms
from vle_bench.inputs import open_source
from vle_bench.results import ResultDocument, StoredResult
from vle_bench.results.store import ITEMS

NEEDED = ("id", "image_id", "group", "prediction", "score")
_TEXTS = ("id", "image_id", "group", "prediction", "question", "text")
_NUMBERS = (
    "score", "rank", "matches", "patch_ap", "pointing", "patch_iou", "related", "mpc_top1",
    "mpc_top5",
)  # fmt: skip
_FLAGS = ("missing", "q2a", "qa2r")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

Codes = npt.NDArray[np.int64]


class Run(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One stored result and its items.

    Attributes:
        number: Its place among the results of the leaderboard.
        document: The result.
        columns: The item table, one list a column.
        values: The distinct values, worst first; None is "no rank", worse than any.
        codes: Place in `values` of each item's value.
        by_rank: Whether values are ranks (small is good) instead of scores in percent.
    """

    number: int
    document: ResultDocument
    columns: dict[str, list[Any]]
    values: tuple[float | None, ...]
    codes: Codes
    by_rank: bool

    def __len__(self) -> int:
        return len(self.codes)


class ItemSet(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Runs on the same items, in the same order, measured the same way."""

    runs: tuple[Run, ...]

    @property
    def first(self) -> Run:
        """The run whose columns tell what all of them share."""
        return self.runs[0]


def read_runs(found: Sequence[StoredResult]) -> list[Run]:
    """The runs that have an item table.

    Raises:
        DataProblem: A table that is there cannot be read or lacks a column.
    """
    return [_run(number, one) for number, one in enumerate(found) if (one.folder / ITEMS).is_file()]


def item_sets(runs: Sequence[Run]) -> list[ItemSet]:
    """Groups the runs by what they were measured on, in the order of their first run."""
    together: dict[str, list[Run]] = {}
    for run in runs:
        references = run.document.references.sha256
        terms = [
            *same_terms(run.document), references, run.columns["id"], run.columns["group"]
        ]  # fmt: skip
        together.setdefault(sha256_bytes(json_bytes(terms)), []).append(run)
    return [ItemSet(runs=tuple(members)) for members in together.values()]


def packed(codes: Codes, count: int) -> list[Any]:
    """Codes as text of a fixed width each, with that width.

    Args:
        codes: From 0 to below `count`, shape [N].
        count: How many different codes there can be.

    >>> packed(np.array([0, 1, 63]), 64)
    [1, 'AB_']
    >>> packed(np.array([64]), 65)
    [2, 'BA']
    """
    base, width = len(_ALPHABET), 1
    while base**width < count:
        width += 1
    letters = np.frombuffer(_ALPHABET.encode("ascii"), dtype=np.uint8)
    digits = [letters[codes // base**place % base] for place in reversed(range(width))]
    text = np.stack(digits, axis=1).tobytes() if len(codes) else b""
    return [width, text.decode("ascii")]


def _run(number: int, found: StoredResult) -> Run:
    path = found.folder / ITEMS
    columns = _read(path)
    by_rank = "rank" in columns
    given = columns["rank"] if by_rank else columns["score"]
    plain = np.array([np.nan if value is None else value for value in given], dtype=np.float64)
    shown = plain + 1 if by_rank else (100 * plain).round(9)
    distinct, codes = np.unique(-shown if by_rank else shown, return_inverse=True, equal_nan=True)
    values: list[float | None] = (-distinct if by_rank else distinct).tolist()
    codes = codes.reshape(-1).astype(np.int64)
    if values and np.isnan(distinct[-1]):  # NumPy puts NaN last, and nothing is worse than it
        values = [None, *values[:-1]]
        codes = (codes + 1) % len(values)
    return Run(
        number=number,
        document=found.document,
        columns=columns,
        values=tuple(values),
        codes=codes,
        by_rank=by_rank,
    )


def _read(path: Path) -> dict[str, list[Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = open_source(path, "an item table")
    try:
        table = pq.read_table(pa.BufferReader(source.data))
        _check_types(path, {field.name: field.type for field in table.schema})
        columns: dict[str, list[Any]] = table.to_pydict()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataProblem(f"{path}: no item table ({error}). Score the run again.") from error
    for name in _NUMBERS:
        if any(value is not None and math.isinf(value) for value in columns.get(name, ())):
            raise DataProblem(f"{path}: {name} is infinite somewhere. Score the run again.")
    return columns


def _check_types(path: Path, types: Mapping[str, Any]) -> None:
    """Refuses tables in which a column that is read is not what it should be."""
    import pyarrow as pa

    if absent := [name for name in NEEDED if name not in types]:
        raise DataProblem(f"{path}: lacks the column {', '.join(absent)}. Score the run again.")
    checks = (
        (_TEXTS, "text", (pa.types.is_string, pa.types.is_large_string, pa.types.is_null)),
        (_NUMBERS, "a number", (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)),
        (_FLAGS, "yes or no", (pa.types.is_boolean,)),
    )
    for names, wanted, fitting in checks:
        for name in names:
            kind = types.get(name)
            if kind is not None and not any(fits(kind) for fits in fitting):
                raise DataProblem(
                    f"{path}: {name} is {kind}, {wanted} was expected. Score the run again."
                )
