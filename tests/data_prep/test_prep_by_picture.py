"""Annotations to Parquet by picture: as sorted in memory, however little memory there is."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.arrow_columns import fixed, int64s, text_lists, texts
from vle_bench.data_prep.box_tables import write_coco_boxes, write_vg_objects
from vle_bench.data_prep.by_picture import write_by_picture
from vle_bench.data_prep.picture_runs import MOST_BYTES_HELD, ROWS_PER_BLOCK, PictureRuns
from vle_bench.data_prep.sources import Document
from vle_bench.errors import DataProblem, MachineProblem
from vle_bench.inputs import json_stream
from vle_bench.inputs.content import file_content
from vle_bench.scratch import scratch_in

SCHEMA = pa.schema(
    [pa.field("image_id", pa.int64(), False), pa.field("texts", pa.list_(pa.string()), False)]
)
ROWS = st.lists(
    st.tuples(st.integers(-3, 6) | st.integers(0, 10**17), st.lists(st.text(max_size=4))),
    max_size=40,
)


def batch(rows: list[tuple[int, list[str]]]) -> pa.RecordBatch:
    pictures = fixed(np.array([row[0] for row in rows], dtype=np.int64), pa.int64())
    lists = text_lists([row[1] for row in rows], SCHEMA.field("texts").type)
    return pa.RecordBatch.from_arrays([pictures, lists], schema=SCHEMA)


def put_aside(
    chunks: Iterable[pa.RecordBatch],
    schema: pa.Schema = SCHEMA,
    most_bytes: int = MOST_BYTES_HELD,
    block_rows: int = ROWS_PER_BLOCK,
) -> PictureRuns:
    runs = PictureRuns(schema, block_rows=block_rows)
    runs.take(chunks, most_bytes=most_bytes)
    return runs


@settings(max_examples=120, deadline=None)
@given(ROWS, st.integers(1, 400), st.integers(1, 6), st.integers(1, 9))
def test_a_table_is_what_a_stable_sort_in_memory_makes(rows, held: int, block: int, portion: int):
    with tempfile.TemporaryDirectory() as folder:
        path, whole = Path(folder) / "small.parquet", Path(folder) / "whole.parquet"
        chunks = [batch(rows[at : at + portion]) for at in range(0, len(rows), portion)]
        count = write_by_picture(path, SCHEMA, put_aside(chunks, SCHEMA, held, block))
        assert count == len(rows)
        expected = sorted(rows, key=lambda row: row[0])
        found = pq.read_table(path).to_pydict()
        assert list(zip(found["image_id"], found["texts"], strict=True)) == expected
        write_by_picture(whole, SCHEMA, put_aside([batch(rows)]))
        assert path.read_bytes() == whole.read_bytes()
        parts = chunks[:portion], chunks[portion:]
        write_by_picture(path, SCHEMA, *(put_aside(some, SCHEMA, held, block) for some in parts))
        assert path.read_bytes() == whole.read_bytes()


def test_row_groups_have_a_fixed_size(tmp_path: Path):
    pictures = np.random.default_rng(1).integers(0, 999, 150_000)
    rows = pa.RecordBatch.from_arrays([fixed(pictures, pa.int64())], ["image_id"])
    schema = pa.schema([pa.field("image_id", pa.int64())])
    chunks = (rows.slice(at, 7000) for at in range(0, 150_000, 7000))
    write_by_picture(tmp_path / "x.parquet", schema, put_aside(chunks, schema, 100_000))
    table = pq.ParquetFile(tmp_path / "x.parquet")
    sizes = [table.metadata.row_group(at).num_rows for at in range(table.num_row_groups)]
    assert sizes == [65_536, 65_536, 18_928]
    assert int64s(table.read().combine_chunks().column(0).chunk(0)).tolist() == sorted(pictures)


def document(tmp_path: Path, content: Any) -> Document:
    (tmp_path / "f.json").write_text(json.dumps(content))
    return Document("f.json", file_content(tmp_path / "f.json"))


@pytest.mark.parametrize("window", [1, 60, 1 << 18])
def test_coco_boxes_are_those_of_the_file(tmp_path: Path, monkeypatch, window: int):
    monkeypatch.setattr(json_stream.JsonStream.__init__, "__kwdefaults__", {"window": window})
    rows = [
        {
            "id": number if number % 2 else str(number),
            "image_id": number * 7 % 5,
            "category_id": number % 3,
            "bbox": [number, 0.5, 1e-3, 2],
            "iscrowd": number % 2,
            "segmentation": {"counts": "}, {\\", "size": [1, 2]} if number % 2 else [[1.5, 2]],
            "area": 1.0,
        }
        for number in range(23)
    ]
    content = {"images": [{"id": 1}], "annotations": rows, "categories": []}
    assert write_coco_boxes(document(tmp_path, content), tmp_path / "x.parquet") == 23
    expected = [
        {
            "id": int(row["id"]),
            "image_id": row["image_id"],
            "category_id": row["category_id"],
            **dict(zip("xywh", map(float, row["bbox"]), strict=True)),
            "iscrowd": row["iscrowd"],
        }
        for row in sorted(rows, key=lambda row: row["image_id"])
    ]
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == expected


@pytest.mark.parametrize("window", [1, 90, 1 << 18])
def test_vg_objects_are_those_of_the_file(tmp_path: Path, monkeypatch, window: int):
    monkeypatch.setattr(json_stream.JsonStream.__init__, "__kwdefaults__", {"window": window})

    def thing(number: int) -> dict[str, Any]:
        names = [["dog"], ["\u4e00}, {"], [], ["a", "b"]][number % 4]
        more = {"attributes": ["red", "}, {"]} if number % 3 else {}
        box = {"x": number, "y": 1, "w": 2.5, "h": 3}
        return {"synsets": ["x"], "object_id": number, "names": names, **box, **more}

    content = [
        {
            "image_id": 9 - at,
            "objects": [thing(10 * at + one) for one in range(at)],
            "image_url": "",
        }
        for at in range(6)
    ]
    assert write_vg_objects(document(tmp_path, content), tmp_path / "x.parquet") == 15
    expected = [
        {
            "id": one["object_id"],
            "image_id": picture["image_id"],
            "names": one["names"],
            "attributes": one.get("attributes", []),
            **{side: float(one[side]) for side in "xywh"},
        }
        for picture in reversed(content)
        for one in picture["objects"]
    ]
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == expected


@pytest.mark.parametrize("identity", ["x7", None, 10**20])
def test_an_id_that_is_no_number_is_named(tmp_path: Path, identity: Any):
    row = {"id": 1, "image_id": identity, "category_id": 1, "bbox": [1, 2, 3, 4]}
    with pytest.raises(DataProblem, match=r"f\.json"):
        write_coco_boxes(document(tmp_path, {"annotations": [row]}), tmp_path / "x.parquet")
    assert not (tmp_path / "x.parquet").exists()


def test_a_full_disk_is_the_machine_s_refusal(tmp_path: Path, monkeypatch):
    class Full:
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    with scratch_in(tmp_path), pytest.raises(MachineProblem, match="No space left"):
        put_aside([batch([(1, ["a"])])], most_bytes=1)
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_prep_by_picture import batch, put_aside
from vle_bench.scratch import scratch_in
def chunks():
    for number in range(50):
        yield batch([(number % 7, ["text"] * 9)] * 20)
    os.kill(os.getpid(), signal.SIGKILL)
with scratch_in(Path(sys.argv[1])):
    put_aside(chunks(), most_bytes=100)
"""


def test_a_kill_leaves_nothing_behind(tmp_path: Path):
    here = Path(__file__).parent
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path, here], check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.text()))
def test_columns_of_texts_are_those_of_arrow(values: list[str]):
    made = texts(values)
    made.validate(full=True)
    assert made.equals(pa.array(values, pa.string()))
