"""Files of ERNIE-ViL 2.0 and Chinese-CLIP: byte for byte as their programs write them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vle_bench.eval.retrieval.interchange import score_json


@pytest.mark.parametrize(
    ("queries", "hits", "said"),
    [
        # PaddleNLP ernie-vil2.0 README, Flickr30k-CN valid, both directions.
        (5000, (3621, 4587, 4788), (72.42, 91.74, 95.76, 86.64)),
        (1000, (888, 979, 994), (88.8, 97.89999999999999, 99.4, 95.36666666666666)),
        # Chinese-CLIP's notebook on MUGE.
        (5008, (2848, 4067, 4403),
         (56.86900958466453, 81.21006389776358, 87.91932907348243, 75.33280085197018)),
    ],
)  # fmt: skip
def test_scores_have_the_digits_that_their_programs_print(queries, hits, said) -> None:
    found = json.loads(score_json(hits, queries))
    inner = found["scoreJson"]
    assert found["success"] is True
    assert (inner["r1"], inner["r5"], inner["r10"], inner["mean_recall"]) == said
    assert found["score"] == inner["score"] == inner["mean_recall"]


def test_references_are_turned_round(vle_eval, world) -> None:
    run = vle_eval("retrieval-transform", world / "T.jsonl", world / "T.tr.jsonl")
    assert run.code == 0, run.err
    assert (world / "T.tr.jsonl").read_text() == (
        '{"image_id": 5, "text_ids": [70, 72]}\n'
        '{"image_id": 3, "text_ids": [71, 73]}\n'
        '{"image_id": 9, "text_ids": [73]}\n'
    )


def test_a_picture_named_twice_is_kept_twice_and_a_hidden_text_is_left_out(vle_eval, world) -> None:
    (world / "T.jsonl").write_text(
        '{"text_id": 1, "text": "", "image_ids": [8, 8, "a7"]}\n'
        '{"text_id": 2, "text": "", "image_ids": []}\n'
    )
    run = vle_eval("retrieval-transform", world / "T.jsonl", world / "out.jsonl")
    assert run.code == 0, run.err
    assert (world / "out.jsonl").read_text() == (
        '{"image_id": 8, "text_ids": [1, 1]}\n{"image_id": "a7", "text_ids": [1]}\n'
    )


def test_in_and_out_must_differ(vle_eval, world) -> None:
    before = (world / "T.jsonl").read_bytes()
    assert vle_eval("retrieval-transform", world / "T.jsonl", world / "T.jsonl").code == 2
    assert (world / "T.jsonl").read_bytes() == before


def test_score_and_lists_of_both_directions_are_written_and_read_again(score, world) -> None:
    out = world / "out.json"
    run = score("--scores", world / "S.npy", "--score-json", out, "--lists", world / "lists")
    assert run.code == 0, run.err
    recalls = {name: metric["value"] for name, metric in json.loads(run.out)["metrics"].items()}
    for path, way in ((out, "t2i"), (world / "out.tr.json", "i2t")):
        inner = json.loads(path.read_text())["scoreJson"]
        for at in (1, 5, 10):
            assert inner[f"r{at}"] == pytest.approx(recalls[f"{way}_r{at}"])
        assert inner["mean_recall"] == pytest.approx(recalls[f"{way}_mean_recall"])
    lists = sorted(path.name for path in (world / "lists").iterdir())
    assert lists == ["test_predictions.jsonl", "test_tr_predictions.jsonl"]
    first = (world / "lists" / lists[0]).read_text().splitlines()[0]
    assert first == '{"text_id": 70, "image_ids": [5, 3, 9]}'
    again = score(*(part for name in lists for part in ("--predictions", world / "lists" / name)))
    assert again.code == 0, again.err
    for name, metric in json.loads(again.out)["metrics"].items():
        assert metric["value"] == recalls[name]


def test_features_are_written_in_their_form_and_read_again(score, world) -> None:
    rng = np.random.default_rng(1)
    images, texts = rng.random((4, 3)).astype(np.float32), rng.random((4, 3)).astype(np.float32)
    np.savez(world / "i.npz", ids=np.array([8, 9, 3, 5]), features=images)
    np.savez(world / "t.npz", ids=np.array([70, 71, 72, 73]), features=texts)
    (world / "ids.txt").write_text("8\n9\n3\n5\n")
    gallery = ("--image-ids", world / "ids.txt")
    given = ("--image-features", world / "i.npz", "--text-features", world / "t.npz", *gallery)
    run = score(*given, "--split", "dev", "--feature-lines", world / "out")
    assert run.code == 0, run.err
    left, right = world / "out/valid_imgs.img_feat.jsonl", world / "out/valid_texts.txt_feat.jsonl"
    lines = left.read_text().splitlines()
    assert lines[0] == json.dumps({"image_id": 5, "feature": images[3].tolist()})
    assert [json.loads(line)["image_id"] for line in lines] == [5, 3, 9, 8]
    assert right.read_text().splitlines()[2] == json.dumps(
        {"text_id": 72, "feature": texts[2].tolist()}
    )
    again = score("--image-features", left, "--text-features", right, *gallery)
    assert again.document["metrics"] == run.document["metrics"]


def test_absent_features_have_no_line(score, world) -> None:
    np.savez(world / "i.npz", ids=np.array([3, 5]), features=np.eye(2))
    np.savez(world / "t.npz", ids=np.array([70, 71, 73]), features=np.ones((3, 2)))
    run = score("--image-features", world / "i.npz", "--text-features", world / "t.npz",
                "--missing", "zero", "--feature-lines", world / "out")  # fmt: skip
    assert run.code == 0, run.err
    written = {path.name: len(path.read_text().splitlines()) for path in (world / "out").iterdir()}
    assert written == {"test_imgs.img_feat.jsonl": 2, "test_texts.txt_feat.jsonl": 3}


def test_features_of_a_matrix_are_a_wrong_usage(score, world) -> None:
    run = score("--scores", world / "S.npy", "--feature-lines", world / "out")
    assert run.code == 2
    assert "Give --image-features F --text-features F." in run.err


def test_references_turned_round_score_as_those_they_were_made_of(vle_eval, score, world) -> None:
    texts, turned = world / "valid_texts.jsonl", world / "valid_texts.tr.jsonl"
    (world / "T.jsonl").rename(texts)
    assert vle_eval("retrieval-transform", texts, turned).code == 0
    run = score("--scores", world / "S.npy", "--lists", world / "out", texts=texts.name)
    (name,) = (path for path in (world / "out").iterdir() if "_tr_" in path.name)
    found = score("--predictions", name, texts=turned.name)
    assert found.document["split"] == "val"
    metrics = run.document["metrics"]
    assert found.document["metrics"] == {
        one: metrics[one] for one in ("i2t_r1", "i2t_r5", "i2t_r10", "i2t_mean_recall")
    }


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"image_id": 5, "text_ids": [9]}', "picture 5 stands there already"),
        ('{"image_id": 7, "text_ids": []}', "picture 7 has no text"),
        ('{"image_id": "", "text_ids": [9]}', "'' is no id"),
        ('{"image_id": 7, "text_ids": 9}', "Expected `array`, got `int`"),
        ('{"text_id": 7, "image_ids": [9]}', "missing required field `image_id`"),
    ],
)
def test_references_turned_round_that_are_wrong_are_told(score, world, line, told) -> None:
    (world / "t.tr.jsonl").write_text('{"image_id": 5, "text_ids": [70]}\n' + line + "\n")
    run = score("--scores", world / "S.npy", texts="t.tr.jsonl")
    assert run.code == 3
    assert f"t.tr.jsonl:2: {told}" in run.err or told in run.err
