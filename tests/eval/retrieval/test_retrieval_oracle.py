"""The recorded scores of a seeded matrix under every tie rule, and Chinese-CLIP's own sample.

`golden_retrieval.json` holds the recipe: 1,000 pictures, 5,000 texts, five in a row for each
picture. Its `tr` is i2t and its `ir` is t2i.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

NAMES = {"stable": "stable_first"}
ROUNDED = {"rounded_2_decimals": 2, "rounded_1_decimals": 1}


@cache
def matrix() -> np.ndarray:
    rng = np.random.default_rng(20230313)
    uniform = rng.random((1000, 5000))
    scores = np.log(uniform / (1 - uniform))
    scores[np.arange(5000) // 5, np.arange(5000)] += 3 + 4 * rng.random(5000)
    return scores


def expected_metrics(recorded: dict[str, float]) -> dict[str, float]:
    named = {"rsum": recorded["rsum"], "mean_recall": recorded["r_mean"]}
    for theirs, ours in (("tr", "i2t"), ("ir", "t2i")):
        for key in ("r1", "r5", "r10", "medr", "meanr"):
            named[f"{ours}_{key}"] = recorded[f"{theirs}_{key}"]
    return named


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "T.jsonl"
    path.write_text("".join(
        json.dumps({"text_id": at, "text": "", "image_ids": [at // 5]}) + "\n" for at in range(5000)
    ))  # fmt: skip
    return path


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("rule", ["pessimistic", "optimistic", "stable", "expected"])
@pytest.mark.parametrize("case", ["no_ties", "rounded_2_decimals", "rounded_1_decimals"])
def test_every_rule_gives_the_recorded_scores(
    vle_eval, reference, texts, tmp_path, kind, rule, case
) -> None:
    recorded = json.loads((reference / "golden/scores/golden_retrieval.json").read_text())
    scores = matrix()
    if case == "no_ties":
        assert scores[0, :3].tolist() == pytest.approx(recorded["first_scores"], abs=1e-12)
        golden = recorded[case]
    else:
        scores = scores.round(ROUNDED[case])
        golden = recorded[case][NAMES.get(rule, rule)]
    np.save(tmp_path / "S.npy", scores.astype(kind))
    ran = vle_eval("retrieval", "--texts", texts, "--scores", tmp_path / "S.npy",
                   "--ties", rule, "--resamples", 0, "--json")  # fmt: skip
    expected = expected_metrics(golden)
    assert {name: ran.values[name] for name in expected} == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("pessimistic", "float32"),
        ("optimistic", "float32"),
        ("stable", "float32"),
        ("expected", "float32"),
        ("pessimistic", "float64"),
    ],
)
def test_a_constant_matrix_gives_the_recorded_scores(
    vle_eval, reference, texts, tmp_path, rule, kind
) -> None:
    recorded = json.loads((reference / "golden/scores/golden_retrieval.json").read_text())
    np.save(tmp_path / "S.npy", np.zeros((1000, 5000), dtype=kind))
    ran = vle_eval("retrieval", "--texts", texts, "--scores", tmp_path / "S.npy",
                   "--ties", rule, "--resamples", 0, "--json")  # fmt: skip
    expected = expected_metrics(recorded["all_equal_scores"][NAMES.get(rule, rule)])
    assert {name: ran.values[name] for name in expected} == pytest.approx(expected, abs=1e-9)


def test_the_muge_sample_gives_what_chinese_clip_gives(vle_eval, reference, tmp_path) -> None:
    """Five predictions for two texts: Chinese-CLIP drops three in silence, here they are named."""
    shelf = reference / "data/OFA-Sys+Chinese-CLIP"
    texts = shelf / "muge_valid_sample_texts.jsonl"
    known = [json.loads(line)["text_id"] for line in texts.read_text().splitlines()]
    rows = [json.loads(line) for line in
            (shelf / "muge_valid_sample_predictions.jsonl").read_text().splitlines()]  # fmt: skip
    gallery = dict.fromkeys(str(image) for row in rows for image in row["image_ids"])
    owned = [json.loads(line)["image_ids"] for line in texts.read_text().splitlines()]
    gallery |= dict.fromkeys(str(image) for images in owned for image in images)
    (tmp_path / "gallery.txt").write_text("\n".join(gallery))
    both = ("--image-ids", tmp_path / "gallery.txt", "--json")
    ran = vle_eval("retrieval", "--texts", texts, "--predictions",
                   shelf / "muge_valid_sample_predictions.jsonl", *both)  # fmt: skip
    assert ran.code == 3
    assert "3 text_id not among the references" in ran.err
    wanted = [row for row in rows if row["text_id"] in known]
    (tmp_path / "p.jsonl").write_text("\n".join(json.dumps(row) for row in wanted))
    ran = vle_eval("retrieval", "--texts", texts, "--predictions", tmp_path / "p.jsonl", *both)
    recorded = json.loads((shelf / "muge_valid_sample_expected.json").read_text())["scoreJson"]
    assert ran.values == pytest.approx(
        {
            "t2i_r1": recorded["r1"],
            "t2i_r5": recorded["r5"],
            "t2i_r10": recorded["r10"],
            "t2i_mean_recall": recorded["mean_recall"],
        },
        abs=1e-9,
    )


def test_the_real_karpathy_test_ids_make_five_thousand_pictures(
    vle_eval, reference, tmp_path
) -> None:
    """25,000 of the 25,010 captions: noted as a part, refused where the split was named."""
    owned = json.loads(
        (reference / "data/naver-ai+eccv-caption/original_image_to_caption.json").read_text()
    )
    rows = [
        {"text_id": caption, "text": "", "image_ids": [int(image)]}
        for image, captions in owned.items() for caption in captions
    ]  # fmt: skip
    (tmp_path / "T.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    features = np.random.default_rng(0).standard_normal((30_000, 4)).astype(np.float32)
    np.save(tmp_path / "i.npy", features[:5000])
    np.save(tmp_path / "t.npy", features[5000:])
    ran = vle_eval(
        "retrieval", "--texts", tmp_path / "T.jsonl", "--image-features", tmp_path / "i.npy",
        "--text-features", tmp_path / "t.npy", "--dataset", "coco", "--split", "test",
    )  # fmt: skip
    assert ran.code == 3
    assert "25,000 captions, 25,010 were expected of coco test" in ran.err


def slow_extended(ranked: dict[int, list[int]], right: dict[str, list[int]]) -> tuple[float, float]:
    """MAP@R and R-precision as ECCV-Caption's program has them: sets, place by place, means."""
    maps, precisions = [], []
    for name, found in right.items():
        order, wanted = ranked[int(name)], set(found)
        shares = [len(set(order[:r]) & wanted) / r for r in range(1, len(wanted) + 1)]
        hits = [order[r] in wanted for r in range(len(wanted))]
        maps.append(np.mean([share * hit for share, hit in zip(shares, hits, strict=True)]))
        precisions.append(shares[-1])
    return float(np.mean(maps)) * 100, float(np.mean(precisions)) * 100


