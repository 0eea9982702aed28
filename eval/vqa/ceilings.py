"""What nobody can be expected to beat: how far people agree, and what a vocabulary can say.

Neither is an accuracy of a model, and neither has its name: `human_agreement` scores every
annotator on the others of the question, `vocabulary_ceiling` the best answer that a vocabulary
holds under the same protocol.
"""

from __future__ import annotations

import numpy as np

from vle_bench.eval.vqa.accuracy import ItemScores, Readings, lexicon_of, readings, score_items
from vle_bench.eval.vqa.gold import Floats, Given, Gold
from vle_bench.eval.vqa.metrics import total
from vle_bench.eval.vqa.predictors import best_labels
from vle_bench.eval.vqa.protocols import Protocol
from vle_bench.results import Metric

AGREEMENT = "human_agreement"
VOCABULARY = "vocabulary_ceiling"
_ENOUGH = 3


def ceilings(
    gold: Gold, items: ItemScores, protocol: Protocol, vocabulary: tuple[str, ...]
) -> dict[str, Metric]:
    """Both ceilings over the questions that count, in percent, without an interval.

    Args:
        gold: The references.
        items: What the run earned: the same questions are looked at.
        protocol: The rule by which answers are read.
        vocabulary: Answers of a classifier; () leaves its ceiling out.
    """
    both = readings(gold, lexicon_of(gold, ()), protocol)
    found = {AGREEMENT: _mean(agreement(gold, both)[items.rows])}
    if vocabulary:
        labels = best_labels(gold, vocabulary, protocol)
        best = Given(texts=list(vocabulary), codes=np.maximum(labels, 0).astype(np.int32))
        found[VOCABULARY] = _mean(score_items(gold, best, protocol).scores)
    return found


def agreement(gold: Gold, both: Readings) -> Floats:
    """For each question the mean over its annotators of min(others who answered the same / 3, 1).

    Args:
        gold: The references.
        both: Their readings.
    """
    questions = gold.spread(np.arange(len(gold)))
    pairs = questions * (int(both.gold.max()) + 1) + both.gold
    _, places, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    others = counts[places] - 1
    terms = np.minimum(others / _ENOUGH, 1.0)
    sums = np.bincount(questions, weights=terms, minlength=len(gold)).astype(np.float64)
    return sums / gold.sizes


def _mean(scores: Floats) -> Metric:
    return Metric(value=100 * total(scores) / len(scores), n=len(scores))
