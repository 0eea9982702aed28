"""Training targets of one picture for the page: hidden patches, and patches of every text.

They come from `vle_bench.patches` with its default rules, in every frame that a
model could see, so that what is drawn is what a training run with the same seed
would use. Sets of patches are told as rectangles, which most of them are: a page
of Visual Genome would else be numbers for the most part.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from vle_bench.boxes import Box, from_xywh
from vle_bench.data_prep.browse.views import STRETCH, views_of
from vle_bench.data_prep.prepared import AnySample
from vle_bench.labels.mentions import MentionFinder, mention_finder
from vle_bench.labels.vocabulary import ClassVocabulary
from vle_bench.patches.grid import PatchGrid, stretch_ranges
from vle_bench.patches.mpc import mpc_targets
from vle_bench.patches.pbc import PbcTarget, caption_targets, phrase_targets
from vle_bench.patches.view import View

_PHRASES_SHARED = frozenset({"flickr30k"})
"""Where boxes with the same phrase are one text's: "two men" has two boxes there."""

Rectangles = list[int]
"""Left, top, right and bottom of each in patches, far ends excluded, one after the other."""


@dataclass(frozen=True)
class TargetMaker:
    """Classes, grid and seed of all pictures of a page."""

    vocabulary: ClassVocabulary
    finder: MentionFinder
    grid: PatchGrid
    seed: int

    @classmethod
    def of(cls, vocabulary: ClassVocabulary, grid: PatchGrid, *, seed: int) -> TargetMaker:
        """A maker whose captions name the classes of `vocabulary`."""
        return cls(vocabulary, mention_finder(vocabulary), grid, seed)

    def views(self, sample: AnySample) -> dict[str, dict[str, Any]]:
        """Each frame by name, with what is hidden in it and what each text is about.

        Returns:
            `frame`: its corners in stored pixels; `mirrored`; `patches`: of each box those that
            VLE's rule gives; `masked`: pairs of a class and its hidden patches; `captions` and
            `boxes`: of each caption and each box the related patches, None where it has no target.
        """
        width, height = sample.image.width, sample.image.height
        if min(width, height) < 1:
            return {}
        views = views_of(sample.key, width, height, image_size=self.grid.width, seed=self.seed)
        return {
            name: {
                "frame": _frame(view),
                "mirrored": view.x.scale < 0,
                "patches": self._patches(sample, name, view),
                "masked": self._masked(sample, view),
                "captions": self._captions(sample, view),
                "boxes": self._boxes(sample, view),
            }
            for name, view in views.items()
        }

    def _patches(self, sample: AnySample, name: str, view: View) -> list[list[int]]:
        boxes: list[Box] = [from_xywh(*box.xywh) for box in sample.boxes]
        if name == STRETCH:
            found = stretch_ranges(boxes, sample.image.width, sample.image.height, self.grid)
        else:
            found = view.patch_ranges(boxes, self.grid)
        limits = [self.grid.columns, self.grid.rows] * 2
        corners: list[list[int]] = np.clip(found, 0, limits).tolist()
        return corners

    def _masked(self, sample: AnySample, view: View) -> list[list[Any]]:
        found = mpc_targets(
            sample.boxes,
            self.vocabulary,
            view=view,
            grid=self.grid,
            key=sample.key,
            seed=self.seed,
        ).labels
        return [
            [self.vocabulary.name(label), self._rectangles(found.patch[found.label == label])]
            for label in np.unique(found.label).tolist()
        ]

    def _captions(self, sample: AnySample, view: View) -> list[Rectangles | None]:
        found = caption_targets(
            sample.captions,
            sample.boxes,
            vocabulary=self.vocabulary,
            finder=self.finder,
            view=view,
            grid=self.grid,
        )
        patches = {(one.text_id, one.text): self._related(one) for one in found.targets}
        return [patches.get((caption.id, caption.text)) for caption in sample.captions]

    def _boxes(self, sample: AnySample, view: View) -> list[Rectangles | None]:
        found = phrase_targets(
            sample.boxes,
            view=view,
            grid=self.grid,
            together=sample.dataset in _PHRASES_SHARED,
        )
        patches: list[Rectangles | None] = [None] * len(sample.boxes)
        for one in found.targets:
            for place in one.boxes:
                patches[place] = self._related(one)
        return patches

    def _related(self, target: PbcTarget) -> Rectangles:
        return self._rectangles(np.flatnonzero(target.related == 1))

    def _rectangles(self, patches: Iterable[int]) -> Rectangles:
        return rectangles(patches, columns=self.grid.columns)


def rectangles(patches: Iterable[int], *, columns: int) -> Rectangles:
    """A set of patches as rectangles: runs in a row, those below each other of one width joined.

    >>> rectangles([1, 4, 5, 8, 9], columns=4), rectangles([], columns=4)
    ([1, 0, 2, 1, 0, 1, 2, 3], [])
    """
    done: list[tuple[int, int, int, int]] = []
    open_runs: dict[tuple[int, int], int] = {}
    rows: dict[int, list[int]] = {}
    for patch in sorted(int(one) for one in patches):
        rows.setdefault(patch // columns, []).append(patch % columns)
    for row in range(min(rows, default=0), max(rows, default=-1) + 2):
        runs = set(_runs(rows.get(row, [])))
        ended = [run for run in open_runs if run not in runs]
        done += [(run[0], open_runs.pop(run), run[1], row) for run in ended]
        for run in sorted(runs):
            open_runs.setdefault(run, row)
    return [side for one in sorted(done, key=lambda one: (one[1], one[0])) for side in one]


def _runs(places: list[int]) -> Iterable[tuple[int, int]]:
    start = previous = -2
    for place in places:
        if place != previous + 1:
            if previous >= 0:
                yield start, previous + 1
            start = place
        previous = place
    if previous >= 0:
        yield start, previous + 1


def _frame(view: View) -> list[float]:
    """Corners of the view in stored pixels; a reader of the page needs no more than hundredths."""
    corners = view.to_stored(np.array([[0.0, 0.0, view.width, view.height]]))[0]
    return [round(value, 2) for value in corners.tolist()]
