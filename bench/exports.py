"""Whether exports need more memory for more pictures.

    python -m bench.exports --pictures 400

Packs so many pictures of about 100 KB into shards, and ten times as many; then
each format is written from both, every time in a fresh process, and its peak
memory is printed as the system counts it. Exports copy pictures and never look
into them, so their bytes are drawn at random.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import click
import numpy as np

from bench.processes import Cost, cost_of, machine
from vle_bench.canonical import sha256_bytes
from vle_bench.records import BoxAnnotation, Caption, Picture, Sample, sample_bytes
from vle_bench.shards.index import SampleRow, write_samples, write_skipped
from vle_bench.shards.layout import REPORT, SAMPLES, SKIPPED, ShardName
from vle_bench.shards.report import Counts, Report, ShardReport, SplitReport, report_bytes
from vle_bench.shards.writer import Item, WrittenShard, write_shard
from vle_bench.tables import Column, Table, to_text

FORMATS = ("arrow", "lmdb", "lmdb-pictures", "img2dataset")
PER_SHARD = 1000
TIMES = 10
LEAST_BYTES, MOST_BYTES = 60_000, 140_000
MEGABYTE = 1e6


def samples(first: int, count: int) -> list[tuple[Sample, bytes]]:
    """Samples with five captions and eight boxes, as COCO has them."""
    rng = np.random.default_rng(first)
    made = []
    for number in range(first, first + count):
        data = rng.bytes(int(rng.integers(LEAST_BYTES, MOST_BYTES)))
        words = tuple(
            Caption(id=str(number * 10 + at), text=f"A thing beside another, told {at} times.")
            for at in range(5)
        )
        boxes = tuple(
            BoxAnnotation(id=str(at), xywh=(1.5, 2.5, 30.0, 40.0), label="cup", label_id=41)
            for at in range(8)
        )
        image = Picture(
            id=str(number),
            file_name=f"{number:012d}.jpg",
            width=640,
            height=480,
            orientation=1,
            sha256=sha256_bytes(data),
            format="jpg",
        )
        key = f"coco-{number:012d}"
        record = Sample(
            key=key, dataset="coco", split="train", image=image, captions=words, boxes=boxes
        )
        made.append((record, data))
    return made


def pack(folder: Path, count: int) -> Path:
    """A prepared dataset of `count` pictures."""
    shards: list[ShardReport] = []
    rows: list[SampleRow] = []
    for at, first in enumerate(range(0, count, PER_SHARD)):
        name = ShardName("coco", "train", at)
        part = samples(first, min(PER_SHARD, count - first))
        items = [Item(one.key, data, "jpg", sample_bytes(one)) for one, data in part]
        written = write_shard(name.path(folder), items)
        rows += _rows(name.file_name, part, written)
        shards.append(
            ShardReport(
                name=name.file_name,
                samples=len(part),
                bytes=written.bytes,
                sha256=written.sha256,
            )
        )
    write_samples(folder / SAMPLES, rows)
    write_skipped(folder / SKIPPED, [])
    counts = {"image": Counts(read=count, written=count)}
    split = SplitReport(counts=counts, shards=tuple(shards))
    report = Report(
        dataset="coco", sample=True, parameters={}, counts=counts, splits={"train": split}
    )
    (folder / REPORT).write_bytes(report_bytes(report))
    return folder


def packed_aside(folder: Path, count: int) -> Path:
    """As `pack`, in another process: a child is told to have had its parent's memory too."""
    order = (sys.executable, "-m", "bench.exports", "--pack", folder, "--pictures", str(count))
    subprocess.run(order, check=True)
    return folder


def _rows(shard: str, part: list[tuple[Sample, bytes]], written: WrittenShard) -> list[SampleRow]:
    return [
        SampleRow(
            split="train",
            shard=shard,
            json_crc32=zlib.crc32(sample_bytes(one)),
            sha256=one.image.sha256,
            width=640,
            height=480,
            image_id=one.image.id,
            coco_id="",
            flickr_id="",
            captions=5,
            boxes=8,
            questions=0,
            **place._asdict(),
        )
        for (one, _), place in zip(part, written.placed, strict=True)
    ]


def export(source: Path, name: str, out: Path) -> Cost:
    """One export in a process of its own."""
    start = "from vle_bench.data_prep.commands.export import command; command()"
    order = (sys.executable, "-c", start, str(source), "--format", name, "--out", str(out))
    return cost_of(order)


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=None, help="Where to write.")
@click.option("--pictures", default=400, show_default=True)
@click.option("--pack", "packed", type=click.Path(path_type=Path), default=None, hidden=True)
def main(folder: Path | None, pictures: int, packed: Path | None) -> None:
    """Prints one table: peak memory of each format for some pictures and for ten times as many."""
    if packed is not None:
        pack(packed, pictures)
        return
    with tempfile.TemporaryDirectory(dir=folder) as place:
        root = Path(place)
        few, many = (packed_aside(root / str(n), n) for n in (pictures, pictures * TIMES))
        size = sum(path.stat().st_size for path in many.rglob("*.tar")) / MEGABYTE
        rows = []
        for name in FORMATS:
            small, large = (export(one, name, root / "out") for one in (few, many))
            cells = (small.rss_mb, large.rss_mb, large.rss_mb - small.rss_mb, size / large.wall)
            rows.append((name, *(f"{value:.0f}" for value in cells)))
    heads = (f"RSS MB, {pictures:,}", f"RSS MB, {pictures * TIMES:,}", "more MB", "MB/s")
    columns = (Column("format"), *(Column(head, number=True) for head in heads))
    title = f"exports of {pictures:,} and {pictures * TIMES:,} pictures ({size:.0f} MB)"
    click.echo(to_text(Table(columns, tuple(rows), title, (machine(1),))), nl=False)


if __name__ == "__main__":
    main()
