"""Where results lie: `ROOT/<task>/<dataset>/<split>/<model>/`, three files a result.

The three change together or not at all, `result.json` last: a folder without it
is no result, and it is gone while the others change. Of several runs that store
one model at once each waits for the other, and the last one done stands. A result
that equals the stored one in everything but its time leaves the files untouched.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from vle_bench.atomic import alone, holds, make_folder, write_together
from vle_bench.canonical import sha256_bytes
from vle_bench.errors import DataProblem, machine_errors
from vle_bench.results.document import (
    ResultDocument,
    document_bytes,
    read_document,
    without_time,
)

DOCUMENT = "result.json"
ITEMS = "items.parquet"
PREDICTIONS = "predictions.jsonl"

_LEVELS = ("task", "dataset", "split", "model")
_LONGEST_NAME = 120
_DIGEST_LENGTH = 8


class StoredResult(NamedTuple):
    """A result found in a store and the folder it lies in."""

    folder: Path
    document: ResultDocument


def folder_name(name: str) -> str:
    """A name as a folder: lower case, `[a-z0-9._-]`, "/" as "--", no leading dot.

    A name in another script, of which nothing would be left, becomes its digest.

    Raises:
        DataProblem: The name holds no letter and no digit, or is too long for a folder.

    >>> folder_name("HFL/VLE Base"), folder_name("模型")
    ('hfl--vle-base', 'name-c98e118e')
    """
    lowered = name.lower().replace("/", "--")
    plain = re.sub(r"[^a-z0-9._-]+", "-", lowered).lstrip(".-").rstrip("-")
    if not plain and any(map(str.isalnum, name)):
        plain = f"name-{sha256_bytes(name.encode('utf-8'))[:_DIGEST_LENGTH]}"
    if not plain:
        raise DataProblem(f"{name!r} leaves no letter or digit for a folder. Choose another name.")
    if len(plain) > _LONGEST_NAME:
        raise DataProblem(
            f"{name[:_LONGEST_NAME]!r}... has {len(name):,} characters, a folder's name takes "
            f"{_LONGEST_NAME}. Choose a shorter name."
        )
    return plain


def result_folder(root: Path, document: ResultDocument) -> Path:
    """The leaf of `root` that belongs to this result."""
    parts = (document.task, document.dataset, document.split or "unnamed", document.model)
    return root.joinpath(*map(folder_name, parts))


def store_result(
    folder: Path,
    document: ResultDocument,
    *,
    items: Mapping[str, Any],
    predictions: bytes,
) -> bool:
    """Writes the three files of a result into `folder`.

    Args:
        folder: The leaf folder; created.
        document: What `result.json` will hold.
        items: Columns of the item table, each as long as the others.
        predictions: The predictions as JSONL.

    Returns:
        Whether anything changed.

    Raises:
        DataProblem: The folder holds a result of another model.
        MachineProblem: The folder cannot be written.
    """
    make_folder(folder)
    path = folder / DOCUMENT
    beside = {folder / PREDICTIONS: predictions, folder / ITEMS: items_bytes(items)}
    with alone(folder):
        known = _stored(path)
        if known is not None and known.model != document.model:
            raise DataProblem(
                f"{folder}: holds a result of {known.model!r}, this one is of {document.model!r}. "
                "Give --model-name or another --out."
            )
        changed = {place: data for place, data in beside.items() if not holds(place, data)}
        if not changed and known is not None and without_time(known) == without_time(document):
            return False
        write_together(
            {**changed, path: document_bytes(document)},
            shared=True,
            seal=path if changed else None,
        )
    return True


def items_bytes(items: Mapping[str, Any]) -> bytes:
    """The item table as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.table(dict(items)), sink, compression="zstd", store_schema=False)
    return sink.getvalue()


def stored_results(root: Path) -> list[StoredResult]:
    """Every result under `root`, in the order of their folders; none where `root` is absent.

    Raises:
        DataProblem: A result cannot be read as one.
        MachineProblem: A folder may not be read; its results are not passed over in silence.
    """
    if not root.is_dir():
        return []
    with machine_errors(root):
        folders = [root]
        for _ in _LEVELS:
            folders = [
                one for folder in folders for one in sorted(folder.iterdir()) if one.is_dir()
            ]
        leaves = [folder for folder in folders if (folder / DOCUMENT).exists()]
    return [StoredResult(folder, read_document(folder / DOCUMENT)) for folder in leaves]


def _stored(path: Path) -> ResultDocument | None:
    return read_document(path) if path.is_file() else None
