"""Captions out of prepared shards equal the same captions out of a file."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from vle_bench.canonical import sha256_bytes
from vle_bench.records import Caption, Picture, Sample, sample_bytes
from vle_bench.shards.index import SampleRow, write_samples
from vle_bench.shards.layout import REPORT, SAMPLES, ShardName
from vle_bench.shards.report import Counts, Report, ShardReport, SplitReport, report_bytes
from vle_bench.shards.writer import Item, write_shard

PICTURE = b"no picture is looked at"
CAPTIONS = {7: ["a dog", "two dogs"], 8: [], 9: ["a cat"]}


def sample_of(image: int, sentences: list[str]) -> Sample:
    picture = Picture(
        id=str(image),
        file_name="x.jpg",
        width=1,
        height=1,
        orientation=1,
        sha256=sha256_bytes(PICTURE),
        format="jpg",
    )
    captions = tuple(
        Caption(id=str(image * 10 + at), text=text) for at, text in enumerate(sentences)
    )
    return Sample(
        key=f"coco-{image:012d}", dataset="coco", split="test", image=picture, captions=captions
    )


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    folder = tmp_path / "shards" / "coco"
    samples = [sample_of(image, sentences) for image, sentences in CAPTIONS.items()]
    items = [Item(one.key, PICTURE, "jpg", sample_bytes(one)) for one in samples]
    name = ShardName("coco", "test", 0)
    written = write_shard(name.path(folder), items)
    rows = [
        SampleRow(**{
            **dict.fromkeys(SampleRow._fields, 0), "coco_id": "", "flickr_id": "",
            "image_id": one.image.id, "sha256": one.image.sha256, "split": "test",
            "shard": name.file_name, "json_crc32": zlib.crc32(item.record), **place._asdict(),
        })
        for one, item, place in zip(samples, items, written.placed, strict=True)
    ]  # fmt: skip
    write_samples(folder / SAMPLES, rows)
    counts = {"image": Counts(read=3, written=3)}
    shard = ShardReport(name=name.file_name, samples=3, bytes=written.bytes, sha256=written.sha256)
    splits = {"test": SplitReport(counts=counts, shards=(shard,))}
    report = Report(dataset="coco", sample=True, parameters={}, counts=counts, splits=splits)
    (folder / REPORT).write_bytes(report_bytes(report))
    np.save(tmp_path / "S.npy", np.array([[0.9, 0.2, 0.8], [0.3, 0.4, 0.5]]))
    return tmp_path


def test_shards_and_a_file_of_the_same_captions_score_the_same(vle_eval, shards) -> None:
    ran = vle_eval("retrieval", "--data", shards / "shards", "--split", "test", "--resamples", 9,
                   "--scores", shards / "S.npy", "--json")  # fmt: skip
    lines = [
        {"text_id": image * 10 + at, "text": text, "image_ids": [image]}
        for image, sentences in CAPTIONS.items() for at, text in enumerate(sentences)
    ]  # fmt: skip
    (shards / "T.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    other = vle_eval("retrieval", "--texts", shards / "T.jsonl", "--resamples", 9,
                     "--scores", shards / "S.npy", "--json")  # fmt: skip
    assert ran.document["metrics"] == other.document["metrics"]
    assert ran.document["metrics"]["i2t_r1"]["n"] == 2
    assert (ran.document["dataset"], ran.document["split"]) == ("coco", "test")
    assert ran.document["sample"] is True
    assert ran.document["references"]["path"] == f"{shards}/shards/coco/test"


def test_a_split_that_was_not_prepared_is_told(vle_eval, shards) -> None:
    ran = vle_eval("retrieval", "--data", shards / "shards", "--split", "val",
                   "--scores", shards / "S.npy")  # fmt: skip
    assert ran.code == 3
    assert "has no split val, only test" in ran.err


def test_a_result_from_shards_is_scored_afresh_from_them(vle_eval, shards) -> None:
    ran = vle_eval("retrieval", "--data", shards / "shards", "--split", "test", "--model",
                   "baseline:shortest", "--resamples", 0, "--results", shards / "r")  # fmt: skip
    assert ran.code == 0
    ran = vle_eval("retrieval", "--split", "test", "--results", shards / "r")
    assert ran.code == 0
    assert "**baseline:shortest**" in ran.out
    assert "sample world, not real data" in ran.out
