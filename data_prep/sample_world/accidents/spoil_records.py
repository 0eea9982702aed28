"""Accidents in annotation files: ids that come twice, boxes that lie outside, lost halves.

Only training files have them: a validation file with an id that comes twice can
be scored by nobody. Each accident happens to a record of its own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from vle_bench.data_prep.sample_world.accidents.drafts import Drafts
from vle_bench.data_prep.sample_world.ledger import Accident, Members, corpus_id
from vle_bench.data_prep.sample_world.streams import stream
from vle_bench.data_prep.sample_world.world import World

Json = dict[str, Any]

_UNKNOWN_IMAGE = 599_999
"""No picture has it: COCO's ids end at 581,929."""
_INSTANCES = "coco/annotations/instances_train2014.json"
_CAPTIONS = "coco/annotations/captions_train2014.json"
_QUESTIONS = "vqav2/v2_OpenEnded_mscoco_train2014_questions.json"
_ANSWERS = "vqav2/v2_mscoco_train2014_annotations.json"


def spoil_records(
    world: World, members: Members, drafts: Drafts, spared: set[str]
) -> list[Accident]:
    """Damages records of every dataset; `spared` are the ids of pictures already spoiled."""
    found: list[Accident] = []
    for name, spoil in (
        ("coco boxes", _instances),
        ("coco captions", _captions),
        ("vqav2", _vqa),
        ("vcr", _vcr),
        ("vg", _vg),
        ("flickr30k-cn", _chinese),
    ):
        found += spoil(drafts, stream(world.seed, "records", name), spared)
    found += _cc3m(drafts, members)
    found += _sbu(drafts, members)
    return found


def _instances(drafts: Drafts, rng: random.Random, spared: set[str]) -> Iterator[Accident]:
    document = drafts.document(_INSTANCES)
    sizes = {image["id"]: (image["width"], image["height"]) for image in document["images"]}
    free = [
        annotation
        for annotation in document["annotations"]
        if str(annotation["image_id"]) not in spared and not annotation["iscrowd"]
    ]
    rng.shuffle(free)
    for kind, change in _BOX_ACCIDENTS.items():
        if len(free) > len(_BOX_ACCIDENTS):
            annotation = free.pop()
            change(annotation["bbox"], *sizes[annotation["image_id"]])
            yield Accident(kind, "coco", _INSTANCES, str(annotation["id"]))
    if len(free) > 2:
        again = free.pop()
        document["annotations"].append(dict(again))
        yield Accident("duplicate-id", "coco", _INSTANCES, str(again["id"]))
        stray = free.pop()
        stray["image_id"] = _UNKNOWN_IMAGE
        yield Accident("unknown-image", "coco", _INSTANCES, str(stray["id"]))
    rows = [image for image in document["images"] if str(image["id"]) not in spared]
    if len(rows) > 1:
        row = rng.choice(rows)
        document["images"].append(dict(row))
        yield Accident("duplicate-image", "coco", _INSTANCES, str(row["id"]))


def _outside(box: list[float], width: int, height: int) -> None:
    """A third of the box beyond the right and the lower edge."""
    box[0], box[1] = width - box[2] * 2 / 3, height - box[3] * 2 / 3


def _beyond(box: list[float], width: int, height: int) -> None:
    """All of the box beyond the right edge."""
    del height
    box[0] = width + 10.0


def _reversed(box: list[float], width: int, height: int) -> None:
    """The far corner and a negative size."""
    del width, height
    x, y, w, h = box
    box[:] = [x + w, y + h, -w, -h]


def _flat(box: list[float], width: int, height: int) -> None:
    """A width of nothing."""
    del width, height
    box[2] = 0.0


_BOX_ACCIDENTS: dict[str, Callable[[list[float], int, int], None]] = {
    "box-outside": _outside,
    "box-reversed": _reversed,
    "box-beyond": _beyond,
    "box-flat": _flat,
}


def _captions(drafts: Drafts, rng: random.Random, spared: set[str]) -> Iterator[Accident]:
    rows = drafts.document(_CAPTIONS)["annotations"]
    free = [row for row in rows if str(row["image_id"]) not in spared]
    rng.shuffle(free)
    if len(free) < 3:
        return
    blank, broken, again = free[:3]
    blank["caption"] = ""
    yield Accident("caption-empty", "coco", _CAPTIONS, str(blank["id"]))
    broken["caption"] = f"  {broken['caption'].replace(' ', '  ', 1)}\n"
    yield Accident("caption-untidy", "coco", _CAPTIONS, str(broken["id"]))
    rows.append(dict(again))
    yield Accident("duplicate-id", "coco", _CAPTIONS, str(again["id"]))


def _vqa(drafts: Drafts, rng: random.Random, spared: set[str]) -> Iterator[Accident]:
    questions = drafts.document(_QUESTIONS)["questions"]
    annotations = drafts.document(_ANSWERS)["annotations"]
    answered = {row["question_id"]: row for row in annotations}
    free = [row for row in questions if str(row["image_id"]) not in spared]
    rng.shuffle(free)
    if len(free) < 8:
        return
    twice, again, mute, lost, stray, few, unsaid = free[:7]
    questions.append(dict(twice))
    yield Accident("duplicate-id", "vqav2", _QUESTIONS, str(twice["question_id"]))
    annotations.append(dict(answered[again["question_id"]]))
    yield Accident("duplicate-id", "vqav2", _ANSWERS, str(again["question_id"]))
    annotations.remove(answered[mute["question_id"]])
    yield Accident("question-without-answers", "vqav2", _QUESTIONS, str(mute["question_id"]))
    questions.remove(lost)
    yield Accident("answers-without-question", "vqav2", _ANSWERS, str(lost["question_id"]))
    stray["image_id"] = answered[stray["question_id"]]["image_id"] = _UNKNOWN_IMAGE
    yield Accident("unknown-image", "vqav2", _QUESTIONS, str(stray["question_id"]))
    del answered[few["question_id"]]["answers"][7:]
    yield Accident("fewer-than-ten-answers", "vqav2", _ANSWERS, str(few["question_id"]))
    del answered[unsaid["question_id"]]["multiple_choice_answer"]
    yield Accident("no-majority-key", "vqav2", _ANSWERS, str(unsaid["question_id"]))


