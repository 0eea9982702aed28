"""Areas against painted pixels, and membership at its edges."""

from __future__ import annotations

import numpy as np
import pytest

from vle_bench.boxes import Box
from vle_bench.patches.coverage import coverage
from vle_bench.patches.grid import PatchGrid
from vle_bench.patches.view import Rectangle, View, center_crop, stretch


def painted_shares(boxes: np.ndarray, grid: PatchGrid) -> np.ndarray:
    """Share of every patch by painting each box into its own picture, pixel by pixel."""
    place_x, place_y = np.arange(grid.width), np.arange(grid.height)
    across = (boxes[:, :1] <= place_x) & (place_x < boxes[:, 2:3])
    down = (boxes[:, 1:2] <= place_y) & (place_y < boxes[:, 3:])
    painted = down[:, :, None] & across[:, None, :]
    cells = painted.reshape(-1, grid.rows, grid.patch_size, grid.columns, grid.patch_size)
    return cells.mean(axis=(2, 4)).reshape(len(boxes), len(grid))


def random_boxes(rng: np.random.Generator, count: int, width: int, height: int) -> np.ndarray:
    x = np.sort(rng.integers(-6, width + 7, size=(count, 2)))
    y = np.sort(rng.integers(-6, height + 7, size=(count, 2)))
    return np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1).astype(float)


def test_shares_equal_painted_pixels_on_twelve_thousand_boxes_and_grids() -> None:
    rng = np.random.default_rng(3)
    compared = 0
    for _ in range(80):
        patch = int(rng.integers(1, 9))
        size = int(rng.integers(patch, 49))
        grid = PatchGrid.of(size, patch)
        width, height = rng.integers(size, 3 * size, size=2).tolist()
        left, top = int(rng.integers(0, width - size + 1)), int(rng.integers(0, height - size + 1))
        view = View.whole(width, height).cropped(Rectangle(left, top, size, size))
        mirrored = bool(rng.random() < 0.5)
        boxes = random_boxes(rng, 150, width, height)
        inside = np.clip(boxes, 0, [width, height, width, height]) - [left, top, left, top]
        if mirrored:
            view = view.mirrored()
            inside = np.stack(
                [size - inside[:, 2], inside[:, 1], size - inside[:, 0], inside[:, 3]], axis=1
            )
        found = coverage([Box(*box) for box in boxes.tolist()], view, grid)
        np.testing.assert_allclose(found.of_patch, painted_shares(inside, grid), atol=1e-12)
        compared += len(boxes)
    assert compared >= 10_000


def share_along(starts: np.ndarray, ends: np.ndarray, side: int, count: int) -> np.ndarray:
    """Share of each of `count` patches along one axis: [intervals, count].

    Every stored pixel is cut into `count` cells; then a patch is `side` whole cells.
    """
    cell = np.arange(side * count)
    inside = (starts[:, None] * count <= cell) & (cell < ends[:, None] * count)
    return inside.reshape(len(starts), count, side).mean(axis=2)


def test_shares_equal_painted_cells_of_pixels_when_the_picture_is_resized() -> None:
    rng = np.random.default_rng(4)
    for _ in range(60):
        count = int(rng.integers(1, 7))
        width, height = rng.integers(1, 40, size=2).tolist()
        boxes = random_boxes(rng, 40, width, height)
        across = share_along(boxes[:, 0], boxes[:, 2], width, count)
        down = share_along(boxes[:, 1], boxes[:, 3], height, count)
        expected = (down[:, :, None] * across[:, None, :]).reshape(len(boxes), -1)
        view = stretch(width, height, 8 * count)
        found = coverage([Box(*box) for box in boxes.tolist()], view, PatchGrid.of(8 * count, 8))
        np.testing.assert_allclose(found.of_patch, expected, atol=1e-12)


def test_shares_of_a_box_sum_to_what_the_view_sees_of_it() -> None:
    view, grid = center_crop(200, 100, 64), PatchGrid.of(64, 16)
    shares = coverage([Box(0, 0, 100, 100), Box(60, 10, 90, 90), Box(0, 0, 49, 100)], view, grid)
    np.testing.assert_allclose(shares.of_box.sum(axis=1), [0.5, 1.0, 0.0], atol=1e-12)


def test_a_box_out_of_the_picture_counts_with_its_part_inside() -> None:
    view, grid = stretch(40, 40, 32), PatchGrid.of(32, 16)
    shares = coverage([Box(-40, 0, 20, 20)], view, grid)
    assert shares.of_patch.tolist() == [[1.0, 0.0, 0.0, 0.0]]
    assert shares.of_box.tolist() == [[1.0, 0.0, 0.0, 0.0]]


