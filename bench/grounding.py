"""Scores of patches and pairs beside scikit-learn's, over as many maps as a test split has.

Average precision is computed for every map by itself, since maps have different
ties; scikit-learn does it from a precision-recall curve. Ours also points and
takes the IoU in the same pass. The area under the ROC is that of a million pairs.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np

from bench.contest import Contest, Program
from bench.entrant import Work, program

OURS_MAPS, SKLEARN_MAPS = "vle-bench, AP, pointing and IoU", "scikit-learn, AP alone"
OURS_AREA, SKLEARN_AREA = "vle-bench, area under the ROC", "scikit-learn, roc_auc_score"
PATCHES = 576
_FILE = "grounding.npz"
_SEED = 13
_THRESHOLD = 0.5
_PAIRS_PER_MAP = 200
_DIGITS = 3


def contests(place: Path, maps: int) -> list[Contest]:
    """Maps of patches, and matched and mismatched pairs."""
    draw(place, maps)
    there = bool(find_spec("sklearn"))
    if not there:
        click.echo("scikit-learn is NOT INSTALLED: grounding is measured without it")

    def contest(name: str, title: str, given: str, ours: Program, peer: Program) -> Contest:
        programs = (ours, peer) if there else (ours,)
        return Contest(name, title, f"float64 scores with ties, drawn; {given}", place, programs,
                       floor=ours.name, most_rounds=5)  # fmt: skip

    return [
        contest(
            "grounding-maps",
            f"Average precision of {maps:,} maps of {PATCHES} patches",
            "a tenth of the patches is related",
            program(OURS_MAPS, our_maps, place),
            program(SKLEARN_MAPS, sklearn_maps, place),
        ),
        contest(
            "grounding-area",
            f"Area under the ROC of {maps * _PAIRS_PER_MAP:,} pairs",
            "half of the pairs match",
            program(OURS_AREA, our_area, place),
            program(SKLEARN_AREA, sklearn_area, place),
        ),
    ]


def draw(place: Path, maps: int) -> None:
    """Scores of three digits, so that there are ties, and what is related to them."""
    generator = np.random.default_rng(_SEED)
    related = generator.random((maps, PATCHES)) < 0.1
    related[:, 0] = True
    scores = (generator.random(related.shape) + 0.3 * related).round(_DIGITS)
    match = generator.random(maps * _PAIRS_PER_MAP) < 0.5
    pairs = (generator.normal(size=match.size) + match).round(_DIGITS)
    np.savez(place / _FILE, related=related, scores=scores, match=match, pairs=pairs)


def our_maps(place: Path) -> Work:
    """All three scores of every map; the mean of the first."""
    from vle_bench.eval.grounding.patches import score_query

    scores, related = _load(place, "scores", "related")
    marks = related.astype(np.int64)
    return lambda: float(
        np.mean(
            [
                score_query(one, mark, threshold=_THRESHOLD).patch_ap
                for one, mark in zip(scores, marks, strict=True)
            ]
        )
    )


def sklearn_maps(place: Path) -> Work:
    """One call a map; the mean."""
    from sklearn.metrics import average_precision_score

    scores, related = _load(place, "scores", "related")
    return lambda: float(
        np.mean(
            [average_precision_score(mark, one) for one, mark in zip(scores, related, strict=True)]
        )
    )


def our_area(place: Path) -> Work:
    """The rank sum, ties half."""
    from vle_bench.eval.grounding.pairs import area_under_roc

    pairs, match = _load(place, "pairs", "match")
    return lambda: area_under_roc(pairs, match)


def sklearn_area(place: Path) -> Work:
    """The trapezoids of the curve."""
    from sklearn.metrics import roc_auc_score

    pairs, match = _load(place, "pairs", "match")
    return lambda: float(roc_auc_score(match, pairs))


def _load(place: Path, *names: str) -> tuple[np.ndarray, ...]:
    with np.load(place / _FILE) as stored:
        return tuple(stored[name] for name in names)
