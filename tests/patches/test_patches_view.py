"""Views: exact composition, the roundings of the originals, and what commutes with what."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vle_bench.boxes import Box
from vle_bench.patches.coverage import coverage
from vle_bench.patches.grid import PatchGrid, stretch_patch_ids
from vle_bench.patches.view import (
    Axis,
    Rectangle,
    View,
    center_crop,
    random_resized_crop,
    shortest_edge_size,
    stretch,
)

settled = settings(deadline=None, derandomize=True)
"""The same examples on every machine, however busy it is."""

sides = st.integers(1, 500)
corners = st.floats(-50, 550, allow_nan=False)
boxes = st.builds(Box, corners, corners, corners, corners)


@st.composite
def pictures_and_cuts(draw: st.DrawFn) -> tuple[int, int, Rectangle]:
    width, height = draw(sides), draw(sides)
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    cut = Rectangle(
        left, top, draw(st.integers(1, width - left)), draw(st.integers(1, height - top))
    )
    return width, height, cut


@pytest.mark.parametrize(
    ("width", "height", "size", "expected"),
    [
        (640, 480, 224, (298, 224)),
        (480, 640, 224, (224, 298)),
        (500, 500, 384, (384, 384)),
        (1920, 797, 576, (1387, 576)),
        (3, 1000, 224, (224, 74666)),
    ],
)
def test_the_longer_edge_is_rounded_down(width, height, size, expected) -> None:
    assert shortest_edge_size(width, height, size) == expected


@pytest.mark.parametrize("rounding", ["clip", "torchvision"])
def test_an_even_margin_has_one_middle(rounding) -> None:
    view = center_crop(640, 480, 224, rounding=rounding)
    assert (-view.x.shift, -view.y.shift) == ((298 - 224) // 2, 0)


@pytest.mark.parametrize(
    ("width", "clip", "torchvision"), [(225, 0, 0), (227, 1, 2), (229, 2, 2), (231, 3, 4)]
)
def test_an_odd_margin_is_rounded_down_by_clip_and_to_even_by_torchvision(
    width, clip, torchvision
) -> None:
    assert -center_crop(width, 224, 224).x.shift == clip
    assert -center_crop(width, 224, 224, rounding="torchvision").x.shift == torchvision


@pytest.mark.parametrize(("rounding", "expected"), [("clip", 3), ("torchvision", 2)])
def test_an_odd_border_of_padding_is_larger_in_front_for_clip(rounding, expected) -> None:
    view = center_crop(5, 5, 10, shortest_edge=5, rounding=rounding)
    assert (view.x.shift, view.y.shift) == (expected, expected)


@pytest.mark.parametrize(
    "cut", [Rectangle(0, 0, 11, 5), Rectangle(-1, 0, 5, 5), Rectangle(0, 0, 0, 5)]
)
def test_a_rectangle_out_of_the_picture_is_refused(cut) -> None:
    with pytest.raises(ValueError, match="does not lie inside"):
        random_resized_crop(10, 5, cut, 224)


def test_sizes_below_a_pixel_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot cut"):
        center_crop(10, 0, 224)
    with pytest.raises(ValueError, match="cannot become"):
        View.whole(10, 10).resized(0, 5)


@settled
@given(pictures_and_cuts(), st.integers(1, 400))
def test_two_flips_are_no_flip_and_a_resize_is_undone_exactly(picture, size) -> None:
    width, height, cut = picture
    view = random_resized_crop(width, height, cut, size)
    assert view.mirrored().mirrored() == view
    assert view.resized(cut.width, cut.height) == View.whole(width, height).cropped(cut)


@settled
@given(pictures_and_cuts(), st.integers(1, 400), boxes)
def test_cropping_the_picture_first_is_the_same_as_cropping_in_the_view(picture, size, box) -> None:
    width, height, cut = picture
    before = random_resized_crop(width, height, cut, size)
    inside = Box(box.x0 - cut.left, box.y0 - cut.top, box.x1 - cut.left, box.y1 - cut.top)
    after = stretch(cut.width, cut.height, size)
    np.testing.assert_allclose(before.boxes([box]), after.boxes([inside]), rtol=1e-12, atol=1e-8)


@settled
@given(pictures_and_cuts(), st.integers(2, 5), boxes)
def test_a_picture_stored_larger_has_the_same_boxes_in_the_view(picture, factor, box) -> None:
    width, height, cut = picture
    larger = Rectangle(*(factor * value for value in cut))
    view = random_resized_crop(width, height, cut, 64)
    other = random_resized_crop(factor * width, factor * height, larger, 64)
    scaled = Box(box.x0 * factor, box.y0 * factor, box.x1 * factor, box.y1 * factor)
    np.testing.assert_allclose(view.boxes([box]), other.boxes([scaled]), rtol=1e-12, atol=1e-8)


@settled
@given(pictures_and_cuts(), st.sampled_from([(32, 8), (50, 16), (224, 16)]), st.lists(boxes))
def test_coverage_commutes_with_a_flip_of_the_stored_picture(picture, sizes, listed) -> None:
    width, height, cut = picture
    grid = PatchGrid.of(*sizes)
    size = grid.width  # a flipped frame with spare pixels has them on its other side
    view = random_resized_crop(width, height, cut, size)
    flipped_cut = cut._replace(left=width - cut.left - cut.width)
    flipped_boxes = [Box(width - b.x1, b.y0, width - b.x0, b.y1) for b in listed]
    flipped = coverage(flipped_boxes, random_resized_crop(width, height, flipped_cut, size), grid)
    here = coverage(listed, view.mirrored(), grid)
    np.testing.assert_allclose(here.of_patch, flipped.of_patch, atol=1e-9)
    plain = coverage(listed, view, grid).of_patch.reshape(len(listed), grid.rows, grid.columns)
    np.testing.assert_allclose(here.of_patch.reshape(plain.shape), plain[:, :, ::-1], atol=1e-9)


@settled
@given(pictures_and_cuts(), boxes)
def test_places_come_back_from_the_view(picture, box) -> None:
    width, height, cut = picture
    view = random_resized_crop(width, height, cut, 224).mirrored()
    back = view.to_stored(view.boxes([box]))
    np.testing.assert_allclose(back, [[box.x0, box.y0, box.x1, box.y1]], atol=1e-6)


@settled
@given(sides, sides, boxes)
def test_the_view_rule_is_the_published_rule_where_the_whole_picture_is_seen(
    width, height, box
) -> None:
    grid = PatchGrid.of(224, 16)
    view = stretch(width, height, 224)
    places = view.boxes([box]) / 16
    # On a grid line the published rule rounds the width of a patch; the view does not.
    assume((abs(places - np.rint(places)) > 1e-9).all())
    (ours,) = view.patch_ids([box], grid)
    (published,) = stretch_patch_ids([box], width, height, grid)
    assert ours.tolist() == published.tolist()


@settled
@given(sides, sides, boxes)
def test_patch_ids_commute_with_a_flip_off_the_grid_lines(width, height, box) -> None:
    grid = PatchGrid.of(64, 16)
    view = stretch(width, height, 64)
    places = view.boxes([box]) / 16
    assume((abs(places - np.rint(places)) > 1e-9).all())
    (plain,) = view.patch_ids([box], grid)
    (flipped,) = view.mirrored().patch_ids([box], grid)
    rows, columns = np.divmod(flipped, 4)
    assert sorted((rows * 4 + 3 - columns).tolist()) == plain.tolist()


def test_on_a_grid_line_the_next_patch_is_the_one_to_the_right_also_after_a_flip() -> None:
    grid, view = PatchGrid.of(32, 8), stretch(32, 32, 32)
    box = Box(8, 1, 16, 2)
    assert view.patch_ids([box], grid)[0].tolist() == [1, 2]
    assert view.mirrored().patch_ids([box], grid)[0].tolist() == [2, 3]


def test_what_the_crop_cuts_away_has_no_patch() -> None:
    view, grid = center_crop(300, 100, 32), PatchGrid.of(32, 8)
    left, middle, right = Box(0, 0, 90, 90), Box(140, 40, 160, 60), Box(210, 5, 290, 90)
    found = view.patch_ids([left, middle, right], grid)
    assert [one.tolist() for one in found] == [[], [5, 6, 9, 10], []]


def test_whole_numbers_stay_exact_through_a_view() -> None:
    view = View.whole(797, 797).resized(384, 384)
    for place in range(798):
        exact = Fraction(place * 384, 797)
        assert view.boxes([Box(place, 0, place, 0)])[0, 0] == float(exact)


def test_a_view_says_the_size_of_the_frame() -> None:
    view = View.whole(10, 6).cropped(Rectangle(0, 0, 5, 3))
    assert (view.width, view.height) == (5, 3)


def test_views_are_values() -> None:
    assert hash(stretch(10, 10, 5)) == hash(View.whole(10, 10).resized(5, 5))
    assert Axis(4, 4).mirrored() == Axis(4, 4, Fraction(-1), Fraction(4))
