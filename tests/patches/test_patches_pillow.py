"""Views against what Pillow really does to a picture, as CLIP's processor calls it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from vle_bench.boxes import Box, from_shown
from vle_bench.patches.coverage import coverage
from vle_bench.patches.grid import PatchGrid
from vle_bench.patches.view import (
    Rectangle,
    View,
    center_crop,
    random_resized_crop,
    shortest_edge_size,
    stretch,
)

SIZE = 64


def picture_of(box: Box, width: int, height: int) -> Image.Image:
    """A black picture with one white box, in floats so that nothing is rounded."""
    pixels = np.zeros((height, width), dtype=np.float32)
    pixels[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = 1.0
    return Image.fromarray(pixels)


def as_clip_sees(picture: Image.Image) -> np.ndarray:
    """Resize the shortest edge, bicubic, then cut out the middle: pixels of the model's input."""
    width, height = shortest_edge_size(*picture.size, SIZE)
    resized = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))
    top, left = (height - SIZE) // 2, (width - SIZE) // 2
    return resized[top : top + SIZE, left : left + SIZE]


PICTURES = [(200, 131), (131, 200), (97, 97), (640, 480), (500, 333), (1920, 797)]


def fits(seen: np.ndarray, expected: np.ndarray) -> None:
    """Bright where the expected box is, dark where it is not, an edge's width left alone."""
    x0, y0, x1, y1 = expected
    centre = np.arange(SIZE) + 0.5
    edge = 1.0
    inside_x = (centre > x0 + edge) & (centre < x1 - edge)
    inside_y = (centre > y0 + edge) & (centre < y1 - edge)
    outside_x = (centre < x0 - edge) | (centre > x1 + edge)
    outside_y = (centre < y0 - edge) | (centre > y1 + edge)
    inside = inside_y[:, None] & inside_x[None, :]
    outside = outside_y[:, None] | outside_x[None, :]
    assert (seen[inside] > 0.75).all()
    assert (seen[outside] < 0.25).all()


@pytest.mark.parametrize(("width", "height"), PICTURES)
def test_a_drawn_box_lies_where_the_view_says_after_clips_resize_and_crop(width, height) -> None:
    rng = np.random.default_rng(width * height)
    view = center_crop(width, height, SIZE)
    visible = 0
    for _ in range(40):
        x, y = np.sort(rng.integers(0, width + 1, 2)), np.sort(rng.integers(0, height + 1, 2))
        box = Box(*map(float, (x[0], y[0], x[1], y[1])))
        seen = as_clip_sees(picture_of(box, width, height))
        (expected,) = view.boxes([box])
        fits(seen, expected)
        visible += bool((seen > 0.5).any())
    assert visible > 10


@pytest.mark.parametrize(("width", "height"), PICTURES)
def test_edges_lie_where_the_view_says_to_a_tenth_of_a_pixel(width, height) -> None:
    """A resampling kernel keeps brightness, so a box's weight tells its size and its centre."""
    box = Box(width // 2 - 31, height // 2 - 29, width // 2 + 24, height // 2 + 27)
    seen = as_clip_sees(picture_of(box, width, height)).astype(np.float64)
    ((x0, y0, x1, y1),) = center_crop(width, height, SIZE).boxes([box])
    weight = seen.sum()
    centre = np.arange(SIZE) + 0.5
    found = ((seen.sum(axis=0) * centre).sum() / weight, (seen.sum(axis=1) * centre).sum() / weight)
    assert found == pytest.approx(((x0 + x1) / 2, (y0 + y1) / 2), abs=0.1)
    assert weight == pytest.approx((x1 - x0) * (y1 - y0), rel=0.02)


def test_a_random_resized_crop_shows_the_box_where_the_view_says() -> None:
    cut = Rectangle(37, 11, 120, 90)
    box = Box(60, 30, 110, 80)
    picture = picture_of(box, 200, 131)
    corners = (cut.left, cut.top, cut.left + cut.width, cut.top + cut.height)
    seen = picture.crop(corners).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    fits(np.asarray(seen), random_resized_crop(200, 131, cut, SIZE).boxes([box])[0])


def test_a_flip_of_the_input_shows_the_box_where_the_mirrored_view_says() -> None:
    box = Box(20, 30, 90, 80)
    seen = as_clip_sees(picture_of(box, 200, 131))[:, ::-1]
    fits(seen, center_crop(200, 131, SIZE).mirrored().boxes([box])[0])


def test_coverage_is_the_mean_brightness_of_every_patch() -> None:
    """Pillow's box filter averages exactly where the picture shrinks by a whole number."""
    rng = np.random.default_rng(7)
    grid = PatchGrid.of(48, 8)
    for factor in (1, 2, 5):
        width = height = 48 * factor
        for _ in range(25):
            x, y = np.sort(rng.integers(0, width + 1, 2)), np.sort(rng.integers(0, height + 1, 2))
            box = Box(*map(float, (x[0], y[0], x[1], y[1])))
            picture = picture_of(box, width, height)
            means = picture.resize((grid.columns, grid.rows), Image.Resampling.BOX)
            found = coverage([box], stretch(width, height, 48), grid).of_patch[0]
            np.testing.assert_allclose(found.reshape(6, 6), np.asarray(means), atol=1e-6)


def test_pillow_opens_the_matrix_as_stored_so_stored_boxes_fit_and_shown_ones_do_not() -> None:
    stored_box = Box(100, 10, 180, 50)
    picture = picture_of(stored_box, 200, 131).point(lambda v: v * 255).convert("L")
    exif = Image.Exif()
    exif[0x0112] = 6  # a viewer turns it by a quarter
    stream = io.BytesIO()
    picture.save(stream, "JPEG", exif=exif, quality=100)
    opened = Image.open(stream)
    assert opened.size == (200, 131)
    seen = as_clip_sees(Image.fromarray(np.asarray(opened, dtype=np.float32) / 255))
    view = center_crop(200, 131, SIZE)
    fits(seen, view.boxes([stored_box])[0])
    shown_box = Box(81, 100, 121, 180)
    assert from_shown(shown_box, 200, 131, 6) == stored_box
    with pytest.raises(AssertionError):
        fits(seen, view.boxes([shown_box])[0])


def test_the_whole_view_is_the_picture_itself() -> None:
    assert View.whole(5, 4).boxes([Box(1, 2, 3, 4)]).tolist() == [[1, 2, 3, 4]]
