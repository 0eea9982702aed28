"""Recorded outputs of the original programs, read from the reference shelf.

`golden/models/vcr_patch_ids` and `golden/scores/golden_patch_boxes_*` were written by VLE's own
get_patch_box; `golden/models/pipelines` holds the pixel values of CLIP's processor.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vle_bench.boxes import Box, from_xywh
from vle_bench.labels.vocabulary import coco_vocabulary
from vle_bench.patches.coverage import coverage
from vle_bench.patches.grid import PatchGrid, stretch_patch_ids, stretch_ranges
from vle_bench.patches.labels import patch_labels
from vle_bench.patches.mpc import mpc_targets
from vle_bench.patches.view import center_crop, shortest_edge_size, stretch
from vle_bench.records import BoxAnnotation

GRIDS = {
    "base16_576": (576, 16),
    "base16_224": (224, 16),
    "large14_224": (224, 14),
    "large14_336": (336, 14),
}
MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
STD = np.array([0.26862954, 0.26130258, 0.27577711])


def test_patch_ids_are_those_of_the_original_in_every_recorded_case(reference: Path) -> None:
    cases = json.loads((reference / "golden/models/vcr_patch_ids/cases.json").read_text())
    assert len(cases) >= 5
    for case in cases:
        boxes = [Box(*box[:4]) for box in case["boxes"]]
        width, height = case["width"], case["height"]
        grid = PatchGrid.of(case["image_size"], case["patch_size"])
        found = stretch_patch_ids(boxes, width, height, grid)
        assert [one.tolist() for one in found] == case["patch_ids"], case["name"]
        ranges = stretch_ranges(boxes, width, height, grid)
        pixels = ranges * (np.array([width / grid.columns, height / grid.rows] * 2))
        assert pixels.tolist() == case["patch_boxes"], case["name"]


def sample_boxes(reference: Path):
    path = reference / "golden/scores/golden_patch_boxes_vle_vcr_sample.json"
    document = json.loads(path.read_text())
    assert set(document["by_config"]) == set(GRIDS)
    for name, rows in document["by_config"].items():
        for row in rows:
            yield document["image"], PatchGrid.of(*GRIDS[name]), row


def test_the_vcr_frame_has_the_recorded_patches_on_four_grids(reference: Path) -> None:
    for (width, height), grid, row in sample_boxes(reference):
        box = Box(*row["box"])
        assert grid.columns == row["grid"]
        assert stretch_ranges([box], width, height, grid)[0].tolist() == row["vle_xyxy"]
        (ids,) = stretch_patch_ids([box], width, height, grid)
        assert len(ids) == row["vle_n"]
        assert [ids[0], ids[-1]] == row["vle_first_last"]
        if row["vle_patch_ids"] is not None:
            assert ids.tolist() == row["vle_patch_ids"]


def without_rounding(box: Box, width: int, height: int, size: int) -> np.ndarray:
    """Corners as the recording has them: the long side not rounded to pixels, nor the margin."""
    factor = size / min(width, height)
    margins = np.array([width * factor - size, height * factor - size]) / 2
    return np.array([box.x0, box.y0, box.x1, box.y1]) * factor - np.tile(margins, 2)


def test_the_crop_shows_the_recorded_patches_and_none_of_what_it_cuts_away(
    reference: Path,
) -> None:
    cut_away, by_rounding = set(), 0
    for (width, height), grid, row in sample_boxes(reference):
        view = center_crop(width, height, grid.width)
        box = Box(*row["box"])
        (ours,) = view.boxes([box])
        if ours[2] < 0 or ours[0] >= grid.width:
            # The recording pushed such boxes to the edge of the crop; ours have no patch.
            cut_away.add(row["name"])
            assert view.patch_ids([box], grid)[0].tolist() == []
            continue
        loose = without_rounding(box, width, height, grid.width)
        assert np.abs(ours - loose).max() < 1, "rounding moves a corner by less than a pixel"
        for side, (found, recorded) in enumerate(
            zip(view.patch_ranges([box], grid)[0], row["centercrop_xyxy"], strict=True)
        ):
            if found != recorded:
                by_rounding += 1
                lower, upper = sorted((ours[side], loose[side]))
                line = max(found, recorded) - (side > 1)
                assert lower < line * grid.patch_size <= upper, (row["name"], side)
    assert cut_away == {"car", "clock"}
    assert by_rounding <= 3, "what the processor really does decides; see the test of its pixels"


def tensor(path: Path, name: str) -> np.ndarray:
    """One float32 array of a safetensors file: a length, a JSON header, the bytes."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    entry = json.loads(data[8 : 8 + size])[name]
    first, last = entry["data_offsets"]
    assert entry["dtype"] == "F32"
    return np.frombuffer(data[8 + size :][first:last], dtype="<f4").reshape(entry["shape"])