def test_padding_around_a_small_picture_shows_nothing() -> None:
    view = center_crop(16, 16, 32, shortest_edge=16)
    shares = coverage([Box(-100, -100, 100, 100)], view, PatchGrid.of(32, 8))
    assert shares.of_patch.reshape(4, 4).tolist() == [
        [0, 0, 0, 0],
        [0, 1, 1, 0],
        [0, 1, 1, 0],
        [0, 0, 0, 0],
    ]


@pytest.mark.parametrize("box", [Box(5, 5, 5, 9), Box(9, 9, 5, 5), Box(50, 0, 60, 9)])
def test_empty_reversed_and_outside_boxes_cover_nothing(box: Box) -> None:
    shares = coverage([box], stretch(40, 40, 32), PatchGrid.of(32, 16))
    assert not shares.of_patch.any()
    assert not shares.of_box.any()
    assert not shares.members(0.5).any()


def test_pixels_that_fill_no_whole_patch_belong_to_none() -> None:
    view, grid = stretch(50, 50, 50), PatchGrid.of(50, 16)
    assert not coverage([Box(48, 0, 50, 50)], view, grid).of_patch.any()


def test_the_grid_of_another_input_is_refused() -> None:
    with pytest.raises(ValueError, match="24 x 24 patches of 16 pixels"):
        coverage([Box(0, 0, 1, 1)], stretch(40, 40, 224), PatchGrid.of(384, 16))
    with pytest.raises(ValueError, match=r"PatchGrid\.of"):
        stretch(40, 40, 224).patch_ids([], PatchGrid.of(192, 16))


@pytest.mark.parametrize("size", [(64, 48), (48, 64), (47, 48), (48, 47)])
def test_a_grid_leaves_less_than_a_patch_of_its_input(size: tuple[int, int]) -> None:
    grid = PatchGrid.of(48, 16)
    grid.check_frame(63, 48)
    grid.check_frame(48, 63)
    with pytest.raises(ValueError, match="3 x 3 patches of 16 pixels"):
        grid.check_frame(*size)
    assert len(PatchGrid.of(3, 1)) == 9


MEMBERS_VIEW, MEMBERS_GRID = stretch(40, 40, 40), PatchGrid.of(40, 10)


def members(box: Box, minimum: float = 0.5) -> list[int]:
    found = coverage([box], MEMBERS_VIEW, MEMBERS_GRID).members(minimum)
    return np.flatnonzero(found[0]).tolist()


def test_half_a_patch_is_enough_and_less_is_not() -> None:
    assert members(Box(0, 0, 15, 10)) == [0, 1]
    assert members(Box(0, 0, 14.9, 10)) == [0]
    assert members(Box(0, 0, 14.9, 10), 0.49) == [0, 1]


def test_a_small_box_takes_the_patch_that_it_covers_most() -> None:
    assert members(Box(8, 2, 11, 4)) == [0]
    assert members(Box(9, 2, 12, 4)) == [1]


def test_a_box_of_less_than_a_pixel_of_the_input_is_seen_whole() -> None:
    speck = Box(8.1, 2.3, 8.5, 2.9)
    shares = coverage([speck], MEMBERS_VIEW, MEMBERS_GRID)
    np.testing.assert_allclose(shares.of_box.sum(axis=1), [1.0], atol=1e-12)
    assert members(speck) == [0]


def test_a_patch_that_is_covered_whole_is_enough_for_any_minimum() -> None:
    assert members(Box(0, 0, 15, 10), 1.0) == [0]


def test_a_small_box_split_evenly_takes_all_equal_patches() -> None:
    assert members(Box(9, 9, 11, 11)) == [0, 1, 4, 5]


def test_a_box_with_a_patch_of_its_own_takes_no_lesser_ones() -> None:
    assert members(Box(0, 0, 12, 10)) == [0]


def test_the_sliver_that_a_crop_leaves_shows_nothing() -> None:
    view = View.whole(80, 40).cropped(Rectangle(40, 0, 40, 40))
    sliver, half = Box(36, 2, 41, 4), Box(37, 2, 43, 4)
    found = coverage([sliver, half], view, MEMBERS_GRID).members(0.5)
    assert [np.flatnonzero(row).tolist() for row in found] == [[], [0]]


@pytest.mark.parametrize("minimum", [0.0, -1.0, 1.01])
def test_a_minimum_that_is_no_share_is_refused(minimum: float) -> None:
    with pytest.raises(ValueError, match="0 < share <= 1"):
        members(Box(0, 0, 1, 1), minimum)


def test_no_boxes_cover_nothing() -> None:
    found = coverage([], MEMBERS_VIEW, MEMBERS_GRID)
    assert found.of_patch.shape == found.members(0.5).shape == (0, 16)
