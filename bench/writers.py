"""Writing pictures with their annotations: ours beside a copy, `ShardWriter` and two trainers.

METER and ViLT hold all rows and write one Arrow table; Chinese-CLIP puts base64
into LMDB. Both are in our own words here and take no digest. `ShardWriter` is
run bare, with our sha256 digests, and with all that ours does: fsync too.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.contest import TARGET, Contest, Goal
from bench.entrant import Work, program
from bench.machine import file_system
from bench.pictures import HEIGHT, PER_SHARD, WIDTH, draw

CAPTIONS = tuple(f"Thing {number} beside another thing." for number in range(5))
BOXES = tuple((10.5 + number, 20.25, 100.0, 80.5) for number in range(8))
_CAPTION_ROWS = [{"id": str(number), "text": text} for number, text in enumerate(CAPTIONS)]
_BOX_ROWS = [
    {
        "id": str(number),
        "xywh": box,
        "label": "thing",
        "label_id": -1,
        "attributes": [],
        "phrase": "",
        "kind": "object",
        "source": "",
    }
    for number, box in enumerate(BOXES)
]
_LMDB_BATCH = 1000

COPY, CAT = "cp", "cat into one file"
OURS, BARE = "vle-prep", "vle-prep, its tar writer alone"
WDS, WDS_HASHED = "webdataset", "webdataset + sha256"
WDS_SAME = "webdataset + sha256 + fsync"
METER, CLIP = "METER-style Arrow table", "Chinese-CLIP-style LMDB"


def contest(place: Path, count: int) -> Contest:
    """Packing `count` drawn pictures on the disk of `place`."""
    source = place / "pictures"
    draw(source, count)
    size = sum(path.stat().st_size for path in source.iterdir())
    disk = file_system(place) or "disk"
    functions = {
        COPY: copy,
        CAT: cat,
        BARE: ours_bare,
        WDS: webdataset,
        OURS: ours,
        WDS_HASHED: webdataset_hashed,
        WDS_SAME: webdataset_same,
        METER: meter,
        CLIP: chinese_clip,
    }
    return Contest(
        name=f"packing-{disk}",
        title=f"Packing pictures with captions and boxes, on {disk}",
        given=f"{count:,} pictures, {size / 1e6:,.0f} MB, shards of {PER_SHARD}, one worker",
        place=place,
        programs=tuple(program(name, one, source, TARGET) for name, one in functions.items()),
        floor=CAT,
        goals=(
            Goal("packing with all digests, probe, JSON, index", OURS, WDS_HASHED, "speed", 2.0),
            Goal("the same, all that ours does done there too", OURS, WDS_SAME, "speed", 2.0),
            Goal("the writer alone beside ShardWriter", BARE, WDS, "speed", 2.5),
            Goal("the writer alone beside cat", BARE, CAT, "time", 1.8),
            Goal("memory of a worker, MB", OURS, "", "memory", 300.0),
        ),
    )


def _chunks(source: Path) -> Iterator[list[Path]]:
    paths = sorted(source.iterdir())
    for start in range(0, len(paths), PER_SHARD):
        yield paths[start : start + PER_SHARD]


def _record(path: Path) -> dict[str, object]:
    """Our own record, for those who are handed an object and write it as JSON themselves."""
    image = {
        "id": path.stem,
        "file_name": path.name,
        "width": WIDTH,
        "height": HEIGHT,
        "orientation": 1,
        "sha256": "",
        "format": "jpg",
        "source_url": "",
        "licence": "",
        "coco_id": "",
        "flickr_id": "",
    }
    return {
        "key": f"bench-{path.stem}",
        "dataset": "bench",
        "split": "val",
        "image": image,
        "captions": _CAPTION_ROWS,
        "boxes": _BOX_ROWS,
    }


def copy(source: Path, target: Path) -> Work:
    """The tool itself, started anew: files stay files."""
    return lambda: subprocess.run(["cp", "-r", source, target], check=True)


def cat(source: Path, target: Path) -> Work:
    def work() -> None:
        with (target / "all").open("wb") as stream:
            for path in sorted(source.iterdir()):
                stream.write(path.read_bytes())

    return work


def ours(source: Path, target: Path) -> Work:
    """What one worker of `vle-prep run` does, and the index over all shards."""
    import pyarrow.parquet  # noqa: F401  # the index would import it

    from vle_bench.data_prep.datasets.base import item_fields
    from vle_bench.data_prep.shard_task import PackedDraft, ShardTask, ensure_shard
    from vle_bench.data_prep.sources import PictureFile
    from vle_bench.records import BoxAnnotation, Caption, Picture, Sample, sample_bytes
    from vle_bench.shards.index import write_samples
    from vle_bench.shards.layout import ShardName

    captions = tuple(Caption(id=str(number), text=text) for number, text in enumerate(CAPTIONS))
    boxes = tuple(BoxAnnotation(id=str(n), xywh=box, label="thing") for n, box in enumerate(BOXES))

    def draft(path: Path) -> PackedDraft:
        image = Picture(
            id=path.stem,
            file_name=path.name,
            width=0,
            height=0,
            orientation=1,
            sha256="",
            format="jpg",
        )
        key = f"bench-{path.stem}"
        sample = Sample(
            key=key, dataset="bench", split="val", image=image, captions=captions, boxes=boxes
        )
        declared = (WIDTH, HEIGHT)
        return PackedDraft(key, sample_bytes(sample), PictureFile(path.name, str(path)), declared)

    def work() -> None:
        rows = []
        for number, paths in enumerate(_chunks(source)):
            name = ShardName("bench", "val", number)
            drafts = tuple(map(draft, paths))
            task = ShardTask(target, name, Sample, item_fields(""), drafts)
            rows += ensure_shard(task).entry.rows
        write_samples(target / "samples.parquet", rows)

    return work


def ours_bare(source: Path, target: Path) -> Work:
    """What the format itself costs: no digest, no fsync, no rename, like the others."""
    from vle_bench.canonical import json_bytes
    from vle_bench.shards.ustar import END_OF_ARCHIVE
    from vle_bench.shards.writer import Item, sample_members

    def work() -> None:
        for number, paths in enumerate(_chunks(source)):
            with (target / f"{number:06d}.tar").open("wb") as stream:
                for path in paths:
                    record = json_bytes(_record(path))
                    item = Item(f"bench-{path.stem}", path.read_bytes(), "jpg", record)
                    stream.write(sample_members(item))
                stream.write(END_OF_ARCHIVE)

    return work


def webdataset(source: Path, target: Path) -> Work:
    return _webdataset(source, target, digests=False)


def webdataset_hashed(source: Path, target: Path) -> Work:
    """With the sha256 of every picture in its JSON, and of every shard."""
    packed = _webdataset(source, target, digests=True)

    def work() -> None:
        packed()
        for path in sorted(target.glob("*.tar")):
            with path.open("rb") as stream:
                hashlib.file_digest(stream, "sha256")

    return work


def webdataset_same(source: Path, target: Path) -> Work:
    """The same, and on the disk when it is done, as ours is."""
    hashed = webdataset_hashed(source, target)

    def work() -> None:
        hashed()
        for path in sorted(target.glob("*.tar")):
            with path.open("rb") as stream:
                os.fsync(stream.fileno())

    return work


def _webdataset(source: Path, target: Path, *, digests: bool) -> Work:
    import webdataset as wds

    def work() -> None:
        pattern = str(target / "%06d.tar")
        with wds.ShardWriter(pattern, maxcount=PER_SHARD, verbose=0) as writer:
            for path in sorted(source.iterdir()):
                picture, record = path.read_bytes(), _record(path)
                if digests:
                    record["sha256"] = hashlib.sha256(picture).hexdigest()
                writer.write({"__key__": f"bench-{path.stem}", "jpg": picture, "json": record})

    return work


def meter(source: Path, target: Path) -> Work:
    """Every row in memory, one table out of all, one file out of that."""
    import pandas as pd
    import pyarrow as pa

    def work() -> None:
        rows = [
            (path.read_bytes(), list(CAPTIONS), path.stem, "val")
            for path in sorted(source.iterdir())
        ]
        frame = pd.DataFrame(rows, columns=["image", "caption", "image_id", "split"])
        table = pa.Table.from_pandas(frame)
        with (
            pa.OSFile(str(target / "val.arrow"), "wb") as sink,
            pa.RecordBatchFileWriter(sink, table.schema) as writer,
        ):
            writer.write_table(table)

    return work


def chinese_clip(source: Path, target: Path) -> Work:
    """Pictures as base64 under their ids, captions in a store of their own."""
    import lmdb

    def work() -> None:
        with lmdb.open(str(target / "imgs"), map_size=1 << 40) as store:
            paths = sorted(source.iterdir())
            for start in range(0, len(paths), _LMDB_BATCH):
                with store.begin(write=True) as entries:
                    for path in paths[start : start + _LMDB_BATCH]:
                        text = base64.urlsafe_b64encode(path.read_bytes())
                        entries.put(path.stem.encode(), text)
        with (
            lmdb.open(str(target / "pairs"), map_size=1 << 40) as store,
            store.begin(write=True) as entries,
        ):
            for number, path in enumerate(paths):
                pair = json.dumps([path.stem, list(CAPTIONS)]).encode()
                entries.put(str(number).encode(), pair)

    return work
