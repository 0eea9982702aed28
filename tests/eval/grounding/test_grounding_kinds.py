"""Classes of boxes, pairs and detections: what is read, what comes out, what is refused."""

from __future__ import annotations

import json
import random
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from grounding_world import CROPPED, sample, thing, write_split
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.eval.grounding.fields import integers, number, truth
from vle_bench.eval.grounding.pairs import Pairs, area_under_roc, metrics_of

THINGS = (
    sample(1, [
        thing("1", (0, 0, 20, 40), "dog", label_id=18),
        thing("2", (30, 10, 20, 20), "person", label_id=1),
        thing("3", (60, 0, 20, 40), "gizmo"),
        thing("4", (0, 0, 80, 40), "person", label_id=1, kind="crowd"),
    ], dataset="coco", split="val", captions=("A dog.", "A man.")),
    sample(2, [thing("5", (20, 0, 40, 40), "cat", label_id=17)],
           dataset="coco", split="val", captions=("A cat.",)),
)  # fmt: skip
DOG, PERSON, CAT = 16, 0, 15


@pytest.fixture
def score(vle_eval, tmp_path):
    """`vle-eval grounding` on two pictures of COCO."""
    data = write_split(tmp_path / "shards", THINGS)

    def call(*arguments: object):
        return vle_eval(
            "grounding", "--data", data, "--dataset", "coco", "--split", "val",
            "--resamples", 20, *arguments,
        )  # fmt: skip

    return call


def guesses(**changes: list[int]) -> list[dict[str, object]]:
    found = {"1": [DOG, 1, 2, 3, 4], "2": [1, 2, 3, 4, PERSON], "5": [5, 6, 7, 8, 9], **changes}
    return [
        {"key": "coco-2" if box == "5" else "coco-1", "box_id": box, "label_ids": labels}
        for box, labels in found.items()
    ]


def lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_first_guess_and_any_of_five(score, tmp_path) -> None:
    ran = score("--predictions", lines(tmp_path / "g.jsonl", guesses()), "--json")
    assert ran.values == {"mpc_top1": pytest.approx(100 / 3), "mpc_top5": pytest.approx(200 / 3)}
    assert ran.document["task"] == "grounding-mpc"
    assert "|n:3|classes:coco80|no-class:1|no-patch:0|frame:none|" in ran.document["signature"]
    assert "1 of 4 boxes are not scored: 1 have a name that is no class, 0 show" in ran.err


@pytest.mark.parametrize("form", ["csv", "brackets", "parquet"])
def test_guesses_of_every_form_are_the_same(score, tmp_path, form) -> None:
    rows = guesses()
    expected = score("--predictions", lines(tmp_path / "g.jsonl", rows), "--json").document
    path = tmp_path / "other"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        body = ""
        for row in rows:
            labels = row["label_ids"]
            written = " ".join(map(str, labels)) if form == "csv" else str(labels)
            body += f'{row["key"]},{row["box_id"]},"{written}"\n'
        path.write_text("key,box_id,label_ids\n" + body)
    assert score("--predictions", path, "--json").document["metrics"] == expected["metrics"]


def test_boxes_outside_the_crop_are_not_asked_but_may_be_answered(score, tmp_path) -> None:
    path = lines(tmp_path / "g.jsonl", guesses())
    ran = score("--predictions", path, *CROPPED, "--json")
    assert ran.document["protocol"] == "coco80-center_crop-32-8"
    assert "|no-class:1|no-patch:1|" in ran.document["signature"]
    assert ran.values["mpc_top1"] == 0


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (guesses(**{"1": [90, 1, 2, 3, 4]}), "label_ids 90: classes count from 0 to 79 here"),
        (guesses(**{"1": [1, 1, 2, 3, 4]}), "label_ids name a class twice"),
        (guesses(**{"1": [1, 2, 3, 4]}), "label_ids is [1, 2, 3, 4], 5 integers were expected"),
        (guesses(**{"1": [1.0, 2, 3, 4, 5]}), "5 integers were expected"),
        (guesses()[1:], "1 of 3 key and box_id without prediction: coco-1 1"),
        (guesses() + guesses()[:1], "more than once: coco-1 1"),
        ([*guesses(), {"key": "x", "box_id": 1, "label_ids": [1, 2, 3, 4, 5]}], "x 1 (line 4)"),
        ([{"key": None, "box_id": 1, "label_ids": [1, 2, 3, 4, 5]}], "key: None is no id"),
    ],
)
def test_guesses_that_do_not_fit_are_named(score, tmp_path, rows, told) -> None:
    ran = score("--predictions", lines(tmp_path / "g.jsonl", rows))
    assert ran.code == 3
    assert told in ran.err


