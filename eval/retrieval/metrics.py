"""Recalls and ranks of one or both directions, with intervals from one set of draws.

"R@K" is the share of queries with ANY positive within K (a true recall, as
information retrieval has it, would divide by the number of positives). A query
belongs to one picture: `i2t` to the one that asks, `t2i` to the first the text
belongs to. Pictures are drawn with all their queries; the gallery stays whole,
for a smaller or repeating one would be another task.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vle_bench.eval.retrieval.extended import Extended
from vle_bench.eval.retrieval.folds import Folds
from vle_bench.eval.retrieval.gold import DIRECTIONS, NONE, Direction, Gold, Ints
from vle_bench.eval.retrieval.outcome import RECALLS, Outcome
from vle_bench.eval.scored import refuse_broken_identity
from vle_bench.identity import id_order
from vle_bench.results import Metric
from vle_bench.statistics.draws import WeightedMedian, interval_around, picture_draws

Floats = npt.NDArray[np.float64]

_PERCENT = 100.0
_SLACK = 1e-9
_STREAM = "retrieval"


def metrics_of(
    outcomes: Sequence[Outcome],
    gold: Gold,
    *,
    resamples: int,
    seed: int,
    folds: Folds | None = None,
    extended: Sequence[Extended] = (),
) -> dict[str, Metric]:
    """Every metric that the outcomes can give, in the order of the contract.

    With folds each metric is the mean of those of the folds, in every draw too.

    Args:
        outcomes: One outcome for each direction that is there.
        gold: The references.
        resamples: Draws; 0 for no intervals.
        seed: Seed of the draws.
        folds: What the gallery was cut into, if it was.
        extended: What extended positives come to, if there are any.

    Raises:
        DataProblem: The numbers contradict each other (a bug of ours).
    """
    by_direction = {outcome.direction: outcome for outcome in outcomes}
    ordered = [by_direction[name] for name in DIRECTIONS if name in by_direction]
    parts = _parts(ordered, gold, folds)
    values = _mean([_values([part.outcome for part in fold]) for fold in parts])
    draws = _draws(parts, resamples=resamples, seed=seed)
    sizes = {outcome.direction: len(outcome.ranks) for outcome in ordered}
    found: dict[str, Metric] = {}
    for name in metric_names(ordered):
        interval = interval_around(values[name], draws.get(name))
        direction = _direction(name)
        found[name] = Metric(
            value=values[name],
            n=sum(sizes.values()) if direction is None else sizes[direction],
            low=interval.low if interval else None,
            high=interval.high if interval else None,
        )
    _check(found)
    return found | _extended(extended, parts[0], resamples=resamples, seed=seed)


def _extended(
    extended: Sequence[Extended], parts: Sequence[_Part], *, resamples: int, seed: int
) -> dict[str, Metric]:
    """mAP@R and R-precision, from the same draws as everything else."""
    parts_of = {part.outcome.direction: part for part in parts}
    found: dict[str, Metric] = {}
    for one in extended:
        part = parts_of[one.direction]
        owners = part.owners[one.queries]
        for name, scores in (("map_r", one.map_at_r), ("r_precision", one.r_precision)):
            sums = np.bincount(owners, weights=scores, minlength=part.pictures)
            counts = np.bincount(owners, minlength=part.pictures).astype(np.float64)
            draws: list[Floats] = []
            for weights in picture_draws(
                part.pictures, resamples=resamples, seed=seed, stream=_STREAM
            ):
                with np.errstate(invalid="ignore", divide="ignore"):
                    draws.append(_PERCENT * (weights @ sums) / (weights @ counts))
            value = _PERCENT * math.fsum(scores) / len(scores)
            interval = interval_around(value, np.concatenate(draws) if draws else None)
            found[f"{one.direction}_{name}"] = Metric(
                value=value,
                n=len(scores),
                low=interval.low if interval else None,
                high=interval.high if interval else None,
            )
    return found


def metric_names(outcomes: Sequence[Outcome]) -> list[str]:
    """The keys that these outcomes have, in the order of the contract."""
    there = [outcome.direction for outcome in outcomes]
    ranked = [outcome.direction for outcome in outcomes if outcome.complete]
    return [
        *(f"{name}_r{at}" for name in there for at in RECALLS),
        *(("rsum", "mean_recall") if len(there) == len(DIRECTIONS) else ()),
        *(f"{name}_mean_recall" for name in there),
        *(f"{name}_medr" for name in ranked),
        *(f"{name}_meanr" for name in ranked),
    ]


def _direction(name: str) -> Direction | None:
    prefix = name.partition("_")[0]
    return next((direction for direction in DIRECTIONS if direction == prefix), None)


def _values(outcomes: Sequence[Outcome]) -> dict[str, float]:
    # fsum: the sum of fractional hits must not depend on the order of the queries.
    values: dict[str, float] = {}
    for outcome in outcomes:
        name, size = outcome.direction, len(outcome.ranks)
        for at in RECALLS:
            values[f"{name}_r{at}"] = _PERCENT * math.fsum(outcome.hits[at]) / size
        if outcome.complete:
            values[f"{name}_medr"] = float(np.floor(np.median(outcome.ranks)) + 1)
            values[f"{name}_meanr"] = math.fsum(outcome.ranks) / size + 1
    return values | _sums(values)


def _sums(recalls: Mapping[str, float]) -> dict[str, float]:
    """The sum and the means, from the recalls that are there."""
    sums: dict[str, float] = {}
    for name in DIRECTIONS:
        parts = [recalls[key] for at in RECALLS if (key := f"{name}_r{at}") in recalls]
        if parts:
            sums[f"{name}_mean_recall"] = math.fsum(parts) / len(parts)
    every = [
        recalls[key] for name in DIRECTIONS for at in RECALLS if (key := f"{name}_r{at}") in recalls
    ]
    if len(every) == len(DIRECTIONS) * len(RECALLS):
        sums["rsum"] = math.fsum(every)
        sums["mean_recall"] = sums["rsum"] / len(every)
    return sums


class _Part(NamedTuple):
    """One direction's queries of one fold, the picture of each, and how many pictures there are."""

    outcome: Outcome
    owners: Ints
    pictures: int


