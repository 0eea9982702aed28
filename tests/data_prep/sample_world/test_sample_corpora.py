"""Flickr30k in two languages, Visual Genome, CC3M and SBU: official forms, true contents."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from urllib.parse import urlsplit

import pytest
from PIL import Image

SPLITS = ("train", "val", "test")


def test_flickr30k_has_five_captions_a_picture_in_both_files(world):
    document = world.json("flickr30k/dataset_flickr30k.json")
    assert document["dataset"] == "flickr30k"
    lines = world.lines("flickr30k/results_20130124.token")
    assert len(lines) == 5 * len(document["images"])
    token = dict(line.split("\t") for line in lines)
    for number, image in enumerate(document["images"]):
        assert set(image) == {"sentids", "imgid", "sentences", "split", "filename"}
        assert image["sentids"] == [number * 5 + k for k in range(5)]
        assert (world.root / "flickr30k/flickr30k-images" / image["filename"]).is_file()
        for k, sentence in enumerate(image["sentences"]):
            assert set(sentence) == {"tokens", "raw", "imgid", "sentid"}
            spaced = token[f"{image['filename']}#{k}"]
            kept = [w for w in spaced.lower().split() if w[0].isalnum()]
            assert kept == sentence["tokens"]
    assert {image["split"] for image in document["images"]} == set(SPLITS)


def test_entities_lists_split_the_same_pictures_into_numbers(world):
    ids = [line for split in SPLITS for line in world.lines(f"flickr30k/{split}.txt")]
    files = {path.stem for path in (world.root / "flickr30k/flickr30k-images").iterdir()}
    assert Counter(ids) == Counter(files)
    assert all(line.isdigit() for line in ids)


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_the_chinese_corpus_holds_the_original_bytes(world, split):
    for line in world.lines(f"flickr30k-cn/{split}_imgs.tsv"):
        image_id, code = line.split("\t")
        picture = world.root / f"flickr30k/flickr30k-images/{image_id}.jpg"
        assert base64.b64decode(code, validate=True) == picture.read_bytes()


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_chinese_texts_name_pictures_of_their_split(world, split):
    images = {int(line.split("\t")[0]) for line in world.lines(f"flickr30k-cn/{split}_imgs.tsv")}
    rows = world.rows(f"flickr30k-cn/{split}_texts.jsonl")
    assert rows
    for row in rows:
        assert set(row) == {"text_id", "text", "image_ids"}
        assert set(row["image_ids"]) <= images
        assert re.fullmatch(r"[\u4e00-\u9fff\u3001\u3002\uff0c]+", row["text"])
    assert {image for row in rows for image in row["image_ids"]} == images


def test_text_ids_are_unique_over_all_splits(world):
    ids = [
        row["text_id"]
        for split in ("train", "valid", "test")
        for row in world.rows(f"flickr30k-cn/{split}_texts.jsonl")
    ]
    assert len(ids) == len(set(ids))


def test_genome_pictures_lie_in_two_folders_and_half_are_coco(world):
    images = world.json("vg/image_data.json")
    assert all(
        set(image) == {"width", "url", "height", "image_id", "coco_id", "flickr_id"}
        for image in images
    )
    assert [image["image_id"] for image in images] == sorted(i["image_id"] for i in images)
    folders = set()
    for image in images:
        folder = image["url"].split("/")[-2]
        folders.add(folder)
        with Image.open(world.root / "vg" / folder / f"{image['image_id']}.jpg") as picture:
            assert picture.size == (image["width"], image["height"])
    assert folders == {"VG_100K", "VG_100K_2"}
    coco = [image for image in images if image["coco_id"] is not None]
    assert 0.3 < len(coco) / len(images) < 0.7
    assert all(image["flickr_id"] is not None for image in coco)


def test_genome_files_have_the_official_keys_and_boxes_inside(world):
    sizes = {i["image_id"]: (i["width"], i["height"]) for i in world.json("vg/image_data.json")}
    objects = world.json("vg/objects.json")
    attributes = world.json("vg/attributes.json")
    regions = world.json("vg/region_descriptions.json")
    relationships = world.json("vg/relationships.json")
    assert [entry["image_id"] for entry in objects] == list(sizes)
    assert [entry["id"] for entry in regions] == list(sizes)
    with_none = 0
    for entry, described in zip(objects, attributes, strict=True):
        width, height = sizes[entry["image_id"]]
        assert set(entry) == {"image_id", "objects", "image_url"}
        assert len(entry["objects"]) == len(described["attributes"])
        for thing, same in zip(entry["objects"], described["attributes"], strict=True):
            assert set(thing) == {
                "synsets", "h", "object_id", "names", "w", "y", "x", "merged_object_ids",
            }  # fmt: skip
            assert thing["object_id"] == same["object_id"]
            with_none += "attributes" not in same
            assert thing["w"] > 0
            assert thing["h"] > 0
            assert 0 <= thing["x"] <= thing["x"] + thing["w"] <= width
            assert 0 <= thing["y"] <= thing["y"] + thing["h"] <= height
    assert with_none
    for entry in regions:
        assert all(
            set(region) == {"region_id", "width", "height", "image_id", "phrase", "y", "x"}
            for region in entry["regions"]
        )
    named = Counter(
        "names" in partner
        for entry in relationships
        for relation in entry["relationships"]
        for partner in (relation["subject"], relation["object"])
    )
    assert named[False] > 10 * named[True] > 0


def test_ids_of_objects_regions_and_relations_are_unique(world):
    objects = [o["object_id"] for e in world.json("vg/objects.json") for o in e["objects"]]
    regions = [
        r["region_id"] for e in world.json("vg/region_descriptions.json") for r in e["regions"]
    ]
    for ids in (objects, regions):
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", ["Train_GCC-training.tsv", "Validation_GCC-1.1.0-Validation.tsv"])
def test_cc3m_lines_are_caption_and_address_of_a_servable_picture(world, name):
    server = next(s for s in world.ledger["servers"] if s["dataset"] == "cc3m")
    for line in world.lines(f"cc3m/{name}"):
        caption, url = line.split("\t")
        assert caption == caption.lower()
        assert not re.search(r"\w[.,]", caption), "marks stand apart"
        assert url.startswith(server["host"] + "/")
        with Image.open(world.root / server["folder"] / urlsplit(url).path.lstrip("/")) as picture:
            picture.load()


def test_sbu_is_three_columns_of_one_length(world):
    document = world.json("sbu/sbu-captions-all.json")
    assert set(document) == {"image_urls", "captions", "user_ids"}
    assert len({len(column) for column in document.values()}) == 1
    server = next(s for s in world.ledger["servers"] if s["dataset"] == "sbu")
    for url in document["image_urls"]:
        path = urlsplit(url).path
        assert re.fullmatch(r"/\d{4}/\d+_[0-9a-f]{10}\.jpg", path)
        assert (world.root / server["folder"] / path.lstrip("/")).is_file()


def test_no_address_leads_to_a_real_host(world):
    urls = [line.split("\t")[1] for line in world.lines("cc3m/Train_GCC-training.tsv")]
    urls += world.json("sbu/sbu-captions-all.json")["image_urls"]
    urls += [image["url"] for image in world.json("vg/image_data.json")]
    for image in world.json("coco/annotations/instances_val2014.json")["images"]:
        urls += [image["coco_url"], image["flickr_url"]]
    assert all(urlsplit(url).hostname.endswith("example.org") for url in urls)


def test_chinese_clip_keys_are_those_of_the_real_rows(world, reference):
    text = (reference / "data/OFA-Sys+Chinese-CLIP/muge_valid_sample_texts.jsonl").read_text()
    real = json.loads(text.splitlines()[0])
    ours = world.rows("flickr30k-cn/valid_texts.jsonl")[0]
    assert set(real) == set(ours)
    assert {k: type(v) for k, v in real.items()} == {k: type(v) for k, v in ours.items()}
