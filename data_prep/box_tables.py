"""COCO's boxes and Visual Genome's objects as tables, straight from their JSON.

Outlines and synsets are skipped over by the decoder. A window of the file is
decoded, turned into columns, and forgotten.
Formats: https://cocodataset.org/#format-data and
https://homes.cs.washington.edu/~ranjay/visualgenome/api_readme.html
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.arrow_columns import fixed, floats, text_lists
from vle_bench.data_prep.by_picture import write_by_picture
from vle_bench.data_prep.halves import WORTH_IT, Half, Unsound, middle_of, second_half
from vle_bench.data_prep.picture_runs import PICTURE, PictureRuns, Run
from vle_bench.data_prep.sources import Document
from vle_bench.errors import DataProblem
from vle_bench.identity import Identity, number_of
from vle_bench.inputs.collector import no_collector
from vle_bench.scratch import scratch_file

if TYPE_CHECKING:
    import pyarrow as pa

_SIDES: Final = ("x", "y", "w", "h")


# Fields stand in the order of the official files: the decoder looks for a name behind the last.
class _Box(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One of COCO's `annotations`."""

    iscrowd: int = 0
    image_id: Identity
    bbox: tuple[float, float, float, float]
    category_id: int
    id: Identity


class _Object(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One object of Visual Genome."""

    h: float
    object_id: Identity
    names: list[str] = []
    w: float
    attributes: list[str] | None = None
    y: float
    x: float


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
    runs = PictureRuns(schema)
    with no_collector():
        runs.take(_boxes(some, document, schema) for some in rows if some)
        return write_by_picture(path, schema, runs)


def write_vg_objects(document: Document, path: Path) -> int:
    """Writes the objects of objects.json by picture; returns how many there are.

    Raises:
        DataProblem: Broken JSON, values of other types, an id that is no number.
        MachineProblem: The disk refuses.
    """
    content = document.content
    cut = middle_of(content) if content.file and content.size >= WORTH_IT else None
    with no_collector():
        if cut is not None:
            with suppress(Unsound, DataProblem):
                return write_by_picture(path, vg_schema(), *_two_halves(document, cut))
        return write_by_picture(path, vg_schema(), _object_runs(document))


def _two_halves(document: Document, cut: int) -> tuple[PictureRuns, PictureRuns]:
    """The objects before the cut, and those behind it by the work of another process."""
    content = document.content
    assert content.file is not None
    stream = scratch_file()
    with second_half(content.file, cut, f"{__name__}:put_objects_aside", stream) as told:
        first = _object_runs(Document(document.name, Half(content, cut, second=False)))
        written = msgspec.msgpack.decode(told(), type=list[Run])
    return first, PictureRuns(vg_schema(), stream, written)


def put_objects_aside(document: Document, stream: IO[bytes]) -> bytes:
    """Puts the objects of a document into a file for another process, which is told the runs."""
    with no_collector():
        return msgspec.msgpack.encode(_object_runs(document, stream).runs)


def _object_runs(document: Document, stream: IO[bytes] | None = None) -> PictureRuns:
    schema = vg_schema()
    rows = document.rows("", _Objects, expected="VG's objects: [{image_id, objects: [...]}]")
    runs = PictureRuns(schema, stream)
    runs.take(_objects(some, document, schema) for some in rows if some)
    return runs


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
    columns = [
        fixed(_numbers([one.object_id for one in objects], document), pa.int64()),
        fixed(np.repeat(owners, each), pa.int64()),
        text_lists([one.names for one in objects], schema.field("names").type),
        text_lists(attributes, schema.field("attributes").type),
        floats([one.x for one in objects]),
        floats([one.y for one in objects]),
        floats([one.w for one in objects]),
        floats([one.h for one in objects]),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _numbers(ids: Sequence[Identity | None], document: Document) -> npt.NDArray[np.int64]:
    """Ids as numbers; the digits of a number are that number."""
    with suppress(struct.error):
        return np.frombuffer(struct.pack(f"{len(ids)}q", *ids), np.int64)
    numbers = [None if one is None else number_of(one) for one in ids]
    for one, number in zip(ids, numbers, strict=True):
        if number is None:
            raise DataProblem(f"{document.place}: id {one!r}: a number of 64 bits was expected.")
    return np.array(numbers, dtype=np.int64)
