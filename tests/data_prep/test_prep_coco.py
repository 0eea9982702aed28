"""COCO: three ways to split, captions from two sources, and books that name everything odd."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from prep_world import RawWorld, picture_bytes, put, put_zip

from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.data_prep.verify import verify
from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.records import Sample
from vle_bench.shards.index import SkippedRow, read_skipped
from vle_bench.shards.read import iter_samples


def run(raw: Path, out: Path, *splits: str, scheme: str = "") -> Prepared:
    return prepare(
        Request(
            dataset="coco", raw=raw, out=out, splits=splits, parameters=Parameters(scheme=scheme)
        )
    )


def samples_of(out: Path, split: str) -> list[Sample]:
    return list(iter_samples(out / "coco", split, Sample))


def skipped_of(out: Path) -> list[SkippedRow]:
    return read_skipped(out / "coco" / "skipped.parquet")


def row(image: int, split: str, *sentences: tuple[int, str], **more: Any) -> dict[str, Any]:
    part = "train2014" if split == "train" else "val2014"
    return {
        "cocoid": image,
        "filename": f"COCO_{part}_{image:012d}.jpg",
        "filepath": part,
        "split": split,
        "sentids": [identity for identity, _ in sentences],
        "sentences": [
            {"raw": text, "sentid": identity, "tokens": text.split()}
            for identity, text in sentences
        ],
    } | more


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """Train 11 and 12; of val2014: 21 in restval, 22 and 23 in val, 24 and 25 in test."""
    splits = {11: "train", 12: "train", 21: "restval", 22: "val", 23: "val", 25: "test", 24: "test"}
    return [
        row(i, split, (i * 10, "A thing."), (i * 10 + 1, "Two.")) for i, split in splits.items()
    ]


@pytest.fixture
def pictured(world: RawWorld) -> RawWorld:
    """Pictures, captions and boxes of 2014; one crowd. Not yet written."""
    for split, images in (("train", (11, 12)), ("val", (21, 22, 23, 24, 25))):
        for image in images:
            world.picture(split, image, picture_bytes(quality=30 + image))
            world.image_row(split, image)
            world.caption(split, image, image * 10, f"A thing numbered {image}.")
            world.box(split, image, image * 100)
    world.box("val", 24, 2401, iscrowd=1)
    return world


def written(world: RawWorld, rows: list[dict[str, Any]]) -> Path:
    raw = world.write()
    put(raw / "coco" / "annotations" / "dataset_coco.json", json.dumps({"images": rows}).encode())
    return raw


def test_karpathys_file_says_which_picture_is_in_which_split(pictured, rows, out: Path):
    prepared = run(written(pictured, rows), out)
    assert prepared.splits == ("train", "restval", "val", "test")
    ids = {split: [one.image.id for one in samples_of(out, split)] for split in prepared.splits}
    assert ids == {
        "train": ["11", "12"], "restval": ["21"], "val": ["22", "23"], "test": ["24", "25"],
    }  # fmt: skip
    assert prepared.report.parameters["scheme"] == "karpathy"
    assert prepared.report.splits["test"].elsewhere["image"] == 5 + 2 * 3
    assert verify(out / "coco").findings == ()


def test_a_sample_holds_captions_boxes_licence_and_flickr_id(pictured, rows, out: Path):
    run(written(pictured, rows), out)
    first, _ = samples_of(out, "test")
    assert first.key == "coco-000000000024"
    assert [(one.id, one.text) for one in first.captions] == [("240", "A thing numbered 24.")]
    assert [(box.id, box.kind) for box in first.boxes] == [("2400", "object"), ("2401", "crowd")]
    assert (first.boxes[1].label, first.boxes[1].label_id) == ("dog", 18)
    image = first.image
    assert (image.coco_id, image.flickr_id, image.licence) == ("24", "2455", "Attribution")


def test_without_captions_files_karpathys_sentences_are_the_captions(pictured, rows, out: Path):
    raw = written(pictured, rows)
    (raw / "coco" / "annotations" / "captions_val2014.json").unlink()
    prepared = run(raw, out)
    test = prepared.report.splits["test"]
    assert [one.id for one in samples_of(out, "test")[0].captions] == ["240", "241"]
    assert test.absent_sources == ("annotations/captions_val2014.json",)
    assert (test.counts["caption"].read, test.counts["caption"].written) == (4, 4)
    assert prepared.report.splits["train"].counts["caption"].written == 2


def test_karpathys_file_is_found_flat_and_in_its_official_zip(pictured, rows, tmp_path: Path):
    raw = written(pictured, rows)
    digests = []
    source = raw / "coco" / "annotations" / "dataset_coco.json"
    content = source.read_bytes()
    source.unlink()
    for place in ("coco/dataset_coco.json", "dataset_coco.json", ""):
        if place:
            put(raw / place, content)
        else:
            put_zip(raw / "coco" / "caption_datasets.zip", {"dataset_coco.json": content})
        report = run(raw, tmp_path / (place or "zip")).report
        digests.append([shard.sha256 for split in report.splits.values() for shard in split.shards])
        if place:
            (raw / place).unlink()
    assert digests[0] == digests[1] == digests[2]


def test_odd_captions_are_counted_and_only_empty_ones_left_out(pictured, rows, out: Path):
    pictured.captions["val"] = []
    for identity, (image, text) in enumerate(
        [(24, "A dog."), (24, "A dog. "), (25, "A dog."), (25, " "), (25, "一只狗")]
    ):
        pictured.caption("val", image, identity, text)
    prepared = run(written(pictured, rows), out, "test")
    test = prepared.report.splits["test"]
    assert test.adjusted == {
        "caption repeated within its picture": 1,
        "caption that another picture has too": 2,
        "caption without a letter of the expected script": 1,
    }
    assert test.counts["caption"].skipped == {"caption without text": 1}
    assert test.counts["caption"].written == 4


def test_what_is_odd_in_karpathys_file_is_named(pictured, rows, out: Path):
    raw = pictured
    raw.captions.clear()
    raw.images.clear()
    raw.boxes.clear()
    rows += [
        row(24, "test", (240, "again"), (242, "Three.")),  # a picture and a sentence twice
        row(23, "test", (999, "Also in val.")),
        row(26, "test", (260, "No picture.")),
        row(0, "test", (270, "No number."), cocoid="x", filename="odd.jpg"),
    ]
    prepared = run(written(raw, rows), out)
    assert [one for one in skipped_of(out) if one.split == "test"] == [
        SkippedRow("test", "image", "odd.jpg", "odd.jpg", "id is no number"),
        SkippedRow("test", "image", "23", "23", "image belongs to an earlier split"),
        SkippedRow("test", "image", "24", "24", "duplicate id"),
        SkippedRow("test", "image", "26", "26", "picture absent"),
        SkippedRow("test", "caption", "240", "24", "duplicate id"),
        SkippedRow("test", "caption", "260", "26", "picture absent"),
        SkippedRow("test", "caption", "270", "odd.jpg", "id is no number"),
        SkippedRow("test", "caption", "999", "23", "image belongs to an earlier split"),
    ]
    assert [len(one.captions) for one in samples_of(out, "test")] == [3, 2]
    assert all(counts.balances() for counts in prepared.report.counts.values())


def test_a_split_that_nobody_knows_is_refused(pictured, rows, out: Path):
    raw = written(pictured, [*rows, row(26, "dev")])
    with pytest.raises(DataProblem, match="dev"):
        run(raw, out)
    assert not (out / "coco").exists()


def test_releases_split_as_their_own_files_do(pictured, out: Path):
    prepared = run(pictured.write(), out, scheme="2014")
    assert prepared.splits == ("train", "val")
    assert [one.image.id for one in samples_of(out, "val")] == ["21", "22", "23", "24", "25"]
    assert prepared.report.parameters["scheme"] == "2014"


def test_pictures_of_a_release_whose_ids_are_no_numbers_are_named(pictured, out: Path):
    raw = pictured.write()
    for kind in ("captions", "instances"):
        path = raw / "coco" / "annotations" / f"{kind}_val2014.json"
        document = json.loads(path.read_text())
        document["images"] += [{"id": "x7"}, {"id": f"of {kind}"}, {"id": "x7"}]
        path.write_text(json.dumps(document))
    images = run(raw, out, scheme="2014").report.splits["val"].counts["image"]
    assert skipped_of(out) == [
        SkippedRow("val", "image", name, name, "id is no number")
        for name in ("of captions", "of instances", "x7", "x7")
    ]
    assert (images.read, images.written) == (9, 5)


def test_a_picture_that_both_splits_list_stays_in_train(pictured, out: Path):
    pictured.image_row("val", 11)
    run(pictured.write(), out, scheme="2014")
    assert skipped_of(out) == [
        SkippedRow("val", "image", "11", "11", "image belongs to an earlier split")
    ]


@pytest.mark.parametrize("kind", ["captions", "instances"])
def test_one_of_captions_and_instances_is_enough(pictured, out: Path, kind: str):
    raw = pictured.write()
    for path in (raw / "coco" / "annotations").glob(f"{kind}_*"):
        path.unlink()
    report = run(raw, out, scheme="2014").report
    assert report.counts["image"].written == 7
    assert report.splits["val"].absent_sources == (f"annotations/{kind}_val2014.json",)


def test_without_either_the_release_cannot_be_prepared(pictured, rows, out: Path, prep, capsys):
    raw = written(pictured, rows)
    assert prep("run", "coco", "--raw", raw, "--out", out, "--scheme", "2017") == 3
    assert "captions_train2017.json" in capsys.readouterr().err
    (raw / "coco" / "annotations" / "dataset_coco.json").unlink()
    assert prep("run", "coco", "--raw", raw, "--out", out) == 3
    assert "dataset_coco.json" in capsys.readouterr().err


def test_a_data_set_with_one_way_of_splitting_takes_no_scheme(small, out: Path, prep, capsys):
    raw = small.write()
    for command in ("run", "plan"):
        assert prep(command, "vqav2", "--raw", raw, "--out", out, "--scheme", "2014") == 2
        assert "--scheme" in capsys.readouterr().err
    assert prep("run", "coco", "--raw", raw, "--out", out, "--scheme", "2015") == 2
    with pytest.raises(UsageProblem, match="2015"):
        run(raw, out, scheme="2015")
    assert not (out / "coco").exists()


def test_list_shows_the_splits_of_every_scheme(prep, capsys):
    assert prep("list", "--json") == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)["datasets"]}
    splits = [(one["scheme"], one["split"]) for one in listed["coco"]["splits"]]
    assert ("karpathy", "restval") in splits
    assert ("2017", "val") in splits
    assert ("2017", "restval") not in splits
    (val,) = [
        one for one in listed["coco"]["splits"] if (one["scheme"], one["split"]) == ("2014", "val")
    ]
    assert val["expected"]["images"] == 40504
    assert prep("list") == 0
    assert "  val (2014): 40,504 images" in capsys.readouterr().out


def test_another_scheme_beside_splits_left_alone_is_refused(pictured, rows, out: Path):
    raw = written(pictured, rows)
    run(raw, out)
    with pytest.raises(UsageProblem, match="scheme was karpathy, is 2014"):
        run(raw, out, scheme="2014")


def test_real_photographs_of_2017_go_through(reference: Path, tmp_path: Path, out: Path):
    source = reference / "data" / "enginbozaba+tiny_coco"
    raw = tmp_path / "raw"
    shutil.copytree(source / "annotations", raw / "coco" / "annotations")
    for folder in ("train2017", "val2017"):
        shutil.copytree(source / "images" / folder, raw / "coco" / folder)
    prepared = run(raw, out, scheme="2017")
    counts = prepared.report.counts
    assert (counts["image"].read, counts["image"].written) == (38, 30)
    assert counts["image"].skipped == {"picture absent": 8}
    assert counts["box"].read == 288 + 136
    samples = [*samples_of(out, "train"), *samples_of(out, "val")]
    assert len(samples) == 30
    assert {one.image.file_name for one in samples} == {p.name for p in raw.rglob("*.jpg")}
    kinds = [box.kind for one in samples for box in one.boxes]
    skipped = [one for one in skipped_of(out) if one.kind == "box"]
    assert len(kinds) + len(skipped) == 424
    assert 1 <= kinds.count("crowd") <= 5
    assert all(one.image.flickr_id and one.image.licence for one in samples)
    (expected,) = prepared.report.splits["val"].expectations
    assert (expected.what, expected.expected, expected.found) == ("images", 5000, 6)
    assert verify(out / "coco").findings == ()
