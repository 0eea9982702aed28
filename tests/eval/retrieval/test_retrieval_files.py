"""Retrieval from files: every accepted form gives the same score, every wrong one says what."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCORES = np.array([[0.9, 0.1, 0.2, 0.3], [0.8, 0.7, 0.1, 0.6], [0.1, 0.2, 0.9, 0.5]])
IMAGES, TEXTS = ["5", "3", "9"], ["70", "71", "72", "73"]
RECALLS = {"i2t_r1": 100 / 3, "i2t_r5": 100, "i2t_r10": 100,
           "t2i_r1": 75, "t2i_r5": 100, "t2i_r10": 100}  # fmt: skip
OTHERS = {"rsum": 1525 / 3, "mean_recall": 1525 / 18, "i2t_mean_recall": 700 / 9,
          "t2i_mean_recall": 275 / 3, "i2t_medr": 2, "t2i_medr": 1,
          "i2t_meanr": 5 / 3, "t2i_meanr": 5 / 4}  # fmt: skip
WORLD = RECALLS | OTHERS


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def saved(path: Path, array: Any) -> Path:
    np.save(path, array)
    return path


def test_a_matrix_of_known_scores(score, world) -> None:
    ran = score("--scores", world / "S.npy")
    assert list(ran.values) == sorted(WORLD)
    assert ran.values == pytest.approx(WORLD)
    document = ran.document
    assert (document["dataset"], document["split"], document["model"]) == ("unnamed", "", "S")
    assert document["protocol"] == "pessimistic"
    assert document["signature"].startswith(
        "retrieval|data:unnamed|split:|n:3x4|ties:pessimistic|from:scores|missing:error|"
        "ci:image-40-s0|v:"
    )
    counts = {name: metric["n"] for name, metric in document["metrics"].items()}
    assert (counts["i2t_r1"], counts["t2i_r1"], counts["rsum"]) == (3, 4, 7)
    assert set(document["stamp"]["inputs"]) == {"texts", "scores"}


def test_id_files_bring_rows_and_columns_into_order(score, world) -> None:
    rows, columns = [2, 0, 1], [3, 1, 0, 2]
    path = saved(world / "moved.npy", SCORES[rows][:, columns].astype(np.float32))
    (world / "i.txt").write_text("\n".join(IMAGES[at] for at in rows))
    (world / "t.txt").write_text("".join(f"{TEXTS[at]}\r\n" for at in columns))
    ids = ("--image-ids", world / "i.txt", "--text-ids", world / "t.txt")
    for rule in ("pessimistic", "optimistic", "stable", "expected"):
        ran = score("--scores", path, *ids, "--ties", rule)
        assert ran.values == pytest.approx(WORLD)
    assert set(ran.document["stamp"]["inputs"]) == {"texts", "scores", "image_ids", "text_ids"}


def test_a_picture_without_text_joins_only_when_named_and_comes_last(score, world) -> None:
    path = saved(world / "more.npy", np.vstack([[0.95, 0, 0, 0], SCORES]))
    (world / "i.txt").write_text("404\n5\n3\n9\n")
    ran = score("--scores", path, "--image-ids", world / "i.txt")
    assert ran.values == pytest.approx(
        WORLD | {"t2i_r1": 50, "rsum": 1450 / 3, "mean_recall": 1450 / 18,
                 "t2i_mean_recall": 250 / 3, "t2i_medr": 1, "t2i_meanr": 3 / 2}
    )  # fmt: skip
    assert "The gallery holds 1 picture more, which no text is about." in ran.document["notes"]
    ran = score("--scores", path)
    assert ran.code == 3
    assert "shape [4, 4] of float64, [3, 4] numbers were expected" in ran.err


@pytest.mark.parametrize("kind", [np.complex64, np.complex128, np.bool_, np.longdouble])
def test_a_matrix_of_no_kind_of_score_is_refused(score, world, kind) -> None:
    ran = score("--scores", saved(world / "odd.npy", SCORES.astype(kind)))
    assert ran.code == 3
    assert f"shape [3, 4] of {np.dtype(kind)}" in ran.err


def npz(path: Path, ids: Any, features: Any) -> Path:
    with path.open("wb") as stream:
        np.savez(stream, ids=ids, features=features)
    return path


@pytest.fixture
def features() -> tuple[np.ndarray, np.ndarray]:
    """Vectors whose products are SCORES: the pictures carry the rows, the texts unit vectors."""
    return SCORES.astype(np.float32), np.eye(4, dtype=np.float32)


def test_features_in_every_form_give_what_their_products_give(score, world, features) -> None:
    images, texts = features
    image_lines = [
        {"image_id": int(name), "feature": row}
        for name, row in zip(IMAGES, SCORES.tolist(), strict=True)
    ]
    text_lines = [
        {"text_id": name, "feature": row}
        for name, row in zip(TEXTS, np.eye(4).tolist(), strict=True)
    ]
    forms = {
        "npz": (
            npz(world / "i.npz", np.array(IMAGES)[::-1], images[::-1]),
            npz(world / "t.npz", np.array(TEXTS, dtype=np.int64), texts),
        ),
        "jsonl": (
            write(world / "i.jsonl", image_lines[1:] + image_lines[:1]),
            write(world / "t.jsonl", text_lines),
        ),
        "npy": (saved(world / "i.npy", images), saved(world / "t.npy", texts.astype(np.float16))),
    }
    for name, (image_path, text_path) in forms.items():
        ran = score("--image-features", image_path, "--text-features", text_path)
        assert ran.values == pytest.approx(WORLD), name
        assert "|from:features|" in ran.document["signature"]
    saved(world / "turned.npy", images[::-1])
    (world / "i.txt").write_text("9\n3\n5\n")
    ran = score("--image-features", world / "turned.npy", "--text-features", world / "t.npz",
                "--image-ids", world / "i.txt")  # fmt: skip
    assert ran.values == pytest.approx(WORLD)


def deep_world(folder: Path) -> tuple[Path, list[dict[str, Any]], list[dict[str, Any]]]:
    """Twelve pictures with one text each; lists of ten with the right one at place `id`."""
    texts = [{"text_id": 100 + at, "text": "t", "image_ids": [at]} for at in range(12)]
    t2i, i2t = [], []
    for at in range(12):
        others = [one for one in range(12) if one != at]
        listed = [*others[:at], at, *others[at:]][:10]
        t2i.append({"text_id": 100 + at, "image_ids": listed})
        i2t.append({"image_id": str(at), "text_ids": [100 + one for one in listed]})
    return write(folder / "deep.jsonl", texts), t2i, i2t


def test_ranked_lists_show_their_direction_by_their_keys(score, tmp_path) -> None:
    texts, t2i, i2t = deep_world(tmp_path)
    one = write(tmp_path / "t2i.jsonl", t2i)
    ran = score("--predictions", one, texts=texts)
    shares = [100 / 12, 500 / 12, 1000 / 12]
    mean = sum(shares) / 3
    expected = dict(zip(("t2i_r1", "t2i_r5", "t2i_r10"), shares, strict=True))
    assert ran.values == pytest.approx(expected | {"t2i_mean_recall": mean})
    assert ran.document["protocol"] == "listed"
    assert "no tie rule, and no rank beyond ten" in ran.document["notes"][-1]
    other = write(tmp_path / "i2t.jsonl", i2t)
    both = score("--predictions", other, "--predictions", one, texts=texts)
    assert set(both.values) == set(RECALLS) | {
        "rsum", "mean_recall", "i2t_mean_recall", "t2i_mean_recall",
    }  # fmt: skip
    assert both.values["rsum"] == pytest.approx(6 * mean)
    together = write(tmp_path / "both.jsonl", t2i + i2t)
    assert score("--predictions", together, texts=texts).values == both.values


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], "image_ids holds 9 ids, 9 of them different; exactly 10"),
        ([0, 0, 2, 3, 4, 5, 6, 7, 8, 9], "image_ids holds 10 ids, 9 of them different"),
        ([0, "0", 2, 3, 4, 5, 6, 7, 8, 9], "image_ids holds 10 ids, 9 of them different"),
        ([*range(9), 77], "image_ids holds ids that the references do not: 77"),
        ([*range(9), True], "True is no id"),
        ("0123456789", "image_ids is '0123456789', a list was expected"),
    ],
)
def test_a_list_that_is_not_ten_known_ids_is_refused(score, tmp_path, change, told) -> None:
    texts, t2i, _ = deep_world(tmp_path)
    t2i[3]["image_ids"] = change
    path = write(tmp_path / "p.jsonl", t2i)
    ran = score("--predictions", path, texts=texts)
    assert ran.code == 3
    assert f"{path}:4: {told}" in ran.err
    joins = "joins the gallery only when --image-ids names it" in ran.err
    assert joins == ("the references do not" in told), "advice for another fault"


def test_image_ids_let_other_pictures_into_the_lists(score, tmp_path) -> None:
    texts, t2i, i2t = deep_world(tmp_path)
    t2i[11]["image_ids"][0] = 77
    (tmp_path / "gallery.txt").write_text("\n".join(map(str, [*range(12), 77])))
    i2t.append({"image_id": 77, "text_ids": [100 + at for at in range(10)]})
    path = write(tmp_path / "p.jsonl", t2i + i2t)
    assert score("--predictions", path, texts=texts).code == 3
    ran = score("--predictions", path, "--image-ids", tmp_path / "gallery.txt", texts=texts)
    assert ran.document["metrics"]["i2t_r1"]["n"] == 12
    assert ran.values["t2i_r10"] == pytest.approx(1000 / 12)


def test_queries_missing_twice_or_foreign_are_named(score, tmp_path) -> None:
    texts, t2i, _ = deep_world(tmp_path)
    rows = [*t2i[1:], t2i[1], {**t2i[2], "text_id": 999}]
    path = write(tmp_path / "p.jsonl", rows)
    ran = score("--predictions", path, texts=texts)
    assert ran.code == 3
    assert ran.err == (
        f"{path}: 1 text_id more than once: 101 (line 1 and line 12). Keep one prediction each.\n"
        f"{path}: 1 text_id not among the references: 999 (line 13). "
        "Predict for the references given, and nothing else.\n"
        f"{path}: 1 of 12 text_id without prediction: 100. "
        "Predict them, or count them as wrong with --missing zero.\n"
    )
    few = write(tmp_path / "few.jsonl", t2i[1:])
    ran = score("--predictions", few, "--missing", "zero", texts=texts)
    assert ran.values["t2i_r10"] == pytest.approx(900 / 12)
    assert "1 of 12 queries have no prediction" in ran.document["notes"][0]


def test_an_id_with_a_line_break_stays_in_its_line(score, world) -> None:
    (world / "L.jsonl").write_text('{"image_id": 5, "text_ids": [70, 71, 72, "\\n"]}\n')
    ran = score("--predictions", world / "L.jsonl", "--missing", "zero")
    assert ran.code == 3
    assert "holds ids that the references do not: '\\n'\n" in ran.err


def test_rows_without_direction_are_refused(score, tmp_path) -> None:
    texts, _, _ = deep_world(tmp_path)
    path = write(tmp_path / "p.jsonl", [{"text_id": 1}, {"text_id": 1, "text_ids": []}])
    ran = score("--predictions", path, texts=texts)
    assert ran.code == 3
    assert f"{path}:1: the keys text_id show no direction" in ran.err
    assert f"{path}:2: the keys text_id, text_ids show no direction" in ran.err


def test_missing_rows_of_a_matrix_stop_the_run_or_miss(score, world) -> None:
    path = saved(world / "few.npy", SCORES[1:])
    (world / "i.txt").write_text("3\n9\n")
    ran = score("--scores", path, "--image-ids", world / "i.txt")
    assert ran.code == 3
    assert ran.err == (
        f"{world}/i.txt: 1 of 3 image_id without prediction: 5. "
        "Predict them, or count them as wrong with --missing zero.\n"
    )
    ran = score("--scores", path, "--image-ids", world / "i.txt", "--missing", "zero")
    assert ran.values["i2t_r1"] == 0
    assert ran.values["i2t_r5"] == pytest.approx(200 / 3)
    assert ran.values["i2t_meanr"] == pytest.approx((4 + 1 + 1) / 3 + 1)
    # Texts 70 and 72 lose their only picture, 71 and 73 find theirs.
    assert ran.values["t2i_r10"] == 50
    assert "|missing:zero|" in ran.document["signature"]


def test_nan_and_infinity_are_refused_with_their_places(score, world) -> None:
    bad = SCORES.copy()
    bad[0, 2], bad[2, 1] = np.nan, -np.inf
    path = saved(world / "bad.npy", bad)
    ran = score("--scores", path)
    assert ran.code == 3
    assert f"{path}: 2 scores are not finite: [0, 2] is nan, [2, 1] is -inf." in ran.err
    path = saved(world / "nan.npy", np.full((3, 4), np.nan))
    assert "12 scores are not finite: [0, 0] is nan" in score("--scores", path).err
    assert "... and 2 more." in score("--scores", path).err
    features = saved(world / "f.npy", np.array([[1, np.nan], [1, 1], [1, 1]], dtype=np.float16))
    texts = saved(world / "t.npy", np.ones((4, 2)))
    ran = score("--image-features", features, "--text-features", texts)
    assert ran.code == 3
    assert f"{features}: 1 scores are not finite: [0, 1] is nan." in ran.err


def test_matrices_of_another_shape_or_kind_are_refused(score, world) -> None:
    path = saved(world / "turned.npy", SCORES.T)
    ran = score("--scores", path)
    assert ran.code == 3
    assert "It is the other way round: save its transpose." in ran.err
    for array in (SCORES.astype(np.complex128), SCORES.astype(bool), SCORES.astype("U4")):
        ran = score("--scores", saved(world / "kind.npy", array))
        assert ran.code == 3
        assert "[3, 4] numbers were expected" in ran.err
    ran = score("--scores", saved(world / "big.npy", np.arange(12).reshape(3, 4) + 2**53))
    assert ran.code == 3
    assert "int64 numbers that 64-bit floats do not hold" in ran.err
    ran = score("--scores", world / "T.jsonl")
    assert ran.code == 3
    assert "a jsonl file, expected scores [pictures, texts] (NPY)" in ran.err
    ran = score("--scores", world / "none.npy")
    assert ran.code == 3
    assert f"{world}/none.npy: a file of retrieval scores expected, found nothing there." in ran.err


def test_features_that_do_not_fit_are_refused(score, world, features) -> None:
    images, texts = features
    good_images, good_texts = saved(world / "i.npy", images), saved(world / "t.npy", texts)
    nothing = world / "m.json"
    nothing.write_text("[]")
    cases = [
        (saved(world / "a.npy", images[:, :3]), good_texts, "a.npy has 3 dimensions"),
        (saved(world / "b.npy", images[:2]), good_texts, "shape [2, 4], [3, d] was expected"),
        (good_images, saved(world / "c.npy", texts[0]), "shape [4], [4, d] was expected"),
        (saved(world / "d.npy", images.astype(np.float64) * 1e200), good_texts, "overflow"),
        (npz(world / "e.npz", np.array(IMAGES[:2]), images), good_texts, "ids of shape [2]"),
        (npz(world / "f.npz", np.array([5.0, 3.0, 9.0]), images), good_texts, "(float64)"),
        (npz(world / "g.npz", np.array(["5", "3", "3"]), images), good_texts,
         "image_id more than once: 3 (ids[1] and ids[2])"),
        (npz(world / "h.npz", np.array(["5", "3", "9", "8"]), np.ones((4, 4))), good_texts,
         "A picture without text joins the gallery only when --image-ids names it."),
        (write(world / "j.jsonl", [{"text_id": 5, "feature": [1.0]}]), good_texts,
         "j.jsonl:1: no image_id; are the two feature files swapped?"),
        (write(world / "k.jsonl", [{"image_id": 5, "feature": [1.0]},
                                   {"image_id": 3, "feature": [1.0, 2.0]}]), good_texts,
         "k.jsonl:2: 2 numbers, the first line has 1"),
        (nothing, good_texts, "m.json: no feature in it."),
    ]  # fmt: skip
    with (world / "l.npz").open("wb") as stream:
        np.savez(stream, features=images)
    cases.append((world / "l.npz", good_texts, "l.npz: holds features."))
    for image_path, text_path, told in cases:
        ran = score("--image-features", image_path, "--text-features", text_path)
        assert ran.code == 3, told
        assert told in ran.err


def test_id_files_that_are_wrong_are_refused(score, world) -> None:
    for text, told in (
        ("5\n\n9\n", "i.txt:2: an empty line"),
        ("5\n3\n5\n", f"1 image_id more than once: 5 ({world}/i.txt:1 and {world}/i.txt:3). Name"),
    ):
        (world / "i.txt").write_text(text)
        ran = score("--scores", world / "S.npy", "--image-ids", world / "i.txt")
        assert ran.code == 3
        assert told in ran.err
    (world / "i.txt").write_text("5\n3\x0b9\n")  # one line of the file, two of `splitlines`
    ran = score("--scores", world / "S.npy", "--image-ids", world / "i.txt")
    assert ran.code == 3
    assert "2 of 4 image_id without prediction: 3, 9" in ran.err
    (world / "i.txt").write_bytes(b"5\n\xff\n9\n")
    ran = score("--scores", world / "S.npy", "--image-ids", world / "i.txt")
    assert ran.code == 3
    assert "not UTF-8 text" in ran.err
    (world / "t.txt").write_text("70\n71\n72\n99\n")
    ran = score("--scores", world / "S.npy", "--text-ids", world / "t.txt")
    assert ran.code == 3
    assert "1 text_id not among the references: 99 (line 4)" in ran.err


def test_ways_that_do_not_fit_together_are_a_wrong_usage(score, vle_eval, world) -> None:
    npy = world / "S.npy"
    cases = [
        ((), "nothing to score. Give one of --scores S.npy"),
        (("--scores", npy, "--predictions", npy), "scores and lists together."),
        (("--scores", npy, "--image-features", npy), "scores and features together."),
        (("--image-features", npy), "belong together. Give both."),
        (("--model", "baseline:constant", "--text-ids", npy), "It says nothing here."),
        (("--model", "baseline:best"), "Known: baseline:constant, baseline:shortest"),
    ]
    for args, told in cases:
        ran = score(*args)
        assert ran.code == 2, told
        assert told in ran.err
    ran = vle_eval("retrieval", "--scores", npy)
    assert ran.code == 2
    assert "No references. Give --texts" in ran.err
    ran = vle_eval("retrieval", "--scores", npy, "--split", "test", "--data", world)
    assert ran.code == 3
    assert f"{world}/coco" in ran.err
    assert vle_eval("retrieval", "--texts", npy, "--ties", "kind").code == 2


def test_gzip_changes_nothing_and_the_name_forgets_it(score, world) -> None:
    (world / "vle.npy.gz").write_bytes(gzip.compress((world / "S.npy").read_bytes()))
    (world / "T.gz").write_bytes(gzip.compress((world / "T.jsonl").read_bytes()))
    ran = score("--scores", world / "vle.npy.gz", texts="T.gz")
    assert ran.values == pytest.approx(WORLD)
    assert ran.document["model"] == "vle"
