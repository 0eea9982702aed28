"""PBC targets: phrases and their boxes, captions and the boxes they name."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.boxes import Box, from_xywh
from vle_bench.labels.mentions import mention_finder
from vle_bench.labels.vocabulary import coco_vocabulary
from vle_bench.patches import pbc
from vle_bench.patches.coverage import Coverage, coverage
from vle_bench.patches.grid import PatchGrid
from vle_bench.patches.labels import IGNORE
from vle_bench.patches.pbc import PbcRule, PbcTargets, caption_targets, phrase_targets
from vle_bench.patches.view import Rectangle, View, random_resized_crop, stretch
from vle_bench.records import BoxAnnotation, Caption

settled = settings(deadline=None, derandomize=True)
"""The same examples on every machine, however busy it is."""

VIEW, GRID = stretch(40, 40, 40), PatchGrid.of(40, 10)
LEFT, RIGHT = (0.0, 0.0, 20.0, 40.0), (20.0, 0.0, 20.0, 40.0)
FINDER = mention_finder(coco_vocabulary())


def region(identity: str, xywh, phrase: str) -> BoxAnnotation:
    return BoxAnnotation(id=identity, xywh=xywh, phrase=phrase, kind="region")


def thing(identity: str, xywh, label: str, kind: str = "object") -> BoxAnnotation:
    return BoxAnnotation(id=identity, xywh=xywh, label=label, kind=kind)


def about(text: str, *boxes: BoxAnnotation, view: View = VIEW, **rule) -> PbcTargets:
    return caption_targets(
        [Caption(id="c", text=text)],
        boxes,
        vocabulary=coco_vocabulary(),
        finder=FINDER,
        view=view,
        grid=GRID,
        rule=PbcRule(**rule),
    )


def first_row(targets: PbcTargets) -> list[int]:
    (target,) = targets.targets
    return target.related.reshape(4, 4)[0].tolist()


def test_a_phrase_is_about_its_own_box_and_every_other_patch_is_not_related() -> None:
    found = phrase_targets([region("7", LEFT, "a red door")], view=VIEW, grid=GRID)
    (target,) = found.targets
    assert (target.text_id, target.text, target.boxes) == ("7", "a red door", (0,))
    assert target.related.reshape(4, 4).tolist() == [[1, 1, 0, 0]] * 4


def test_the_same_phrase_twice_is_two_texts_or_one() -> None:
    boxes = [region("1", LEFT, "a man"), thing("x", LEFT, "dog"), region("2", RIGHT, "a man")]
    apart = phrase_targets(boxes, view=VIEW, grid=GRID)
    assert [target.boxes for target in apart.targets] == [(0,), (2,)]
    together = phrase_targets(boxes, view=VIEW, grid=GRID, together=True)
    assert [target.boxes for target in together.targets] == [(0, 2)]
    assert together.targets[0].related.all()


def test_objects_and_empty_phrases_are_no_texts() -> None:
    boxes = [thing("1", LEFT, "dog"), region("2", LEFT, " ")]
    assert phrase_targets(boxes, view=VIEW, grid=GRID) == ((), (), ())


def test_boxes_that_no_text_is_about_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []

    def counting(boxes: Iterable[Box], view: View, grid: PatchGrid) -> Coverage:
        measured.append(len(those := list(boxes)))
        return coverage(those, view, grid)

    monkeypatch.setattr(pbc, "coverage", counting)
    others = [thing(str(n), LEFT, "dog") for n in range(3)]
    found = phrase_targets([*others, region("r", RIGHT, "a door")], view=VIEW, grid=GRID)
    assert (found.targets[0].boxes, first_row(found)) == ((3,), [0, 0, 1, 1])
    named = about("A cat", *others, thing("c", RIGHT, "cat"), thing("d", LEFT, "cat", "crowd"))
    assert (named.targets[0].boxes, first_row(named)) == ((3,), [IGNORE, IGNORE, 1, 1])
    assert measured == [1, 2]


def test_a_phrase_whose_box_is_cut_away_has_no_target_and_is_told() -> None:
    view = View.whole(80, 40).cropped(Rectangle(40, 0, 40, 40))
    found = phrase_targets([region("9", LEFT, "a door")], view=view, grid=GRID)
    assert found == ((), (), ("9",))


def test_a_caption_is_about_the_boxes_whose_class_it_names() -> None:
    dog, cat = thing("1", LEFT, "dog"), thing("2", RIGHT, "cat")
    assert first_row(about("A puppy sleeps", dog, cat)) == [1, 1, 0, 0]
    assert first_row(about("Cats and dogs", dog, cat)) == [1, 1, 1, 1]


def test_a_caption_that_names_no_box_has_no_target_and_is_told() -> None:
    assert about("A quiet street", thing("1", LEFT, "dog")) == ((), ("c",), ())
    assert about("A dog") == ((), ("c",), ())


def test_a_caption_whose_boxes_are_cut_away_has_no_target_and_is_told() -> None:
    view = View.whole(80, 40).cropped(Rectangle(40, 0, 40, 40))
    assert about("A dog", thing("1", LEFT, "dog"), view=view) == ((), (), ("c",))


def test_a_crowd_is_undecided_beside_single_things() -> None:
    man, crowd = thing("1", (0, 0, 10, 40), "person"), thing("2", (0, 0, 30, 40), "person", "crowd")
    assert first_row(about("people", man, crowd)) == [1, IGNORE, IGNORE, 0]
    assert first_row(about("people", man, crowd, crowds="related")) == [1, 1, 1, 0]


def test_a_crowd_alone_is_a_target_only_where_crowds_are_related() -> None:
    crowd = thing("2", LEFT, "person", "crowd")
    assert about("people", crowd).targets == ()
    assert first_row(about("people", crowd, crowds="related")) == [1, 1, 0, 0]


def test_a_crowd_that_is_not_named_is_a_negative_like_everything_else() -> None:
    dog, crowd = thing("1", LEFT, "dog"), thing("2", RIGHT, "person", "crowd")
    assert first_row(about("a dog", dog, crowd)) == [1, 1, 0, 0]


def test_regions_do_not_answer_for_captions() -> None:
    assert about("a dog", region("1", LEFT, "dog")) == ((), ("c",), ())


def test_the_minimum_coverage_is_an_argument() -> None:
    dog = thing("1", (0.0, 0.0, 14.0, 40.0), "dog")
    assert first_row(about("a dog", dog)) == [1, 0, 0, 0]
    assert first_row(about("a dog", dog, minimum_coverage=0.4)) == [1, 1, 0, 0]


def test_a_use_of_crowds_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no use 'drop' of crowds"):
        PbcRule(crowds="drop")


corner = st.integers(-5, 80)
side = st.integers(0, 70)
regions = st.lists(
    st.tuples(corner, corner, side, side).map(lambda xywh: region("r", xywh, "a thing")), max_size=5
)


@settled
@given(regions)
def test_related_patches_are_the_members_of_the_boxes_also_after_a_flip(boxes) -> None:
    view = random_resized_crop(90, 70, Rectangle(7, 3, 61, 59), 40)
    members = coverage([from_xywh(*box.xywh) for box in boxes], view, GRID).members(0.5)
    plain = phrase_targets(boxes, view=view, grid=GRID)
    flipped = phrase_targets(boxes, view=view.mirrored(), grid=GRID)
    assert len(plain.targets) + len(plain.without_patch) == len(boxes)
    assert len(plain.targets) == int(members.any(axis=1).sum())
    for here, there in zip(plain.targets, flipped.targets, strict=True):
        assert (here.related.astype(bool) == members[here.boxes[0]]).all()
        assert (there.related.reshape(4, 4) == here.related.reshape(4, 4)[:, ::-1]).all()


@settled
@given(regions)
def test_boxes_together_are_the_union_of_boxes_apart(boxes) -> None:
    apart = phrase_targets(boxes, view=VIEW, grid=GRID)
    together = phrase_targets(boxes, view=VIEW, grid=GRID, together=True)
    union = np.zeros(16, dtype=bool)
    for target in apart.targets:
        union |= target.related.astype(bool)
    assert [target.related.astype(bool).tolist() for target in together.targets] == (
        [union.tolist()] if union.any() else []
    )