def test_a_vocabulary_of_ones_own_and_missing_boxes(score, tmp_path) -> None:
    (tmp_path / "v.txt").write_text("gizmo\ndog\ncat")
    rows = [
        {"key": "coco-1", "box_id": 1, "label_ids": [1, 0, 2]},
        {"key": "coco-1", "box_id": 3, "label_ids": [1, 0, 2]},
    ]
    path = lines(tmp_path / "g.jsonl", rows)
    options = ("--predictions", path, "--vocabulary", tmp_path / "v.txt", "--missing", "zero")
    ran = score(*options, "--json")
    assert ran.values == {"mpc_top1": pytest.approx(100 / 3), "mpc_top5": pytest.approx(200 / 3)}
    assert "|classes:classes-" in ran.document["signature"]
    assert "1 of 3 boxes have no prediction and count as wrong" in ran.err


def test_a_split_without_a_known_class_asks_nothing(score, tmp_path) -> None:
    (tmp_path / "v.txt").write_text("unicorn")
    path = lines(tmp_path / "g.jsonl", guesses())
    ran = score("--predictions", path, "--vocabulary", tmp_path / "v.txt")
    assert (ran.code, "no box with a class of the vocabulary" in ran.err) == (3, True)


PAIRS = [
    {"image_id": 1, "text_id": "10", "score": 0.9, "match": True},
    {"image_id": 1, "text_id": "20", "score": 0.5, "match": False},
    {"image_id": 2, "text_id": "20", "score": 0.5, "match": True},
    {"image_id": 2, "text_id": "11", "score": 0.1, "match": False},
]


def test_pairs_are_told_apart_above_the_threshold_and_by_their_order(score, tmp_path) -> None:
    ran = score("--predictions", lines(tmp_path / "p.jsonl", PAIRS), "--json")
    assert ran.values == {
        "itm_accuracy": 75.0,  # a tie at 0.5 is the first class: no match
        "itm_accuracy[matched]": 50.0,
        "itm_accuracy[mismatched]": 100.0,
        "itm_auc": 87.5,
    }
    assert ran.document["metrics"]["itm_accuracy[matched]"]["n"] == 2
    assert "|matched:2|truth:shards|above:0.5|" in ran.document["signature"]
    low = score("--predictions", tmp_path / "p.jsonl", "--threshold", 0.4, "--json")
    assert low.values["itm_accuracy[matched]"] == 100.0
    assert low.values["itm_auc"] == 87.5


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_pairs_of_every_form_are_the_same(score, tmp_path, form) -> None:
    expected = score("--predictions", lines(tmp_path / "p.jsonl", PAIRS), "--json").document
    path = tmp_path / "other"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(PAIRS), path)
    else:
        rows = [",".join(str(value) for value in row.values()) for row in PAIRS]
        path.write_text("\n".join(["image_id,text_id,score,match", *rows]))
    assert score("--predictions", path, "--json").document["metrics"] == expected["metrics"]


def test_without_a_split_the_file_is_believed_and_that_is_said(vle_eval, tmp_path) -> None:
    path = lines(tmp_path / "p.jsonl", [{**row, "match": not row["match"]} for row in PAIRS])
    ran = vle_eval("grounding", "--predictions", path, "--resamples", 0, "--json")
    assert ran.values["itm_auc"] == 12.5
    assert ran.document["dataset"] == "unnamed"
    assert "What matches is what the file says of itself" in ran.err


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"match": False}, "image 1 with text 10: match is not False"),
        ({"match": 2}, "match is 2, true or false (1 or 0) was expected"),
        ({"score": "x"}, "score is 'x', a finite number was expected"),
        ({"image_id": 3}, "1 pairs nobody knows: 3 with 10"),
        ({"text_id": "20"}, "image 1 with text 20 stands there already"),
        ({"text_id": None}, "text_id: None is no id"),
    ],
)
def test_pairs_that_do_not_fit_are_named(score, tmp_path, changes, told) -> None:
    rows = [{**PAIRS[0], **changes}, *PAIRS[1:]]
    ran = score("--predictions", lines(tmp_path / "p.jsonl", rows))
    assert ran.code == 3
    assert told in ran.err


def test_pairs_of_one_kind_cannot_be_told_apart(score, tmp_path) -> None:
    ran = score("--predictions", lines(tmp_path / "p.jsonl", PAIRS[::2]))
    assert (ran.code, "2 of 2 pairs match" in ran.err) == (3, True)


TIES = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.booleans()), max_size=14)


