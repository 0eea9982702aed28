"""How much of each patch a box covers, as areas and not as painted pixels.

A box and a patch are both products of two intervals, so the area they share is
the product of two lengths: exact for every box, grid and view, without a mask
of the picture ever being drawn.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.boxes import Box
from vle_bench.patches.grid import Floats, PatchGrid, corner_array
from vle_bench.patches.view import View

Bools = npt.NDArray[np.bool_]

_SLACK = 1e-9
"""Shares closer than this are equal: a half stays a half after a flip or a resize."""


class Coverage(msgspec.Struct, frozen=True, eq=False):
    """Shared areas of boxes and patches under a view.

    Attributes:
        of_patch: Share of each patch that each box covers, from 0 to 1, shape [boxes, patches].
        of_box: Share of each box that each patch holds, from 0 to 1, shape [boxes, patches]. What
            the view cuts away is in no patch, so a row sums to the share that is seen.
    """

    of_patch: Floats
    of_box: Floats

    def members(self, minimum: float) -> Bools:
        """Which patches show which boxes, shape [boxes, patches].

        A patch shows a box that covers at least `minimum` of it. Small things would then have no
        patch at all, so a box without one takes the patch that it covers most (several, where they
        are equal), if the patches hold at least `minimum` of the box: what a crop leaves of a thing
        as a sliver shows nothing.

        Args:
            minimum: A share above 0, at most 1.

        Raises:
            ValueError: `minimum` is no such share.
        """
        if not 0 < minimum <= 1:
            raise ValueError(f"the least share of a patch is {minimum}, 0 < share <= 1 expected")
        covered = self.of_patch >= minimum - _SLACK
        seen = self.of_box.sum(axis=1) >= minimum - _SLACK
        most = self.of_patch.max(axis=1, keepdims=True)
        best = (self.of_patch >= most * (1 - _SLACK)) & (most > 0)
        members: Bools = covered | (best & seen[:, None])
        return members


def coverage(boxes: Iterable[Box], view: View, grid: PatchGrid) -> Coverage:
    """The areas that boxes and patches share, as shares of each.

    A box that reaches out of the picture counts with its part inside; an empty or reversed one
    covers nothing.

    Args:
        boxes: In stored pixels.
        view: What the model sees of them.
        grid: The patches of the model's input.

    Raises:
        ValueError: The grid is that of another frame, or a corner is not finite.

    >>> from vle_bench.patches.view import stretch
    >>> shares = coverage([Box(0, 0, 75, 30)], stretch(100, 60, 32), PatchGrid.of(32, 16))
    >>> shares.of_patch.tolist(), shares.of_box.round(3).tolist()
    ([[1.0, 0.5, 0.0, 0.0]], [[0.667, 0.333, 0.0, 0.0]])
    """
    grid.check_frame(view.width, view.height)
    whole = view.to_input(view.in_picture(corner_array(boxes)))
    seen = view.in_frame(whole)
    across = _shared(seen[:, 0], seen[:, 2], grid.columns, grid.patch_size)
    down = _shared(seen[:, 1], seen[:, 3], grid.rows, grid.patch_size)
    areas = (down[:, :, None] * across[:, None, :]).reshape(len(whole), len(grid))
    box_areas = np.maximum(whole[:, 2] - whole[:, 0], 0) * np.maximum(whole[:, 3] - whole[:, 1], 0)
    of_box = np.divide(
        areas, box_areas[:, None], out=np.zeros_like(areas), where=box_areas[:, None] > 0
    )
    return Coverage(areas / grid.patch_size**2, of_box)


def _shared(starts: Floats, ends: Floats, count: int, size: int) -> Floats:
    """Length that each interval shares with each of `count` cells of `size`: [intervals, count]."""
    edges = np.arange(count + 1) * float(size)
    lower = np.maximum(starts[:, None], edges[None, :-1])
    upper = np.minimum(ends[:, None], edges[None, 1:])
    lengths: Floats = np.maximum(upper - lower, 0.0)
    return lengths
