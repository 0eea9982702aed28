"""Grounding on the page: what was asked, what is meant in the picture, and why it scored so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chromium
import pytest

from vle_bench.eval.leaderboard.page.pieces import Options
from vle_bench.eval.leaderboard.page.write import single_page
from vle_bench.results import stored_results

browser = chromium.browser

GOLDEN = Path(__file__).parents[3] / "manifests" / "golden"
FRAME = ("--image-size", 32, "--patch-size", 8)


@pytest.fixture
def page(vle_eval: Callable[..., Any], tmp_path: Path) -> Callable[..., Path]:
    """The page of scored golden cases."""

    def make(*runs: tuple[object, ...]) -> Path:
        for run in runs:
            done = vle_eval(
                "grounding", *run, "--resamples", 100, "--results", tmp_path / "results"
            )
            assert done.code == 0, done.err
        path = tmp_path / "board.html"
        path.write_bytes(single_page(stored_results(tmp_path / "results"), options=Options()))
        return path

    return make


def regions(model: str, geometry: str = "stretch", **changes: str) -> tuple[object, ...]:
    case = GOLDEN / "grounding"
    given = changes.get("predictions", "predictions.jsonl")
    more = ("--missing", "zero") if given == "part.jsonl" else ()
    return (
        "--data", case / "shards", "--dataset", "vg", "--split", "train", "--model-name", model,
        "--geometry", geometry, *FRAME, "--predictions", case / given, *more,
    )  # fmt: skip


def pieces_of(path: Path) -> dict[str, Any]:
    data = re.search(rb'id="data">(.*?)</script>', path.read_bytes(), re.DOTALL)
    assert data
    return dict(json.loads(data[1])["pieces"])


def items_of(path: Path, run: int = 0) -> list[dict[str, Any]]:
    pieces = pieces_of(path)
    shared, given = pieces["set0-0"], pieces[f"set0-0-{run}"]
    return [
        {
            "id": name,
            "question": (shared["question"] or [""] * 99)[at],
            "marks": (shared["marks"] or [[]] * 99)[at],
            "prediction": given["prediction"][at],
            "words": (given["words"] or [""] * 99)[at],
            "spot": (given["spots"] or [None] * 99)[at],
            "why": given["reasons"][given["why"][at]],
        }
        for at, name in enumerate(shared["id"])
    ]


def test_a_text_is_the_question_and_its_boxes_and_the_patch_are_shares_of_the_picture(page):
    items = items_of(page(regions("one")))
    assert all(item["question"] and item["marks"] for item in items)
    for item in items:
        row, column = divmod(int(item["prediction"]), 4)
        assert item["words"] == f"patch in row {row + 1}, column {column + 1}"
        # Squeezed to a square, a patch is a quarter of each side, whatever the picture's shape.
        assert item["spot"] == [column / 4, row / 4, 0.25, 0.25]
        assert all(0 <= share <= 1 for box in item["marks"] for share in box)
        assert re.fullmatch(
            r"Points (at|beside|at one of) the (only patch|\d+ patches) that shows? it\. "
            r"Average precision \d+\.\d; IoU \d+\.\d of what scores 0\.5 or more\.",
            item["why"],
        )


def test_patches_of_a_crop_lie_in_the_middle_of_a_wide_picture(page):
    wide = [item for item in items_of(page(regions("one", "center_crop"))) if item["spot"][2] < 0.2]
    assert wide
    for item in wide:
        left, _, width, height = item["spot"]
        assert height == 0.25
        assert 0.1 < left < 0.9 - width


def test_a_text_without_prediction_says_so_and_points_nowhere(page):
    items = items_of(page(regions("one", predictions="part.jsonl")))
    absent = [item for item in items if not item["prediction"]]
    assert absent
    for item in absent:
        assert (item["spot"], item["words"]) == (None, "")
        assert item["why"] == "No prediction: it scores 0 (--missing zero)."
        assert item["marks"]


def test_a_box_shows_where_it_lies_and_which_guess_was_right(page):
    case = GOLDEN / "grounding_mpc"
    items = items_of(
        page(("--data", case / "shards", "--dataset", "coco", "--split", "val", "--predictions",
              case / "guesses.csv"))
    )  # fmt: skip
    assert all(re.fullmatch(r"Which class is box \S+\?", item["question"]) for item in items)
    assert all(len(item["marks"]) == 1 for item in items)
    reasons = {item["why"] for item in items}
    assert "The first guess is right." in reasons
    assert any("a later one of the five guesses" in reason for reason in reasons)
    assert any("none of the five guesses" in reason for reason in reasons)


def test_a_pair_shows_its_score_and_on_which_side_of_the_threshold_it_lies(page):
    pairs = GOLDEN / "grounding_itm" / "pairs.csv"
    items = items_of(page(("--dataset", "golden", "--predictions", pairs)))
    on_it = [item for item in items if item["words"] == "score 0.5"]
    assert on_it
    assert all("is not above 0.5, so it counts as none" in item["why"] for item in on_it)
    assert all(item["question"].startswith("Do they belong together? Text ") for item in items)


def test_captions_of_shards_are_what_a_pair_asks(page, tmp_path):
    shards = GOLDEN / "grounding_captions" / "shards"
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("image_id,text_id,score,match\n1,11,0.7,1\n2,11,0.6,0\n", encoding="utf-8")
    items = items_of(
        page(("--data", shards, "--dataset", "coco", "--split", "val", "--predictions", pairs))
    )
    assert {item["question"] for item in items} == {"Do they belong together? a cat and a dog"}
    assert "counts as a match; they do not." in items[1]["why"]


def test_a_class_of_detections_says_how_many_were_found(page):
    case = GOLDEN / "grounding_detection"
    items = items_of(
        page(("--data", case / "shards", "--dataset", "coco", "--split", "val", "--detections",
              case / "detections.json"))
    )  # fmt: skip
    assert all(item["question"].startswith("Where is every ") for item in items)
    assert all(re.fullmatch(r"1 box found|\d+ boxes found", item["words"]) for item in items)


def test_board_browser_draws_what_is_meant_and_where_both_models_point(browser, page):
    path = page(regions("one"), regions("two"))
    browser.open(path, "run=0&beside=1&tab=items&view=all&item=1", width=390, height=844)
    browser.wait("document.querySelector('.marked img').complete")
    sizes = browser.run(
        "['img', 'svg'].map(name => { const box = document.querySelector(`.marked ${name}`)"
        ".getBoundingClientRect(); return [box.left, box.top, box.width, box.height]; })"
    )
    assert sizes[0] == pytest.approx(sizes[1], abs=1)
    assert sizes[0][2] == pytest.approx(2 * sizes[0][3], abs=1)
    for name in ("meant", "first", "second"):
        assert browser.run(f"document.querySelectorAll('.marked rect.{name}').length") == 1
    assert browser.run("document.getElementById('viewer').scrollWidth") <= 390