def first_places(scores: np.ndarray, count: int) -> list[int]:
    found = np.argpartition(-scores, count)[:count]
    return found[np.argsort(-scores[found])].tolist()


def test_the_real_files_of_eccv_caption_and_cxc_give_what_their_program_gives(
    vle_eval, reference, tmp_path
) -> None:
    """On the 25,000 captions that the program itself uses, of which two positives are none."""
    shelf = reference / "data/naver-ai+eccv-caption"
    owned = json.loads((shelf / "original_image_to_caption.json").read_text())
    pictures = [int(image) for image in owned]
    owners = [(int(text), int(image)) for image, texts in owned.items() for text in texts]
    (tmp_path / "T.jsonl").write_text("".join(
        json.dumps({"text_id": text, "image_ids": [image]}) + "\n" for text, image in owners
    ))  # fmt: skip
    rng = np.random.default_rng(0)
    places = {image: at for at, image in enumerate(pictures)}
    images = rng.standard_normal((5000, 16)).astype(np.float32)
    texts = images[[places[image] for _, image in owners]] + rng.standard_normal((25_000, 16))
    np.save(tmp_path / "i.npy", images)
    np.save(tmp_path / "t.npy", texts.astype(np.float32))
    given = ("--texts", tmp_path / "T.jsonl", "--image-features", tmp_path / "i.npy",
             "--text-features", tmp_path / "t.npy", "--resamples", 0, "--json")  # fmt: skip
    wide, long = images.astype(np.float64), texts.astype(np.float32).astype(np.float64)
    queries = {"i2t": pictures, "t2i": [text for text, _ in owners]}
    galleries = {"i2t": queries["t2i"], "t2i": pictures}
    features = {"i2t": (wide, long), "t2i": (long, wide)}
    for files in (
        {"i2t": "eccv_image_to_caption", "t2i": "eccv_caption_to_image"},
        {"i2t": "cxc_image_to_caption"},
    ):
        paths = {direction: shelf / f"{file}.json" for direction, file in files.items()}
        asked = [part for path in paths.values() for part in ("--positives", path)]
        ran = vle_eval("retrieval", *given, *asked, "--missing", "zero")
        for direction, path in paths.items():
            right = json.loads(path.read_text())
            at = {name: place for place, name in enumerate(queries[direction])}
            asking, gallery = features[direction]
            ranked = {
                int(name): [
                    galleries[direction][one]
                    for one in first_places(gallery @ asking[at[int(name)]], len(found))
                ]
                for name, found in right.items()
            }
            found = [ran.values[f"{direction}_{name}"] for name in ("map_r", "r_precision")]
            assert found == pytest.approx(slow_extended(ranked, right), abs=1e-9), path.name