def test_clips_processor_made_its_pixels_with_the_size_and_the_cut_of_our_view(
    reference: Path,
) -> None:
    folder = reference / "golden/models/pipelines"
    pixels = folder / "processor_pixel_values.safetensors"
    header_size = int.from_bytes(pixels.read_bytes()[:8], "little")
    names = [n for n in json.loads(pixels.read_bytes()[8 : 8 + header_size]) if n[:2] != "__"]
    compared = 0
    for name in names:
        (path,) = folder.glob(f"{name}.png")
        expected = tensor(pixels, name)[0]
        image_size = expected.shape[-1]
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        resized = shortest_edge_size(*picture.size, image_size)
        view = center_crop(*picture.size, image_size)
        left, top = int(-view.x.shift), int(-view.y.shift)
        seen = picture.resize(resized, Image.Resampling.BICUBIC).crop(
            (left, top, left + image_size, top + image_size)
        )
        found = (np.asarray(seen) / 255 - MEAN) / STD
        np.testing.assert_allclose(found.transpose(2, 0, 1), expected, atol=1e-5)
        compared += 1
    assert compared >= 3


def test_transformers_own_functions_agree_on_sizes_and_cuts() -> None:
    transforms = pytest.importorskip("transformers.image_transforms")
    rng = np.random.default_rng(11)
    for width, height in rng.integers(1, 60, size=(300, 2)).tolist():
        crop = int(rng.integers(1, 60))
        column = np.broadcast_to(np.arange(1, width + 1), (height, width))
        row = np.broadcast_to(np.arange(1, height + 1)[:, None], (height, width))
        stored = np.stack([column, row], axis=-1)
        if max(width, height) * crop < 4000 * min(width, height):
            size = transforms.get_resize_output_image_size(
                stored, size=crop, default_to_square=False, input_data_format="channels_last"
            )
            assert tuple(size)[::-1] == shortest_edge_size(width, height, crop)
        cut = transforms.center_crop(
            stored, (crop, crop), data_format="channels_last", input_data_format="channels_last"
        )
        view = center_crop(width, height, crop, shortest_edge=min(width, height))
        y, x = np.nonzero(cut[..., 0])
        assert len(y) == min(crop, width) * min(crop, height)
        assert (cut[y, x, 0] - 1 == x - int(view.x.shift)).all()
        assert (cut[y, x, 1] - 1 == y - int(view.y.shift)).all()


def real_pictures(reference: Path):
    """Every picture of the shelf's piece of COCO with its boxes, as our shards would hold them."""
    for path in sorted((reference / "data/enginbozaba+tiny_coco/annotations").glob("*.json")):
        document = json.loads(path.read_text())
        names = {one["id"]: one["name"] for one in document["categories"]}
        boxes: dict[int, list[BoxAnnotation]] = {one["id"]: [] for one in document["images"]}
        for one in document["annotations"]:
            box = BoxAnnotation(
                id=str(one["id"]),
                xywh=tuple(one["bbox"]),
                label=names[one["category_id"]],
                label_id=one["category_id"],
                kind="crowd" if one["iscrowd"] else "object",
            )
            boxes[one["image_id"]].append(box)
        for image in document["images"]:
            yield image["width"], image["height"], boxes[image["id"]]


def test_real_boxes_have_targets_in_both_frames(reference: Path) -> None:
    grid = PatchGrid.of(384, 16)
    pictures = crowds = shown = 0
    for width, height, boxes in real_pictures(reference):
        pictures += 1
        crowds += sum(box.kind == "crowd" for box in boxes)
        for view in (stretch(width, height, 384), center_crop(width, height, 384).mirrored()):
            labels = patch_labels(boxes, coco_vocabulary(), view=view, grid=grid)
            for place, label in zip(labels.box.tolist(), labels.label.tolist(), strict=True):
                assert boxes[place].kind == "object"
                assert coco_vocabulary().name(label) == boxes[place].label
            claimed = coverage(
                [from_xywh(*box.xywh) for box in boxes if box.kind == "object"], view, grid
            ).members(0.5)
            owned = np.zeros(len(grid), dtype=bool)
            owned[labels.patch] = True
            assert (claimed.any(axis=0) == owned).all()
            if view.x.scale > 0:
                assert claimed.any(axis=1).all(), "in the whole picture every thing has a patch"
            targets = mpc_targets(
                boxes, coco_vocabulary(), view=view, grid=grid, key=f"coco-{pictures}", seed=0
            )
            assert targets.masked.any() == owned.any()
            shown += int(owned.sum())
    assert (pictures, crowds) == (38, 5)
    assert shown > 10_000
