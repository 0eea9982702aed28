"""Pictures and texts that belong together, or not (ITM): accuracy and area under the ROC.

A pair is called a match where its score is *above* the threshold: of two classes
that share one probability, 0.5 is a tie, and the argmax of a tie is the first, which
is "no match" in VLE. The area is the chance that a match scores higher than a
mismatch, ties counting half (Mann and Whitney 1947), over all pairs of pairs, exactly;
no threshold comes into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.canonical import json_bytes
from vle_bench.errors import DataProblem, Problems
from vle_bench.eval.grounding.fields import identity, number, truth
from vle_bench.eval.matching import named
from vle_bench.inputs import Source, read_rows
from vle_bench.records import Sample
from vle_bench.results import Metric
from vle_bench.statistics.draws import interval_around, picture_draws

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_EXPECTED = "ITM scores: rows of image_id, text_id, score and match (whether they belong together)"
_COLUMNS = ("image_id", "text_id", "score", "match")
_MOST_CELLS = 1 << 21

METRICS = ("itm_accuracy", "itm_accuracy[matched]", "itm_accuracy[mismatched]", "itm_auc")


class Pairs(msgspec.Struct, frozen=True, eq=False):
    """Scored pairs in the order of their file.

    Attributes:
        image_ids: Picture of each.
        text_ids: Text of each.
        scores: Higher is more of a match, shape [pairs].
        match: Whether they belong together, shape [pairs].
    """

    image_ids: tuple[str, ...]
    text_ids: tuple[str, ...]
    scores: Floats
    match: Flags


class KnownTexts(msgspec.Struct, frozen=True):
    """Which pictures there are, and the pictures that each text belongs to."""

    images: frozenset[str]
    owners: Mapping[str, frozenset[str]]


def known_texts(samples: Iterable[Sample]) -> KnownTexts:
    """The captions of prepared samples; pictures by COCO's id where they have one."""
    images: set[str] = set()
    owners: dict[str, set[str]] = {}
    for sample in samples:
        image = sample.image.coco_id or sample.image.id
        images.add(image)
        for caption in sample.captions:
            owners.setdefault(caption.id, set()).add(image)
    return KnownTexts(frozenset(images), {text: frozenset(found) for text, found in owners.items()})


def read_pairs(source: Source, known: KnownTexts | None) -> Pairs:
    """Reads scored pairs.

    Args:
        source: The opened file: CSV, JSON, JSONL or Parquet.
        known: What belongs together; None to believe the file.

    Raises:
        DataProblem: A pair twice, pictures or texts that nobody knows, a `match` that is not so,
            scores that are not finite, or only one of the two kinds of pairs.
    """
    rows: dict[tuple[str, str], tuple[float, bool]] = {}
    problems = Problems()
    foreign: list[str] = []
    for place, values in read_rows(source, _EXPECTED, columns=_COLUMNS):
        try:
            pair = identity(values, "image_id"), identity(values, "text_id")
            score, match = number(values, "score"), truth(values, "match")
        except ValueError as error:
            problems.add(f"{place}: {error}")
            continue
        if pair in rows:
            problems.add(f"{place}: image {pair[0]} with text {pair[1]} stands there already")
        rows[pair] = score, match
        if known is None:
            continue
        if pair[0] not in known.images or pair[1] not in known.owners:
            foreign.append(f"{pair[0]} with {pair[1]} ({place})")
        elif (pair[0] in known.owners[pair[1]]) != match:
            problems.add(f"{place}: image {pair[0]} with text {pair[1]}: match is not {match}")
    if foreign:
        problems.add(f"{source.path}: {len(foreign):,} pairs nobody knows: {named(foreign)}")
    problems.raise_if_any(advice=f"Expected {_EXPECTED}.")
    matched = np.array([one for _, one in rows.values()], dtype=np.bool_)
    if matched.all() or not matched.any():
        raise DataProblem(
            f"{source.path}: {int(matched.sum()):,} of {len(matched):,} pairs match. Matched and "
            "mismatched pairs are needed to tell them apart."
        )
    images, texts = zip(*rows, strict=True)
    scores = np.array([score for score, _ in rows.values()], dtype=np.float64)
    return Pairs(images, texts, scores, matched)


