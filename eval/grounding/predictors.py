"""Heat maps without a model, to see what a number is worth.

`oracle` scores a patch by the share of it that a box covers: it knows the boxes,
not the rule by which a small thing takes its best patch, so its IoU stays below
100. `constant` finds nothing and shows what ties do. `center` looks at the
middle, which photographers do too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vle_bench.boxes import from_xywh
from vle_bench.eval.grounding.frame import Frame
from vle_bench.eval.grounding.queries import PatchQuery
from vle_bench.patches.coverage import coverage

Floats = npt.NDArray[np.float64]


def oracle(queries: Sequence[PatchQuery], *, frame: Frame, seed: int) -> Floats:  # noqa: ARG001  # every predictor takes a seed
    """The largest share of each patch that a box of the text covers, shape [queries, patches]."""
    grid = frame.grid
    scores = np.zeros((len(queries), len(grid)))
    for at, query in enumerate(queries):
        boxes = [from_xywh(*box.xywh) for box in query.boxes]
        scores[at] = coverage(boxes, frame.view(*query.size), grid).of_patch.max(axis=0)
    return scores


def constant(queries: Sequence[PatchQuery], *, frame: Frame, seed: int) -> Floats:  # noqa: ARG001  # every predictor takes a seed
    """The same score for every patch."""
    return np.full((len(queries), len(frame.grid)), 0.5)


def center(queries: Sequence[PatchQuery], *, frame: Frame, seed: int) -> Floats:  # noqa: ARG001  # every predictor takes a seed
    """From 1 in the middle of what the model sees to 0 in its corners."""
    corners = frame.grid.corners()
    middles = (corners[:, :2] + corners[:, 2:]) / 2
    far = np.hypot(*(middles - middles.mean(axis=0)).T)
    return np.tile(1 - far / max(far.max(), 1e-9), (len(queries), 1))
