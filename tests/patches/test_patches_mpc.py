"""MPC targets: who owns a patch, what is hidden, and what changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.boxes import Box
from vle_bench.labels.vocabulary import ClassVocabulary
from vle_bench.patches.coverage import coverage
from vle_bench.patches.grid import PatchGrid
from vle_bench.patches.labels import IGNORE, patch_labels
from vle_bench.patches.mpc import MpcRule, mpc_targets
from vle_bench.patches.view import Rectangle, View, random_resized_crop, stretch
from vle_bench.records import BoxAnnotation

settled = settings(deadline=None, derandomize=True)
"""The same examples on every machine, however busy it is."""

CLASSES = ClassVocabulary.of([["table"], ["cup"], ["spoon"]])
VIEW, GRID = stretch(40, 40, 40), PatchGrid.of(40, 10)
"""4 x 4 patches of 10 stored pixels."""


def box(label: str, x: float, y: float, w: float, h: float, kind: str = "object") -> BoxAnnotation:
    return BoxAnnotation(id="", xywh=(x, y, w, h), label=label, kind=kind)


def classes_of(*boxes: BoxAnnotation, **options) -> list[list[int]]:
    labels = patch_labels(boxes, CLASSES, view=VIEW, grid=GRID, **options)
    return labels.dense().reshape(4, 4).tolist()


def test_the_smallest_box_owns_a_shared_patch() -> None:
    found = classes_of(box("cup", 10, 10, 20, 10), box("table", 0, 0, 40, 20))
    assert found == [[0, 0, 0, 0], [0, 1, 1, 0], [IGNORE] * 4, [IGNORE] * 4]


def test_smallest_is_by_area_wherever_the_boxes_lie() -> None:
    wide, high = box("table", 0, 20, 40, 20), box("table", 20, 0, 20, 40)
    for other in (wide, high):
        assert classes_of(other, box("cup", 20, 20, 20, 20))[3] == (
            [0, 0, 1, 1] if other is wide else [IGNORE, IGNORE, 1, 1]
        )


def test_of_boxes_of_one_size_the_one_that_covers_more_comes_before_the_lower_label() -> None:
    boxes = (box("table", 5, 0, 20, 10), box("cup", 0, 0, 20, 10))
    assert classes_of(*boxes)[0] == [1, 0, 0, IGNORE]


def test_the_box_that_covers_most_may_be_chosen_instead() -> None:
    boxes = (box("cup", 10, 10, 20, 7), box("table", 0, 0, 40, 20))
    assert classes_of(*boxes)[1] == [0, 1, 1, 0]
    assert classes_of(*boxes, overlap="largest-coverage")[1] == [0, 0, 0, 0]


def test_under_largest_coverage_equal_cover_goes_to_the_smaller_box() -> None:
    boxes = (box("table", 0, 0, 40, 20), box("cup", 10, 10, 20, 10))
    assert classes_of(*boxes, overlap="largest-coverage")[1] == [0, 1, 1, 0]


def test_many_labels_give_each_class_once() -> None:
    boxes = (box("table", 0, 0, 40, 20), box("cup", 10, 10, 10, 10), box("cup", 10, 10, 10, 9))
    labels = patch_labels(boxes, CLASSES, view=VIEW, grid=GRID, overlap="multi-label")
    table = labels.multi_hot(len(CLASSES))
    assert table.shape == (16, 3)
    assert table[5].tolist() == [True, True, False]
    assert table[:8, 0].all()
    assert not table[8:].any()
    assert labels.box[(labels.patch == 5) & (labels.label == 1)].tolist() == [1]
    with pytest.raises(ValueError, match="take multi_hot"):
        labels.dense()


@pytest.mark.parametrize("kind", ["crowd", "region"])
def test_crowds_and_regions_label_nothing(kind: str) -> None:
    assert classes_of(box("cup", 0, 0, 40, 40, kind)) == [[IGNORE] * 4] * 4


def test_a_box_without_a_class_neither_labels_nor_takes_a_patch_away() -> None:
    found = classes_of(box("table", 0, 0, 40, 10), box("napkin", 0, 0, 10, 10), box("", 0, 0, 9, 9))
    assert found[0] == [0, 0, 0, 0]


def test_equal_boxes_go_to_the_lower_label_whatever_their_order() -> None:
    pair = (box("spoon", 0, 0, 10, 10), box("cup", 0, 0, 10, 10))
    assert classes_of(*pair)[0][0] == classes_of(*pair[::-1])[0][0] == 1


def test_the_minimum_coverage_is_an_argument() -> None:
    cup = box("cup", 0, 0, 14, 10)
    assert classes_of(cup)[0] == [1, IGNORE, IGNORE, IGNORE]
    assert classes_of(cup, minimum_coverage=0.4)[0] == [1, 1, IGNORE, IGNORE]


def test_no_boxes_no_labels() -> None:
    labels = patch_labels([], CLASSES, view=VIEW, grid=GRID)
    assert labels.dense().tolist() == [IGNORE] * 16
    targets = mpc_targets([], CLASSES, view=VIEW, grid=GRID, key="k", seed=0)
    assert not targets.masked.any()


def test_a_rule_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no rule 'biggest'"):
        classes_of(overlap="biggest")
    with pytest.raises(ValueError, match="no unit 'pixel'"):
        MpcRule(unit="pixel")
    for ratio in (0.0, 1.5, float("nan")):
        with pytest.raises(ValueError, match="0 < ratio <= 1"):
            MpcRule(mask_ratio=ratio)


things = st.builds(
    box,
    st.sampled_from(["table", "cup", "spoon", "napkin"]),
    *[st.integers(-5, 90)] * 2,
    *[st.integers(0, 70)] * 2,
    st.sampled_from(["object", "object", "object", "crowd"]),
)
scenes = st.lists(things, max_size=7)
overlaps = st.sampled_from(["smallest", "largest-coverage"])
PICTURE = (90, 70)


def owner_by_sorting(boxes: list[BoxAnnotation], patch: int, overlap: str, view: View) -> int:
    """The rule again, as sentences: candidates of one patch in the order of the documentation."""
    candidates = []
    for place, one in enumerate(boxes):
        label = CLASSES.by_name.get(one.label)
        if label is None or one.kind != "object":
            continue
        x, y, w, h = one.xywh
        corners = Box(x, y, x + w, y + h)
        shares = coverage([corners], view, GRID)
        if shares.members(0.5)[0, patch]:
            area = corners.clipped(*PICTURE).area
            cover = -round(shares.of_patch[0, patch], 9)
            first = (area, cover) if overlap == "smallest" else (cover, area)
            candidates.append((*first, label, place))
    return min(candidates)[2] if candidates else IGNORE


@settled
@given(scenes, overlaps)
def test_owners_equal_a_sort_of_each_patchs_candidates(boxes, overlap) -> None:
    view = stretch(*PICTURE, 40)
    labels = patch_labels(boxes, CLASSES, view=view, grid=GRID, overlap=overlap)
    expected = [owner_by_sorting(boxes, patch, overlap, view) for patch in range(16)]
    assert labels.dense().tolist() == expected


@settled
@given(scenes, overlaps)
def test_a_flip_of_the_input_flips_the_labels_and_nothing_else(boxes, overlap) -> None:
    view = random_resized_crop(*PICTURE, Rectangle(7, 3, 61, 59), 40)
    plain, flipped = (
        patch_labels(boxes, CLASSES, view=one, grid=GRID, overlap=overlap).dense().reshape(4, 4)
        for one in (view, view.mirrored())
    )
    assert (flipped == plain[:, ::-1]).all()


@settled
@given(scenes, overlaps, st.integers(2, 4))
def test_a_picture_stored_larger_has_the_same_labels(boxes, overlap, factor) -> None:
    cut = Rectangle(7, 3, 61, 59)
    larger = [box(one.label, *(factor * value for value in one.xywh), one.kind) for one in boxes]
    views = (
        random_resized_crop(*PICTURE, cut, 40),
        random_resized_crop(
            *(factor * side for side in PICTURE), Rectangle(*(factor * v for v in cut)), 40
        ),
    )
    here, there = (
        patch_labels(scene, CLASSES, view=view, grid=GRID, overlap=overlap).dense().tolist()
        for scene, view in zip((boxes, larger), views, strict=True)
    )
    assert here == there


@settled
@given(scenes, st.randoms(use_true_random=False))
def test_the_order_of_boxes_does_not_matter(boxes, chance) -> None:
    shuffled = list(boxes)
    chance.shuffle(shuffled)
    view = stretch(*PICTURE, 40)
    one, other = (
        patch_labels(scene, CLASSES, view=view, grid=GRID).dense().tolist()
        for scene in (boxes, shuffled)
    )
    assert one == other


def many(count: int) -> list[BoxAnnotation]:
    return [box("cup", 10 * (n % 4), 10 * (n // 4), 10, 10) for n in range(count)]


def hidden(boxes: list[BoxAnnotation], *, key: str = "coco-1", seed: int = 0, **rule) -> list[int]:
    targets = mpc_targets(
        boxes, CLASSES, view=VIEW, grid=GRID, key=key, seed=seed, rule=MpcRule(**rule)
    )
    return np.flatnonzero(targets.masked).tolist()


def test_a_hidden_object_is_hidden_whole() -> None:
    boxes = [box("table", 0, 0, 40, 20), box("cup", 0, 20, 40, 20)]
    found = {tuple(hidden(boxes, seed=seed, mask_ratio=0.5)) for seed in range(20)}
    assert found == {tuple(range(8)), tuple(range(8, 16))}


def test_what_another_object_owns_stays_in_sight() -> None:
    boxes = [box("table", 0, 0, 40, 40), box("cup", 10, 10, 10, 10)]
    found = {tuple(hidden(boxes, seed=seed, mask_ratio=0.5)) for seed in range(20)}
    assert found == {(5,), tuple(patch for patch in range(16) if patch != 5)}


@pytest.mark.parametrize(
    ("objects", "ratio", "expected"),
    [(1, 0.15, 1), (3, 0.15, 1), (10, 0.15, 2), (16, 0.15, 2), (16, 0.5, 8), (16, 1.0, 16)],
)
def test_the_ratio_counts_objects_and_at_least_one(objects, ratio, expected) -> None:
    assert len(hidden(many(objects), mask_ratio=ratio)) == expected


def test_single_patches_may_be_hidden_instead() -> None:
    boxes = [box("table", 0, 0, 40, 40)]
    assert len(hidden(boxes, unit="patch", mask_ratio=0.25)) == 4
    assert len(hidden(boxes, unit="object", mask_ratio=0.25)) == 16


def test_every_hidden_patch_has_its_class_and_no_other_patch_has_one() -> None:
    boxes = [box("table", 0, 0, 40, 40), *many(5)]
    for overlap in ("smallest", "multi-label"):
        rule = MpcRule(mask_ratio=0.4, overlap=overlap)
        targets = mpc_targets(boxes, CLASSES, view=VIEW, grid=GRID, key="k", seed=3, rule=rule)
        rows = targets.labels.multi_hot(len(CLASSES)).any(axis=1)
        assert targets.masked.any()
        assert (rows == targets.masked).all()
        whole = patch_labels(boxes, CLASSES, view=VIEW, grid=GRID, overlap=overlap)
        expected = whole.multi_hot(3)[targets.masked]
        assert (targets.labels.multi_hot(3)[targets.masked] == expected).all()


def test_the_choice_follows_seed_and_key_and_is_pinned() -> None:
    boxes = many(16)
    assert hidden(boxes) == hidden(boxes)
    choices = {tuple(hidden(boxes, key=f"coco-{n}")) for n in range(30)}
    assert len(choices) > 20
    assert len({tuple(hidden(boxes, seed=n)) for n in range(30)}) > 20
    assert hidden(boxes, mask_ratio=0.25) == PINNED


PINNED = [4, 5, 6, 11]
"""The four smallest sha256 of `mpc/0/object/<n>/coco-1`: no version of NumPy can move them."""


def test_objects_are_hidden_equally_often() -> None:
    counts = np.zeros(16, dtype=int)
    for seed in range(400):
        counts[hidden(many(16), seed=seed, mask_ratio=0.25)] += 1
    assert counts.sum() == 1600
    assert 60 < counts.min() <= counts.max() < 145


def test_a_flip_hides_the_same_objects() -> None:
    boxes = many(16)
    plain, flipped = (
        mpc_targets(boxes, CLASSES, view=view, grid=GRID, key="k", seed=1).masked.reshape(4, 4)
        for view in (VIEW, VIEW.mirrored())
    )
    assert plain.any()
    assert (flipped == plain[:, ::-1]).all()
