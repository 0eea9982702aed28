"""The grid of patches, and VLE's published way from boxes to patch ids.

VLE lays its grid over the *whole* picture, whatever its shape: a 1920x797 frame
is cut into 24x24 patches of 80x33.2 pixels. The upper end of a box counts as
inside, so a box that ends exactly on a grid line takes the next patch too and a
box without any size takes one. A box outside the picture, or with its corners
reversed, has no patch at all (the original then averages nothing).
Source: get_patch_box in the pipelines of iflytek/VLE (commit e322bb97).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.boxes import Box

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class PatchGrid(msgspec.Struct, frozen=True):
    """`columns` x `rows` square patches of `patch_size` pixels of the model's input.

    Ids count row by row from 0 at the top left; the class token in front of them has no id.
    """

    columns: int
    rows: int
    patch_size: int

    def __post_init__(self) -> None:
        if min(self.columns, self.rows, self.patch_size) < 1:
            raise ValueError(f"a grid needs at least one patch of one pixel, not {self}")

    @classmethod
    def of(cls, image_size: int, patch_size: int) -> PatchGrid:
        """The grid of a square input; pixels that fill no whole patch are outside it.

        >>> PatchGrid.of(50, 16)
        PatchGrid(columns=3, rows=3, patch_size=16)
        """
        count = image_size // patch_size if patch_size > 0 else 0
        return cls(count, count, patch_size)

    def __len__(self) -> int:
        return self.columns * self.rows

    @property
    def width(self) -> int:
        """Pixels of model input that the patches cover from left to right."""
        return self.columns * self.patch_size

    @property
    def height(self) -> int:
        """Pixels of model input that the patches cover from top to bottom."""
        return self.rows * self.patch_size

    def check_frame(self, width: int, height: int) -> None:
        """Raises ValueError where this is not the grid of a frame of `width` x `height` pixels."""
        spare = (width - self.width, height - self.height)
        if min(spare) < 0 or max(spare) >= self.patch_size:
            raise ValueError(
                f"{self.columns} x {self.rows} patches of {self.patch_size} pixels are not the "
                f"grid of a model input of {width} x {height}; make it with PatchGrid.of"
            )

    def ids(self, patch_range: npt.ArrayLike) -> Ints:
        """The patches in columns `x0` to `x1` and rows `y0` to `y1`, upper ends excluded.

        >>> PatchGrid.of(64, 16).ids([1, 0, 3, 2]).tolist()
        [1, 2, 5, 6]
        """
        x0, y0, x1, y1 = np.asarray(patch_range, dtype=np.int64).tolist()
        across, down = np.arange(x0, x1), np.arange(y0, y1)
        return np.asarray(down[:, None] * self.columns + across[None, :], dtype=np.int64).ravel()

    def corners(self) -> Floats:
        """Corners x0, y0, x1, y1 of every patch in model input pixels, shape [patches, 4].

        >>> PatchGrid.of(64, 32).corners()[2].tolist()
        [0.0, 32.0, 32.0, 64.0]
        """
        y, x = np.divmod(np.arange(len(self)), self.columns)
        corners = np.stack([x, y, x + 1, y + 1], axis=1) * self.patch_size
        return corners.astype(np.float64)


def corner_array(boxes: Iterable[Box]) -> Floats:
    """Corners x0, y0, x1, y1 of the boxes, shape [boxes, 4].

    Raises:
        ValueError: A corner is NaN or infinite: no patch can be told for it.
    """
    corners = np.array([(b.x0, b.y0, b.x1, b.y1) for b in boxes], dtype=np.float64).reshape(-1, 4)
    finite = np.isfinite(corners).all(axis=1)
    if not finite.all():
        at = int(np.argmin(finite))
        raise ValueError(f"box {at} has the corners {corners[at].tolist()}, finite ones expected")
    return corners


def closed_ranges(
    corners: Floats, grid: PatchGrid, *, patch_width: float, patch_height: float
) -> Ints:
    """Patch columns and rows that boxes reach, far edges included, shape [boxes, 4].

    Args:
        corners: Shape [boxes, 4], in the frame that the patches are measured in.
        grid: How many patches there are.
        patch_width: Width of a patch in that frame.
        patch_height: Height of a patch in that frame.

    Returns:
        x0, y0, x1, y1 with upper ends excluded; x1 <= x0 or y1 <= y0 says that there is no patch.
    """
    # Floor division and not a division that is floored: 1 // 0.1 is 9, and VLE has it so.
    floors = corners // np.array([patch_width, patch_height, patch_width, patch_height])
    counts = np.array([grid.columns, grid.rows], dtype=np.float64)
    lower = np.maximum(floors[:, :2], 0)
    upper = np.where(floors[:, 2:] < counts, floors[:, 2:] + 1, counts)
    # Lower ends past the grid stay past it, as published, but as numbers that fit an int.
    bounded = np.clip(np.concatenate([lower, upper], axis=1), -(2.0**62), 2.0**62)
    ranges: Ints = bounded.astype(np.int64)
    return ranges


def stretch_ranges(boxes: Iterable[Box], width: int, height: int, grid: PatchGrid) -> Ints:
    """VLE's patch columns and rows of each box, shape [boxes, 4], upper ends excluded.

    Args:
        boxes: In pixels of the whole picture.
        width: Width of that picture.
        height: Its height.
        grid: Laid over the whole picture, one patch width / columns pixels wide.

    Raises:
        ValueError: The picture has no size, or a corner is not finite.

    >>> stretch_ranges([Box(25, 15, 50, 30)], 100, 60, PatchGrid.of(32, 8)).tolist()
    [[1, 1, 3, 3]]
    """
    if width < 1 or height < 1:
        raise ValueError(f"a picture of {width} x {height} pixels has no patches")
    return closed_ranges(
        corner_array(boxes),
        grid,
        patch_width=width / grid.columns,
        patch_height=height / grid.rows,
    )


def stretch_patch_ids(
    boxes: Iterable[Box], width: int, height: int, grid: PatchGrid
) -> tuple[Ints, ...]:
    """VLE's patch ids of each box, rising; empty for a box outside or reversed.

    The arguments are those of `stretch_ranges`.

    >>> grid = PatchGrid.of(32, 8)
    >>> ids = stretch_patch_ids([Box(10, 10, 10, 10), Box(100, 10, 120, 20)], 100, 60, grid)
    >>> [one.tolist() for one in ids]
    [[0], []]
    """
    return tuple(grid.ids(one) for one in stretch_ranges(boxes, width, height, grid))
