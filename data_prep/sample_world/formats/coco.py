"""COCO 2014: instances, captions, test image lists, and Karpathy's split file.

Format: https://cocodataset.org/#format-data; crowds carry uncompressed run lengths
and an id made of 9, the category and the image, as in the real files. Karpathy's
file (dataset_coco.json) names captions by COCO's own caption ids.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from vle_bench.catalog.labels import coco_classes
from vle_bench.data_prep.sample_world.language.captions import Captioner
from vle_bench.data_prep.sample_world.language.tokens import caption_tokens
from vle_bench.data_prep.sample_world.roster import Drawn
from vle_bench.data_prep.sample_world.scene import Scene, Thing
from vle_bench.data_prep.sample_world.streams import stream
from vle_bench.data_prep.sample_world.world import World, info

_HOST = "images.cocodataset.example.org"
_FLICKR = "staticflickr.example.org"
_MOST_ID = 2_200_000

Json = dict[str, Any]


def picture_file(drawn: Drawn) -> str:
    """Path below RAW of a COCO picture."""
    return f"coco/{drawn.split}/{file_name(drawn)}"


def file_name(drawn: Drawn) -> str:
    """The name with its COCO_<split>_ prefix."""
    return f"COCO_{drawn.split}_{drawn.coco_id:012d}.jpg"


def class_id(category: str) -> int:
    """COCO's own id of a class of the sample world.

    >>> class_id("teddy bear")
    88
    """
    entry = coco_classes().by_name(category)
    if entry is None:
        raise KeyError(category)
    return entry.id


def write_coco(world: World) -> None:
    """Writes everything below RAW/coco but the pictures."""
    rng = stream(world.seed, "coco files")
    pictures = world.roster.coco
    captions = _captions(world, pictures, rng)
    free_ids = iter(
        rng.sample(range(1, _MOST_ID), sum(len(world.scene(d).things) for d in pictures))
    )
    for split, part in (("train2014", "coco-train"), ("val2014", "coco-val")):
        drawn_here = world.roster.parts[part]
        images = [_image(world, drawn) for drawn in drawn_here]
        instances = [
            _instance(thing, drawn, world.scene(drawn), next(free_ids))
            for drawn in drawn_here
            for thing in world.scene(drawn).things
        ]
        rng.shuffle(instances)
        sentences = [caption for drawn in drawn_here for caption in captions[drawn.coco_id]]
        rng.shuffle(sentences)
        frame = {"info": info("1.0", 2014), "images": images, "licenses": _LICENCES}
        world.write_json(
            f"coco/annotations/instances_{split}.json",
            {**frame, "annotations": instances, "categories": _categories()},
        )
        world.write_json(
            f"coco/annotations/captions_{split}.json", {**frame, "annotations": sentences}
        )
    _write_test_lists(world)
    _write_karpathy(world, captions)


def _captions(world: World, pictures: Sequence[Drawn], rng: random.Random) -> dict[int, list[Json]]:
    """Five captions for each picture, six for a few, with ids of their own."""
    captioner = Captioner(world.seed, "coco", world.scenes_of(pictures))
    counts = [6 if rng.random() < 0.04 else 5 for _ in pictures]
    ids = iter(rng.sample(range(1, _MOST_ID), sum(counts)))
    return {
        drawn.coco_id: [
            {"image_id": drawn.coco_id, "id": next(ids), "caption": caption.text}
            for caption in captioner.write(index, count, "observer")
        ]
        for index, (drawn, count) in enumerate(zip(pictures, counts, strict=True))
    }


def _image(world: World, drawn: Drawn) -> Json:
    scene = world.scene(drawn)
    rng = stream(world.seed, "coco image", drawn.coco_id)
    farm, server = rng.randint(1, 9), rng.randint(1000, 9999)
    clock = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}"
    photo = f"{drawn.photo_id}_{rng.getrandbits(40):010x}_z.jpg"
    image = {
        "license": 1,
        "file_name": file_name(drawn),
        "coco_url": f"http://{_HOST}/{drawn.split}/{file_name(drawn)}",
        "height": scene.height,
        "width": scene.width,
        "date_captured": f"2013-11-{rng.randint(14, 25)} {clock}",
        "flickr_url": f"http://farm{farm}.{_FLICKR}/{server}/{photo}",
        "id": drawn.coco_id,
    }
    if drawn.split == "test2015":
        del image["flickr_url"]  # the real test lists do not say where a picture is from
    return image


def _instance(thing: Thing, drawn: Drawn, scene: Scene, free_id: int) -> Json:
    """One object as polygons, or one crowd as run lengths down the columns."""
    category_id = class_id(thing.category)
    outline: Any = thing.outline
    box = [thing.extent.x0, thing.extent.y0, thing.extent.width, thing.extent.height]
    if thing.crowd:
        outline = {"counts": list(thing.crowd), "size": [scene.height, scene.width]}
        free_id = int(f"9{category_id:03d}{drawn.coco_id:08d}")
    return {
        "segmentation": outline,
        "area": thing.area,
        "iscrowd": int(bool(thing.crowd)),
        "image_id": drawn.coco_id,
        "bbox": [round(value, 2) for value in box],
        "category_id": category_id,
        "id": free_id,
    }


def _categories() -> list[Json]:
    return [
        {"supercategory": entry.supercategory, "id": entry.id, "name": entry.name}
        for entry in coco_classes().classes
    ]


_LICENCES = [
    {
        "url": "https://www.apache.org/licenses/LICENSE-2.0",
        "id": 1,
        "name": "Apache License 2.0 (drawn by VLE bench)",
    }
]


def _write_test_lists(world: World) -> None:
    """The test pictures, and the quarter of them that is test-dev; no annotations."""
    pictures = world.roster.parts["coco-test"]
    for name, chosen in (
        ("test2015", pictures),
        ("test-dev2015", [drawn for drawn in pictures if drawn.test_dev]),
    ):
        world.write_json(
            f"coco/annotations/image_info_{name}.json",
            {
                "info": info("1.0", 2015),
                "images": [_image(world, drawn) for drawn in chosen],
                "licenses": _LICENCES,
                "categories": _categories(),
            },
        )


def _write_karpathy(world: World, captions: dict[int, list[Json]]) -> None:
    pictures = list(world.roster.coco)
    stream(world.seed, "karpathy order").shuffle(pictures)
    images = []
    for number, drawn in enumerate(pictures):
        sentences = [
            {
                "tokens": caption_tokens(caption["caption"]),
                "raw": caption["caption"],
                "imgid": number,
                "sentid": caption["id"],
            }
            for caption in captions[drawn.coco_id]
        ]
        images.append(
            {
                "filepath": drawn.split,
                "sentids": [sentence["sentid"] for sentence in sentences],
                "filename": file_name(drawn),
                "imgid": number,
                "split": drawn.karpathy,
                "sentences": sentences,
                "cocoid": drawn.coco_id,
            }
        )
    world.write_json("coco/annotations/dataset_coco.json", {"images": images, "dataset": "coco"})
