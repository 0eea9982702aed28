"""The table beside each shard of web pictures: img2dataset's columns, and a few of ours.

`status` is `success`, `failed_to_download`, or "" where nothing is decided; why stands
in `error_message` as a class of `web_reasons`, with what exactly happened in `detail`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from vle_bench.atomic import replacing
from vle_bench.errors import DataProblem, machine_errors
from vle_bench.shards.layout import PICTURE_FORMATS

FAILED: Literal["failed_to_download"] = "failed_to_download"

_ROWS = 1000
_TEXTS = ("url", "key", "status", "error_message", "detail", "sha256", "ending")
_NUMBERS = ("number", "bytes", "width", "height")


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one address of a list."""

    number: int
    """Its place among the list's addresses, from 0."""
    url: str
    status: Literal["", "success", "failed_to_download"] = ""
    error_message: str = ""
    """The class of the failure."""
    detail: str = ""
    final: bool = False
    """Whether it need not be asked again."""
    sha256: str = ""
    bytes: int = 0
    width: int = 0
    height: int = 0
    ending: str = ""

    def __post_init__(self) -> None:
        if self.ending not in ("", *PICTURE_FORMATS):  # it becomes part of a path
            raise ValueError(f"ending is {self.ending!r}, one of jpg, png and webp was expected")

    @property
    def key(self) -> str:
        """The name of its files: five digits of the shard, four of the row in it."""
        return f"{self.number // _ROWS:05d}{self.number % _ROWS:04d}"

    @property
    def file_name(self) -> str:
        """The picture's name in the shard; the ending follows its content."""
        return f"{self.key}.{self.ending}"


def read_table(path: Path) -> list[Decision]:
    """The rows of a table; none where there is no table.

    Raises:
        DataProblem: It is not one of ours.
    """
    if not path.is_file():
        return []
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with machine_errors(path):
            rows = pq.read_table(path).select([*_TEXTS, *_NUMBERS, "final"]).to_pylist()
        return [msgspec.convert(row, Decision) for row in rows]
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise DataProblem(
            f"{path}: not the table that vle-prep fetch writes ({error}). Remove it and its tar, "
            "and their pictures are fetched again."
        ) from error


def write_table(path: Path, decisions: Sequence[Decision]) -> None:
    """Writes the table of a shard, whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            *((name, pa.string()) for name in _TEXTS),
            *((name, pa.int64()) for name in _NUMBERS),
            ("final", pa.bool_()),
        ]
    )
    rows = [msgspec.structs.asdict(one) | {"key": one.key} for one in decisions]
    with replacing(path) as stream:
        pq.write_table(pa.Table.from_pylist(rows, schema), stream, compression="zstd")
