"""Which class each patch belongs to, where boxes overlap: the rule is chosen, and documented here.

| overlap | a patch in several boxes belongs to |
|---|---|
| `smallest` (default) | the box of the smallest area: the cup on the table, not the table |
| `largest-coverage` | the box that covers most of it |
| `multi-label` | all of them, each class once |

Ties: the larger coverage (the smaller area under `largest-coverage`), then the
lower label, then the first box. Areas are those of the stored boxes, so no crop
or flip can change who wins. VLE's own rule is unpublished; this one is ours
(docs/design/008-patch-targets.md). Crowds and regions are no single things and
label nothing; a box whose name has no class is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import msgspec
import numpy as np

from vle_bench.boxes import from_xywh
from vle_bench.labels.vocabulary import ClassVocabulary
from vle_bench.patches.coverage import Bools, coverage
from vle_bench.patches.grid import Floats, Ints, PatchGrid, corner_array
from vle_bench.patches.view import View
from vle_bench.records import BoxAnnotation

Overlap = Literal["smallest", "largest-coverage", "multi-label"]

IGNORE = -100
"""No target: the index that torch's cross entropy passes over."""

_DECIMALS = 9
"""Coverages are compared after rounding, so that a flip cannot break a tie another way."""


class PatchLabels(msgspec.Struct, frozen=True, eq=False):
    """One row for each class of each patch, by rising patch and label.

    Attributes:
        patches: Patches in the grid.
        patch: Patch of each row, shape [rows].
        label: Its class, shape [rows].
        box: Position of the box it has it from, shape [rows].
    """

    patches: int
    patch: Ints
    label: Ints
    box: Ints

    def where(self, chosen: Bools) -> PatchLabels:
        """Only the rows of the patches chosen, shape [patches]."""
        kept = chosen[self.patch]
        return PatchLabels(self.patches, self.patch[kept], self.label[kept], self.box[kept])

    def dense(self) -> Ints:
        """The class of every patch, `IGNORE` where it has none, shape [patches].

        Raises:
            ValueError: A patch has several classes; `multi_hot` has room for them.
        """
        if len(np.unique(self.patch)) != len(self.patch):
            raise ValueError("a patch has several classes: take multi_hot, or another rule")
        classes = np.full(self.patches, IGNORE, dtype=np.int64)
        classes[self.patch] = self.label
        return classes

    def multi_hot(self, classes: int) -> Bools:
        """Which of `classes` each patch has, shape [patches, classes]."""
        table = np.zeros((self.patches, classes), dtype=np.bool_)
        table[self.patch, self.label] = True
        return table


def patch_labels(
    boxes: Sequence[BoxAnnotation],
    vocabulary: ClassVocabulary,
    *,
    view: View,
    grid: PatchGrid,
    overlap: Overlap = "smallest",
    minimum_coverage: float = 0.5,
) -> PatchLabels:
    """The classes of the patches that a model sees.

    Args:
        boxes: Of one picture, in stored pixels.
        vocabulary: The classes; labels are its.
        view: What the model sees of the picture.
        grid: The patches of the model's input.
        overlap: Whose a patch in several boxes is.
        minimum_coverage: Share of a patch that a box must cover (`Coverage.members`).

    Raises:
        ValueError: No such rule, no such share, a grid of another frame, a corner not finite.

    >>> from vle_bench.labels.vocabulary import coco_vocabulary
    >>> from vle_bench.patches.view import stretch
    >>> table = BoxAnnotation(id="1", xywh=(0, 0, 100, 60), label="dining table")
    >>> cup = BoxAnnotation(id="2", xywh=(50, 0, 50, 30), label="cup")
    >>> view, grid = stretch(100, 60, 32), PatchGrid.of(32, 16)
    >>> patch_labels([table, cup], coco_vocabulary(), view=view, grid=grid).dense().tolist()
    [60, 41, 60, 60]
    """
    if overlap not in get_args(Overlap):
        raise ValueError(f"no rule {overlap!r} for overlaps, only {', '.join(get_args(Overlap))}")
    things = [
        (place, label)
        for place, box in enumerate(boxes)
        if box.kind == "object" and (label := vocabulary.label_of(box.label)) is not None
    ]
    stored = [from_xywh(*boxes[place].xywh) for place, _ in things]
    shares = coverage(stored, view, grid)
    corners = view.in_picture(corner_array(stored))
    areas = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])

    thing, patch = np.nonzero(shares.members(minimum_coverage))
    claims = PatchLabels(
        patches=len(grid),
        patch=patch.astype(np.int64),
        label=np.array([label for _, label in things], dtype=np.int64)[thing],
        box=np.array([place for place, _ in things], dtype=np.int64)[thing],
    )
    return _settled(claims, areas[thing], shares.of_patch[thing, patch], overlap)


def _settled(claims: PatchLabels, area: Floats, covered: Floats, overlap: Overlap) -> PatchLabels:
    """The claim that wins each patch, or under `multi-label` each patch and class."""
    less_covered = -np.round(covered, _DECIMALS)
    # np.lexsort sorts by its last key first: each list reads from the tie-breaker up to the rule.
    keys: dict[Overlap, list[Ints | Floats]] = {
        "smallest": [claims.box, claims.label, less_covered, area, claims.patch],
        "largest-coverage": [claims.box, claims.label, area, less_covered, claims.patch],
        "multi-label": [claims.box, area, less_covered, claims.label, claims.patch],
    }
    order = np.lexsort(keys[overlap])
    patch, label = claims.patch[order], claims.label[order]
    new = patch[1:] != patch[:-1]
    if overlap == "multi-label":
        new |= label[1:] != label[:-1]
    first = order[np.concatenate([np.ones(min(len(order), 1), dtype=np.bool_), new])]
    return PatchLabels(claims.patches, claims.patch[first], claims.label[first], claims.box[first])
