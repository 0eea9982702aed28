"""The free space of a picture: where the next thing may stand, hang or fly."""

from __future__ import annotations

import random

from vle_bench.data_prep.sample_world.scene import Place
from vle_bench.data_prep.sample_world.shapes.geometry import Extent, Point, Shape

GAP = 7.0
"""Pixels between any two things."""
EDGE = 5.0
"""Pixels between a thing and the frame."""


class Floor:
    """Keeps what is taken; every spot it offers was free."""

    def __init__(self, size: tuple[int, int], place: Place, rng: random.Random) -> None:
        self.width, self.height = size
        self._place, self._rng = place, rng
        # The sun and the moon are asked about, so nothing may hide them.
        self._taken = [box.extent for box in place.scenery if box.name in {"sun", "moon"}]

    @property
    def ground_top(self) -> float:
        """Where feet may begin to stand; on the beach that is below the surf."""
        gap = 0.17 if self._place.name == "beach" else 0.05
        return self._place.horizon + gap * self.height

    def take(self, extent: Extent) -> None:
        """Gives a place away for good."""
        self._taken.append(extent)

    def is_free(self, extent: Extent, *, but: Extent | None = None) -> bool:
        """Whether it lies in the frame and keeps its distance to all others (`but` aside)."""
        if not extent.within(self.width, self.height, EDGE):
            return False
        return not any(extent.touches(taken, GAP) for taken in self._taken if taken != but)

    def on_ground(self, shape: Shape, height: float) -> Extent | None:
        """A free place to stand."""
        wide = height * shape.aspect
        highest = max(self.ground_top, height + EDGE)
        if wide > self.width - 2 * EDGE or highest > self.height - EDGE:
            return None
        base = highest + (self.height - EDGE - highest) * self._rng.random()
        left = self._rng.uniform(EDGE, self.width - wide - EDGE)
        spot = Extent(left, base - height, left + wide, base)
        return spot if self.is_free(spot) else None

    def in_sky(self, shape: Shape, height: float) -> Point | None:
        """A top left corner for something wholly above the horizon."""
        wide, lowest = height * shape.aspect, self._place.horizon - height - GAP
        if wide > self.width - 2 * EDGE or lowest < EDGE:
            return None
        left = self._rng.uniform(EDGE, self.width - wide - EDGE)
        return left, self._rng.uniform(EDGE, lowest)

    def on_water(self, shape: Shape, height: float) -> Point:
        """A top left corner for something that floats between horizon and shore."""
        base = self._place.horizon + self._rng.uniform(0.045, 0.10) * self.height
        right = max(EDGE + 1, self.width - height * shape.aspect - EDGE)
        return self._rng.uniform(EDGE, right), base - height
