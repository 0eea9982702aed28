import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.boxes import Box, from_shown, from_xywh, shown_size, to_shown, to_xywh

WIDTH, HEIGHT = 12, 7


def shown_matrix(stored: np.ndarray, orientation: int) -> np.ndarray:
    """What a viewer that honours EXIF shows: CIPA DC-008 in NumPy's words."""
    return {
        1: lambda m: m,
        2: lambda m: m[:, ::-1],
        3: lambda m: m[::-1, ::-1],
        4: lambda m: m[::-1],
        5: lambda m: m.T,
        6: lambda m: np.rot90(m, -1),
        7: lambda m: m[::-1, ::-1].T,
        8: lambda m: np.rot90(m, 1),
    }[orientation](stored)


@pytest.mark.parametrize("orientation", range(1, 9))
@given(data=st.data())
def test_a_box_on_the_shown_picture_covers_the_same_pixels_in_the_stored_one(orientation, data):
    stored = np.arange(WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
    shown = shown_matrix(stored, orientation)
    width, height = shown_size(WIDTH, HEIGHT, orientation)
    assert shown.shape == (height, width)
    x0 = data.draw(st.integers(0, width - 1))
    x1 = data.draw(st.integers(x0 + 1, width))
    y0 = data.draw(st.integers(0, height - 1))
    y1 = data.draw(st.integers(y0 + 1, height))
    box = from_shown(Box(x0, y0, x1, y1), WIDTH, HEIGHT, orientation)
    inside = stored[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)]
    assert set(inside.ravel()) == set(shown[y0:y1, x0:x1].ravel())


@pytest.mark.parametrize("orientation", range(1, 9))
@given(
    lefts=st.lists(st.integers(0, WIDTH), min_size=2, max_size=2),
    tops=st.lists(st.integers(0, HEIGHT), min_size=2, max_size=2),
)
def test_a_stored_box_covers_the_same_pixels_where_the_reader_turns_pictures(
    orientation, lefts, tops
):
    stored = np.arange(WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
    (x0, x1), (y0, y1) = sorted(lefts), sorted(tops)
    box = to_shown(Box(x0, y0, x1, y1), WIDTH, HEIGHT, orientation)
    inside = shown_matrix(stored, orientation)[box.y0 : box.y1, box.x0 : box.x1]
    assert set(inside.ravel()) == set(stored[y0:y1, x0:x1].ravel())
    assert box.is_within(*shown_size(WIDTH, HEIGHT, orientation))
    assert from_shown(box, WIDTH, HEIGHT, orientation) == Box(x0, y0, x1, y1)


def test_pillow_shows_pictures_as_our_matrix_rule_says():
    from PIL import Image, ImageOps

    stored = np.arange(WIDTH * HEIGHT, dtype=np.uint8).reshape(HEIGHT, WIDTH)
    for orientation in range(1, 9):
        picture = Image.fromarray(stored)
        picture.getexif()[0x0112] = orientation
        shown = np.asarray(ImageOps.exif_transpose(picture))
        assert (shown == shown_matrix(stored, orientation)).all(), orientation


def test_an_orientation_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="one of 1 to 8"):
        from_shown(Box(0, 0, 1, 1), 4, 4, 9)
    with pytest.raises(ValueError, match="one of 1 to 8"):
        to_shown(Box(0, 0, 1, 1), 4, 4, 0)


@given(st.tuples(*[st.floats(-1e6, 1e6)] * 4))
def test_clipping_leaves_a_box_inside_and_never_grows_it(corners):
    box = Box(*corners)
    clipped = box.clipped(WIDTH, HEIGHT)
    assert clipped.area <= box.area + 1e-6 * max(1.0, box.area)
    assert 0 <= clipped.x0 <= WIDTH
    assert 0 <= clipped.y1 <= HEIGHT
    if box.is_within(WIDTH, HEIGHT):
        assert clipped == box


def test_reversed_boxes_have_no_area_and_are_not_within():
    box = Box(5, 1, 2, 3)
    assert box.width == -3
    assert box.area == 0
    assert not box.is_within(10, 10)


def test_corner_and_size_survive_the_way_there_and_back():
    assert to_xywh(from_xywh(1.5, 2.0, 3.0, 4.25)) == (1.5, 2.0, 3.0, 4.25)


def test_nan_is_not_a_box():
    assert not Box(0, 0, math.nan, 1).is_finite()
    assert Box(0, 0, 1, 1).is_finite()


@pytest.mark.parametrize(
    "box", [Box(5, 0, 1, 3), Box(0, 5, 3, 1), Box(1, 1, 1, 5), Box(9, 9, 1, 1)]
)
def test_a_box_that_is_empty_or_reversed_has_no_area(box: Box):
    assert box.area == 0
    assert Box(1, 1, 3, 2.5).area == 3
