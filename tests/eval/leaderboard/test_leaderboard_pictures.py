"""Pictures of single items out of shards: small, the right ones, never of another world."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from pathlib import Path

import pytest
from PIL import Image

from vle_bench.canonical import sha256_bytes
from vle_bench.eval.leaderboard.page.pictures import place_of
from vle_bench.eval.leaderboard.page.pieces import Options
from vle_bench.eval.leaderboard.page.write import single_page, write_page
from vle_bench.records import Picture, VqaSample, sample_bytes
from vle_bench.shards.index import SampleRow, write_samples
from vle_bench.shards.layout import REPORT, SAMPLES, ShardName
from vle_bench.shards.report import Counts, Report, ShardReport, SplitReport, report_bytes
from vle_bench.shards.writer import Item, write_shard

COLOURS = {"0": "red", "1": "lime", "2": "blue"}


def picture(colour: str, size: tuple[int, int] = (900, 700)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "JPEG")
    return stream.getvalue()


def shards(root: Path, *, sample: bool = False, damaged: str = "") -> Path:
    """Shards of "invented" val with one picture of one colour an id; picture 3 is not there."""
    folder = root / "invented"
    made = []
    for name, colour in COLOURS.items():
        data = b"\xff\xd8\xffno more" if name == damaged else picture(colour)
        facts = Picture(id=name, file_name=f"{name}.jpg", width=900, height=700, orientation=1,
                        sha256=sha256_bytes(data), format="jpg")  # fmt: skip
        made.append(
            (VqaSample(key=f"x-{name}", dataset="invented", split="val", image=facts), data)
        )
    shard = ShardName("invented", "val", 0)
    items = [Item(one.key, data, "jpg", sample_bytes(one)) for one, data in made]
    written = write_shard(shard.path(folder), items)
    rows = [
        SampleRow(split="val", shard=shard.file_name, json_crc32=zlib.crc32(sample_bytes(one)),
                  sha256=one.image.sha256, width=900, height=700, image_id=one.image.id, coco_id="",
                  flickr_id="", captions=0, boxes=0, questions=0, **place._asdict())
        for (one, _), place in zip(made, written.placed, strict=True)
    ]  # fmt: skip
    write_samples(folder / SAMPLES, rows)
    counts = {"image": Counts(read=3, written=3)}
    told = ShardReport(name=shard.file_name, samples=3, bytes=written.bytes, sha256=written.sha256)
    splits = {"val": SplitReport(counts=counts, shards=(told,))}
    report = Report(dataset="invented", sample=sample, parameters={}, counts=counts, splits=splits)
    (folder / REPORT).write_bytes(report_bytes(report))
    return root


def shown(page: bytes) -> dict[str, str]:
    """Colours of the pictures in a page by their id."""
    data = re.search(rb'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert data
    pieces = dict(json.loads(data[1])["pieces"])
    found = {}
    for name, source in pieces.get("set0-p0", []):
        small = Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2])))
        assert max(small.size) <= 320
        levels = small.convert("RGB").getpixel((small.width // 2, small.height // 2))
        found[name] = ("red", "lime", "blue")[levels.index(max(levels))]
    return found


def test_pictures_stand_with_the_items_they_belong_to(found, tmp_path):
    data = shards(tmp_path / "shards")
    assert shown(single_page(found, options=Options(data=data))) == COLOURS


def test_pictures_of_the_sample_world_never_stand_beside_real_numbers(found, tmp_path):
    data = shards(tmp_path / "shards", sample=True)
    assert place_of(found[0].document, data) is None
    assert shown(single_page(found, options=Options(data=data))) == {}


def test_pictures_that_cannot_be_decoded_are_left_out(found, tmp_path):
    data = shards(tmp_path / "shards", damaged="1")
    kept = {name: colour for name, colour in COLOURS.items() if name != "1"}
    assert shown(single_page(found, options=Options(data=data))) == kept


@pytest.mark.parametrize("dataset", ["..", ".", "", "a/b"])
def test_pictures_come_from_no_other_folder(make_document, tmp_path, dataset):
    assert place_of(make_document(dataset=dataset), shards(tmp_path / "shards")) is None


def test_pictures_are_seen_in_the_browser(browser, found, tmp_path):
    path = tmp_path / "board.html"
    write_page(path, found, options=Options(data=shards(tmp_path / "shards")))
    browser.open(path, "run=0&tab=items&view=all&item=1")
    browser.wait("document.querySelectorAll('.thumb img').length === 9")
    browser.wait("document.querySelector('.item-picture img').naturalWidth === 320")
    folder = path.parent.as_uri()
    assert all(asked.startswith(("data:image/jpeg", folder)) for asked in browser.asked_for)
