"""What has no prediction earns nothing, and what stands twice is no reference."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from grounding_world import FRAME, region, sample, thing, write_split

from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.eval.grounding.frame import frame_of
from vle_bench.eval.grounding.patches import PatchItems, metrics_of
from vle_bench.eval.requests import GroundingRequest

BICYCLES = [thing(str(at), (0, 0, 20, 40), "bicycle", label_id=2) for at in range(3)]


def lines(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def guess(vle_eval, folder: Path, boxes: list, *more: object, first: int = 1):
    data = write_split(folder / "s", [sample(1, boxes, dataset="coco", split="val")])
    rows = [{"key": "coco-1", "box_id": "0", "label_ids": [first, 0, 2, 3, 4]}]
    return vle_eval(
        "grounding", "--data", data, "--dataset", "coco", "--split", "val", "--json",
        "--predictions", lines(folder / "g.jsonl", rows), *more,
    )  # fmt: skip


def test_a_box_without_guesses_is_wrong_whatever_its_class(vle_eval, tmp_path) -> None:
    """The class of a bicycle is 1: no filling of the table may be taken for a guess."""
    ran = guess(vle_eval, tmp_path, BICYCLES, "--missing", "zero")
    assert ran.code == 0, ran.err
    third = pytest.approx(100 / 3)
    assert (ran.values["mpc_top1"], ran.values["mpc_top5"]) == (third, third)


@pytest.mark.parametrize(("first", "code"), [(79, 0), (80, 3), (-1, 3)])
def test_the_last_class_is_one_less_than_their_number(vle_eval, tmp_path, first, code) -> None:
    ran = guess(vle_eval, tmp_path, BICYCLES[:1], first=first)
    assert ran.code == code
    assert (f"label_ids {first}: classes count from 0 to 79 here" in ran.err) is (code == 3)


def test_a_box_that_stands_twice_is_refused(vle_eval, tmp_path) -> None:
    ran = guess(vle_eval, tmp_path, [BICYCLES[0], BICYCLES[0]])
    assert ran.code == 3
    assert "1 key and box_id more than once: coco-1 0" in ran.err


def test_a_query_that_stands_twice_is_refused(vle_eval, tmp_path) -> None:
    twice = [region("7", (0, 0, 40, 20), "one"), region("7", (40, 20, 40, 20), "other")]
    data = write_split(tmp_path, [sample(1, twice)])
    ran = vle_eval("grounding", "--data", data, "--dataset", "vg", "--split", "train", *FRAME,
                   "--model", "baseline:center")  # fmt: skip
    assert ran.code == 3
    assert "1 key and query_id more than once: vg-1 7" in ran.err


def test_a_query_without_scores_has_no_best_patch(ground, tmp_path) -> None:
    rows = [{"key": "vg-1", "query_id": "11", "scores": [0.5] * 16}]
    ran = ground("--predictions", lines(tmp_path / "p.jsonl", rows), "--missing", "zero",
                 "--out", tmp_path / "out", frame=FRAME)  # fmt: skip
    assert ran.code == 0, ran.err
    table = pq.read_table(tmp_path / "out" / "items.parquet").to_pydict()
    assert len(table["id"]) == 4
    assert sorted(table["prediction"]) == ["", "", "", "0"]


@pytest.mark.parametrize("value", [1.0001, -0.0001])
def test_a_mean_beyond_its_bounds_stops_the_run(value: float) -> None:
    items = PatchItems(np.full((2, 3), value), np.zeros(2, np.int64), np.zeros(2, np.bool_))
    with pytest.raises(DataProblem, match="patch_ap is not from 0 to 100"):
        metrics_of(items, ["a", "b"], resamples=0, seed=0)


@pytest.mark.parametrize(
    ("image", "patch", "patches"),
    [(384, 16, 576), (336, 14, 576), (576, 16, 1296), (2048, 8, 65536), (2056, 8, 0), (8, 9, 0)],
)
def test_frames_of_real_models_are_allowed_and_absurd_ones_are_not(image, patch, patches) -> None:
    request = GroundingRequest(geometry="stretch", image_size=image, patch_size=patch)
    if patches:
        assert len(frame_of(request).grid) == patches
    else:
        with pytest.raises(UsageProblem):
            frame_of(request)


def test_the_first_class_has_a_name_in_the_item_table(vle_eval, tmp_path) -> None:
    boxes = BICYCLES[:2]
    write_split(tmp_path / "s", [sample(1, boxes, dataset="coco", split="val")])
    rows = [{"key": "coco-1", "box_id": "0", "label_ids": [0, 1, 2, 3, 4]}]
    ran = vle_eval(
        "grounding", "--data", tmp_path / "s", "--dataset", "coco", "--split", "val",
        "--predictions", lines(tmp_path / "g.jsonl", rows), "--missing", "zero",
        "--out", tmp_path / "o",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    table = pq.read_table(tmp_path / "o" / "items.parquet").to_pydict()
    assert (table["prediction"], table["group"]) == (["person", ""], ["bicycle", "bicycle"])


def test_a_crowd_is_no_box_of_the_signature(vle_eval, tmp_path) -> None:
    crowd = thing("9", (40, 0, 40, 40), "bicycle", label_id=2, kind="crowd")
    boxes = [*BICYCLES[:2], crowd]
    data = write_split(tmp_path / "s", [sample(1, boxes, dataset="coco", split="val")])
    row = {"image_id": 1, "category_id": 2, "bbox": [0, 0, 20, 40], "score": 0.9}
    (tmp_path / "d.json").write_text(json.dumps([row]))
    ran = vle_eval("grounding", "--data", data, "--dataset", "coco", "--split", "val", "--json",
                   "--detections", tmp_path / "d.json")  # fmt: skip
    assert ran.code == 0, ran.err
    assert "|boxes:2|" in ran.document["signature"]


def test_pairs_that_are_believed_name_no_shards(vle_eval, tmp_path) -> None:
    rows = [{"image_id": at, "text_id": at, "score": 0.1, "match": bool(at)} for at in (0, 1)]
    ran = vle_eval("grounding", "--json", "--predictions", lines(tmp_path / "p.jsonl", rows))
    assert ran.code == 0, ran.err
    assert set(ran.document["stamp"]["inputs"]) == {"predictions"}
    assert "|truth:file|" in ran.document["signature"]
