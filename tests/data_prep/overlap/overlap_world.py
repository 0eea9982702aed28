"""Drawn pictures with texture, copies of them as the web makes them, and shards to put them in."""

from __future__ import annotations

import io
import math
import random
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw

from vle_bench.canonical import sha256_bytes
from vle_bench.data_prep.picture import BadPicture, probe
from vle_bench.records import Picture, Sample, sample_bytes
from vle_bench.shards.index import SampleRow, write_samples
from vle_bench.shards.layout import REPORT, SAMPLES, ShardName
from vle_bench.shards.report import Counts, Report, ShardReport, SplitReport, report_bytes
from vle_bench.shards.writer import Item, write_shard

FILTERS = tuple(Image.Resampling)


def draw(
    seed: int, *, layout: int | None = None, size: tuple[int, int] = (400, 300)
) -> Image.Image:
    """A sky, a ground and things on it; pictures of one layout differ in their things alone."""
    rng = random.Random(f"layout {seed if layout is None else layout}")
    picture = Image.new("RGB", size, _colour(rng, 120, 255))
    pen = ImageDraw.Draw(picture)
    width, height = size
    horizon = height * rng.uniform(0.3, 0.7)
    pen.rectangle((0, horizon, width, height), fill=_colour(rng, 20, 140))
    for _ in range(4):
        _thing(pen, rng, size, 0.25)
    rng = random.Random(f"things {seed}")
    for _ in range(14):
        _thing(pen, rng, size, 0.18)
    return picture


def _thing(pen: ImageDraw.ImageDraw, rng: random.Random, size: tuple[int, int], most: float):
    x, y = rng.uniform(0, size[0]), rng.uniform(0, size[1])
    wide, high = (rng.uniform(0.05, most) * side for side in size)
    box = (x - wide, y - high, x + wide, y + high)
    kind = rng.choice(("rectangle", "ellipse", "line"))
    if kind == "line":
        pen.line(box, fill=_colour(rng), width=rng.randint(2, 9))
    else:
        getattr(pen, kind)(box, fill=_colour(rng), outline=_colour(rng), width=rng.randint(1, 4))


def _colour(rng: random.Random, low: int = 0, high: int = 255) -> tuple[int, int, int]:
    return (rng.randint(low, high), rng.randint(low, high), rng.randint(low, high))


def encoded(picture: Image.Image, kind: str = "JPEG", **options) -> bytes:
    stream = io.BytesIO()
    if kind == "JPEG":
        options = {"quality": 92} | options
    picture.save(stream, kind, **options)
    return stream.getvalue()


def copied(data: bytes, seed: int) -> bytes:
    """As the web makes copies: scaled to 0.3-2 by any filter, JPEG of quality 30-95, PNG, WebP,
    grey."""
    rng = random.Random(f"copy {seed}")
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    scale = math.exp(rng.uniform(math.log(0.3), math.log(2)))
    size = (round(picture.width * scale), round(picture.height * scale))
    picture = picture.resize(size, rng.choice(FILTERS))
    kind = rng.choice(("JPEG", "JPEG", "JPEG", "PNG", "WEBP"))
    if rng.random() < 0.2:
        picture = picture.convert("L")
    quality = {} if kind == "PNG" else {"quality": rng.randint(30, 95)}
    return encoded(picture, kind, **quality)


class Given(NamedTuple):
    """A picture to be put into a shard."""

    key: str
    data: bytes
    coco_id: str = ""
    flickr_id: str = ""


def prepare(
    out: Path, dataset: str, splits: dict[str, Sequence[Given]], *, per_shard: int = 1000
) -> Path:
    """`out/<dataset>` with just what a comparison reads: shards, index and report."""
    folder = out / dataset
    rows: list[SampleRow] = []
    reports = {}
    for split, given in splits.items():
        shards = []
        for number in range(math.ceil(len(given) / per_shard)):
            name = ShardName(dataset, split, number)
            some = given[number * per_shard : (number + 1) * per_shard]
            shards.append(_shard(folder, name, some, rows))
        counts = {"image": Counts(read=len(given), written=len(given))}
        reports[split] = SplitReport(counts=counts, shards=tuple(shards))
    write_samples(folder / SAMPLES, rows)
    total = {"image": Counts(read=len(rows), written=len(rows))}
    report = Report(dataset=dataset, sample=False, parameters={}, counts=total, splits=reports)
    (folder / REPORT).write_bytes(report_bytes(report))
    return folder


def _shard(folder: Path, name: ShardName, given: Sequence[Given], rows: list) -> ShardReport:
    samples = [_sample(name, one) for one in given]
    items = [
        Item(one.key, one.data, sample.image.format, sample_bytes(sample))
        for one, sample in zip(given, samples, strict=True)
    ]
    written = write_shard(name.path(folder), items)
    for sample, item, place in zip(samples, items, written.placed, strict=True):
        image = sample.image
        values = {**dict.fromkeys(SampleRow._fields, 0), **place._asdict()}
        values |= {"split": name.split, "shard": name.file_name, "sha256": image.sha256}
        values |= {"width": image.width, "height": image.height, "image_id": image.id}
        values |= {"coco_id": image.coco_id, "flickr_id": image.flickr_id}
        rows.append(SampleRow(**{**values, "json_crc32": zlib.crc32(item.record)}))
    return ShardReport(
        name=name.file_name, samples=len(given), bytes=written.bytes, sha256=written.sha256
    )


def _sample(name: ShardName, one: Given) -> Sample:
    try:
        facts = probe(one.data)
    except BadPicture:  # put there to be unreadable
        facts = None
    image = Picture(
        id=one.key,
        file_name=f"{one.key}.jpg",
        width=facts.width if facts else 400,
        height=facts.height if facts else 300,
        orientation=facts.orientation if facts else 1,
        sha256=sha256_bytes(one.data),
        format=facts.format if facts else "jpg",
        coco_id=one.coco_id,
        flickr_id=one.flickr_id,
    )
    return Sample(key=one.key, dataset=name.dataset, split=name.split, image=image)
