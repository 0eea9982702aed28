"""Visual Genome: two spellings of a box, attributes from another file, rows that belong nowhere."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.errors import DataProblem
from vle_bench.records import VgSample
from vle_bench.shards.index import read_skipped
from vle_bench.shards.read import iter_samples


@pytest.fixture
def files(picture) -> dict[str, Any]:
    """Two pictures: 9 with two objects and a region, 10 with nothing."""
    return {
        "image_data.json": [
            {"image_id": 10, "width": 64, "height": 48, "url": "http://x.example.org/10.jpg",
             "coco_id": None, "flickr_id": None},
            {"image_id": 9, "width": 64, "height": 48, "url": "http://x.example.org/9.jpg",
             "coco_id": 481, "flickr_id": 5566},
        ],
        "objects.json": [
            {"image_id": 9, "image_url": "http://x.example.org/9.jpg", "objects": [
                {"object_id": 71, "x": 1, "y": 2, "w": 30, "h": 20, "names": ["clock ", "watch"],
                 "synsets": ["clock.n.01"], "merged_object_ids": [73]},
                {"object_id": 72, "x": 5, "y": 5, "w": 9, "h": 9, "names": ["man"]},
            ]},
            {"image_id": 10, "objects": []},
        ],
        "attributes.json": [
            {"image_id": 9, "attributes": [
                {"object_id": 72, "x": 5, "y": 5, "w": 9, "h": 9, "names": ["man"]},
                {"object_id": 73, "attributes": ["green", " tall", "green"], "names": ["clock"]},
            ]},
        ],
        "region_descriptions.json": [
            {"id": 9, "regions": [
                {"region_id": 1382, "x": 3, "y": 4, "width": 20, "height": 10, "image_id": 9,
                 "phrase": "the clock is green"},
            ]},
        ],
    }  # fmt: skip


@pytest.fixture
def write(tmp_path: Path, files, picture):
    """Puts the files and both pictures down; returns RAW."""

    def make() -> Path:
        folder = tmp_path / "raw" / "vg"
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(json.dumps(content))
        for place in ("VG_100K/9.jpg", "VG_100K_2/10.jpg"):
            (folder / place).parent.mkdir(exist_ok=True)
            (folder / place).write_bytes(picture(64, 48))
        return folder.parent

    return make


def run(raw: Path, out: Path) -> Prepared:
    return prepare(Request(dataset="vg", raw=raw, out=out))


def samples(out: Path) -> list[VgSample]:
    return list(iter_samples(out / "vg", "train", VgSample))


def named(out: Path) -> list[tuple[str, str, str, str]]:
    return [(r.kind, r.id, r.image_id, r.reason) for r in read_skipped(out / "vg/skipped.parquet")]


def test_objects_and_regions_become_boxes_of_one_picture(write, out: Path):
    run(write(), out)
    first, second = samples(out)
    assert (first.key, first.image.coco_id, first.image.flickr_id) == ("vg-9", "481", "5566")
    assert (second.key, second.image.coco_id, second.boxes) == ("vg-10", "", ())
    clock, man, region = first.boxes
    assert (clock.id, clock.label, clock.xywh, clock.kind) == (
        "71",
        "clock",
        (1.0, 2.0, 30.0, 20.0),
        "object",
    )
    assert (man.label, man.attributes) == ("man", ())
    assert (region.id, region.kind, region.phrase, region.xywh) == (
        "1382",
        "region",
        "the clock is green",
        (3.0, 4.0, 20.0, 10.0),
    )
    assert first.image.source_url == "http://x.example.org/9.jpg"


def test_early_releases_name_things_by_id_and_give_an_object_one_name(write, files, out: Path):
    run(write(), out)
    usual = samples(out)
    for image in files["image_data.json"]:
        image["id"] = image.pop("image_id")
    for name, rows, key in (
        ("objects.json", "objects", "object_id"),
        ("attributes.json", "attributes", "object_id"),
        ("region_descriptions.json", "regions", "region_id"),
    ):
        for entry in files[name]:
            for one in entry[rows]:
                one["id"] = one.pop(key)
    man = files["objects.json"][0]["objects"][1]
    (man["name"],) = man.pop("names")
    run(write(), out.with_name("early"))
    assert samples(out.with_name("early")) == usual


def test_an_object_without_an_id_is_refused_with_its_place(write, files, out: Path):
    del files["objects.json"][0]["objects"][1]["object_id"]
    problem = r"neither `object_id` nor `id` - at `\$\[0\]\.objects\[1\]`"
    with pytest.raises(DataProblem, match=problem):
        run(write(), out)


def test_attributes_find_the_object_that_theirs_was_merged_into(write, out: Path):
    run(write(), out)
    clock = samples(out)[0].boxes[0]
    assert clock.attributes == ("green", "tall")


def test_all_names_and_synsets_are_kept(write, out: Path):
    run(write(), out)
    clock = samples(out)[0].objects[0]
    assert (clock.names, clock.synsets, clock.merged_object_ids) == (
        ("clock ", "watch"),
        ("clock.n.01",),
        ("73",),
    )


def test_what_is_null_is_absent(write, files, out: Path):
    (objects, _), (regions,) = files["objects.json"], files["region_descriptions.json"]
    nulls = dict.fromkeys(("names", "synsets", "merged_object_ids", "name"))
    objects["objects"][1] |= nulls
    regions["regions"].append(dict(regions["regions"][0], region_id=1383, phrase=None))
    train = run(write(), out).report.splits["train"]
    clock, man, region = samples(out)[0].boxes
    assert (clock.label, man.label, region.id) == ("clock", "", "1382")
    assert samples(out)[0].objects[1].names == ()
    assert train.adjusted["object without name"] == 1
    assert train.counts["box"].skipped == {"region without phrase": 1}


def test_rows_that_belong_nowhere_are_named(write, files, out: Path):
    (objects, _), (regions,) = files["objects.json"], files["region_descriptions.json"]
    objects["objects"].append(dict(objects["objects"][0]))
    regions["regions"].append(dict(regions["regions"][0], region_id=1383, phrase=" "))
    files["objects.json"].append({"image_id": 77, "objects": [dict(objects["objects"][1])]})
    files["image_data.json"] += [dict(files["image_data.json"][0]), {"image_id": "x"}]
    files["attributes.json"][0]["attributes"].append({"object_id": 5, "attributes": ["odd"]})
    stray = [{"object_id": number, "attributes": ["red"] * (number < 3)} for number in (1, 2, 3)]
    files["attributes.json"] += [{"image_id": 77, "attributes": stray}, {"attributes": stray[:1]}]
    report = run(write(), out).report
    assert sorted(named(out)) == [
        ("box", "1383", "9", "region without phrase"),
        ("box", "71", "9", "duplicate id"),
        ("box", "72", "77", "about an image that its file does not list"),
        ("image", "10", "10", "duplicate id"),
        ("image", "x", "x", "id is no number"),
    ]
    assert report.splits["train"].adjusted == {
        "attributes of an object that its picture does not have": 1 + 2 + 1
    }
    assert (report.counts["box"].read, report.counts["box"].written) == (6, 3)


def test_an_absent_picture_takes_its_boxes_with_it(write, out: Path):
    raw = write()
    (raw / "vg/VG_100K/9.jpg").unlink()
    counts = run(raw, out).report.counts
    assert counts["image"].skipped == {"picture absent": 1}
    assert counts["box"].skipped == {"picture absent": 3}


@pytest.mark.parametrize("lost", ["objects.json", "attributes.json", "region_descriptions.json"])
def test_a_file_that_is_absent_is_named_and_the_rest_is_prepared(write, files, out, lost):
    del files[lost]
    report = run(write(), out).report
    assert report.splits["train"].absent_sources == (lost,)
    assert report.counts["image"].written == 2


def test_boxes_beyond_the_picture_are_cut_and_turned(write, files, out: Path):
    first, second = files["objects.json"][0]["objects"]
    first.update(x=-9, w=100)
    second.update(x=14, w=-9)
    report = run(write(), out).report
    assert report.splits["train"].adjusted == {"box clipped": 1, "box turned": 1}
    assert [box.xywh for box in samples(out)[0].boxes[:2]] == [
        (0.0, 2.0, 64.0, 20.0),
        (5.0, 5.0, 9.0, 9.0),
    ]


def test_official_zips_give_the_same_shard(write, out: Path, tmp_path: Path):
    raw = write()
    run(raw, out)
    packed = tmp_path / "packed" / "vg"
    packed.mkdir(parents=True)
    for path in (raw / "vg").glob("*.json"):
        with zipfile.ZipFile(packed / f"{path.name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, path.name)
    for name, folder in (("images.zip", "VG_100K"), ("images2.zip", "VG_100K_2")):
        with zipfile.ZipFile(packed / name, "w") as archive:
            for path in (raw / "vg" / folder).iterdir():
                archive.write(path, f"{folder}/{path.name}")
    run(packed.parent, tmp_path / "again")
    ours, theirs = (next(folder.rglob("*.tar")) for folder in (out, tmp_path / "again"))
    assert ours.read_bytes() == theirs.read_bytes()


def test_a_box_that_is_no_number_is_told_with_its_place(write, files, out, prep, capsys):
    files["objects.json"][0]["objects"][1]["x"] = "left"
    assert prep("run", "vg", "--raw", write(), "--out", out) == 3
    told = capsys.readouterr().err
    assert "objects.json" in told
    assert "Traceback" not in told
    assert not list(out.rglob("*.tar"))
