"""Prepared datasets made by hand, whose every sample carries one difficulty; and a browser."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import chromium
import pytest

from vle_bench.canonical import sha256_bytes
from vle_bench.records import (
    Answer,
    BoxAnnotation,
    Caption,
    Picture,
    Question,
    VqaSample,
    sample_bytes,
)
from vle_bench.shards.index import SampleRow, write_samples, write_skipped
from vle_bench.shards.layout import REPORT, SAMPLES, SKIPPED, ShardName
from vle_bench.shards.report import Counts, Report, ShardReport, SplitReport, report_bytes
from vle_bench.shards.writer import Item, WrittenShard, write_shard

Pack = Callable[..., Path]

browser = chromium.browser


def photo(width: int, height: int, *, kind: str = "JPEG", mode: str = "RGB", **options: Any):
    """A real picture in which no two rows are alike."""
    from PIL import Image

    image = Image.linear_gradient("L").resize((width, height)).convert(mode)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def sample(
    number: int,
    data: bytes,
    *,
    split: str = "val",
    dataset: str = "toy",
    ending: str = "jpg",
    size: tuple[int, int] = (64, 48),
    captions: tuple[str, ...] = (),
    boxes: tuple[BoxAnnotation, ...] = (),
    questions: tuple[Question, ...] = (),
    image: dict[str, Any] | None = None,
) -> tuple[VqaSample, bytes]:
    facts: dict[str, Any] = {
        "id": str(number),
        "file_name": f"{number}.{ending}",
        "width": size[0],
        "height": size[1],
        "orientation": 1,
        "sha256": sha256_bytes(data),
        "format": ending,
    }
    record = VqaSample(
        key=f"{dataset}-{number:04d}",
        dataset=dataset,
        split=split,
        image=Picture(**(facts | (image or {}))),
        captions=tuple(
            Caption(id=str(number * 10 + at), text=text) for at, text in enumerate(captions)
        ),
        boxes=boxes,
        questions=questions,
    )
    return record, data


def box(xywh: tuple[float, float, float, float], label: str = "", **more: Any) -> BoxAnnotation:
    return BoxAnnotation(id="1", xywh=xywh, label=label, **more)


def question(identity: int, text: str, answers: tuple[str, ...] = (), **more: Any) -> Question:
    given = tuple(Answer(answer=one, answer_id=at + 1) for at, one in enumerate(answers))
    return Question(question_id=identity, question=text, answers=given, **more)


def pack(
    folder: Path, samples: list[tuple[VqaSample, bytes]], *, per_shard: int = 3, drawn: bool = False
) -> Path:
    """Shards, index and books of `samples`, as preparation leaves them."""
    dataset = samples[0][0].dataset
    rows: list[SampleRow] = []
    splits: dict[str, SplitReport] = {}
    for split in dict.fromkeys(record.split for record, _ in samples):
        mine = [one for one in samples if one[0].split == split]
        shards = []
        for number, at in enumerate(range(0, len(mine), per_shard)):
            part = mine[at : at + per_shard]
            name = ShardName(dataset, split, number)
            items = [Item(r.key, data, r.image.format, sample_bytes(r)) for r, data in part]
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
        counts = {"image": Counts(read=len(mine), written=len(mine))}
        splits[split] = SplitReport(counts=counts, shards=tuple(shards))
    write_samples(folder / SAMPLES, rows)
    write_skipped(folder / SKIPPED, [])
    counts = {"image": Counts(read=len(samples), written=len(samples))}
    report = Report(dataset=dataset, sample=drawn, parameters={}, counts=counts, splits=splits)
    (folder / REPORT).write_bytes(report_bytes(report))
    return folder


def _rows(
    shard: str, part: list[tuple[VqaSample, bytes]], written: WrittenShard
) -> Iterator[SampleRow]:
    for (record, data), place in zip(part, written.placed, strict=True):
        yield SampleRow(
            split=record.split,
            shard=shard,
            json_crc32=zlib.crc32(sample_bytes(record)),
            sha256=sha256_bytes(data),
            width=record.image.width,
            height=record.image.height,
            image_id=record.image.id,
            coco_id=record.image.coco_id,
            flickr_id=record.image.flickr_id,
            captions=len(record.captions),
            boxes=len(record.boxes),
            questions=len(record.questions),
            **place._asdict(),
        )


class Maker:
    """The functions above, for tests."""

    photo = staticmethod(photo)
    sample = staticmethod(sample)
    box = staticmethod(box)
    question = staticmethod(question)
    pack = staticmethod(pack)


@pytest.fixture
def make() -> type[Maker]:
    return Maker


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Four pictures: every kind of box, hostile words, a turned one, one nobody can decode."""
    one = sample(
        1,
        photo(64, 48),
        captions=("A red bus.", "</script><script>document.title='owned'</script>"),
        boxes=(
            box((4, 6, 30.5, 20), "bus", attributes=("red",)),
            box((0, 0, 64, 48), phrase="a <b>busy</b> street", kind="region"),
            box((40, 30, 20, 10), "person", kind="crowd"),
        ),
        questions=(
            question(
                11,
                "Is there a bus?",
                ("yes",) * 7 + ("no",) * 3,
                question_type="is there",
                answer_type="yes/no",
                labels=(0, 1),
                scores=(1.0, 0.9),
            ),
        ),
        image={"licence": "CC BY 2.0", "coco_id": "77"},
    )
    two = sample(
        2,
        photo(48, 64, mode="CMYK"),
        size=(48, 64),
        captions=("一只狗在雪地里",),
        boxes=(box((1, 1, 9, 9), "dog"),),
        image={"orientation": 6},
    )
    three = sample(3, b"\xff\xd8\xffnothing behind", captions=("Lost.",))
    four = sample(
        4, photo(40, 40, kind="PNG", mode="RGBA"), split="test", ending="png", size=(40, 40)
    )
    return pack(tmp_path / "toy", [one, two, three, four], drawn=True)
