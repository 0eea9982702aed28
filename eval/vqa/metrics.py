"""From item scores to accuracies: one fold for all questions and for every type.

Sums run from left to right in the order of the references, as the official
program's do, so that the last bit is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from vle_bench.errors import DataProblem
from vle_bench.eval.distinct import Codes, Groups
from vle_bench.eval.scored import refuse_broken_identity
from vle_bench.eval.vqa.accuracy import ItemScores
from vle_bench.eval.vqa.gold import Floats, Gold, Ints
from vle_bench.results import Metric
from vle_bench.statistics import resampled_ratios
from vle_bench.statistics.bootstrap import sums_by_group
from vle_bench.statistics.draws import interval_around

ACCURACY = "accuracy"
UNSTATED = "unstated"
_TYPE_ORDER = ("yes/no", "number", "other")
_TOLERANCE = 1e-9


class _Fold(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    scores: Floats
    pictures: Codes
    picture_count: int
    resamples: int
    seed: int

    def metric(self, name: str, rows: Ints) -> Metric:
        scores = self.scores[rows]
        if not self.resamples:
            return Metric(value=100 * total(scores) / len(scores), n=len(scores))
        pictures = self.pictures[rows]
        draws = resampled_ratios(
            sums_by_group(scores, pictures, self.picture_count),
            np.bincount(pictures, minlength=self.picture_count),
            resamples=self.resamples,
            seed=self.seed,
            stream=name,
        )
        value = 100 * total(scores) / len(scores)
        interval = interval_around(value, None if draws is None else 100 * draws)
        return Metric(
            value=value,
            n=len(scores),
            low=interval.low if interval else None,
            high=interval.high if interval else None,
        )


def accuracy_metrics(
    gold: Gold, items: ItemScores, *, resamples: int, seed: int, question_types: bool = True
) -> dict[str, Metric]:
    """Accuracy over all questions, per answer type and per question type, in percent.

    Args:
        gold: The references.
        items: What each question earned.
        resamples: Draws of pictures behind an interval; 0 for none.
        seed: Seed of the draws.
        question_types: Whether to add one metric a question type.

    Raises:
        DataProblem: No question counts, or the identities fail.
    """
    if not len(items.rows):
        raise DataProblem(
            f"{gold.place}: none of the {len(gold):,} questions has an answer in the vocabulary. "
            "Give the vocabulary of these data."
        )
    counted = [gold.images[row] for row in items.rows.tolist()] if resamples else []
    pictures = Groups.of(counted)
    fold = _Fold(
        scores=items.scores,
        pictures=pictures.codes,
        picture_count=len(pictures.names),
        resamples=resamples,
        seed=seed,
    )
    metrics = {ACCURACY: fold.metric(ACCURACY, np.arange(len(items.rows)))}
    answer_types = {
        f"{ACCURACY}[{name}]": rows for name, rows in _parts(gold.answer_types, items.rows)
    }
    metrics |= {name: fold.metric(name, rows) for name, rows in answer_types.items()}
    _check(items, metrics, tuple(answer_types))
    if question_types:
        for name, rows in _parts(gold.question_types, items.rows):
            key = f"{ACCURACY}[question_type={name}]"
            metrics[key] = fold.metric(key, rows)
    return metrics


def total(scores: Floats) -> float:
    """Sum from left to right.

    >>> total(np.array([0.5, 0.25]))
    0.75
    """
    return float(np.add.accumulate(scores)[-1])


def _parts(column: list[str], rows: Ints) -> Iterator[tuple[str, Ints]]:
    """Each type and its places among `rows`; none where the references name no type at all."""
    if not any(column):
        return
    groups = Groups.of([column[row] or UNSTATED for row in rows.tolist()])
    known = {name: place for place, name in enumerate(_TYPE_ORDER)}
    order = sorted(groups.names, key=lambda name: (known.get(name, len(known)), name))
    codes = {name: code for code, name in enumerate(groups.names)}
    for name in order:
        yield name, np.flatnonzero(groups.codes == codes[name])


def _check(items: ItemScores, metrics: dict[str, Metric], types: tuple[str, ...]) -> None:
    inside = bool(np.all((items.scores >= 0) & (items.scores <= 1)))
    refuse_broken_identity(inside, "an item score lies outside 0 to 1")
    if not types:
        return
    overall = metrics[ACCURACY]
    parts = [metrics[name] for name in types]
    weighted = sum(part.value * part.n for part in parts) / overall.n
    refuse_broken_identity(
        sum(part.n for part in parts) == overall.n
        and abs(weighted - overall.value) <= _TOLERANCE * max(1.0, overall.value),
        f"accuracy {overall.value} is not the weighted mean {weighted} of its answer types",
    )
