"""COCO detection results against the boxes of our shards, by pycocotools' own evaluation.

Everything the official evaluation decides stays its own: crowds are `iscrowd` and
may be found any number of times, at most 100 boxes a picture and class count, and
equal scores keep the order of the file. One thing differs, for the sizes only: the official
files take a thing's size from its outline, our shards hold boxes, so small, medium
and large go by the area of the box.
Source: pycocotools/cocoeval.py, https://github.com/cocodataset/cocoapi
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from vle_bench.canonical import json_bytes
from vle_bench.errors import Problems
from vle_bench.eval.matching import named
from vle_bench.identity import GivenIdentity, id_order, id_text
from vle_bench.inputs import Source
from vle_bench.inputs.records import read_records
from vle_bench.records import NO_LABEL_ID, Sample

METRICS = (
    "box_ap", "box_ap50", "box_ap75", "box_ap_small", "box_ap_medium", "box_ap_large",
    "box_ar1", "box_ar10", "box_ar100", "box_ar_small", "box_ar_medium", "box_ar_large",
)  # fmt: skip
"""In the order of `COCOeval.stats`."""

_EXPECTED = 'COCO results: a list of {"image_id", "category_id", "bbox": [x, y, w, h], "score"}'
_NOTHING = -1  # what pycocotools says where there is nothing to find

Side = Annotated[float, msgspec.Meta(ge=0)]


class Detection(msgspec.Struct, frozen=True):
    """One found box as the official results have it; further keys are passed over."""

    image_id: GivenIdentity
    category_id: int
    bbox: tuple[float, float, Side, Side]
    score: float


class CocoBoxes(msgspec.Struct, frozen=True):
    """The reference boxes in COCO's terms.

    Attributes:
        images: Ids of the pictures, sorted; a picture's number for pycocotools is its place.
        classes: Category ids with their names, sorted.
        boxes: Number of the picture, category, box and whether it is a crowd, for each.
    """

    images: tuple[str, ...]
    classes: Mapping[int, str]
    boxes: tuple[tuple[int, int, tuple[float, float, float, float], bool], ...]


class Evaluation(msgspec.Struct, frozen=True):
    """What pycocotools found, from 0 to 1; a metric without anything to find is not there."""

    metrics: Mapping[str, float]
    by_class: Mapping[int, float]


def coco_boxes(samples: Iterable[Sample]) -> CocoBoxes:
    """Objects and crowds with a category id; pictures by COCO's id where they have one."""
    images: list[str] = []
    classes: dict[int, str] = {}
    boxes: list[tuple[int, int, tuple[float, float, float, float], bool]] = []
    for sample in sorted(samples, key=lambda one: id_order(_image_id(one))):
        for box in sample.boxes:
            if box.kind != "region" and box.label_id != NO_LABEL_ID:
                classes.setdefault(box.label_id, box.label)
                boxes.append((len(images), box.label_id, box.xywh, box.kind == "crowd"))
        images.append(_image_id(sample))
    return CocoBoxes(tuple(images), dict(sorted(classes.items())), tuple(boxes))


def read_detections(source: Source, known: CocoBoxes) -> tuple[Detection, ...]:
    """Reads results in the order of their file; a picture without any is none missing.

    Raises:
        DataProblem: Not of that form (JSON knows no NaN, and what is beyond a float is refused),
            or pictures and classes that are not among the references.
    """
    images = frozenset(known.images)
    problems = Problems()
    foreign: dict[str, None] = {}
    strange: dict[str, None] = {}
    found: list[Detection] = []
    for _, one in read_records(source, Detection, _EXPECTED):
        if id_text(one.image_id) not in images:
            foreign[id_text(one.image_id)] = None
        if one.category_id not in known.classes:
            strange[str(one.category_id)] = None
        found.append(one)
    if foreign:
        problems.add(
            f"{source.path}: {len(foreign):,} image_id not among the references: {named(foreign)}"
        )
    if strange:
        problems.add(
            f"{source.path}: {len(strange):,} category_id not among the references: "
            f"{named(strange)} (COCO's ids count from 1 to 90, with gaps)"
        )
    problems.raise_if_any(advice=f"Expected {_EXPECTED}.")
    return tuple(found)


def evaluate(known: CocoBoxes, found: Sequence[Detection]) -> Evaluation:
    """Runs `COCOeval` for boxes; it writes to stdout, which belongs to what was asked for.

    Args:
        known: At least one box that is no crowd.
        found: Results for pictures and classes among them.
    """
    from pycocotools.cocoeval import COCOeval as BoxEvaluation

    places = {image: at for at, image in enumerate(known.images)}
    truths = [
        _annotation(at, image, category, box=box, iscrowd=int(crowd))
        for at, (image, category, box, crowd) in enumerate(known.boxes, 1)
    ]
    results = [
        _annotation(at, places[id_text(one.image_id)], one.category_id, box=one.bbox, iscrowd=0)
        | {"score": one.score}
        for at, one in enumerate(found, 1)
    ]
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        # pycocotools 2.0.11 converts with a keyword that NumPy 2 warns of; nothing we can do.
        warnings.simplefilter("ignore", DeprecationWarning)
        run = BoxEvaluation(_index(known, truths), _index(known, results), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    metrics = {
        name: float(value)
        for name, value in zip(METRICS, run.stats.tolist(), strict=True)
        if value != _NOTHING
    }
    precision = run.eval["precision"][:, :, :, 0, -1]
    by_class = {
        category: float(precision[:, :, at].mean())
        for at, category in enumerate(known.classes)
        if (precision[:, :, at] != _NOTHING).any()
    }
    return Evaluation(metrics, by_class)


def detection_lines(found: Sequence[Detection]) -> bytes:
    """The normal form: JSONL in the order of the file, which decides between equal scores."""
    return b"".join(json_bytes(one) + b"\n" for one in found)


def _image_id(sample: Sample) -> str:
    return sample.image.coco_id or sample.image.id


def _annotation(
    number: int, image: int, category: int, *, box: Sequence[float], iscrowd: int
) -> dict[str, Any]:
    """Numbers count from 1: pycocotools takes a reference with the number 0 for none."""
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": list(box),
        "area": box[2] * box[3],
        "iscrowd": iscrowd,
    }


def _index(known: CocoBoxes, annotations: list[dict[str, Any]]) -> Any:
    from pycocotools.coco import COCO

    index = COCO()
    index.dataset = {
        "images": [{"id": at} for at in range(len(known.images))],
        "categories": [{"id": number, "name": name} for number, name in known.classes.items()],
        "annotations": annotations,
    }
    index.createIndex()
    return index
