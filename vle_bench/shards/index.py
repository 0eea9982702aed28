"""The index beside the shards: one row per sample, one row per thing left out.

`samples.parquet` makes random access one `pread`; `skipped.parquet` is the other
half of the books, so that nothing is lost without a word. Rows are plain
tuples here and pyarrow is imported only when a file is touched. The same rows
give the same bytes under one version of pyarrow (its name stands in the file).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from vle_bench.atomic import write_if_changed
from vle_bench.errors import DataProblem, machine_errors, needs_file

if TYPE_CHECKING:
    import pyarrow as pa

Row = TypeVar("Row", bound=tuple[object, ...])

SkippedKind = Literal["image", "question", "caption", "box"]
KINDS: tuple[SkippedKind, ...] = ("image", "question", "caption", "box")
"""What preparation counts: everything read of a kind is written or skipped."""

_ROWS_PER_GROUP = 65_536


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


def write_samples(path: Path, rows: Sequence[SampleRow]) -> bool:
    """Writes `samples.parquet`; returns False (and touches nothing) where it holds just that."""
    return write_if_changed(path, _parquet(SampleRow, rows))


def write_skipped(path: Path, rows: Sequence[SkippedRow]) -> bool:
    """Writes `skipped.parquet`; returns False (and touches nothing) where it holds just that."""
    return write_if_changed(path, _parquet(SkippedRow, rows))


def read_samples(path: Path, *, split: str | None = None) -> list[SampleRow]:
    """The rows of `samples.parquet` in the order of the shards, of one split if it is named.

    Raises:
        DataProblem: No such file, damaged, or not of this schema.
    """
    return _rows(SampleRow, path, split)


def read_skipped(path: Path, *, split: str | None = None) -> list[SkippedRow]:
    """The rows of `skipped.parquet`.

    Raises:
        DataProblem: No such file, damaged, or not of this schema.
    """
    return _rows(SkippedRow, path, split)


def _schema(row: type[tuple[object, ...]]) -> pa.Schema:
    import pyarrow as pa

    names: Iterable[str] = row._fields  # type: ignore[attr-defined]  # every row is a NamedTuple
    return pa.schema(
        [pa.field(name, pa.type_for_alias(_INTEGERS.get(name, "string")), False) for name in names]
    )


def _parquet(row: type[tuple[object, ...]], rows: Sequence[tuple[object, ...]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(row)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    table = pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)],
        schema=schema,
    )
    stream = io.BytesIO()
    pq.write_table(
        table,
        stream,
        row_group_size=_ROWS_PER_GROUP,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=3,
        use_dictionary=True,
        write_statistics=True,
    )
    return stream.getvalue()


def _rows(row: type[Row], path: Path, split: str | None) -> list[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    needs_file(path, "an index")
    schema = _schema(row)
    try:
        with machine_errors(path):
            data = path.read_bytes()
        table = pq.read_table(pa.BufferReader(data))
        if table.schema.remove_metadata() != schema:
            raise DataProblem(
                f"{path}: columns {', '.join(table.schema.names)} found, "
                f"{', '.join(schema.names)} expected. Run vle-prep run again."
            )
        if split is not None:
            import pyarrow.compute as pc

            table = table.filter(pc.equal(table["split"], split))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, UnicodeDecodeError) as error:
        raise DataProblem(f"{path}: no readable index ({error}). Run vle-prep verify.") from error
    return [row(*values) for values in zip(*table.to_pydict().values(), strict=True)]
