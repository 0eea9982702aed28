"""Prepared splits of a few invented pictures with boxes, written as `vle-prep run` writes them."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from vle_bench.canonical import sha256_bytes
from vle_bench.records import BoxAnnotation, Caption, Picture, Sample, sample_bytes
from vle_bench.shards.index import SampleRow, write_samples
from vle_bench.shards.layout import REPORT, SAMPLES, ShardName
from vle_bench.shards.report import Counts, Report, ShardReport, SplitReport, report_bytes
from vle_bench.shards.writer import Item, write_shard

FRAME = ("--geometry", "stretch", "--image-size", 32, "--patch-size", 8)
CROPPED = ("--geometry", "center_crop", "--image-size", 32, "--patch-size", 8)


def picture_bytes(width: int, height: int) -> bytes:
    """A PNG of one colour."""
    stream = io.BytesIO()
    Image.new("RGB", (width, height), (200, 120, 40)).save(stream, "PNG")
    return stream.getvalue()


def region(identity: str, xywh: Sequence[float], phrase: str) -> BoxAnnotation:
    return BoxAnnotation(id=identity, xywh=tuple(xywh), phrase=phrase, kind="region")


def thing(identity: str, xywh: Sequence[float], label: str, **fields: object) -> BoxAnnotation:
    return BoxAnnotation(id=identity, xywh=tuple(xywh), label=label, **fields)  # type: ignore[arg-type]


def sample(
    number: int,
    boxes: Sequence[BoxAnnotation],
    *,
    dataset: str = "vg",
    split: str = "train",
    size: tuple[int, int] = (80, 40),
    captions: Sequence[str] = (),
) -> Sample:
    picture = Picture(
        id=str(number),
        file_name=f"{number}.png",
        width=size[0],
        height=size[1],
        orientation=1,
        sha256=sha256_bytes(picture_bytes(*size)),
        format="png",
    )
    return Sample(
        key=f"{dataset}-{number}",
        dataset=dataset,
        split=split,
        image=picture,
        captions=tuple(Caption(id=f"{number}{at}", text=text) for at, text in enumerate(captions)),
        boxes=tuple(boxes),
    )


def write_split(root: Path, samples: Sequence[Sample], *, is_sample: bool = True) -> Path:
    """Writes the samples of one dataset and split below `root`; returns `root`."""
    dataset, split = samples[0].dataset, samples[0].split
    folder = root / dataset
    items = [
        Item(one.key, picture_bytes(one.image.width, one.image.height), "png", sample_bytes(one))
        for one in samples
    ]
    name = ShardName(dataset, split, 0)
    written = write_shard(name.path(folder), items)
    rows = [
        SampleRow(**{
            **dict.fromkeys(SampleRow._fields, 0), "coco_id": "", "flickr_id": "",
            "image_id": one.image.id, "sha256": one.image.sha256, "split": split,
            "width": one.image.width, "height": one.image.height,
            "shard": name.file_name, "json_crc32": zlib.crc32(item.record), **place._asdict(),
        })
        for one, item, place in zip(samples, items, written.placed, strict=True)
    ]  # fmt: skip
    write_samples(folder / SAMPLES, rows)
    counts = {"image": Counts(read=len(samples), written=len(samples))}
    shard = ShardReport(
        name=name.file_name, samples=len(samples), bytes=written.bytes, sha256=written.sha256
    )
    report = Report(
        dataset=dataset,
        sample=is_sample,
        parameters={},
        counts=counts,
        splits={split: SplitReport(counts=counts, shards=(shard,))},
    )
    (folder / REPORT).write_bytes(report_bytes(report))
    return root


REGIONS = (
    sample(1, [region("11", (0, 0, 40, 20), "the upper left"), region("12", (60, 0, 20, 40), "r")]),
    sample(
        2, [region("21", (0, 0, 10, 40), "left edge"), region("22", (30, 10, 20, 20), "middle")]
    ),
)
"""Two wide pictures of 80 x 40; a centre crop sees x from 20 to 60, so 12 and 21 are cut away."""