@given(TIES)
@settings(max_examples=150)
def test_the_area_is_the_share_of_pairs_in_order(rows) -> None:
    ups = [score for score, match in rows if match]
    downs = [score for score, match in rows if not match]
    if not (ups and downs):
        return
    won = sum((up > down) + (up == down) / 2 for up, down in product(ups, downs))
    assert area_under_roc(*zip(*rows, strict=True)) == pytest.approx(
        won / (len(ups) * len(downs)), abs=1e-12
    )


def test_intervals_of_pairs_have_the_law_of_drawing_pictures() -> None:
    generator = np.random.default_rng(5)
    owners = generator.integers(0, 12, 60)
    match = generator.random(60) < 0.5
    scores = (generator.random(60) + 0.3 * match).round(1)
    pairs = Pairs(tuple(map(str, owners)), tuple(map(str, range(60))), scores, match)
    found = metrics_of(pairs, threshold=0.5, resamples=4000, seed=0, stream="test")
    slow = []
    for _ in range(1500):
        drawn = generator.integers(0, 12, 12)
        at = np.concatenate([np.flatnonzero(owners == one) for one in drawn])
        slow.append(area_under_roc(scores[at], match[at]) * 100)
    low, high = np.percentile(slow, [2.5, 97.5])
    assert found["itm_auc"].low == pytest.approx(low, abs=2.5)
    assert found["itm_auc"].high == pytest.approx(high, abs=2.5)
    turned = Pairs(pairs.image_ids[::-1], pairs.text_ids[::-1], scores[::-1], match[::-1])
    assert metrics_of(turned, threshold=0.5, resamples=4000, seed=0, stream="test") == found


def detection(image: object, category: int, bbox: list[float], score: float) -> dict[str, object]:
    return {"image_id": image, "category_id": category, "bbox": bbox, "score": score}


PERFECT = [
    detection(1, 18, [0, 0, 20, 40], 0.9),
    detection(1, 1, [30, 10, 20, 20], 0.8),
    detection("2", 17, [20, 0, 40, 40], 0.7),
]


def test_perfect_boxes_are_perfect_and_stdout_is_ours(score, tmp_path) -> None:
    (tmp_path / "d.json").write_text(json.dumps(PERFECT))
    ran = score("--detections", tmp_path / "d.json", "--json")
    assert ran.values["box_ap"] == pytest.approx(100.0)
    assert "box_ap_large" not in ran.values  # nothing large is there to be found
    assert ran.document["metrics"]["box_ap"]["low"] is None
    assert "DeprecationWarning" not in ran.err
    plain = score("--predictions", tmp_path / "d.json")
    assert plain.out.startswith("grounding-detection, coco val: d (protocol coco-bbox)")


def test_a_crowd_may_be_found_any_number_of_times(score, tmp_path) -> None:
    extra = [detection(1, 1, [40 + at, 20, 10, 10], 0.85) for at in range(5)]
    (tmp_path / "d.json").write_text(json.dumps([*PERFECT, *extra]))
    assert score("--detections", tmp_path / "d.json", "--json").values["box_ap"] == pytest.approx(
        100
    )


def slow_ap(truths, found, threshold: float) -> float:
    """101 points of one class in one picture without crowds, as COCO's paper says it."""

    def overlap(one, other) -> float:
        width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
        height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
        shared = max(width, 0) * max(height, 0)
        return shared / (one[2] * one[3] + other[2] * other[3] - shared)

    free, hits = list(truths), []
    for box, _ in sorted(found, key=lambda row: -row[1]):
        best = max(free, key=lambda truth: overlap(truth, box), default=None)
        hit = best is not None and overlap(best, box) >= threshold
        hits.append(hit)
        if hit:
            free.remove(best)
    precisions = [(sum(hits[: at + 1]) / (at + 1), sum(hits[: at + 1]) / len(truths)) for at in
                  range(len(hits))]  # fmt: skip
    levels = [max((p for p, r in precisions if r >= level / 100 - 1e-12), default=0.0) for level in
              range(101)]  # fmt: skip
    return sum(levels) / 101


