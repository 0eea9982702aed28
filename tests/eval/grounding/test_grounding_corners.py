"""Rare ways into the grounding scorers, each with its own sentence, and fuzz of the readers."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from grounding_world import FRAME, REGIONS, region, sample, thing, write_split

from vle_bench.errors import UsageProblem, VleBenchError
from vle_bench.eval.grounding import patch_files
from vle_bench.eval.grounding.detections import Evaluation
from vle_bench.eval.grounding.frame import Frame
from vle_bench.eval.grounding.queries import read_queries
from vle_bench.eval.requests import GroundingRequest, VcrRequest
from vle_bench.eval.tasks import load_task
from vle_bench.inputs import open_source

GOLDEN = Path(__file__).parents[3] / "manifests" / "golden"
KEYS, QUERIES = ["vg-1", "vg-1", "vg-2", "vg-2"], ["11", "12", "21", "22"]
MAPS = np.random.default_rng(0).random((4, 16)).astype(np.float32)


def parquet_bytes() -> bytes:
    stream = io.BytesIO()
    table = pa.table({"key": KEYS, "query_id": QUERIES, "scores": MAPS.tolist()})
    pq.write_table(table, stream, compression="snappy")
    return stream.getvalue()


def npz_bytes() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, key=np.array(KEYS), query_id=np.array(QUERIES), scores=MAPS)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["mpc", "itm", "detection"])
def test_predictors_of_patches_predict_nothing_else(kind) -> None:
    with pytest.raises(UsageProblem):
        load_task(f"grounding-{kind}").score(GroundingRequest(model="baseline:oracle"))


@pytest.mark.parametrize("name", ["grounding", "grounding-mpc", "grounding-itm"])
def test_requests_of_another_task_are_a_mistake_of_the_caller(name) -> None:
    with pytest.raises(TypeError, match="VcrRequest is no request of grounding"):
        load_task(name).score(VcrRequest())


def test_a_table_of_more_rows_than_any_split_is_not_unpacked(ground, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(patch_files, "_MOST_ROWS", 3)
    (tmp_path / "p").write_bytes(parquet_bytes())
    ran = ground("--predictions", tmp_path / "p")
    assert (ran.code, "more than 3 rows" in ran.err) == (3, True)


def test_ids_without_scores_are_refused(ground, tmp_path, monkeypatch) -> None:
    """A damaged Parquet file can have columns of different lengths, which pyarrow reads alone."""
    monkeypatch.setattr(patch_files._Parquet, "blocks", lambda _: iter([(0, MAPS[:3])]))
    (tmp_path / "p").write_bytes(parquet_bytes())
    ran = ground("--predictions", tmp_path / "p")
    assert (ran.code, "4 ids and 3 rows of scores" in ran.err) == (3, True)


def test_a_box_without_size_is_not_drawn(vle_eval, tmp_path) -> None:
    boxes = [region("a", (0, 0, 40, 20), "men"), region("b", (60, 10, 0, 0), "men")]
    data = write_split(tmp_path / "s", [sample(4, boxes, dataset="flickr30k", split="test")])
    ran = vle_eval(
        "grounding", "--data", data, "--dataset", "flickr30k", "--split", "test", *FRAME,
        "--model", "baseline:oracle", "--pictures", tmp_path / "p",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert [path.name for path in (tmp_path / "p").iterdir()] == ["flickr30k-4--a.jpg"]


def test_all_boxes_with_a_class_need_no_note(vle_eval, tmp_path) -> None:
    from grounding_world import thing

    box = thing("1", (0, 0, 20, 40), "dog", label_id=18)
    data = write_split(tmp_path / "s", [sample(1, [box], dataset="coco", split="val")])
    row = {"key": "coco-1", "box_id": "1", "label_ids": [16, 1, 2, 3, 4]}
    (tmp_path / "g.jsonl").write_text(json.dumps(row))
    ran = vle_eval(
        "grounding", "--data", data, "--dataset", "coco", "--split", "val",
        "--predictions", tmp_path / "g.jsonl", "--json",
    )  # fmt: skip
    assert ran.values["mpc_top1"] == 100
    assert "note:" not in ran.err


@pytest.mark.parametrize("make", [parquet_bytes, npz_bytes])
def test_damaged_files_are_refused_or_right(make, tmp_path) -> None:
    data = write_split(tmp_path / "s", REGIONS)
    request = GroundingRequest(data=str(data), dataset="vg", split="train")
    asked = read_queries(request, Frame("stretch", 32, 8))
    whole, draw = make(), random.Random(7)
    refused = 0
    for turn in range(150):
        damaged = bytearray(whole)
        for _ in range(draw.randrange(1, 4)):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        if turn % 3 == 0:
            del damaged[draw.randrange(len(damaged)) :]
        path = tmp_path / "damaged"
        path.write_bytes(bytes(damaged))
        try:
            source = open_source(path, "scores")
            found = patch_files.read_patch_scores(source, asked, patches=16, missing="error")
        except VleBenchError:
            refused += 1
            continue
        assert found.scores.shape == (4, 16)
        assert np.isfinite(found.scores).all()
    assert refused > 20


@pytest.mark.parametrize("kind", ["mpc", "itm", "detection"])
def test_damaged_rows_are_refused_or_right(kind, vle_eval, tmp_path) -> None:
    from test_grounding_kinds import PAIRS, PERFECT, THINGS, guesses

    data = write_split(tmp_path / "s", THINGS)
    rows = {"mpc": guesses(), "itm": PAIRS, "detection": PERFECT}[kind]
    whole = "".join(json.dumps(row) + "\n" for row in rows).encode()
    draw = random.Random(kind)
    codes = set()
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(draw.randrange(1, 3)):
            damaged[draw.randrange(len(damaged))] = draw.choice(b'"[]{}0123456789.,:eE- \n\xff')
        (tmp_path / "d.jsonl").write_bytes(bytes(damaged))
        ran = vle_eval(
            "grounding", "--data", data, "--dataset", "coco", "--split", "val", "--resamples", 0,
            "--predictions", tmp_path / "d.jsonl", "--json",
        )  # fmt: skip
        assert ran.code in {0, 3}, ran.err
        codes.add(ran.code)
    assert 3 in codes


def test_no_number_of_pictures_says_how_sure_an_average_precision_is(vle_eval) -> None:
    """It is no mean over pictures, so three of them are not "3 independent items"."""
    case = GOLDEN / "grounding_detection"
    ran = vle_eval("grounding", "--data", case / "shards", "--dataset", "coco", "--split", "val",
                   "--detections", case / "detections.json")  # fmt: skip
    assert ran.code == 0
    assert "box_ap" in ran.out
    assert "independent items" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("name", "made", "broken", "told"),
    [
        ("detection", "evaluate", Evaluation({"box_ap": 0.6, "box_ap50": 0.5}, {}), "box_ap > box"),
        ("label", "hits", np.array([[1.0, 0.0]] * 9), "mpc_top1 is above mpc_top5"),
    ],
)
def test_scores_that_contradict_themselves_are_no_result(
    vle_eval, tmp_path, monkeypatch, name, made, broken, told
) -> None:
    boxes = [thing(str(at), (0, 0, 9, 9), "bicycle", label_id=2) for at in range(9)]
    data = write_split(tmp_path / "s", [sample(1, boxes, dataset="coco", split="val")])
    files = {
        "detection": '[{"image_id": 1, "category_id": 2, "bbox": [0, 0, 9, 9], "score": 1}]',
        "label": '{"key": "coco-1", "box_id": "0", "label_ids": [1, 0, 2, 3, 4]}',
    }
    (tmp_path / "p").write_text(files[name])
    monkeypatch.setattr(f"vle_bench.eval.grounding.{name}_task.{made}", lambda *_: broken)
    ran = vle_eval("grounding", "--data", data, "--dataset", "coco", "--split", "val",
                   "--predictions", tmp_path / "p", "--missing", "zero", "--json")  # fmt: skip
    assert (ran.code, ran.out, told in ran.err) == (3, "", True)


def test_two_thresholds_that_differ_at_all_are_two_measurements(ground) -> None:
    ran = [ground("--model", "baseline:center", "--threshold", threshold, "--json").document
           for threshold in (0.5, 0.5000001, 0.5000002, 2)]  # fmt: skip
    frame = "stretch-32-8"
    assert [one["protocol"] for one in ran] == [
        frame, f"{frame}-t0.5000001", f"{frame}-t0.5000002", f"{frame}-t2",
    ]  # fmt: skip
    assert "|threshold:0.5000002|" in ran[2]["signature"]