def area_under_roc(scores: npt.ArrayLike, match: npt.ArrayLike) -> float:
    """Chance that a match scores above a mismatch, ties half; exact, from 0 to 1.

    Args:
        scores: Finite, shape [pairs].
        match: Shape [pairs], some true and some false.

    >>> area_under_roc([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0])
    0.875
    """
    truths = np.asarray(match, dtype=np.bool_)
    weights = np.ones((1, len(truths)))
    return float(_Areas(np.asarray(scores, dtype=np.float64), truths).of(weights)[0])


def metrics_of(
    pairs: Pairs, *, threshold: float, resamples: int, seed: int, stream: str
) -> dict[str, Metric]:
    """All metrics in percent, with 95 % intervals from resampling pictures.

    Args:
        pairs: The scored pairs.
        threshold: Above it a pair is called a match.
        resamples: Draws; 0 for no interval.
        seed: Of the draws.
        stream: Name of this set of draws.
    """
    kinds = (np.ones_like(pairs.match), pairs.match, ~pairs.match)
    right = (pairs.scores > threshold) == pairs.match
    areas = _Areas(pairs.scores, pairs.match)

    def statistics(weights: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = [(weights @ (right & kind)) / (weights @ kind) for kind in kinds]
        return np.column_stack([*shares, areas.of(weights)])

    values = statistics(np.ones((1, len(right))))[0] * 100
    draws = _draws(pairs.image_ids, statistics, resamples=resamples, seed=seed, stream=stream)
    counts = (*(int(kind.sum()) for kind in kinds), len(right))
    found: dict[str, Metric] = {}
    for at, name in enumerate(METRICS):
        value = float(values[at])
        interval = interval_around(value, None if draws is None else draws[:, at] * 100)
        low, high = interval or (None, None)
        found[name] = Metric(value=value, n=counts[at], low=low, high=high)
    return found


def pair_lines(pairs: Pairs) -> bytes:
    """The normal form: JSONL in the order of the file."""
    return b"".join(
        json_bytes({"image_id": image, "text_id": text, "score": score, "match": match}) + b"\n"
        for image, text, score, match in zip(
            pairs.image_ids, pairs.text_ids, pairs.scores.tolist(), pairs.match.tolist(),
            strict=True,
        )
    )  # fmt: skip


def _draws(
    images: Sequence[str], statistics: Callable[[Floats], Floats],
    *, resamples: int, seed: int, stream: str,
) -> Floats | None:  # fmt: skip
    """Statistics of every draw of pictures; None where there are none."""
    pictures, owners = np.unique(np.asarray(images), return_inverse=True)
    step = max(1, _MOST_CELLS // len(owners))
    found = [
        statistics(batch[start : start + step][:, owners])
        for batch in picture_draws(len(pictures), resamples=resamples, seed=seed, stream=stream)
        for start in range(0, len(batch), step)
    ]
    return np.concatenate(found) if found else None


class _Areas:
    """The area under the ROC when each pair counts as often as its picture was drawn."""

    def __init__(self, scores: Floats, match: Flags) -> None:
        self._order = np.argsort(scores, kind="stable")
        ascending = scores[self._order]
        changes = np.flatnonzero(ascending[1:] != ascending[:-1]) + 1
        self._starts = np.concatenate([[0], changes])
        self._match = match[self._order].astype(np.float64)

    def of(self, weights: Floats) -> Floats:
        """One area for each row of weights [draws, pairs]; NaN where one kind was not drawn."""
        ordered = weights[:, self._order]
        matched = np.add.reduceat(ordered * self._match, self._starts, axis=1)
        other = np.add.reduceat(ordered * (1 - self._match), self._starts, axis=1)
        below = np.cumsum(other, axis=1) - other
        with np.errstate(invalid="ignore", divide="ignore"):
            areas: Floats = (matched * (below + other / 2)).sum(axis=1) / (
                matched.sum(axis=1) * other.sum(axis=1)
            )
        return areas
