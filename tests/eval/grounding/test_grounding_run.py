"""`vle-eval grounding` on patches: what is asked, what is read, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from grounding_world import CROPPED, FRAME, sample, thing, write_split

PATCHES = 16
KEYS = ["vg-1", "vg-1", "vg-2", "vg-2"]
QUERIES = ["11", "12", "21", "22"]
MAPS = np.linspace(0, 1, 4 * PATCHES, dtype=np.float32).reshape(4, PATCHES)


def write_npz(path, keys=KEYS, queries=QUERIES, scores=MAPS):
    np.savez(path, key=np.array(keys), query_id=np.array(queries), scores=np.asarray(scores))
    return path


def write_parquet(path, keys=KEYS, queries=QUERIES, scores=MAPS, kind=None):
    column = pa.array([None if row is None else list(row) for row in scores], type=kind)
    pq.write_table(pa.table({"key": keys, "query_id": queries, "scores": column}), path)
    return path


@pytest.fixture
def npz(tmp_path):
    return write_npz(tmp_path / "maps.npz")


def test_the_oracle_is_right_and_the_constant_gets_the_share(ground) -> None:
    assert ground("--model", "baseline:oracle", "--json").values == {
        "patch_ap": 100.0, "pointing": 100.0, "patch_iou": 100.0,
    }  # fmt: skip
    constant = ground("--model", "baseline:constant", "--json")
    assert constant.values["patch_ap"] == pytest.approx(100 * (4 + 4 + 4 + 4) / 64)
    assert "Tied maxima, where the first patch is pointed at: 4 of 4" in constant.err
    assert "one side of the threshold 0.5" in constant.err


def test_the_middle_finds_what_stands_there(ground) -> None:
    ran = ground("--model", "baseline:center", "--json")
    assert ran.values["pointing"] == 50.0


def test_a_crop_leaves_out_what_it_cuts_away_and_says_so(ground) -> None:
    ran = ground("--model", "baseline:oracle", "--json", frame=CROPPED)
    assert ran.document["metrics"]["patch_ap"]["n"] == 2
    assert "|no-box:0|no-patch:2|frame:center_crop-32-8|" in ran.document["signature"]
    assert ran.document["protocol"] == "center_crop-32-8"
    assert "2 of 4 texts are not scored: 0 have no box, 2 none" in ran.err


@pytest.mark.parametrize("kind", [None, pa.list_(pa.float32()), pa.list_(pa.float32(), PATCHES),
                                  pa.large_list(pa.float64())])  # fmt: skip
def test_parquet_of_every_list_gives_what_npz_gives(ground, npz, tmp_path, kind) -> None:
    expected = ground("--predictions", npz, "--json").document["metrics"]
    found = ground("--predictions", write_parquet(tmp_path / "p", kind=kind), "--json")
    assert found.document["metrics"] == expected


def test_the_order_of_rows_moves_nothing(ground, npz, tmp_path) -> None:
    turned = write_npz(tmp_path / "t.npz", KEYS[::-1], QUERIES[::-1], MAPS[::-1])
    before, after = (ground("--predictions", path, "--json").document for path in (npz, turned))
    assert before["metrics"] == after["metrics"]


def test_integer_ids_and_json_lines_are_read_too(ground, npz, tmp_path) -> None:
    expected = ground("--predictions", npz, "--json").document["metrics"]
    whole = write_npz(tmp_path / "i.npz", queries=list(map(int, QUERIES)))
    assert ground("--predictions", whole, "--json").document["metrics"] == expected
    rows = [
        {"key": key, "query_id": int(query), "scores": scores.tolist()}
        for key, query, scores in zip(KEYS, QUERIES, MAPS, strict=True)
    ]
    (tmp_path / "l.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert ground("--predictions", tmp_path / "l.jsonl", "--json").document["metrics"] == expected


def test_a_prediction_for_what_is_cut_away_is_let_through(ground, npz, tmp_path) -> None:
    ran = ground("--predictions", npz, "--json", frame=CROPPED)
    assert ran.document["metrics"]["patch_ap"]["n"] == 2
    seen = write_npz(tmp_path / "s.npz", ["vg-1", "vg-2"], ["11", "22"], MAPS[[0, 3]])
    again = ground("--predictions", seen, "--json", frame=CROPPED)
    assert again.document["metrics"] == ran.document["metrics"]


def test_missing_twice_and_foreign_ids_are_named(ground, tmp_path) -> None:
    path = write_npz(tmp_path / "x.npz", ["vg-1", "vg-1", "vg-2", "vg-3"], ["11", "11", "22", "5"])
    ran = ground("--predictions", path)
    assert ran.code == 3
    assert "1 key and query_id more than once: vg-1 11 (row 1 and row 2)" in ran.err
    assert "1 key and query_id not among the references: vg-3 5 (row 4)" in ran.err
    path = write_npz(tmp_path / "y.npz", KEYS[:3], QUERIES[:3], MAPS[:3])
    ran = ground("--predictions", path)
    assert ran.code == 3
    assert "1 of 4 key and query_id without prediction: vg-2 22" in ran.err
    ran = ground("--predictions", path, "--missing", "zero", "--json")
    assert "1 of 4 queries have no prediction and count as zero" in ran.err
    assert "|missing:zero|" in ran.document["signature"]


BROKEN_MAPS = [
    (np.full((4, PATCHES), np.nan), "scores that are not finite: row 1, patch 0: nan"),
    (np.zeros((4, PATCHES + 1)), "17 scores, 16 were expected, one a patch. Leave the class token"),
    (np.zeros((4, 9)), "9 scores, 16 were expected, one a patch. Check the frame"),
    (np.zeros((3, PATCHES)), "one row a query"),
    (np.zeros(4), "one row a query"),
    (np.full((4, PATCHES), "a"), "numbers were expected"),
]


@pytest.mark.parametrize(("scores", "told"), BROKEN_MAPS)
def test_broken_arrays_are_refused(ground, tmp_path, scores, told) -> None:
    ran = ground("--predictions", write_npz(tmp_path / "b.npz", scores=scores))
    assert ran.code == 3
    assert told in ran.err


def test_arrays_without_ids_are_refused(ground, tmp_path) -> None:
    np.savez(tmp_path / "n.npz", scores=MAPS)
    ran = ground("--predictions", tmp_path / "n.npz")
    assert (ran.code, "no key, query_id." in ran.err) == (3, True)
    np.savez(tmp_path / "n.npz", key=np.zeros(4), query_id=np.zeros(4), scores=MAPS)
    ran = ground("--predictions", tmp_path / "n.npz")
    assert (ran.code, "one text or integer a row" in ran.err) == (3, True)


ROWS = MAPS.tolist()
BROKEN_TABLES = [
    ({"scores": [*ROWS[:3], ROWS[0][:5]]}, "row 4: 5 scores, 16 were expected"),
    ({"scores": [*ROWS[:3], None]}, "row 4: 0 scores, 16 were expected"),
    ({"scores": [*ROWS[:3], [None] * PATCHES]}, "rows 1 to 4 hold a score that is null"),
    ({"scores": [*ROWS[:3], [float("inf")] * PATCHES]}, "row 4, patch 0: inf"),
    ({"scores": [["a"]] * 4}, "scores of string, numbers were expected"),
    ({"keys": [None, *KEYS[1:]]}, "row 1: None is no id"),
]


@pytest.mark.parametrize(("fields", "told"), BROKEN_TABLES)
def test_broken_tables_are_refused(ground, tmp_path, fields, told) -> None:
    ran = ground("--predictions", write_parquet(tmp_path / "b.parquet", **fields))
    assert ran.code == 3
    assert told in ran.err


def test_tables_of_other_columns_are_refused(ground, tmp_path) -> None:
    pq.write_table(pa.table({"key": KEYS, "scores": ROWS}), tmp_path / "b")
    assert "no query_id" in ground("--predictions", tmp_path / "b").err
    pq.write_table(
        pa.table({"key": KEYS, "query_id": KEYS, "scores": [1, 2, 3, 4]}), tmp_path / "b"
    )
    assert "scores are int64" in ground("--predictions", tmp_path / "b").err
    (tmp_path / "b").write_bytes(b"PAR1" + b"x" * 40)
    ran = ground("--predictions", tmp_path / "b")
    assert (ran.code, "no readable Parquet" in ran.err) == (3, True)


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        (None, "scores must be 16 numbers, found None"),
        ([1.0], "scores must be 16 numbers, found 1 of them"),
        ([True] * PATCHES, "scores[0] is True, a finite number"),
        (["1"] * PATCHES, "scores[0] is '1', a finite number"),
        ([10**400] * PATCHES, "too large"),
    ],
)
def test_broken_lines_are_refused(ground, tmp_path, scores, told) -> None:
    (tmp_path / "l.jsonl").write_text(
        json.dumps([{"key": "vg-1", "query_id": "11", "scores": scores}])
    )
    ran = ground("--predictions", tmp_path / "l.jsonl")
    assert ran.code == 3
    assert told in ran.err


def test_a_table_of_text_holds_no_maps(ground, tmp_path) -> None:
    (tmp_path / "p.csv").write_text("key,query_id,scores\nvg-1,11,0.5\n")
    ran = ground("--predictions", tmp_path / "p.csv")
    assert (ran.code, "a csv file, expected scores of patches" in ran.err) == (3, True)


def test_captions_are_asked_about_the_classes_they_name(vle_eval, tmp_path) -> None:
    boxes = [
        thing("1", (0, 0, 20, 40), "dog", label_id=18),
        thing("2", (40, 0, 40, 40), "person", label_id=1, kind="crowd"),
    ]
    words = ("A dog.", "A man and his dog.", "A red car.", "Men.")
    write_split(tmp_path, [sample(3, boxes, dataset="coco", split="val", captions=words)])
    ran = vle_eval(
        "grounding", "--data", tmp_path, "--dataset", "coco", "--split", "dev", *FRAME,
        "--model", "baseline:constant", "--json",
    )  # fmt: skip
    assert ran.document["metrics"]["patch_ap"] == {
        # 4 of 16 patches; under the second caption 4 of 8, as the crowd's 8 are undecided.
        "value": pytest.approx(100 * (4 / 16 + 4 / 8) / 2), "n": 2, "low": None, "high": None,
    }  # fmt: skip
    assert "|queries:caption|no-box:2|" in ran.document["signature"]
    assert ran.document["split"] == "val"


def test_boxes_of_one_phrase_are_one_query_in_flickr30k(vle_eval, tmp_path) -> None:
    from grounding_world import region

    boxes = [region("a", (0, 0, 20, 40), "two men"), region("b", (60, 0, 20, 40), "two men")]
    write_split(tmp_path, [sample(4, boxes, dataset="flickr30k", split="test")])
    ran = vle_eval(
        "grounding", "--data", tmp_path, "--dataset", "flickr30k", "--split", "test", *FRAME,
        "--model", "baseline:constant", "--json",
    )  # fmt: skip
    assert ran.values["patch_ap"] == 50.0
    assert ran.document["metrics"]["patch_ap"]["n"] == 1


def test_a_split_without_boxes_asks_nothing(vle_eval, tmp_path) -> None:
    write_split(tmp_path, [sample(5, [], dataset="coco", split="val", captions=["A dog."])])
    ran = vle_eval(
        "grounding", "--data", tmp_path, "--dataset", "coco", "--split", "val", *FRAME,
        "--model", "baseline:constant",
    )  # fmt: skip
    assert ran.code == 3
    assert "no caption with a box that shows in a patch (1 without a box" in ran.err


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ((), "Give --geometry stretch"),
        (("--geometry", "stretch"), "Give all three."),
        (("--geometry", "stretch", "--image-size", 8, "--patch-size", 16), "no patch of 16 pixels"),
        (("--geometry", "stretch", "--image-size", 16384, "--patch-size", 1), "more than 65,536"),
    ],
)
def test_a_frame_that_says_nothing_is_wrong_usage(ground, frame, told) -> None:
    ran = ground("--model", "baseline:center", frame=frame)
    assert ran.code == 2
    assert told in ran.err


def test_references_must_be_named(vle_eval, npz) -> None:
    ran = vle_eval("grounding", "--predictions", npz, *FRAME)
    assert (ran.code, "Give --dataset and --split" in ran.err) == (2, True)
    ran = vle_eval("grounding", "--dataset", "vg", *FRAME)
    assert (ran.code, "Nothing to score." in ran.err) == (2, True)


def test_two_files_are_two_runs(ground, npz) -> None:
    ran = ground("--predictions", npz, "--predictions", npz)
    assert (ran.code, "2 files. Give one a run" in ran.err) == (2, True)


def test_a_threshold_of_ones_own_is_another_protocol(ground) -> None:
    ran = ground("--model", "baseline:oracle", "--threshold", 0.9, "--json")
    assert ran.document["protocol"] == "stretch-32-8-t0.9"
    assert "|threshold:0.9|" in ran.document["signature"]


def test_a_split_of_another_size_than_the_known_one_is_refused(vle_eval, tmp_path) -> None:
    boxes = [thing("1", (0, 0, 20, 40), "dog", label_id=18)]
    one = sample(3, boxes, dataset="coco", split="val", captions=["A dog."])
    write_split(tmp_path, [one], is_sample=False)
    ran = vle_eval(
        "grounding", "--data", tmp_path, "--dataset", "coco", "--split", "val", *FRAME,
        "--model", "baseline:constant",
    )  # fmt: skip
    assert (ran.code, "1 images, 5,000 were expected of coco val" in ran.err) == (3, True)


def test_a_stored_run_is_scored_afresh(ground, vle_eval, npz, tmp_path) -> None:
    root = tmp_path / "results"
    ran = ground("--predictions", npz, "--results", root)
    assert ran.code == 0, ran.err
    folder = root / "grounding/vg/train/maps"
    stored = json.loads((folder / "result.json").read_text())
    fresh = vle_eval("grounding", "--split", "train", "--results", root, "--json")
    (again,) = json.loads(fresh.out)["results"]
    assert again["metrics"] == stored["metrics"]
    assert "changed" not in fresh.err
    table = pq.read_table(folder / "items.parquet").to_pydict()
    assert table["id"] == [f"{key} {query}" for key, query in zip(KEYS, QUERIES, strict=True)]
    assert table["related"] == [4, 4, 4, 4]
    shown = vle_eval("leaderboard", "--results", root)
    assert "| Patch AP | Pointing | Patch IoU |" in shown.out


@pytest.mark.parametrize("threshold", ["nan", "inf"])
def test_a_threshold_that_is_no_number_is_wrong_usage(ground, tmp_path, threshold) -> None:
    for more in ((), ("--pictures", tmp_path / "pictures")):
        ran = ground("--model", "baseline:center", "--threshold", threshold, *more)
        assert (ran.code, f"--threshold {threshold}: a finite number" in ran.err) == (2, True)
    assert not (tmp_path / "pictures").exists()
