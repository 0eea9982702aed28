"""Every file that the scorers of grounding read, as `fuzz_readers` has them.

What is asked stands in `grounding_world`; what is right of it is written down here by hand.
"""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fuzz_plain as plain
import numpy as np
from fuzz_damage import damaged_archive, damaged_parquet, damaged_text, npz_bytes, parquet_bytes
from fuzz_reader import Reader, Scores, jsonl, table
from grounding_world import REGIONS, sample, thing, write_split

from vle_bench.eval.requests import GroundingRequest

THINGS = (
    sample(1, [
        thing("1", (0, 0, 20, 40), "dog", label_id=18),
        thing("2", (30, 10, 20, 20), "person", label_id=1),
        thing("3", (60, 0, 20, 40), "gizmo"),
    ], dataset="coco", split="val", captions=("A dog.", "A man.")),
    sample(2, [thing("5", (20, 0, 40, 40), "cat", label_id=17)],
           dataset="coco", split="val", captions=("A cat.",)),
)  # fmt: skip
CLASS_OF = {("coco-1", "1"): 16, ("coco-1", "2"): 0, ("coco-2", "5"): 15}
NO_CLASS = ("coco-1", "3")
TEXT_OF = {"10": "1", "11": "1", "20": "2"}
TRUTHS = [("1", 18, (0, 0, 20, 40)), ("1", 1, (30, 10, 20, 20)), ("2", 17, (20, 0, 40, 40))]

RELATED = {
    ("vg-1", "11"): {0, 1, 4, 5}, ("vg-1", "12"): {3, 7, 11, 15},
    ("vg-2", "21"): {0, 4, 8, 12}, ("vg-2", "22"): {5, 6, 9, 10},
}  # fmt: skip
"""Patches of 20 x 10 pixels, four in a row, that each region covers by half at least."""
PATCHES, THRESHOLD = 16, 0.5
MAPS = (np.random.default_rng(3).integers(0, 7, (4, PATCHES)) / 6).astype(np.float32)

GUESSES = [
    {"key": key, "box_id": box,
     "label_ids": [label if at == 2 - place else at + 30 for at in range(5)]}
    for place, ((key, box), label) in enumerate(CLASS_OF.items())
]  # fmt: skip
PAIRS = [
    {"image_id": image, "text_id": text, "score": 0.25 * ((at * 3 + int(text)) % 5),
     "match": TEXT_OF[text] == image}
    for at, (text, image) in enumerate((text, image) for text in TEXT_OF for image in ("1", "2"))
]  # fmt: skip
FOUND = [
    {"image_id": 1, "category_id": 18, "bbox": [0, 0, 21, 40], "score": 0.9},
    {"image_id": 1, "category_id": 1, "bbox": [28, 10, 20, 24], "score": 0.5},
    {"image_id": 2, "category_id": 17, "bbox": [20, 0, 20, 40], "score": 0.7},
    {"image_id": 2, "category_id": 18, "bbox": [0, 0, 21, 40], "score": 0.4},
]


def write_shards(folder: Path) -> None:
    write_split(folder / "shards", REGIONS)
    write_split(folder / "shards", THINGS)


def _request(dataset: str, split: str, **more: Any) -> Callable[[Path, Path], GroundingRequest]:
    def request(folder: Path, file: Path) -> GroundingRequest:
        return GroundingRequest(
            data=str(folder / "shards"), dataset=dataset, split=split, predictions=(str(file),),
            resamples=0, **more,
        )  # fmt: skip

    return request


_PATCHES = _request("vg", "train", geometry="stretch", image_size=32, patch_size=8)
_THINGS = _request("coco", "val")


def _maps(keys: Any, queries: Any, scores: Any) -> Scores:
    names = [tuple(map(plain.identity, pair)) for pair in zip(keys, queries, strict=True)]
    found = dict(zip(names, scores, strict=True))
    plain.need(len(found) == len(names), "a query twice")
    plain.same(found, RELATED, "queries")
    values = [
        _map_scores([plain.number(one) for one in found[one]], RELATED[one]) for one in RELATED
    ]
    return {
        name: 100 * sum(column) / len(values)
        for name, column in zip(
            ("patch_ap", "pointing", "patch_iou"), zip(*values, strict=True), strict=True
        )
    }


def _map_scores(scores: list[float], right: set[int]) -> tuple[float, float, float]:
    plain.need(len(scores) == PATCHES, "not a score a patch")
    above = [{other for other, value in enumerate(scores) if value >= scores[at]} for at in right]
    precision = sum(len(one & right) / len(one) for one in above) / len(right)
    taken = {at for at, score in enumerate(scores) if score >= THRESHOLD}
    best = scores.index(max(scores))
    return precision, float(best in right), len(taken & right) / len(taken | right)


def _maps_of_arrays(data: bytes) -> Scores:
    found = plain.arrays(data)
    plain.need(found["key"].ndim == found["query_id"].ndim == 1, "shapes")
    scores = plain.numbers(found["scores"])
    plain.need(scores.ndim == 2, "shape")
    return _maps(found["key"].tolist(), found["query_id"].tolist(), scores.tolist())


def _maps_of_rows(rows: list[plain.Row]) -> Scores:
    keys, queries, scores = ([row[name] for row in rows] for name in ("key", "query_id", "scores"))
    for row in scores:
        plain.need(all(type(one) in (int, float) for one in plain.listed(row)), "no numbers")
    return _maps(keys, queries, scores)


