"""A prepared dataset in miniature, made by hand."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from vle_bench.canonical import sha256_bytes
from vle_bench.records import Picture, Sample, sample_bytes
from vle_bench.shards.index import SampleRow, write_samples, write_skipped
from vle_bench.shards.layout import REPORT, SAMPLES, SKIPPED, ShardName
from vle_bench.shards.report import Counts, Report, ShardReport, SplitReport, report_bytes
from vle_bench.shards.writer import Item, write_shard


def item(number: int, size: int = 700) -> Item:
    """A sample whose "picture" is bytes of no picture: shards do not look inside."""
    picture = bytes((number + at) % 251 for at in range(size))
    key = f"toy-{number:04d}"
    image = Picture(
        id=str(number),
        file_name=f"{number}.jpg",
        width=3,
        height=2,
        orientation=1,
        sha256=sha256_bytes(picture),
        format="jpg",
    )
    record = Sample(key=key, dataset="toy", split="val", image=image)
    return Item(key, picture, "jpg", sample_bytes(record))


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """Two shards of three samples of a dataset called toy."""
    folder = tmp_path / "toy"
    rows: list[SampleRow] = []
    shards = []
    for number in range(2):
        items = [item(number * 3 + at, 600 + 77 * at) for at in range(3)]
        name = ShardName("toy", "val", number)
        written = write_shard(name.path(folder), items)
        shards.append(
            ShardReport(name=name.file_name, samples=3, bytes=written.bytes, sha256=written.sha256)
        )
        rows += [_row(name, place, one) for place, one in zip(written.placed, items, strict=True)]
    write_samples(folder / SAMPLES, rows)
    write_skipped(folder / SKIPPED, [])
    counts = {"image": Counts(read=6, written=6)}
    report = Report(
        dataset="toy",
        sample=False,
        parameters={},
        counts=counts,
        splits={"val": SplitReport(counts=counts, shards=tuple(shards))},
    )
    (folder / REPORT).write_bytes(report_bytes(report))
    return folder


def _row(name: ShardName, place, one: Item) -> SampleRow:
    return SampleRow(
        key=one.key,
        split="val",
        shard=name.file_name,
        offset=place.offset,
        size=place.size,
        image_offset=place.image_offset,
        image_size=place.image_size,
        json_offset=place.json_offset,
        json_size=place.json_size,
        json_crc32=zlib.crc32(one.record),
        sha256=sha256_bytes(one.picture),
        width=3,
        height=2,
        image_id=one.key[-4:].lstrip("0") or "0",
        coco_id="",
        flickr_id="",
        captions=0,
        boxes=0,
        questions=0,
    )


@pytest.fixture
def make_item() -> Callable[[int], Item]:
    return item
