"""The ledger's word about shared pictures: all of it true, and nothing left out."""

from __future__ import annotations

import hashlib
from collections import defaultdict

import numpy as np
from PIL import Image

KEYS = {
    "picture", "corpus", "corpus_id", "evaluation", "evaluation_split", "evaluation_id", "how",
}  # fmt: skip


def evaluation_files(world):
    """(dataset, split, id) of every evaluation picture, with its file."""
    files = {}
    for image in world.json("coco/annotations/dataset_coco.json")["images"]:
        path = world.root / "coco" / image["filepath"] / image["filename"]
        if image["split"] in {"val", "test"}:
            files["coco", image["split"], str(image["cocoid"])] = path
        if image["filepath"] == "val2014":
            files["vqav2", "val", str(image["cocoid"])] = path
    for image in world.json("coco/annotations/image_info_test2015.json")["images"]:
        path = world.root / "coco/test2015" / image["file_name"]
        files["vqav2", "test", str(image["id"])] = path
    folder = world.root / "flickr30k/flickr30k-images"
    for image in world.json("flickr30k/dataset_flickr30k.json")["images"]:
        if image["split"] in {"val", "test"}:
            photo = image["filename"].removesuffix(".jpg")
            files["flickr30k", image["split"], photo] = folder / image["filename"]
    for split in ("val", "test"):
        for photo in world.lines(f"flickr30k/{split}.txt"):
            files["flickr30k-cn", split, photo] = folder / f"{photo}.jpg"
    return files


def looks_alike(first, second):
    with Image.open(first) as a, Image.open(second) as b:
        small = [np.asarray(p.convert("RGB").resize((24, 24)), dtype=int) for p in (a, b)]
        return np.abs(small[0] - small[1]).mean() < 6 and a.size != b.size


def test_the_ledger_has_the_keys_of_the_contract(world):
    ledger = world.ledger
    assert {"seed", "images", "accidents", "shared"} <= set(ledger)
    assert ledger["seed"] == 0
    assert ledger["images"] == 72
    assert ledger["accidents"] == []
    assert all(set(entry) == KEYS for entry in ledger["shared"])
    assert {entry["how"] for entry in ledger["shared"]} == {
        "coco_id", "flickr_id", "bytes", "near-copy",
    }  # fmt: skip
    assert {"vg", "sbu", "cc3m"} <= {entry["corpus"] for entry in ledger["shared"]}


def test_every_shared_entry_holds(world):
    evaluations = evaluation_files(world)
    photos = {
        str(image["id"]): image["flickr_url"].split("/")[-1].split("_")[0]
        for split in ("train2014", "val2014")
        for image in world.json(f"coco/annotations/instances_{split}.json")["images"]
    }
    genome = {str(image["image_id"]): image for image in world.json("vg/image_data.json")}
    for entry in world.ledger["shared"]:
        key = (entry["evaluation"], entry["evaluation_split"], entry["evaluation_id"])
        theirs, ours = evaluations[key], world.root / entry["picture"]
        photo = photos.get(entry["evaluation_id"], entry["evaluation_id"])
        if entry["corpus"] == "vg":
            row = genome[entry["corpus_id"]]
            known = row["coco_id"] if entry["how"] == "coco_id" else row["flickr_id"]
            assert str(known) == (entry["evaluation_id"] if entry["how"] == "coco_id" else photo)
            assert ours.read_bytes() == theirs.read_bytes()
        elif entry["corpus"] in {"coco", "flickr30k", "flickr30k-cn"}:
            assert entry["corpus_id"] == entry["evaluation_id"]
            assert ours == theirs
        elif entry["how"] == "bytes":
            assert ours.read_bytes() == theirs.read_bytes()
            assert photo not in entry["picture"]
        elif entry["how"] == "flickr_id":
            assert ours.name.startswith(f"{photo}_")
        else:
            assert looks_alike(ours, theirs)
            assert photo not in entry["picture"]


def test_corpus_ids_lead_to_the_row(world):
    urls = world.json("sbu/sbu-captions-all.json")["image_urls"]
    lines = [line.split("\t")[1] for line in world.lines("cc3m/Train_GCC-training.tsv")]
    by_digest = {hashlib.sha1(url.encode()).hexdigest()[:16]: url for url in lines}
    for entry in world.ledger["shared"]:
        path = entry["picture"].split("/pictures/")[-1]
        if entry["corpus"] == "sbu":
            assert urls[int(entry["corpus_id"])].endswith(path)
        if entry["corpus"] == "cc3m":
            assert by_digest[entry["corpus_id"]].endswith(path)


def test_no_other_training_picture_has_the_bytes_of_an_evaluation_picture(world):
    by_bytes = defaultdict(set)
    for key, path in evaluation_files(world).items():
        by_bytes[path.read_bytes()].add(key)
    told = {
        (e["picture"], (e["evaluation"], e["evaluation_split"], e["evaluation_id"]))
        for e in world.ledger["shared"]
    }
    for folder in ("vg/VG_100K", "vg/VG_100K_2", "cc3m/pictures", "sbu/pictures"):
        for path in (world.root / folder).rglob("*.jpg"):
            name = path.relative_to(world.root).as_posix()
            for key in by_bytes.get(path.read_bytes(), ()):
                assert (name, key) in told


def test_karpathy_test_pictures_hide_in_visual_genome(world):
    hidden = {
        (e["evaluation"], e["evaluation_split"])
        for e in world.ledger["shared"]
        if e["corpus"] == "vg"
    }
    assert {("coco", "test"), ("coco", "val"), ("flickr30k", "test"), ("vqav2", "val")} <= hidden
