"""COCO's boxes and Visual Genome's objects as tables, straight from their JSON.

Outlines and synsets are skipped over by the decoder. A window of the file is
decoded, turned into columns, and forgotten.
Formats: https://cocodataset.org/#format-data and
https://homes.cs.washington.edu/~ranjay/visualgenome/api_readme.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.arrow_columns import fixed, text_lists
from vle_bench.data_prep.by_picture import PICTURE, write_by_picture
from vle_bench.data_prep.halves import WORTH_IT, Half, Unsound, middle_of, second_half
from vle_bench.data_prep.sources import Document
from vle_bench.errors import DataProblem
from vle_bench.identity import Identity, number_of
from vle_bench.inputs.collector import no_collector

if TYPE_CHECKING:
    import pyarrow as pa

_SIDES: Final = ("x", "y", "w", "h")


class _Box(msgspec.Struct, frozen=True, gc=False):
    """One of COCO's `annotations`."""

    id: Identity
    image_id: Identity
    category_id: int
    bbox: tuple[float, float, float, float]
    iscrowd: int = 0


class _Object(msgspec.Struct, frozen=True, gc=False):
    """One object of Visual Genome."""

    object_id: Identity
    x: float
    y: float
    w: float
    h: float
    names: list[str] = []
    attributes: list[str] | None = None


class _Objects(msgspec.Struct, frozen=True, gc=False):
    """One picture of objects.json."""

    objects: list[_Object]
    image_id: Identity | None = None
    id: Identity | None = None


def coco_schema() -> pa.Schema:
    """id, image_id, category_id, x, y, w, h, iscrowd."""
    import pyarrow as pa

    sides = [pa.field(name, pa.float64(), False) for name in _SIDES]
    numbers = [pa.field(name, pa.int64(), False) for name in ("id", PICTURE, "category_id")]
    return pa.schema([*numbers, *sides, pa.field("iscrowd", pa.int8(), False)])


def vg_schema() -> pa.Schema:
    """id, image_id, names, attributes, x, y, w, h."""
    import pyarrow as pa

    numbers = [pa.field(name, pa.int64(), False) for name in ("id", PICTURE)]
    texts = pa.list_(pa.field("element", pa.string(), False))
    lists = [pa.field(name, texts, False) for name in ("names", "attributes")]
    sides = [pa.field(name, pa.float64(), False) for name in _SIDES]
    return pa.schema([*numbers, *lists, *sides])


def write_coco_boxes(document: Document, path: Path) -> int:
    """Writes the boxes of an instances file by picture; returns how many there are.

    Raises:
        DataProblem: Broken JSON, values of other types, an id that is no number.
        MachineProblem: The disk refuses.
    """
    rows = document.rows("annotations", _Box, expected="COCO instances: {images, annotations}")
    schema = coco_schema()
    chunks = (_boxes(some, document, schema) for some in rows if some)
    with no_collector():
        return write_by_picture(path, schema, chunks)


def write_vg_objects(document: Document, path: Path) -> int:
    """Writes the objects of objects.json by picture; returns how many there are.

    Raises:
        DataProblem: Broken JSON, values of other types, an id that is no number.
        MachineProblem: The disk refuses.
    """
    schema = vg_schema()
    content = document.content
    cut = middle_of(content) if content.file and content.size >= WORTH_IT else None
    with no_collector():
        if cut is not None and content.file is not None:
            first = _object_chunks(Document(document.name, Half(content, cut, second=False)))
            second = _unpacked(second_half(content.file, cut, f"{__name__}:packed_objects"), schema)
            with suppress(Unsound, DataProblem):
                return write_by_picture(path, schema, first, second)
        return write_by_picture(path, schema, _object_chunks(document))


def _object_chunks(document: Document) -> Iterator[pa.RecordBatch]:
    schema = vg_schema()
    rows = document.rows("", _Objects, expected="VG's objects: [{image_id, objects: [...]}]")
    return (_objects(some, document, schema) for some in rows if some)


def packed_objects(document: Document) -> Iterator[bytes]:
    """The objects on their way to another process."""
    with no_collector():
        for chunk in _object_chunks(document):
            yield chunk.serialize().to_pybytes()


def _unpacked(chunks: Iterator[bytes], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    return (pa.ipc.read_record_batch(pa.py_buffer(chunk), schema) for chunk in chunks)


def _boxes(rows: Sequence[_Box], document: Document, schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    count = len(rows)
    sides = np.fromiter(
        chain.from_iterable([row.bbox for row in rows]), np.float64, 4 * count
    ).reshape(count, 4)
    columns = [
        fixed(_numbers([row.id for row in rows], document), pa.int64()),
        fixed(_numbers([row.image_id for row in rows], document), pa.int64()),
        fixed(np.array([row.category_id for row in rows], dtype=np.int64), pa.int64()),
        *(fixed(side, pa.float64()) for side in sides.T),
        fixed(np.array([row.iscrowd != 0 for row in rows], dtype=np.int8), pa.int8()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _objects(rows: Sequence[_Objects], document: Document, schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    objects = list(chain.from_iterable([row.objects for row in rows]))
    owners = _numbers([row.id if row.image_id is None else row.image_id for row in rows], document)
    each = np.array([len(row.objects) for row in rows], dtype=np.int64)
    attributes = [one.attributes or () for one in objects]
    sides = (
        [one.x for one in objects],
        [one.y for one in objects],
        [one.w for one in objects],
        [one.h for one in objects],
    )
    columns = [
        fixed(_numbers([one.object_id for one in objects], document), pa.int64()),
        fixed(np.repeat(owners, each), pa.int64()),
        text_lists([one.names for one in objects], schema.field("names").type),
        text_lists(attributes, schema.field("attributes").type),
        *(fixed(np.fromiter(side, np.float64, len(side)), pa.float64()) for side in sides),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _numbers(ids: Sequence[Identity | None], document: Document) -> npt.NDArray[np.int64]:
    """Ids as numbers; the digits of a number are that number."""
    if set(map(type, ids)) <= {int}:
        try:
            return np.array(ids, dtype=np.int64)
        except OverflowError:
            pass
    numbers = [None if one is None else number_of(one) for one in ids]
    for one, number in zip(ids, numbers, strict=True):
        if number is None:
            raise DataProblem(f"{document.place}: id {one!r}: a number of 64 bits was expected.")
    return np.array(numbers, dtype=np.int64)
