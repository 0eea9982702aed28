"""Boxes that do not fit their picture: one rule each, all counted, none lost."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.boxes import from_xywh
from vle_bench.data_prep import box_rules
from vle_bench.data_prep.box_rules import drawn_as_shown, fit
from vle_bench.data_prep.picture import Probe
from vle_bench.data_prep.run import Request, prepare
from vle_bench.data_prep.vcr_files import Frame, detected
from vle_bench.records import NO_SCORE, BoxAnnotation, VqaSample
from vle_bench.shards.read import iter_samples
from vle_bench.shards.report import read_report

UPRIGHT = Probe("jpg", 100, 50, 1)
QUARTER = Probe("jpg", 100, 50, 6)
EDGES = (0, -0.0, 5e-324, 1e-200, 1e-15, 1, 49.5, 50, 50.000001, 100, -1, 1e308, math.nan, math.inf)


def one(*xywh: float) -> list[BoxAnnotation]:
    return [BoxAnnotation(id="1", xywh=xywh)]


@pytest.mark.parametrize(
    ("xywh", "kept", "rules"),
    [
        ((1.25, 2, 3, 4), (1.25, 2, 3, 4), []),
        ((0, 0, 100, 50), (0, 0, 100, 50), []),
        ((90, 40, 20, 20), (90, 40, 10, 10), ["box clipped"]),
        ((-5, -5, 10, 10), (0, 0, 5, 5), ["box clipped"]),
        ((30, 20, -10, -5), (20, 15, 10, 5), ["box turned"]),
        ((110, 20, -20, 5), (90, 20, 10, 5), ["box turned", "box clipped"]),
    ],
)
def test_a_box_that_can_be_saved_is(xywh, kept, rules):
    fitted = fit(one(*xywh), UPRIGHT, None)
    assert [box.xywh for box in fitted.boxes] == [kept]
    assert sorted(fitted.adjusted.elements()) == sorted(rules)
    assert fitted.skipped == ()


@pytest.mark.parametrize(
    ("xywh", "reason"),
    [
        ((1, 1, 0, 5), "box without area"),
        ((1, 1, 5, 0), "box without area"),
        ((200, 10, 5, 5), "box outside the picture"),
        ((100, 10, 5, 5), "box outside the picture"),
        ((-9, -9, 5, 5), "box outside the picture"),
        ((-5, 10, 5.0000001, 5), "box outside the picture"),
        ((30, 20, -1e-7, 5), "box without area"),
        ((math.nan, 1, 2, 3), "box not finite"),
        ((1, 1, math.inf, 3), "box not finite"),
    ],
)
def test_a_box_that_shows_nothing_is_left_out_with_its_reason(xywh, reason):
    fitted = fit(one(*xywh), UPRIGHT, None)
    assert fitted.boxes == ()
    assert [(box.id, why) for box, why in fitted.skipped] == [("1", reason)]
    assert not fitted.adjusted


SIDES = st.floats(-300, 300, allow_nan=False)


@given(st.lists(st.tuples(SIDES, SIDES, SIDES, SIDES), max_size=5), st.integers(1, 8))
def test_every_box_is_kept_inside_the_picture_or_named(boxes, orientation):
    given_boxes = [BoxAnnotation(id=str(at), xywh=box) for at, box in enumerate(boxes)]
    fitted = fit(given_boxes, Probe("jpg", 100, 50, orientation), None)
    names = [box.id for box in fitted.boxes] + [box.id for box, _ in fitted.skipped]
    assert sorted(names) == sorted(box.id for box in given_boxes)
    for box in fitted.boxes:
        corners = from_xywh(*box.xywh)
        assert -1e-6 <= corners.x0 <= corners.x1 <= 100 + 1e-6
        assert -1e-6 <= corners.y0 <= corners.y1 <= 50 + 1e-6


@pytest.mark.parametrize(
    ("picture", "declared", "box", "shown"),
    [
        (QUARTER, (50, 100), (0, 0, 5, 5), True),
        (QUARTER, (100, 50), (0, 60, 5, 5), False),
        (QUARTER, (640, 480), (0, 60, 5, 5), False),
        (QUARTER, None, (0, 60, 5, 5), True),
        (QUARTER, None, (60, 0, 5, 5), False),
        (QUARTER, None, (0, 0, 5, 5), False),
        (UPRIGHT, (50, 100), (0, 60, 5, 5), False),
        (Probe("jpg", 100, 50, 3), (100, 50), (0, 0, 5, 5), False),
        (Probe("jpg", 50, 50, 6), (50, 50), (0, 0, 5, 5), False),
    ],
)
def test_annotations_of_the_turned_picture_are_known_by_their_size(picture, declared, box, shown):
    assert drawn_as_shown([box], picture, declared) is shown


def test_all_boxes_of_a_picture_tell_together_how_they_were_drawn():
    anyhow, as_shown, as_stored = (0, 0, 5, 5), (0, 60, 5, 5), (60, 0, 5, 5)
    assert drawn_as_shown([anyhow, as_shown], QUARTER, None)
    assert not drawn_as_shown([as_shown, as_stored], QUARTER, None)


def test_a_box_that_is_left_out_takes_no_other_with_it():
    sides = [(math.nan, 1, 2, 3), (1, 1, 0, 5), (200, 10, 5, 5), (-5, 10, 5.0000001, 5)]
    boxes = [BoxAnnotation(id=str(at), xywh=xywh) for at, xywh in enumerate([*sides, (1, 1, 5, 5)])]
    fitted = fit(boxes, UPRIGHT, None)
    assert [box.id for box in fitted.boxes] == ["4"]
    assert [box.id for box, _ in fitted.skipped] == ["0", "1", "2", "3"]


def test_boxes_drawn_on_the_turned_picture_are_mapped_back():
    fitted = fit(one(0, 60, 10, 20), QUARTER, (50, 100))
    # Orientation 6 is shown turned clockwise: the left edge as shown is the bottom as stored.
    assert [box.xywh for box in fitted.boxes] == [(60, 40, 20, 10)]
    assert fitted.adjusted == {"box mapped back": 1}


@given(st.tuples(*[st.sampled_from(EDGES)] * 4), st.sampled_from((UPRIGHT, QUARTER)))
def test_sound_boxes_take_a_short_way_to_the_same_end(
    xywh: tuple[float, float, float, float], picture: Probe
):
    short = fit(one(*xywh), picture, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(box_rules, "_are_sound", lambda *_: False)
        assert repr(short) == repr(fit(one(*xywh), picture, None))


def test_corners_whose_width_would_be_no_number_are_no_metadata_of_vcr():
    metadata = b'{"boxes": [[-1.7e308, 0, 1.7e308, 5, 0.9]], "names": ["person"]}'
    found = detected(metadata, Frame("a.jpg", "a.json", "film", ("person",)))
    assert (found.boxes, found.odd) == ((), "metadata that cannot be read")


def test_boxes_of_vcr_need_no_score_and_no_size():
    frame = Frame("a.jpg", "a.json", "film", ("person",))
    found = detected(b'{"boxes": [[1, 2, 5.5, 9]], "names": ["person"]}', frame)
    assert [box.xywh for box in found.boxes] == [(1, 2, 4.5, 7)]
    assert (found.objects[0].score, found.declared, found.odd) == (NO_SCORE, None, "")


@pytest.mark.parametrize("declared", [(50, 100), (0, 0), (50, 0), (0, 100)])
def test_a_run_maps_boxes_back_and_keeps_the_picture_as_it_is(
    world, out, turned_picture, declared: tuple[int, int]
):
    """By the size that the annotations were made for; where they tell none, by the boxes."""
    data = turned_picture(100, 50, 6)
    world.picture("val", 7, data)
    world.question("val", 7)
    world.image_row("val", 7, width=declared[0], height=declared[1])
    world.box("val", 7, 70, (0, 60, 10, 20))
    prepared = prepare(Request(dataset="vqav2", raw=world.write(), out=out))
    (sample,) = iter_samples(out / "vqav2", "val", VqaSample)
    assert (sample.image.width, sample.image.height, sample.image.orientation) == (100, 50, 6)
    assert sample.boxes[0].xywh == (60, 40, 20, 10)
    assert prepared.report.splits["val"].adjusted == {
        "box mapped back": 1,
        "picture that EXIF turns or mirrors": 1,
    }
    assert "mark other than 1: 1" in (out / "vqav2" / "README.md").read_text()


def test_another_declared_size_alone_makes_a_shard_anew(world, out, turned_picture):
    """It stands in no record, and decides in which frame the boxes are."""
    world.picture("val", 7, turned_picture(100, 50, 6))
    world.question("val", 7)
    world.box("val", 7, 70, (0, 20, 10, 20))
    found = []
    for width, height in ((100, 50), (50, 100)):
        world.images["val"] = []
        world.image_row("val", 7, width=width, height=height)
        assert prepare(Request(dataset="vqav2", raw=world.write(), out=out)).built == 1
        found += [one.boxes[0].xywh for one in iter_samples(out / "vqav2", "val", VqaSample)]
    assert found == [(0, 20, 10, 20), (20, 40, 20, 10)]


def test_pictures_that_somebody_resized_are_counted_and_their_boxes_not_scaled(
    world, out, picture, prep, capsys
):
    for image, size in ((7, (32, 24)), (8, (64, 48)), (9, (48, 64))):
        world.picture("val", image, picture(*size))
        world.question("val", image)
        world.image_row("val", image, width=64, height=48)
        world.box("val", image, image * 10, (1, 2, 16, 8))
    assert prep("run", "vqav2", "--raw", world.write(), "--out", out) == 0
    told = "2 pictures have another size than their annotations say, and boxes are not scaled"
    assert told in capsys.readouterr().err
    assert {one.boxes[0].xywh for one in iter_samples(out / "vqav2", "val", VqaSample)} == {
        (1, 2, 16, 8)
    }
    report = read_report(out / "vqav2").splits["val"]
    assert report.adjusted == {"picture of another size than its annotations say": 2}
