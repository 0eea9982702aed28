"""Masked patch-box classification: which patches are hidden, and which class each one hides.

VLE's README names the task and no more: mask the patches that contain a
concrete object, predict the object's class. Its class list, mask ratio and
label rule are unpublished, so what stands here is our own design, and every
choice is an argument: classes from any vocabulary, 15 % of the objects (the share of words
that the text task beside it hides), whole objects and not single patches (a
patch among visible patches of the same thing can be told without the text).
docs/design/008-patch-targets.md has the reasons.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec
import numpy as np

from vle_bench.labels.vocabulary import ClassVocabulary
from vle_bench.patches.coverage import Bools
from vle_bench.patches.grid import Ints, PatchGrid
from vle_bench.patches.labels import Overlap, PatchLabels, patch_labels
from vle_bench.patches.view import View
from vle_bench.records import BoxAnnotation

MaskUnit = Literal["object", "patch"]


class MpcRule(msgspec.Struct, frozen=True, kw_only=True):
    """Every choice behind the targets, so that a run can state them.

    Attributes:
        overlap: Whose a patch in several boxes is.
        minimum_coverage: Share of a patch that a box must cover.
        mask_ratio: Share of the units that is hidden, at least one where there is any.
        unit: `object` hides all patches of an object together, `patch` each on its own.
    """

    overlap: Overlap = "smallest"
    minimum_coverage: float = 0.5
    mask_ratio: float = 0.15
    unit: MaskUnit = "object"

    def __post_init__(self) -> None:
        if not 0 < self.mask_ratio <= 1:
            raise ValueError(f"a mask ratio of {self.mask_ratio}, 0 < ratio <= 1 expected")
        if self.unit not in get_args(MaskUnit):
            raise ValueError(f"no unit {self.unit!r}, only {', '.join(get_args(MaskUnit))}")


class MpcTargets(msgspec.Struct, frozen=True, eq=False):
    """What the model does not see and must tell.

    Attributes:
        masked: Whether each patch is hidden, shape [patches].
        labels: The classes of the hidden patches, and of no others.
    """

    masked: Bools
    labels: PatchLabels


def mpc_targets(
    boxes: Sequence[BoxAnnotation],
    vocabulary: ClassVocabulary,
    *,
    view: View,
    grid: PatchGrid,
    key: str,
    seed: int,
    rule: MpcRule | None = None,
) -> MpcTargets:
    """Chooses the hidden patches of one picture and gives their classes.

    Each object (or patch) draws a number from `seed`, `key` and its own position, and the smallest
    draws are hidden: whatever the order of samples, the worker, the view, or the version of a
    random generator. Another epoch needs another seed.

    Args:
        boxes: Of one picture, in stored pixels.
        vocabulary: The classes.
        view: What the model sees of the picture.
        grid: The patches of the model's input.
        key: The sample's key.
        seed: Of the run or the epoch.
        rule: The choices; None for the defaults of `MpcRule`.

    Raises:
        ValueError: A rule that does not exist, a grid of another frame, a corner not finite.

    >>> from vle_bench.labels.vocabulary import coco_vocabulary
    >>> from vle_bench.patches.view import stretch
    >>> cup = BoxAnnotation(id="2", xywh=(50, 0, 50, 30), label="cup")
    >>> targets = mpc_targets([cup], coco_vocabulary(), view=stretch(100, 60, 32),
    ...                       grid=PatchGrid.of(32, 16), key="coco-1", seed=0)
    >>> targets.masked.tolist(), targets.labels.dense().tolist()
    ([False, True, False, False], [-100, 41, -100, -100])
    """
    rule = rule or MpcRule()
    labels = patch_labels(
        boxes,
        vocabulary,
        view=view,
        grid=grid,
        overlap=rule.overlap,
        minimum_coverage=rule.minimum_coverage,
    )
    units = labels.box if rule.unit == "object" else labels.patch
    chosen = _chosen(np.unique(units), rule, key=key, seed=seed)
    masked = np.zeros(len(grid), dtype=np.bool_)
    masked[labels.patch[np.isin(units, chosen)]] = True
    return MpcTargets(masked, labels.where(masked))


def _chosen(units: Ints, rule: MpcRule, *, key: str, seed: int) -> list[int]:
    """The units with the smallest draws, `mask_ratio` of them, rounded, at least one of any."""
    count = min(len(units), max(1, round(rule.mask_ratio * len(units))))
    draw = {
        unit: hashlib.sha256(f"mpc/{seed}/{rule.unit}/{unit}/{key}".encode()).digest()
        for unit in units.tolist()
    }
    return sorted(draw, key=lambda unit: (draw[unit], unit))[:count]