def _parts(outcomes: Sequence[Outcome], gold: Gold, folds: Folds | None) -> list[list[_Part]]:
    """The outcomes fold by fold; all of them at once without folds."""
    owners, pictures = _owners(outcomes, gold)
    pairs = list(zip(outcomes, owners, strict=True))
    if folds is None:
        return [[_Part(outcome, own, pictures) for outcome, own in pairs]]
    places = [folds.of(outcome.direction, len(outcome.ranks)) for outcome in outcomes]
    return [
        [
            _Part(outcome.only(place == fold), own[place == fold], pictures)
            for (outcome, own), place in zip(pairs, places, strict=True)
        ]
        for fold in range(folds.count)
    ]


def _mean(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    if len(found) == 1:
        return dict(found[0])
    return {name: math.fsum(one[name] for one in found) / len(found) for name in found[0]}


def _draws(parts: Sequence[Sequence[_Part]], *, resamples: int, seed: int) -> dict[str, Floats]:
    """Draws of every metric, all from the same drawn pictures."""
    batches: dict[str, list[Floats]] = {}
    pictures = parts[0][0].pictures
    folds = [[_Fold(*part) for part in fold] for fold in parts]
    for weights in picture_draws(pictures, resamples=resamples, seed=seed, stream=_STREAM):
        for name, values in _drawn(folds, weights).items():
            batches.setdefault(name, []).append(values)
    return {name: np.concatenate(found) for name, found in batches.items()}


def _drawn(folds: Sequence[Sequence[_Fold]], weights: Floats) -> dict[str, Floats]:
    every: list[dict[str, Floats]] = []
    for fold in folds:
        drawn: dict[str, Floats] = {}
        for part in fold:
            drawn |= part.of(weights)
        every.append(drawn | _drawn_sums(drawn))
    if len(every) == 1:
        return every[0]
    return {name: np.mean([drawn[name] for drawn in every], axis=0) for name in every[0]}


def _drawn_sums(drawn: Mapping[str, Floats]) -> dict[str, Floats]:
    recalls = {
        name: [drawn[f"{name}_r{at}"] for at in RECALLS]
        for name in DIRECTIONS
        if f"{name}_r1" in drawn
    }
    sums = {f"{name}_mean_recall": np.mean(parts, axis=0) for name, parts in recalls.items()}
    if len(recalls) == len(DIRECTIONS):
        sums["rsum"] = np.sum([part for parts in recalls.values() for part in parts], axis=0)
        sums["mean_recall"] = sums["rsum"] / (len(DIRECTIONS) * len(RECALLS))
    return sums


class _Fold:
    """Folds one direction's queries into the metrics of drawn pictures."""

    def __init__(self, outcome: Outcome, owners: Ints, pictures: int) -> None:
        self._name = outcome.direction
        columns = [outcome.hits[at] for at in RECALLS]
        if outcome.complete:
            columns.append(outcome.ranks)
        columns.append(np.ones(len(owners)))
        self._sums = np.column_stack(
            [np.bincount(owners, weights=column, minlength=pictures) for column in columns]
        )
        self._median = WeightedMedian(outcome.ranks, owners, pictures) if outcome.complete else None

    def of(self, weights: Floats) -> dict[str, Floats]:
        """The metrics of each draw."""
        totals = weights @ self._sums
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios = totals[:, :-1] / totals[:, -1:]
        found = {
            f"{self._name}_r{at}": _PERCENT * ratios[:, column] for column, at in enumerate(RECALLS)
        }
        if self._median is not None:
            found[f"{self._name}_medr"] = np.floor(self._median.of(weights)) + 1
            found[f"{self._name}_meanr"] = ratios[:, len(RECALLS)] + 1
        return found


def _owners(outcomes: Sequence[Outcome], gold: Gold) -> tuple[list[Ints], int]:
    """The picture of each query, per outcome; pictures are numbered by their ids."""
    keys: list[list[tuple[Any, ...]]] = []
    for outcome in outcomes:
        if outcome.direction == "i2t":
            keys.append([_picture(name) for name in gold.image_ids[: gold.captioned]])
            continue
        owned = zip(gold.text_ids, gold.first_image.tolist(), strict=True)
        keys.append(
            [
                _alone(text) if image == NONE else _picture(gold.image_ids[image])
                for text, image in owned
            ]
        )
    number = {key: at for at, key in enumerate(sorted({key for part in keys for key in part}))}
    owners = [np.array([number[key] for key in part], dtype=np.int64) for part in keys]
    return owners, len(number)


def _picture(image_id: str) -> tuple[Any, ...]:
    return (0, id_order(image_id), image_id)


def _alone(text_id: str) -> tuple[Any, ...]:
    """A text without picture stands for itself."""
    return (1, id_order(text_id), text_id)


def _check(found: Mapping[str, Metric]) -> None:
    for name in DIRECTIONS:
        recalls = [found[key].value for at in RECALLS if (key := f"{name}_r{at}") in found]
        rising = all(low <= high + _SLACK for low, high in pairwise(recalls))
        refuse_broken_identity(rising, f"{name} R@1, R@5, R@10 do not rise")
        refuse_broken_identity(
            all(0 <= recall <= _PERCENT + _SLACK for recall in recalls), f"{name} recall beyond 100"
        )
    if "rsum" in found:
        parts = [found[f"{name}_mean_recall"].value for name in DIRECTIONS]
        refuse_broken_identity(
            abs(found["rsum"].value - len(RECALLS) * math.fsum(parts)) < _SLACK,
            "rsum is not three times the two mean recalls",
        )
