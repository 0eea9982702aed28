"""The index beside the shards: one row per sample, one row per thing left out.

`samples.parquet` makes random access one `pread`; `skipped.parquet` is the other
half of the books, so that nothing is lost without a word. Rows are plain
tuples here and pyarrow is imported only when a file is touched. The same rows
give the same bytes under one version of pyarrow (its name stands in the file).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, TypeVar

import numpy as np

from vle_bench.arrow_columns import fixed, texts
from vle_bench.atomic import replacing
from vle_bench.errors import DataProblem, machine_errors, needs_file

if TYPE_CHECKING:
    import pyarrow as pa

Row = TypeVar("Row", bound=tuple[object, ...])

SkippedKind = Literal["image", "question", "caption", "box"]
KINDS: tuple[SkippedKind, ...] = ("image", "question", "caption", "box")
"""What preparation counts: everything read of a kind is written or skipped."""

_ROWS_PER_GROUP = 65_536
_PART = 1024
"""Rows that are Python objects at a time."""


class SampleRow(NamedTuple):
    """One sample: where it lies and what it holds.

    Attributes:
        key: Unique over the dataset.
        split: The split, also the name of the shard's folder.
        shard: File name of the shard.
        offset: Byte of the sample's first header in the shard.
        size: Bytes from there to the next sample.
        image_offset: Byte at which the picture begins.
        image_size: Bytes of the picture.
        json_offset: Byte at which `KEY.json` begins.
        json_size: Bytes of `KEY.json`.
        json_crc32: CRC-32 of `KEY.json`, so that a flipped bit can be pinned to its sample.
        sha256: Digest of the picture.
        width: Pixels of the stored matrix.
        height: Pixels of the stored matrix.
        image_id: The id in the source.
        coco_id: COCO's id, or "".
        flickr_id: Flickr's photo id, or "".
        captions: How many captions the sample has.
        boxes: How many boxes.
        questions: How many questions (or items).
    """

    key: str
    split: str
    shard: str
    offset: int
    size: int
    image_offset: int
    image_size: int
    json_offset: int
    json_size: int
    json_crc32: int
    sha256: str
    width: int
    height: int
    image_id: str
    coco_id: str
    flickr_id: str
    captions: int
    boxes: int
    questions: int


class SkippedRow(NamedTuple):
    """One thing of the source that is in no shard, and why.

    Attributes:
        split: The split it would belong to.
        kind: `image`, `question`, `caption` or `box`.
        id: Its id in the source.
        image_id: The picture it is about.
        reason: Why it was left out, in a few words.
    """

    split: str
    kind: SkippedKind
    id: str
    image_id: str
    reason: str


_INTEGERS = {
    "offset": "int64",
    "size": "int64",
    "image_offset": "int64",
    "image_size": "int64",
    "json_offset": "int64",
    "json_size": "int64",
    "json_crc32": "int64",
    "width": "int32",
    "height": "int32",
    "captions": "int32",
    "boxes": "int32",
    "questions": "int32",
}


def write_samples(path: Path, rows: Iterable[SampleRow]) -> None:
    """Writes `samples.parquet`; touches nothing where it holds just that."""
    with replacing(path, unless_same=True) as stream:
        _write(SampleRow, rows, stream)


def write_skipped(path: Path, rows: Iterable[SkippedRow]) -> None:
    """Writes `skipped.parquet`; touches nothing where it holds just that."""
    with replacing(path, unless_same=True) as stream:
        _write(SkippedRow, rows, stream)


def read_samples(path: Path, *, split: str | None = None) -> list[SampleRow]:
    """The rows of `samples.parquet` in the order of the shards, of one split if it is named.

    Raises:
        DataProblem: No such file, damaged, or not of this schema.
    """
    return list(iter_sample_rows(path, split=split))


def read_skipped(path: Path, *, split: str | None = None) -> list[SkippedRow]:
    """The rows of `skipped.parquet`.

    Raises:
        DataProblem: No such file, damaged, or not of this schema.
    """
    return list(iter_skipped_rows(path, split=split))


def iter_sample_rows(path: Path, *, split: str | None = None) -> Iterator[SampleRow]:
    """As `read_samples`, with few rows in memory at a time."""
    return _rows(SampleRow, path, split)


def iter_skipped_rows(path: Path, *, split: str | None = None) -> Iterator[SkippedRow]:
    """As `read_skipped`, with few rows in memory at a time."""
    return _rows(SkippedRow, path, split)


def _schema(row: type[tuple[object, ...]]) -> pa.Schema:
    import pyarrow as pa

    names: Iterable[str] = row._fields  # type: ignore[attr-defined]  # every row is a NamedTuple
    return pa.schema(
        [pa.field(name, pa.type_for_alias(_INTEGERS.get(name, "string")), False) for name in names]
    )


def _write(row: type[tuple[object, ...]], rows: Iterable[Row], stream: BinaryIO) -> None:
    """Writes rows as Parquet, in groups of a fixed number of rows however they come."""
    import pyarrow.parquet as pq

    schema = _schema(row)
    with pq.ParquetWriter(
        stream,
        schema,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=3,
        use_dictionary=True,
        write_statistics=True,
    ) as writer:
        for table in _groups(rows, schema):
            writer.write_table(table, row_group_size=_ROWS_PER_GROUP)


def _groups(rows: Iterable[tuple[object, ...]], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows in tables of a fixed size, the last smaller; one empty table where there are none.

    As Python objects a whole group would take ten times the memory, so they are few at a time.
    """
    import pyarrow as pa

    left = iter(rows)
    parts: list[pa.RecordBatch] = []
    none = True
    while some := tuple(islice(left, _PART)):
        parts.append(_batch(some, schema))
        if len(parts) * _PART == _ROWS_PER_GROUP:
            yield pa.Table.from_batches(parts, schema).combine_chunks()
            parts, none = [], False
    if parts or none:
        yield pa.Table.from_batches(parts, schema).combine_chunks()


def _batch(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    columns = [
        texts(values)
        if pa.types.is_string(field.type)
        else fixed(np.array(values, dtype=field.type.to_pandas_dtype()), field.type)
        for values, field in zip(zip(*rows, strict=True), schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _rows(row: type[Row], path: Path, split: str | None) -> Iterator[Row]:
    needs_file(path, "an index")
    with machine_errors(path):
        stream = path.open("rb")
    with stream:
        rows = _read(row, path, stream)
        if split is None:
            yield from rows
        else:
            at = row._fields.index("split")  # type: ignore[attr-defined]  # a NamedTuple
            yield from (one for one in rows if one[at] == split)


def _read(row: type[Row], path: Path, stream: BinaryIO) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(row)
    try:
        with pq.ParquetFile(stream) as table:
            found = table.schema_arrow.remove_metadata()
            if found != schema:
                raise DataProblem(
                    f"{path}: columns {', '.join(found.names)} found, "
                    f"{', '.join(schema.names)} expected. Run vle-prep run again."
                )
            for batch in table.iter_batches(_PART):
                yield from map(row._make, zip(*batch.to_pydict().values(), strict=True))  # type: ignore[attr-defined]  # a NamedTuple
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, UnicodeDecodeError) as error:
        raise DataProblem(f"{path}: no readable index ({error}). Run vle-prep verify.") from error
