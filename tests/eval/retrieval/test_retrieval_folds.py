"""Folds: each scored alone, averaged, and never taken for the whole gallery."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from vle_bench.eval.retrieval.folds import Folds
from vle_bench.eval.retrieval.task import _folded
from vle_bench.eval.scored import ReferenceFacts

PICTURES, EACH = 12, 3
RECALLS = [f"{way}_r{at}" for way in ("i2t", "t2i") for at in (1, 5, 10)]


def write_texts(path: Path, pictures: list[int]) -> Path:
    rows = [
        {"text_id": 100 * picture + one, "text": "x", "image_ids": [picture]}
        for picture in pictures
        for one in range(EACH)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def small(tmp_path):
    """Twelve pictures with three texts each, and scores with ties."""
    write_texts(tmp_path / "T.jsonl", list(range(PICTURES)))
    rng = np.random.default_rng(3)
    scores = rng.integers(0, 6, (PICTURES, PICTURES * EACH)).astype(np.float32)
    owners = np.arange(PICTURES * EACH) // EACH
    scores[owners, np.arange(PICTURES * EACH)] += 2
    np.save(tmp_path / "S.npy", scores)
    return tmp_path


def run(vle_eval, *arguments: object) -> dict:
    ran = vle_eval("retrieval", "--resamples", 20, "--json", *arguments)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def alone(vle_eval, small: Path, pictures: list[int]) -> dict:
    """A fold scored as a data set of its own."""
    texts = write_texts(small / "part.jsonl", pictures)
    columns = [picture * EACH + one for picture in pictures for one in range(EACH)]
    np.save(small / "part.npy", np.load(small / "S.npy")[np.ix_(pictures, columns)])
    return run(vle_eval, "--texts", texts, "--scores", small / "part.npy")["metrics"]


@pytest.mark.parametrize("folds", [[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]],
                                   [[11, 2, 5], [0, 7, 9, 1], [3, 4, 6, 8, 10]]])  # fmt: skip
def test_folds_are_the_mean_of_their_parts(vle_eval, small, folds) -> None:
    (small / "folds.json").write_text(json.dumps(folds))
    given = ("--texts", small / "T.jsonl", "--scores", small / "S.npy")
    found = run(vle_eval, *given, "--folds", small / "folds.json")
    parts = [alone(vle_eval, small, sorted(fold)) for fold in folds]
    for name in [*RECALLS, "rsum", "mean_recall", "i2t_medr", "t2i_meanr"]:
        mean = np.mean([part[name]["value"] for part in parts])
        assert found["metrics"][name]["value"] == pytest.approx(mean), name
        assert found["metrics"][name]["low"] <= mean + 1e-9
    assert found["metrics"]["t2i_r1"]["n"] == PICTURES * EACH
    assert found["part"] == "the mean over 3 folds"
    assert "|folds:3x" in found["signature"]


def test_consecutive_folds_are_those_of_the_file_in_its_order(vle_eval, small) -> None:
    given = ("--texts", small / "T.jsonl", "--scores", small / "S.npy")
    (small / "folds.json").write_text("[[0,1,2,3],[4,5,6,7],[8,9,10,11]]")
    one = run(vle_eval, *given, "--folds", 4)
    other = run(vle_eval, *given, "--folds", small / "folds.json")
    assert one["metrics"] == other["metrics"]
    assert one["signature"] == other["signature"]
    (small / "folds.json").write_text("[[0,1,2,4],[3,5,6,7],[8,9,10,11]]")
    third = run(vle_eval, *given, "--folds", small / "folds.json")
    assert third["signature"] != one["signature"]


def test_features_and_scores_agree_in_folds(vle_eval, small) -> None:
    rng = np.random.default_rng(4)
    images, texts = rng.integers(-2, 3, (12, 5)), rng.integers(-2, 3, (36, 5))
    np.save(small / "S.npy", images @ texts.T)
    np.savez(small / "I.npz", ids=np.arange(12)[::-1], features=images[::-1].astype(np.float32))
    ids = [100 * (at // EACH) + at % EACH for at in range(36)]
    np.savez(small / "T.npz", ids=ids, features=texts.astype(np.float32))
    of_scores = run(vle_eval, "--texts", small / "T.jsonl", "--folds", 4, "--scores",
                    small / "S.npy")  # fmt: skip
    of_features = run(vle_eval, "--texts", small / "T.jsonl", "--folds", 4, "--image-features",
                      small / "I.npz", "--text-features", small / "T.npz")  # fmt: skip
    assert of_features["metrics"] == of_scores["metrics"]


def test_stored_lists_of_folds_score_the_same_and_lists_beyond_them_are_refused(
    vle_eval, small
) -> None:
    given = ("--texts", small / "T.jsonl", "--folds", 4)
    first = run(vle_eval, *given, "--scores", small / "S.npy", "--out", small / "run")
    lists = small / "run" / "predictions.jsonl"
    rows = [json.loads(line) for line in lists.read_text().splitlines()]
    assert {len(row.get("image_ids", [0] * 4)) for row in rows} == {4}
    again = run(vle_eval, *given, "--predictions", lists)
    for name in RECALLS:
        assert again["metrics"][name] == first["metrics"][name]
    rows[-1]["image_ids"][0] = 0  # the last text belongs to the last fold
    (small / "wrong.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ran = vle_eval("retrieval", *given, "--predictions", small / "wrong.jsonl")
    assert ran.code == 3
    assert "another fold" in ran.err


@pytest.mark.parametrize(
    ("folds", "said"),
    [
        ("[[0,1,2,3,4,5],[6,7,8,9,10]]", "1 of 12 image_id absent: 11. Each must be there."),
        ("[[0,1,2,3,4,5],[5,6,7,8,9,10,11]]", "more than once"),
        ("[[0,1,2,3,4,5,99],[6,7,8,9,10,11]]", "99"),
        ("[[0,1,2,3,4,5,6,7,8,9,10,11],[]]", "without pictures"),
        ('[[""],[0,1,2,3,4,5,6,7,8,9,10,11]]', "'' is no id"),
        ('{"a": 1}', "folds"),
        ("5", "folds"),
    ],
)
def test_folds_that_are_none_are_refused(vle_eval, small, folds, said) -> None:
    (small / "folds.json").write_text(folds)
    ran = vle_eval("retrieval", "--texts", small / "T.jsonl", "--scores", small / "S.npy",
                   "--folds", small / "folds.json")  # fmt: skip
    assert ran.code == 3
    assert said in ran.err


def test_a_size_that_leaves_a_rest_is_refused(vle_eval, small) -> None:
    for size in (5, 0):
        ran = vle_eval("retrieval", "--texts", small / "T.jsonl", "--scores", small / "S.npy",
                       "--folds", size)  # fmt: skip
        assert ran.code == 3
        assert "whole folds" in ran.err


def test_a_fold_in_which_nothing_is_asked_is_refused(vle_eval, small) -> None:
    (small / "ids.txt").write_text("".join(f"{at}\n" for at in range(15)))
    np.save(small / "more.npy", np.vstack([np.load(small / "S.npy")] * 2)[:15])
    ran = vle_eval("retrieval", "--texts", small / "T.jsonl", "--scores", small / "more.npy",
                   "--image-ids", small / "ids.txt", "--folds", 3)  # fmt: skip
    assert ran.code == 3
    assert "folds 4 (from 0) hold no picture with a text" in ran.err


def test_a_text_of_two_folds_is_refused(vle_eval, world) -> None:
    ran = vle_eval("retrieval", "--texts", world / "T.jsonl", "--scores", world / "S.npy",
                   "--folds", 1)  # fmt: skip
    assert ran.code == 3
    assert "different folds: 73" in ran.err


def test_five_thousands_of_coco_are_coco_1k(vle_eval, tmp_path) -> None:
    """Published rows of COCO 1K stand beside it where the captions are as many."""
    images = [
        {"split": "test", "cocoid": at + 1, "filename": f"{at}.jpg",
         "sentences": [{"sentid": at * 5 + one, "raw": "x"} for one in range(5)]}
        for at in range(5000)
    ]  # fmt: skip
    texts = tmp_path / "dataset_coco.json"
    texts.write_text(json.dumps({"dataset": "coco", "images": images}))
    ids = np.arange(5000)
    vectors = np.random.default_rng(1).standard_normal((5000, 4), dtype=np.float32)
    np.savez(tmp_path / "I.npz", ids=ids + 1, features=vectors)
    np.savez(tmp_path / "T.npz", ids=np.arange(25000), features=np.repeat(vectors, 5, axis=0))
    given = ("retrieval", "--texts", texts, "--resamples", 0, "--json", "--image-features",
             tmp_path / "I.npz", "--text-features", tmp_path / "T.npz")  # fmt: skip
    for named in (("--folds", 1000), ("--dataset", "coco-karpathy-1k")):
        ran = vle_eval(*given, *named)
        assert ran.code == 0, ran.err
        found = json.loads(ran.out)
        assert found["dataset"] == "coco-karpathy-1k"
        assert found["metrics"]["i2t_r5"]["n"] == 5000
        verdicts = {(row["dataset"], row["comparable"]) for row in found["published"]}
        assert ("coco-karpathy-1k", True) in verdicts
        assert ("coco-karpathy-5k", True) not in verdicts
    other = vle_eval(*given, "--folds", 500).document
    assert (other["dataset"], other["part"]) == ("coco", "the mean over 10 folds")
    assert not any(row["comparable"] for row in other["published"])


@pytest.mark.parametrize(
    ("dataset", "split", "part", "told"),
    [
        ("coco", "test", "", ("coco-karpathy-1k", "")),
        ("coco", "val", "", ("coco", "the mean over 5 folds")),
        ("coco", "test", "4,999 of 5,000 images", ("coco", "4,999 of 5,000 images")),
        ("flickr30k", "test", "", ("flickr30k", "the mean over 5 folds")),
    ],
)
def test_only_the_whole_test_split_of_coco_is_coco_1k(dataset, split, part, told) -> None:
    thousands = np.repeat(np.arange(5), 1000)
    folds = Folds(count=5, images=thousands, texts=thousands, digest="", inputs={})
    facts = ReferenceFacts(path="", sha256="", dataset=dataset, split=split, part=part)
    found = _folded(facts, folds)
    assert (found.dataset, found.part) == told


def test_captions_of_another_number_are_another_measurement() -> None:
    from vle_bench.catalog.comparison import RunDescription, compare
    from vle_bench.catalog.published import load_published

    row = next(row for row in load_published() if row.split_note.endswith("25,000 captions"))
    for captions, why in ((25_010, ("captions: 25,000, ours are 25,010",)), (25_000, ()), (0, ())):
        run = RunDescription(dataset=row.dataset, split="test", protocol="pessimistic",
                             metrics=(row.metric,), captions=captions)  # fmt: skip
        assert compare(run, row).why == why


def test_the_signature_names_how_many_of_how_many_and_which(vle_eval, small) -> None:
    given = ("--texts", small / "T.jsonl", "--scores", small / "S.npy", "--folds")
    even = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    odd = [[11, 2, 5], [0, 7, 9, 1], [3, 4, 6, 8, 10]]
    for folds, size in ((even, "3x4"), (odd, "3x3to5")):
        (small / "folds.json").write_text(json.dumps(folds))
        signature = run(vle_eval, *given, small / "folds.json")["signature"]
        ids = json.dumps([sorted(map(str, fold), key=int) for fold in folds], separators=(",", ":"))
        digest = hashlib.sha256(ids.encode()).hexdigest()
        assert f"|folds:{size}-{digest[:12]}|" in signature
    assert f"|folds:{size}-" not in run(vle_eval, *given, "4")["signature"]


def test_a_picture_without_text_is_a_candidate_in_its_fold_alone(vle_eval, small) -> None:
    scores = np.load(small / "S.npy")
    np.save(small / "S.npy", np.vstack([scores, np.full((1, PICTURES * EACH), 9, scores.dtype)]))
    ids = [*range(PICTURES), 77]

    def score(pictures: list[int], *more: object) -> dict:
        """Some pictures and their texts as a data set of their own."""
        rows = [ids.index(picture) for picture in pictures]
        asking = [picture for picture in pictures if picture != 77]
        columns = [picture * EACH + one for picture in asking for one in range(EACH)]
        np.save(small / "some.npy", np.load(small / "S.npy")[np.ix_(rows, columns)])
        (small / "ids.txt").write_text("".join(f"{picture}\n" for picture in pictures))
        return run(
            vle_eval, "--texts", write_texts(small / "some.jsonl", asking),
            "--scores", small / "some.npy", "--image-ids", small / "ids.txt", *more,
        )["metrics"]  # fmt: skip

    folds = [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11, 77]]
    (small / "folds.json").write_text(json.dumps(folds))
    found = score(ids, "--folds", small / "folds.json")
    parts = [score(fold) for fold in folds]
    assert parts[1]["t2i_r1"] != score(folds[1][:-1])["t2i_r1"]
    for name in [*RECALLS, "t2i_meanr", "i2t_meanr"]:
        mean = np.mean([part[name]["value"] for part in parts])
        assert found[name]["value"] == pytest.approx(mean), name


def test_texts_without_picture_are_in_no_fold(vle_eval, small) -> None:
    lone = {"text_id": 9000, "text": "x", "image_ids": []}
    with (small / "T.jsonl").open("a") as stream:
        stream.write(json.dumps(lone) + "\n")
    scores = np.load(small / "S.npy")
    np.save(small / "S.npy", np.hstack([scores, np.zeros((PICTURES, 1), scores.dtype)]))
    ran = vle_eval("retrieval", "--texts", small / "T.jsonl", "--scores", small / "S.npy",
                   "--folds", 4)  # fmt: skip
    assert ran.code == 3
    assert "1 texts without picture are in no fold: 9000." in ran.err


def test_a_matrix_in_another_order_is_folded_by_its_ids(vle_eval, small) -> None:
    first = run(vle_eval, "--texts", small / "T.jsonl", "--folds", 4, "--scores", small / "S.npy")
    draw = np.random.default_rng(8)
    rows, columns = draw.permutation(PICTURES), draw.permutation(PICTURES * EACH)
    np.save(small / "turned.npy", np.load(small / "S.npy")[np.ix_(rows, columns)])
    (small / "images.txt").write_text("".join(f"{row}\n" for row in rows))
    names = [100 * (at // EACH) + at % EACH for at in columns.tolist()]
    (small / "texts.txt").write_text("".join(f"{name}\n" for name in names))
    turned = run(
        vle_eval, "--texts", small / "T.jsonl", "--folds", 4, "--scores", small / "turned.npy",
        "--image-ids", small / "images.txt", "--text-ids", small / "texts.txt",
    )  # fmt: skip
    assert turned["metrics"] == first["metrics"]
