"""Real photographs and real questions from the reference shelf, where it is at hand."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from vle_bench.boxes import from_xywh
from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.data_prep.verify import verify
from vle_bench.records import VqaSample
from vle_bench.shards.index import read_skipped
from vle_bench.shards.read import iter_samples, iter_with_pictures

COLOURS = ("red", "blue", "green")


def run(raw: Path, out: Path) -> Prepared:
    settings = Parameters(samples_per_shard=8)
    return prepare(Request(dataset="vqav2", raw=raw, out=out, parameters=settings, workers=2))


def ask(raw: Path, split: str, part: str, images: list[int]) -> None:
    """Two questions of our making about each image."""
    questions, annotations = [], []
    for image in images:
        for number in range(2):
            identity = image * 1000 + number
            main = COLOURS[(image + number) % 3]
            questions.append(
                {"question_id": identity, "image_id": image, "question": "What colour?"}
            )
            answers = [
                {"answer": main, "answer_confidence": "yes", "answer_id": at} for at in range(1, 11)
            ]
            annotations.append(
                {
                    "question_id": identity,
                    "image_id": image,
                    "question_type": "what color",
                    "answer_type": "other",
                    "multiple_choice_answer": main,
                    "answers": answers,
                }
            )
    folder = raw / "vqav2"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"v2_OpenEnded_mscoco_{part}_questions.json").write_text(
        json.dumps({"questions": questions})
    )
    (folder / f"v2_mscoco_{part}_annotations.json").write_text(
        json.dumps({"annotations": annotations})
    )


@pytest.fixture
def tiny_coco(reference: Path, tmp_path: Path) -> Path:
    """The photographs and instances of tiny_coco as they lie, with questions about every image."""
    source = reference / "data" / "enginbozaba+tiny_coco"
    raw = tmp_path / "raw"
    shutil.copytree(source / "annotations", raw / "coco" / "annotations")
    shutil.copytree(source / "images", raw / "coco" / "images")
    for split, part in (("train", "train2014"), ("val", "val2014")):
        name = source / "annotations" / f"instances_{split}2017.json"
        images = [row["id"] for row in json.loads(name.read_text())["images"]]
        ask(raw, split, part, images)
    return raw


def test_real_photographs_go_through_and_absent_ones_are_named(tiny_coco: Path, out: Path):
    prepared = run(tiny_coco, out)
    counts = prepared.report.counts
    assert (counts["image"].read, counts["image"].written) == (38, 30)
    assert counts["image"].skipped == {"picture absent": 8}
    assert (counts["question"].read, counts["question"].written) == (76, 60)
    assert counts["box"].read == 288 + 136
    assert verify(out / "vqav2").findings == ()


def test_boxes_of_real_photographs_are_those_of_coco(tiny_coco: Path, out: Path):
    run(tiny_coco, out)
    source: dict[int, dict] = {}
    for path in (tiny_coco / "coco" / "annotations").iterdir():
        source |= {row["id"]: row for row in json.loads(path.read_text())["annotations"]}
    seen = 0
    for split in ("train", "val"):
        for sample, picture in iter_with_pictures(out / "vqav2", split, VqaSample):
            original = tiny_coco / "coco" / "images"
            assert picture in {path.read_bytes() for path in original.rglob(sample.image.file_name)}
            for box in sample.boxes:
                seen += 1
                row = source[int(box.id)]
                assert box.xywh == pytest.approx(row["bbox"], abs=0.011)
                assert (box.kind == "crowd") == bool(row["iscrowd"])
                assert box.label_id == row["category_id"]
                assert from_xywh(*box.xywh).is_within(
                    sample.image.width + 1e-3, sample.image.height + 1e-3
                )
    skipped = read_skipped(out / "vqav2" / "skipped.parquet")
    assert seen + sum(row.kind == "box" for row in skipped) == 424


def test_real_licences_and_flickr_pages_are_kept(tiny_coco: Path, out: Path):
    run(tiny_coco, out)
    licences: dict[str, str] = {}
    for path in (tiny_coco / "coco" / "annotations").iterdir():
        content = json.loads(path.read_text())
        names = {row["id"]: row["name"] for row in content["licenses"]}
        licences |= {str(row["id"]): names[row["license"]] for row in content["images"]}
    for split in ("train", "val"):
        for sample in iter_samples(out / "vqav2", split, VqaSample):
            assert sample.image.flickr_id.isdigit()
            assert sample.image.licence == licences[sample.image.id]


def test_real_questions_without_pictures_are_all_named(reference: Path, tmp_path: Path, out: Path):
    source = reference / "data" / "lmb-freiburg+ovqa"
    folder = tmp_path / "raw" / "vqav2"
    folder.mkdir(parents=True)
    for name, official in (
        ("smallval_questions.json", "v2_OpenEnded_mscoco_val2014_questions.json"),
        ("smallval_annotations.json", "v2_mscoco_val2014_annotations.json"),
    ):
        shutil.copy(source / name, folder / official)
    report = run(tmp_path / "raw", out).report
    assert report.counts["question"].skipped == {"picture absent": 589}
    skipped = read_skipped(out / "vqav2" / "skipped.parquet")
    assert Counter(row.kind for row in skipped) == {"question": 589, "image": 100}
    rows = json.loads((folder / "v2_OpenEnded_mscoco_val2014_questions.json").read_text())
    named = {row.id for row in skipped if row.kind == "question"}
    assert named == {str(row["question_id"]) for row in rows["questions"]}
    assert any(
        "100 of 100 images have no picture" in text for text in report.splits["val"].warnings
    )