def _classes(rows: list[plain.Row]) -> Scores:
    found = []
    for row in rows:
        name = plain.identity(row["key"]), plain.identity(row["box_id"])
        labels = row["label_ids"]
        if isinstance(labels, str):
            labels = plain.document(
                (labels if labels[:1] == "[" else f"[{','.join(labels.split())}]").encode()
            )
        plain.need(len(plain.listed(labels)) == len(set(labels)) == 5, "not five")
        plain.need(all(type(one) is int and 0 <= one < 80 for one in labels), "no class")
        if name != NO_CLASS:
            found.append((name, labels))
    by_box = dict(found)
    plain.need(len(by_box) == len(found), "a box twice")
    plain.same(by_box, CLASS_OF, "boxes")
    return {
        f"mpc_top{most}": 100
        * sum(CLASS_OF[box] in labels[:most] for box, labels in found)
        / len(found)
        for most in (1, 5)
    }


def _pairs(rows: list[plain.Row]) -> Scores:
    found: dict[tuple[str, str], tuple[float, bool]] = {}
    for row in rows:
        image, text = plain.identity(row["image_id"]), plain.identity(row["text_id"])
        match = {"true": True, "1": True, "false": False, "0": False}[str(row["match"]).lower()]
        plain.need(
            (image, text) not in found and image in TEXT_OF.values(), "a pair twice, or a stranger"
        )
        plain.need((TEXT_OF[text] == image) == match, "another truth")
        found[image, text] = plain.number(row["score"]), match
    sides = {
        kind: [score for score, match in found.values() if match == kind] for kind in (True, False)
    }
    plain.need(all(sides.values()), "only one kind")
    right = {kind: sum((score > THRESHOLD) == kind for score in sides[kind]) for kind in sides}
    wins = sum((high > low) + (high == low) / 2 for high in sides[True] for low in sides[False])
    return {
        "itm_accuracy": 100 * sum(right.values()) / len(found),
        "itm_accuracy[matched]": 100 * right[True] / len(sides[True]),
        "itm_accuracy[mismatched]": 100 * right[False] / len(sides[False]),
        "itm_auc": 100 * wins / len(sides[True]) / len(sides[False]),
    }


def _boxes(rows: list[plain.Row]) -> Scores:
    """COCO's own program on COCO's own files."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    results = []
    for row in rows:
        image = plain.identity(row["image_id"])
        plain.need(image in ("1", "2") and row["category_id"] in (1, 17, 18), "a stranger")
        plain.need(type(row["category_id"]) is int, "no class")
        box = [plain.number(one) for one in plain.listed(row["bbox"])]
        plain.need(
            all(type(one) in (int, float) for one in (*row["bbox"], row["score"])), "no number"
        )
        plain.need(len(box) == 4 and min(box[2:]) >= 0, "no box")
        results.append((image, row["category_id"], box, plain.number(row["score"])))
    indexes = []
    for entries in (TRUTHS, results):
        index = COCO()
        index.dataset = {
            "images": [{"id": 1}, {"id": 2}],
            "categories": [{"id": number} for number in (1, 17, 18)],
            "annotations": [
                {"id": at, "image_id": int(image), "category_id": category, "bbox": list(box),
                 "area": box[2] * box[3], "iscrowd": 0, **dict(zip(["score"], score, strict=False))}
                for at, (image, category, box, *score) in enumerate(entries, 1)
            ],
        }  # fmt: skip
        with contextlib.redirect_stdout(io.StringIO()):
            index.createIndex()
        indexes.append(index)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        run = COCOeval(*indexes, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    names = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large",
             "ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large")  # fmt: skip
    return {
        f"box_{name}": 100 * value
        for name, value in zip(names, run.stats.tolist(), strict=True) if value != -1
    }  # fmt: skip


_KEYS, _QUERIES = (np.array([pair[at] for pair in RELATED]) for at in (0, 1))
_ROWS = [
    {"key": key, "query_id": query, "scores": row.tolist()}
    for (key, query), row in zip(RELATED, MAPS, strict=True)
]

GROUNDING: dict[str, Reader] = {
    "grounding patches, NPZ": Reader(
        npz_bytes(key=_KEYS, query_id=_QUERIES, scores=MAPS), damaged_archive, _PATCHES,
        _maps_of_arrays, "grounding"),
    "grounding patches, Parquet": Reader(
        parquet_bytes(_ROWS), damaged_parquet, _PATCHES,
        lambda data: _maps_of_rows(plain.parquet_rows(data)), "grounding"),
    "grounding patches, JSONL": Reader(
        jsonl(_ROWS), damaged_text, _PATCHES,
        lambda data: _maps_of_rows(plain.json_rows(data)), "grounding"),
    "grounding classes, JSONL": Reader(
        jsonl(GUESSES), damaged_text, _THINGS,
        lambda data: _classes(plain.json_rows(data)), "grounding-mpc"),
    "grounding classes, Parquet": Reader(
        parquet_bytes(GUESSES), damaged_parquet, _THINGS,
        lambda data: _classes(plain.parquet_rows(data)), "grounding-mpc"),
    "grounding pairs, CSV": Reader(
        table(PAIRS), damaged_text, _THINGS,
        lambda data: _pairs(plain.csv_rows(data)), "grounding-itm"),
    "grounding pairs, Parquet": Reader(
        parquet_bytes(PAIRS), damaged_parquet, _THINGS,
        lambda data: _pairs(plain.parquet_rows(data)), "grounding-itm"),
    "grounding boxes": Reader(
        json.dumps(FOUND).encode(), damaged_text, _THINGS,
        lambda data: _boxes(plain.json_rows(data)), "grounding-detection"),
}  # fmt: skip
