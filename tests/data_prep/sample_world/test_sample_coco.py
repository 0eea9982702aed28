"""COCO files: the official keys, and annotations that are where the paint is."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask
from pycocotools.coco import COCO

from vle_bench.data_prep.sample_world.cast import PictureName
from vle_bench.data_prep.sample_world.layout import stage_picture
from vle_bench.data_prep.sample_world.picture import facts_of, jpeg_bytes, paint
from vle_bench.data_prep.sample_world.shapes.palette import COLOURS

SPLITS = ("train2014", "val2014")
ANNOTATION_KEYS = {"segmentation", "area", "iscrowd", "image_id", "bbox", "category_id", "id"}
IMAGE_KEYS = {
    "license", "file_name", "coco_url", "height", "width", "date_captured", "flickr_url", "id",
}  # fmt: skip


@pytest.fixture(params=SPLITS)
def split(request):
    return request.param


@pytest.fixture
def instances(world, split):
    return world.json(f"coco/annotations/instances_{split}.json")


def polygons_of(annotation):
    return [list(zip(p[::2], p[1::2], strict=True)) for p in annotation["segmentation"]]


def test_instances_have_the_official_keys(instances):
    assert set(instances) == {"info", "licenses", "images", "annotations", "categories"}
    assert instances["info"]["description"] == "VLE bench sample world"
    assert all(set(image) == IMAGE_KEYS for image in instances["images"])
    assert all(set(annotation) == ANNOTATION_KEYS for annotation in instances["annotations"])
    assert len(instances["categories"]) == 80
    assert {entry["id"] for entry in instances["categories"]} <= set(range(1, 91)) - {12, 26, 91}


def test_keys_are_those_of_the_real_file(instances, reference):
    import json

    real = json.loads(
        (reference / "data/enginbozaba+tiny_coco/annotations/instances_val2017.json").read_bytes()
    )
    assert set(real) == set(instances)
    assert set(real["images"][0]) == set(instances["images"][0])
    assert set(real["annotations"][0]) == set(instances["annotations"][0])
    assert real["categories"] == instances["categories"]


def test_pycocotools_reads_the_instances(world, split):
    coco = COCO(world.root / f"coco/annotations/instances_{split}.json")
    annotations = coco.loadAnns(coco.getAnnIds(iscrowd=False))
    assert annotations
    for annotation in annotations[:40]:
        assert coco.annToMask(annotation).sum() == annotation["area"]


def test_every_picture_is_a_jpeg_of_the_declared_size(world, instances, split):
    for image in instances["images"]:
        assert image["file_name"] == f"COCO_{split}_{image['id']:012d}.jpg"
        with Image.open(world.root / "coco" / split / image["file_name"]) as picture:
            assert picture.format == "JPEG"
            assert picture.size == (image["width"], image["height"])


def test_boxes_lie_inside_and_are_tight_around_their_polygons(instances):
    sizes = {image["id"]: (image["width"], image["height"]) for image in instances["images"]}
    for annotation in instances["annotations"]:
        x, y, w, h = annotation["bbox"]
        width, height = sizes[annotation["image_id"]]
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        if not annotation["iscrowd"]:
            points = [point for polygon in polygons_of(annotation) for point in polygon]
            xs, ys = zip(*points, strict=True)
            assert [min(xs), min(ys), max(xs), max(ys)] == pytest.approx(
                [x, y, x + w, y + h], abs=0.011
            )


def test_annotations_are_in_no_order_of_their_pictures(instances):
    ids = [annotation["image_id"] for annotation in instances["annotations"]]
    assert ids != sorted(ids)
    changes = sum(a != b for a, b in pairwise(ids))
    assert changes > len(set(ids)) * 1.5


def test_crowds_carry_run_lengths_of_their_mask():
    for number in range(200):
        scene = facts_of(stage_picture(PictureName(0, "crowds", number, "photo")))
        for thing in scene.things:
            if thing.crowd:
                size = [scene.height, scene.width]
                assert sum(thing.crowd) == scene.height * scene.width
                runs = mask.frPyObjects({"counts": list(thing.crowd), "size": size}, *size)
                assert mask.area(runs) == thing.area
                x, y, w, h = mask.toBbox(runs)
                box = thing.extent
                assert [x, y, x + w, y + h] == pytest.approx(list(box), abs=1.5)
                return
    pytest.fail("no crowd in 200 pictures")


@pytest.mark.parametrize("number", range(12))
def test_every_thing_shows_its_colour_where_it_is_annotated(number):
    name = PictureName(5, "colours", number, "photo")
    stage = stage_picture(name)
    scene = facts_of(stage)
    data = jpeg_bytes(paint(stage, name))
    pixels = np.asarray(Image.open(BytesIO(data)), dtype=int)
    for thing in scene.things:
        if thing.crowd:
            continue
        flat = [list(polygon) for polygon in thing.outline]
        inside = mask.decode(mask.merge(mask.frPyObjects(flat, scene.height, scene.width))) > 0
        colour = thing.colour or (thing.person.shirt if thing.person else "")
        if colour:
            distance = np.abs(pixels[inside] - COLOURS[colour]).max(axis=1)
            assert (distance < 50).mean() > 0.06, (thing.category, colour)


@pytest.mark.parametrize("number", range(40))
def test_nothing_hides_anything(number):
    scene = facts_of(stage_picture(PictureName(1, "apart", number, "photo")))
    for k, thing in enumerate(scene.things):
        for m, other in enumerate(scene.things[:k]):
            bound = {thing.held_by, thing.on} & {m} or {other.held_by, other.on} & {k}
            if not bound:
                assert not thing.extent.touches(other.extent), (thing.category, other.category)


def test_captions_files_have_five_or_six_sentences_a_picture(world, split):
    document = world.json(f"coco/annotations/captions_{split}.json")
    assert set(document) == {"info", "licenses", "images", "annotations"}
    assert all(set(row) == {"image_id", "id", "caption"} for row in document["annotations"])
    counts = {image["id"]: 0 for image in document["images"]}
    for row in document["annotations"]:
        counts[row["image_id"]] += 1
        assert row["caption"].strip()
    assert set(counts.values()) <= {5, 6}


def test_karpathys_file_splits_the_same_pictures(world):
    document = world.json("coco/annotations/dataset_coco.json")
    assert document["dataset"] == "coco"
    captions = {}
    for split in SPLITS:
        for row in world.json(f"coco/annotations/captions_{split}.json")["annotations"]:
            captions[row["id"]] = row["caption"]
    seen = set()
    for number, image in enumerate(document["images"]):
        assert image["imgid"] == number
        assert (image["filepath"] == "train2014") == (image["split"] == "train")
        assert image["sentids"] == [sentence["sentid"] for sentence in image["sentences"]]
        assert all(captions[s["sentid"]] == s["raw"] for s in image["sentences"])
        assert (world.root / "coco" / image["filepath"] / image["filename"]).is_file()
        seen.add(image["split"])
    assert seen == {"train", "restval", "val", "test"}


def test_the_test_lists_have_pictures_and_no_answers(world):
    full = world.json("coco/annotations/image_info_test2015.json")
    dev = world.json("coco/annotations/image_info_test-dev2015.json")
    assert set(full) == {"info", "images", "licenses", "categories"}
    ids = {image["id"] for image in full["images"]}
    assert {image["id"] for image in dev["images"]} < ids
    assert all("flickr_url" not in image for image in full["images"])
    for image in full["images"]:
        assert (world.root / "coco/test2015" / image["file_name"]).is_file()