def _vcr(drafts: Drafts, rng: random.Random, spared: set[str]) -> Iterator[Accident]:
    name = "vcr/train.jsonl"
    lines = drafts.lines(name)
    rows = [msgspec.json.decode(line) for line in lines]
    free = [row for row in rows if row["img_id"] not in spared]
    if not free:
        return
    row = rng.choice(free)
    lines.append(lines[rows.index(row)])
    yield Accident("duplicate-id", "vcr", name, row["annot_id"])
    pictures = {row["img_id"]: row["metadata_fn"] for row in free}
    chosen = rng.sample(sorted(pictures), min(2, len(pictures)))
    for image_id, kind in zip(chosen, ("box-outside", "box-reversed"), strict=False):
        file = f"vcr/vcr1images/{pictures[image_id]}"
        metadata = drafts.document(file)
        x0, y0, x1, y1, score = metadata["boxes"][0]
        wide = [x0, y0, metadata["width"] + 25.0, metadata["height"] + 12.5, score]
        metadata["boxes"][0] = wide if kind == "box-outside" else [x1, y1, x0, y0, score]
        yield Accident(kind, "vcr", file, image_id)


def _vg(drafts: Drafts, rng: random.Random, spared: set[str]) -> Iterator[Accident]:
    images = drafts.document("vg/image_data.json")
    sizes = {image["image_id"]: (image["width"], image["height"]) for image in images}
    objects = [entry for entry in drafts.document("vg/objects.json") if entry["objects"]]
    whole = [entry for entry in objects if str(entry["image_id"]) not in spared]
    rng.shuffle(whole)
    for entry, kind in zip(whole, ("box-outside", "box-reversed"), strict=False):
        box = entry["objects"][0]
        width, height = sizes[entry["image_id"]]
        if kind == "box-outside":
            box.update(x=-9, w=width + 30, h=height)
        else:
            box.update(x=box["x"] + box["w"], w=-box["w"])
        yield Accident(kind, "vg", "vg/objects.json", str(box["object_id"]))
    for entry in whole[2:3]:
        regions = drafts.document("vg/region_descriptions.json")
        regions[:] = [row for row in regions if row["id"] != entry["image_id"]]
        yield Accident("no-regions", "vg", "vg/region_descriptions.json", str(entry["image_id"]))
    for entry in whole[3:4]:
        row = next(image for image in images if image["image_id"] == entry["image_id"])
        images.append(dict(row))
        yield Accident("duplicate-id", "vg", "vg/image_data.json", str(row["image_id"]))


def _chinese(drafts: Drafts, rng: random.Random, spared: set[str]) -> Iterator[Accident]:
    texts, pictures = "flickr30k-cn/train_texts.jsonl", "flickr30k-cn/train_imgs.tsv"
    lines = drafts.lines(texts)
    numbers = list(range(len(lines)))
    rng.shuffle(numbers)
    for number, kind in zip(numbers, ("no-images", "unknown-image", "duplicate-id"), strict=False):
        row = msgspec.json.decode(lines[number])
        if kind == "no-images":
            row["image_ids"] = []
        elif kind == "unknown-image":
            row["image_ids"] = [_UNKNOWN_IMAGE]
        else:
            lines.append(lines[number])
        lines[number] = msgspec.json.encode(row).decode("utf-8")
        yield Accident(kind, "flickr30k-cn", texts, str(row["text_id"]))
    rows = drafts.lines(pictures)
    whole = [k for k, row in enumerate(rows) if row.split("\t")[0] not in spared]
    if len(whole) > 1:
        victim = rng.choice(whole)
        image_id, code = rows[victim].split("\t")
        rows[victim] = f"{image_id}\t{code[: len(code) // 2 - 1]}"
        yield Accident("broken-base64", "flickr30k-cn", pictures, image_id)


def _cc3m(drafts: Drafts, members: Members) -> Iterator[Accident]:
    name = "cc3m/Train_GCC-training.tsv"
    lines = drafts.lines(name)
    if len(lines) < 3:
        return
    caption, url = lines[0].split("\t")
    lines.append(f"another page about {caption}\t{url}")
    yield Accident("duplicate-url", "cc3m", name, corpus_id(members.cc3m[0]))
    lines.append("a caption that lost its address")
    yield Accident("malformed-line", "cc3m", name, str(len(lines)))


def _sbu(drafts: Drafts, members: Members) -> Iterator[Accident]:
    name = "sbu/sbu-captions-all.json"
    if len(members.sbu) < 3:
        return
    document = drafts.document(name)
    for column in ("image_urls", "captions", "user_ids"):
        document[column].append(document[column][0])
    yield Accident("duplicate-url", "sbu", name, str(len(document["captions"]) - 1))