def test_average_precision_is_that_of_the_definition(vle_eval, tmp_path) -> None:
    draw = random.Random(3)
    truths = [[draw.randrange(60), draw.randrange(25), 14, 12] for _ in range(6)]
    boxes = [thing(str(at), box, "dog", label_id=18) for at, box in enumerate(truths)]
    data = write_split(tmp_path, [sample(1, boxes, dataset="coco", split="val")])
    found = [
        ([x + draw.randrange(-3, 4), y, w, h + draw.randrange(3)], (at + 1) / 10)
        for at, (x, y, w, h) in enumerate(truths + truths[:3])
    ]
    draw.shuffle(found)
    results = [detection(1, 18, box, value) for box, value in found]
    (tmp_path / "d.json").write_text(json.dumps(results))
    ran = vle_eval(
        "grounding", "--data", data, "--dataset", "coco", "--split", "val",
        "--detections", tmp_path / "d.json", "--json",
    )  # fmt: skip
    assert ran.values["box_ap50"] == pytest.approx(100 * slow_ap(truths, found, 0.5))
    assert ran.values["box_ap75"] == pytest.approx(100 * slow_ap(truths, found, 0.75))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (detection(9, 18, [0, 0, 1, 1], 0.5), "1 image_id not among the references: 9"),
        (detection(1, 99, [0, 0, 1, 1], 0.5), "1 category_id not among the references: 99"),
        (detection(1, 18, [0, 0, -1, 1], 0.5), "Expected `float` >= 0"),
        (detection(1, 18, [0, 0, 1], 0.5), "length 4"),
    ],
)
def test_results_that_do_not_fit_are_named(score, tmp_path, row, told) -> None:
    (tmp_path / "d.json").write_text(json.dumps([*PERFECT, row]))
    ran = score("--detections", tmp_path / "d.json")
    assert ran.code == 3
    assert told in ran.err


def test_an_infinite_corner_is_refused(score, tmp_path) -> None:
    text = json.dumps([detection(1, 18, [0, 0, 1, 1], 0.5)]).replace("0.5", "1e999")
    (tmp_path / "d.json").write_text(text)
    ran = score("--detections", tmp_path / "d.json")
    assert ran.code == 3
    assert "d.json" in ran.err


def test_regions_cannot_be_detected(ground, tmp_path) -> None:
    (tmp_path / "d.json").write_text("[]")
    ran = ground("--detections", tmp_path / "d.json")
    assert (ran.code, "no box with a category id" in ran.err) == (3, True)


@pytest.mark.parametrize("kind", ["mpc", "itm", "detection"])
def test_every_kind_is_stored_apart_and_scored_again(score, tmp_path, kind) -> None:
    from vle_bench.eval.requests import GroundingRequest
    from vle_bench.eval.tasks import load_task

    rows = {"mpc": guesses(), "itm": PAIRS, "detection": PERFECT}[kind]
    path = lines(tmp_path / "m.jsonl", rows)
    ran = score("--predictions", path, "--results", tmp_path / "results", "--model-name", "one")
    assert ran.code == 0, ran.err
    folder = tmp_path / "results" / f"grounding-{kind}" / "coco" / "val" / "one"
    stored = json.loads((folder / "result.json").read_text())
    task = load_task(f"grounding-{kind}")
    request = GroundingRequest(**{
        key: tuple(value) if isinstance(value, list) else value
        for key, value in stored["request"].items()
    })  # fmt: skip
    again = task.score(task.again(request, str(folder)))
    assert {name: metric.value for name, metric in again.metrics.items()} == {
        name: metric["value"] for name, metric in stored["metrics"].items()
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1, "b": 2}', "columns a, b. Expected predictions with scores (of patches)"),
        ("[]", "columns none."),
        ("PAR1xxxxxxxxxxx", "no readable Parquet"),
    ],
)
def test_a_file_of_no_known_kind_is_refused(score, tmp_path, text, told) -> None:
    (tmp_path / "x").write_text(text)
    ran = score("--predictions", tmp_path / "x")
    assert ran.code == 3
    assert told in ran.err


def test_two_ways_to_say_what_is_scored_are_wrong_usage(score, tmp_path) -> None:
    path = lines(tmp_path / "d.json", PERFECT)
    ran = score("--detections", path, "--predictions", path)
    assert (ran.code, "--detections stands alone" in ran.err) == (2, True)


def test_numbers_truths_and_lists_of_text() -> None:
    assert number({"a": " 1e-3 "}, "a") == 0.001
    assert truth({"a": "TRUE"}, "a")
    assert integers({"a": "[1, 2]"}, "a", 2) == (1, 2)
    for value in ("1_5", "nan", True, None, 10**400, [1]):
        with pytest.raises(ValueError, match="finite number"):
            number({"a": value}, "a")
    for value in ("yes", None, 1.0, 2):
        with pytest.raises(ValueError, match="true or false"):
            truth({"a": value}, "a")
    for value in ("[1", "a b", "[" * 99999, "1 2 3", None, [True, 1], "x" * 99):
        with pytest.raises(ValueError, match="2 integers were expected"):
            integers({"a": value}, "a", 2)
