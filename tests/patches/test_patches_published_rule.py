"""VLE's published rule, literally at its edges and against a plain reading of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vle_bench.boxes import Box
from vle_bench.patches.grid import PatchGrid, stretch_patch_ids, stretch_ranges

QUARTERS = PatchGrid.of(32, 8)
"""4 x 4 patches; over a picture of 100 x 60 each is 25 x 15 stored pixels."""


def ids(box: Box) -> list[int]:
    return stretch_patch_ids([box], 100, 60, QUARTERS)[0].tolist()


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(0, 0, 100, 60), list(range(16))),
        (Box(1, 1, 2, 2), [0]),
        (Box(25, 15, 49.999, 29.999), [5]),
        (Box(-5, -7.5, 40, 40), [0, 1, 4, 5, 8, 9]),
        (Box(99.9, 59.9, 100, 60), [15]),
        (Box(0, 0, 250, 250), list(range(16))),
    ],
)
def test_a_box_takes_the_patches_it_reaches(box: Box, expected: list[int]) -> None:
    assert ids(box) == expected


def test_a_box_that_ends_on_a_grid_line_takes_the_next_patch_too() -> None:
    assert ids(Box(0, 0, 25, 10)) == [0, 1]
    assert ids(Box(0, 0, 10, 15)) == [0, 4]


def test_the_far_edge_of_the_picture_has_no_next_patch() -> None:
    assert ids(Box(90, 50, 100, 60)) == [15]


def test_a_box_without_size_takes_one_patch() -> None:
    assert ids(Box(10, 10, 10, 10)) == [0]
    assert ids(Box(25, 15, 25, 15)) == [5]


@pytest.mark.parametrize(
    "box",
    [
        Box(100, 10, 120, 20),
        Box(50, 60, 70, 60),
        Box(-5, -5, -1, -1),
        Box(-30, 5, -26, 9),
        Box(60, 10, 20, 20),
        Box(10, 40, 20, 10),
    ],
)
def test_outside_or_reversed_is_no_patch(box: Box) -> None:
    assert ids(box) == []


def test_boxes_of_the_specification_outside_a_square_input_have_no_patch() -> None:
    boxes = [Box(224, 224, 230, 230), Box(-5, -5, -1, -1)]
    found = stretch_patch_ids(boxes, 224, 224, PatchGrid.of(224, 16))
    assert [one.tolist() for one in found] == [[], []]


def test_a_box_reversed_within_one_patch_still_takes_it() -> None:
    assert ids(Box(20, 10, 2, 2)) == [0], "the rule compares patches, not corners"


def test_floor_division_decides_on_a_line_that_has_no_exact_number() -> None:
    grid = PatchGrid.of(30, 1)
    patch = 49 / 30
    line = 3 * 49 / 30
    (found,) = stretch_ranges([Box(line, 0, line, 0)], 49, 49, grid).tolist()
    assert found[0] == int(line // patch)


def test_numbers_too_large_for_an_integer_are_outside_like_any_other() -> None:
    assert ids(Box(1e300, 0, 1e308, 10)) == []
    assert ids(Box(-1e308, -1e300, 1e308, 1e300)) == list(range(16))


@pytest.mark.parametrize("corner", [math.nan, math.inf, -math.inf])
def test_a_corner_that_is_no_number_is_refused_with_its_place(corner: float) -> None:
    with pytest.raises(ValueError, match="box 1 has the corners"):
        stretch_patch_ids([Box(0, 0, 1, 1), Box(0, corner, 1, 1)], 100, 60, QUARTERS)


def test_a_picture_without_size_is_refused() -> None:
    with pytest.raises(ValueError, match="0 x 60 pixels"):
        stretch_ranges([], 0, 60, QUARTERS)


def test_no_boxes_have_no_patches() -> None:
    assert stretch_patch_ids([], 100, 60, QUARTERS) == ()


@pytest.mark.parametrize(("image_size", "patch_size"), [(8, 16), (0, 1), (16, 0), (-16, -4)])
def test_a_grid_without_a_patch_is_refused(image_size: int, patch_size: int) -> None:
    with pytest.raises(ValueError, match="at least one patch"):
        PatchGrid.of(image_size, patch_size)


def test_ids_and_corners_agree_on_the_order_of_patches() -> None:
    grid = PatchGrid(columns=3, rows=2, patch_size=5)
    assert grid.corners().tolist()[4] == [5.0, 5.0, 10.0, 10.0]
    assert grid.ids([1, 1, 2, 2]).tolist() == [4]
    assert len(grid) == len(grid.corners()) == 6


def plain_rule(box: Box, width: int, height: int, grid: PatchGrid) -> list[int]:
    """The rule of the specification, box by box, in Python's own arithmetic."""
    across, down = width / grid.columns, height / grid.rows
    columns = range(max(int(box.x0 // across), 0), min(int(box.x1 // across), grid.columns - 1) + 1)
    rows = range(max(int(box.y0 // down), 0), min(int(box.y1 // down), grid.rows - 1) + 1)
    return [y * grid.columns + x for y in rows for x in columns]


def reached(ends: np.ndarray, side: int, count: int) -> np.ndarray:
    """Which of `count` patches closed intervals of whole pixels reach: [intervals, count].

    Patches are a pixel wide or wider, so an interval reaches a patch exactly where one of its
    pixels lies in it; which patch a pixel lies in is integer arithmetic.
    """
    pixel = np.arange(-4, side + 5)
    patch = pixel * count // side
    inside = (ends[:, :1] <= pixel) & (pixel <= ends[:, 1:])
    return np.stack([(inside & (patch == one)).any(axis=1) for one in range(count)], axis=1)


def test_equals_a_pixel_by_pixel_oracle_on_twelve_thousand_boxes_and_grids() -> None:
    rng = np.random.default_rng(1)
    compared = empty = 0
    for _ in range(60):
        count = int(2 ** rng.integers(0, 6))  # patch widths that floats hold exactly
        width, height = rng.integers(count, 300, size=2).tolist()
        x = np.sort(rng.integers(-4, width + 5, size=(200, 2)))
        y = np.sort(rng.integers(-4, height + 5, size=(200, 2)))
        boxes = [Box(*corners) for corners in np.hstack([x, y])[:, [0, 2, 1, 3]].tolist()]
        found = np.zeros((200, count * count), dtype=bool)
        grid = PatchGrid(count, count, 16)
        for row, taken in zip(found, stretch_patch_ids(boxes, width, height, grid), strict=True):
            row[taken] = True
        columns, rows = reached(x, width, count), reached(y, height, count)
        expected = rows[:, :, None] & columns[:, None, :]
        assert (found == expected.reshape(found.shape)).all()
        compared += len(boxes)
        empty += int((~found.any(axis=1)).sum())
    assert compared >= 10_000
    assert empty > 100, "boxes outside the picture were among them"


def test_equals_the_rule_in_plain_python_on_grid_lines_of_any_picture() -> None:
    rng = np.random.default_rng(2)
    for _ in range(150):
        width, height = rng.integers(1, 900, size=2).tolist()
        columns, rows = rng.integers(1, 12, size=2).tolist()
        lines = [k * width / columns for k in range(-1, columns + 2)]
        stops = [k * height / rows for k in range(-1, rows + 2)]
        x = rng.choice([*lines, *rng.uniform(-10, 910, size=6)], size=(20, 2))
        y = rng.choice([*stops, *rng.uniform(-10, 910, size=6)], size=(20, 2))
        boxes = [Box(*corners) for corners in np.hstack([x, y])[:, [0, 2, 1, 3]].tolist()]
        grid = PatchGrid(columns, rows, 14)
        found = [one.tolist() for one in stretch_patch_ids(boxes, width, height, grid)]
        assert found == [plain_rule(box, width, height, grid) for box in boxes]
