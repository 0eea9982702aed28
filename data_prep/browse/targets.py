"""Training targets of one picture for the page: hidden patches, and patches of every text.

They come from `vle_bench.patches` with its default rules and the whole picture
as the view, so that what is drawn is what a training run with the same seed
would use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vle_bench.data_prep.prepared import AnySample
from vle_bench.labels.mentions import MentionFinder, mention_finder
from vle_bench.labels.vocabulary import ClassVocabulary
from vle_bench.patches.grid import PatchGrid
from vle_bench.patches.mpc import mpc_targets
from vle_bench.patches.pbc import PbcTarget, caption_targets, phrase_targets
from vle_bench.patches.view import View, stretch

_PHRASES_SHARED = frozenset({"flickr30k"})
"""Where boxes with the same phrase are one text's: "two men" has two boxes there."""


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

    def targets(self, sample: AnySample) -> dict[str, Any]:
        """What is hidden and what each text is about, as numbers of patches.

        Returns:
            `masked`: pairs of patch and class name; `captions` and `boxes`: for each caption and
            each box its related patches, None where it has no target.
        """
        width, height = sample.image.width, sample.image.height
        nothing = {"masked": [], "captions": [None] * len(sample.captions)}
        if not sample.boxes or min(width, height) < 1:
            return {**nothing, "boxes": [None] * len(sample.boxes)}
        view = stretch(width, height, self.grid.width)
        return {
            "masked": self._masked(sample, view),
            "captions": self._captions(sample, view),
            "boxes": self._boxes(sample, view),
        }

    def _masked(self, sample: AnySample, view: View) -> list[list[Any]]:
        found = mpc_targets(
            sample.boxes,
            self.vocabulary,
            view=view,
            grid=self.grid,
            key=sample.key,
            seed=self.seed,
        ).labels
        rows = zip(found.patch.tolist(), found.label.tolist(), strict=True)
        return [[patch, self.vocabulary.name(label)] for patch, label in rows]

    def _captions(self, sample: AnySample, view: View) -> list[list[int] | None]:
        found = caption_targets(
            sample.captions,
            sample.boxes,
            vocabulary=self.vocabulary,
            finder=self.finder,
            view=view,
            grid=self.grid,
        )
        patches = {(one.text_id, one.text): _related(one) for one in found.targets}
        return [patches.get((caption.id, caption.text)) for caption in sample.captions]

    def _boxes(self, sample: AnySample, view: View) -> list[list[int] | None]:
        found = phrase_targets(
            sample.boxes,
            view=view,
            grid=self.grid,
            together=sample.dataset in _PHRASES_SHARED,
        )
        patches: list[list[int] | None] = [None] * len(sample.boxes)
        for one in found.targets:
            for place in one.boxes:
                patches[place] = _related(one)
        return patches


def _related(target: PbcTarget) -> list[int]:
    numbers: list[int] = np.flatnonzero(target.related == 1).tolist()
    return numbers
