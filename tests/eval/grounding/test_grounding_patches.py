"""Average precision, pointing and IoU against slow versions that anybody can check."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.eval.grounding.patches import average_precision, score_query
from vle_bench.patches.labels import IGNORE

LEVELS = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
MAPS = st.lists(st.tuples(LEVELS, st.sampled_from([0, 1, IGNORE])), min_size=1, max_size=12).filter(
    lambda rows: any(mark == 1 for _, mark in rows)
)


def slow_average_precision(scores: list[float], related: list[int]) -> float:
    """One threshold after the other, as the definition says it."""
    positives = sum(related)
    total = before = 0.0
    for threshold in sorted(set(scores), reverse=True):
        kept = [mark for score, mark in zip(scores, related, strict=True) if score >= threshold]
        recall, precision = sum(kept) / positives, sum(kept) / len(kept)
        total += (recall - before) * precision
        before = recall
    return total


@given(MAPS)
@settings(max_examples=200)
def test_every_score_is_that_of_the_definition(rows) -> None:
    decided = [(score, mark) for score, mark in rows if mark != IGNORE]
    scores, marks = ([row[at] for row in decided] for at in (0, 1))
    found = score_query(*zip(*rows, strict=True), threshold=0.5)
    assert found.patch_ap == pytest.approx(slow_average_precision(scores, marks), abs=1e-12)
    first = scores.index(max(scores))
    assert found.pointing == marks[first]
    assert found.tied == (scores.count(max(scores)) > 1)
    kept = {at for at, score in enumerate(scores) if score >= 0.5}
    truth = {at for at, mark in enumerate(marks) if mark}
    assert found.patch_iou == pytest.approx(len(kept & truth) / len(kept | truth), abs=1e-12)
    assert rows[found.best] == decided[first]


@given(MAPS)
@settings(max_examples=100)
def test_a_rising_change_of_the_scores_moves_neither_precision_nor_pointing(rows) -> None:
    scores, marks = zip(*rows, strict=True)
    before = score_query(scores, marks, threshold=0.5)
    after = score_query([np.exp(3 * score) - 7 for score in scores], marks, threshold=0.5)
    assert (before.patch_ap, before.pointing, before.best) == (
        after.patch_ap, after.pointing, after.best,
    )  # fmt: skip


@given(MAPS, st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_the_order_of_patches_moves_no_precision_and_no_iou(rows, random) -> None:
    before = score_query(*zip(*rows, strict=True), threshold=0.5)
    random.shuffle(rows)
    after = score_query(*zip(*rows, strict=True), threshold=0.5)
    assert before.patch_ap == pytest.approx(after.patch_ap, abs=1e-12)
    assert before.patch_iou == after.patch_iou


@given(MAPS)
@settings(max_examples=100)
def test_raising_a_related_patch_never_hurts(rows) -> None:
    at = next(place for place, row in enumerate(rows) if row[1] == 1)
    before = score_query(*zip(*rows, strict=True), threshold=0.5)
    rows[at] = (rows[at][0] + 2, 1)
    after = score_query(*zip(*rows, strict=True), threshold=0.5)
    assert after.pointing == 1
    assert after.patch_ap >= before.patch_ap - 1e-12
    assert after.patch_iou >= before.patch_iou


def test_a_constant_map_gets_the_share_of_related_patches() -> None:
    assert average_precision([0.3] * 8, [1, 0, 0, 1, 0, 0, 0, 0]) == 0.25


def test_nothing_found_is_an_iou_of_zero_and_no_division_by_zero() -> None:
    assert score_query([0.1, 0.2], [1, 0], threshold=0.5).patch_iou == 0
