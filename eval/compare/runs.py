"""A stored run with its items, and whether two runs answered the same questions.

Runs are compared item by item, so everything that decides what an item is and
how it is scored must be the same: references, split, protocol, and what else the
signatures say of it (folds, gallery, labels). The model alone may differ. Items
are joined by id, never by their place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.errors import DataProblem, Problems
from vle_bench.identity import id_text
from vle_bench.inputs import open_source
from vle_bench.results import ResultDocument, read_document, signature_parts
from vle_bench.results.store import DOCUMENT, ITEMS

Floats = npt.NDArray[np.float64]

Key = tuple[str, str]
"""What asks (the direction in retrieval, else "") and its id."""

_NEEDED = ("id", "image_id", "group", "score")
_MOST_ROWS = 5_000_000
_MOST_NAMED = 3
_DIGEST_SHOWN = 16
_TOLD = frozenset({"data", "split", "protocol", "ties", "frame", "above", "threshold"})
"""Parts of a signature that the document itself has: in its fields, or in the protocol's name."""
_MOVES_NO_ITEM = frozenset({"from", "missing", "positives", "annotator", "ci", "v"})
"""Parts that may differ. Extended positives give metrics of their own and leave recalls alone."""


class StoredRun(msgspec.Struct, frozen=True, eq=False):
    """A result and its item table.

    Attributes:
        name: The model's name.
        place: Where it lies, for messages.
        document: The result.
        keys: Direction and id of each item.
        owners: Picture of each item; an item without one stands for itself.
        columns: The table, column by column, in the order of the keys.
    """

    name: str
    place: str
    document: ResultDocument
    keys: tuple[Key, ...]
    owners: tuple[str, ...]
    columns: dict[str, list[Any]]

    def numbers(self, column: str) -> Floats:
        """A column as numbers, shape [items]; NaN where it is empty.

        Raises:
            DataProblem: The column is not there, or holds something else.
        """
        values = self.columns.get(column)
        if values is None:
            raise DataProblem(f"{self.place}: {ITEMS} has no column {column}. Score the run again.")
        wrong = next((one for one in values if not isinstance(one, int | float | None)), None)
        if wrong is not None:
            raise DataProblem(
                f"{self.place}: {ITEMS}, column {column}: {wrong!r} is no number. Score it again."
            )
        return np.array([np.nan if one is None else one for one in values], dtype=np.float64)

    def ordered_as(self, keys: Sequence[Key]) -> StoredRun:
        """The same run with its items in another order.

        Args:
            keys: Every key of the run, once.
        """
        if tuple(keys) == self.keys:
            return self
        places = {key: place for place, key in enumerate(self.keys)}
        order = [places[key] for key in keys]
        return StoredRun(
            name=self.name,
            place=self.place,
            document=self.document,
            keys=tuple(keys),
            owners=tuple(self.owners[place] for place in order),
            columns={
                name: [values[place] for place in order] for name, values in self.columns.items()
            },
        )


def read_run(place: Path) -> StoredRun:
    """Reads a stored result: a leaf folder of the store, or the `result.json` in it.

    Raises:
        DataProblem: One of the two files is missing or broken, or an id stands twice.
    """
    folder = place.parent if place.name == DOCUMENT else place
    document = read_document(folder / DOCUMENT)
    columns = _table(folder / ITEMS)
    name = str(folder)
    asking = columns.get("direction") or [""] * len(columns["id"])
    try:
        keys = [(str(way), id_text(one)) for way, one in zip(asking, columns["id"], strict=True)]
    except ValueError as error:
        raise DataProblem(f"{folder / ITEMS}: {error}. Score the run again.") from error
    twice = [key for key, times in Counter(keys).items() if times > 1]
    if twice:
        raise DataProblem(
            f"{folder / ITEMS}: {_named(twice)} stands more than once. Score the run again."
        )
    pictures = zip(keys, columns["image_id"], strict=True)
    owners = [f"picture {image}" if image else f"item {key[1]}" for key, image in pictures]
    return StoredRun(document.model, name, document, tuple(keys), tuple(owners), columns)


def unequal_terms(first: StoredRun, other: StoredRun) -> list[str]:
    """Why two runs cannot be compared item by item; nothing where they can."""
    ours, theirs = first.document, other.document
    terms = {
        "task": (ours.task, theirs.task),
        "dataset": (ours.dataset, theirs.dataset),
        "split": (ours.split, theirs.split),
        "part of the split": (ours.part or "all", theirs.part or "all"),
        "protocol": (ours.protocol, theirs.protocol),
        "references (sha256)": (_short(ours), _short(theirs)),
        "n": (f"{len(first.keys):,}", f"{len(other.keys):,}"),
    }
    if not any(one != two for one, two in terms.values()):
        terms = _further_terms(ours, theirs)
    reasons = [f"{name}: {one} and {two}" for name, (one, two) in terms.items() if one != two]
    if reasons:
        return reasons
    absent = sorted(set(first.keys) - set(other.keys))
    if absent:
        return [f"items: {len(absent):,} of the first are not in the other ({_named(absent)})"]
    if first.owners != other.ordered_as(first.keys).owners:
        return ["pictures: the same items belong to other pictures"]
    return []


def refuse_unequal_terms(first: StoredRun, others: Sequence[StoredRun]) -> None:
    """Stops where a run cannot be compared with the first.

    Raises:
        DataProblem: With every reason.
    """
    for other in others:
        problems = Problems(f"{other.place} cannot be compared with {first.place}:")
        problems.extend(unequal_terms(first, other))
        problems.raise_if_any(advice="Score both against the same references, in the same way.")


def _further_terms(ours: ResultDocument, theirs: ResultDocument) -> dict[str, tuple[str, str]]:
    """What only the signatures tell: the gallery, folds, how labels were made of answers."""
    left, right = signature_parts(ours.signature), signature_parts(theirs.signature)
    keys = [key for key in {**left, **right} if key not in _TOLD | _MOVES_NO_ITEM]
    return {key: (left.get(key, "none"), right.get(key, "none")) for key in keys}


def _table(path: Path) -> dict[str, list[Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = open_source(path, "an item table")
    try:
        stored = pq.ParquetFile(pa.BufferReader(source.data))
        if stored.metadata.num_rows > _MOST_ROWS:
            raise DataProblem(
                f"{path}: {stored.metadata.num_rows:,} rows, at most {_MOST_ROWS:,} are read."
            )
        names = stored.schema_arrow.names
        # A table may carry long texts (questions, predictions) that no comparison needs.
        wanted = [name for name in names if name not in {"question", "prediction"}]
        columns: dict[str, list[Any]] = stored.read(columns=wanted).to_pydict()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataProblem(f"{path}: no item table ({error}). Score the run again.") from error
    if absent := [name for name in _NEEDED if name not in columns]:
        raise DataProblem(f"{path}: lacks the column {', '.join(absent)}. Score the run again.")
    if not columns["id"]:
        raise DataProblem(f"{path}: holds no item. Score the run again.")
    return columns


def _short(document: ResultDocument) -> str:
    return document.references.sha256[:_DIGEST_SHOWN]


def _named(keys: Sequence[Key]) -> str:
    names = [" ".join(filter(None, key)) for key in keys[:_MOST_NAMED]]
    more = len(keys) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")
