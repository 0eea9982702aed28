"""VCR without a model: three predictors that show what a number means.

`constant` shows what ties do (the first choice wins every time), `shortest`
what a habit of the data is worth, `noisy-oracle` what a table looks like when
something was learnt. Each is a function of the references and the seed alone,
item by item, so the order of the file moves nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vle_bench.errors import DataProblem
from vle_bench.eval.matching import named
from vle_bench.eval.vcr.predictions import VcrPredictions
from vle_bench.eval.vcr.references import CHOICES, VcrItem

Floats = npt.NDArray[np.float64]

GOLD_BONUS = 0.5
"""Added to the gold choice over noise from 0 to 1: right in 3 of 4 items, more or less."""
_WORD = 8


def constant(items: Sequence[VcrItem], *, seed: int) -> VcrPredictions:  # noqa: ARG001  # every predictor takes a seed
    """The same score for every choice."""
    return _predictions(np.zeros((len(items), CHOICES)), np.zeros((len(items), CHOICES)))


def shortest(items: Sequence[VcrItem], *, seed: int) -> VcrPredictions:  # noqa: ARG001  # every predictor takes a seed
    """The choice of the fewest tokens, the first of several.

    Raises:
        DataProblem: The references do not hold the choices.
    """
    bare = [item.annot_id for item in items if not (item.answer_lengths and item.rationale_lengths)]
    if bare:
        raise DataProblem(
            f"{len(bare):,} references without answer_choices or rationale_choices: {named(bare)}. "
            "baseline:shortest needs them."
        )
    answers = [[-float(length) for length in item.answer_lengths] for item in items]
    rationales = [[-float(length) for length in item.rationale_lengths] for item in items]
    return _predictions(np.array(answers), np.array(rationales))


def noisy_oracle(items: Sequence[VcrItem], *, seed: int) -> VcrPredictions:
    """Noise, with a bonus for the gold choice."""
    noise = np.array([_noise(item.annot_id, seed) for item in items])
    answers, rationales = noise[:, :CHOICES], noise[:, CHOICES:]
    rows = np.arange(len(items))
    answers[rows, [item.answer_label for item in items]] += GOLD_BONUS
    rationales[rows, [item.rationale_label for item in items]] += GOLD_BONUS
    return _predictions(answers, rationales)


def _predictions(q2a: Floats, qa2r: Floats) -> VcrPredictions:
    return VcrPredictions(q2a, qa2r, np.ones(len(q2a), dtype=np.bool_))


def _noise(annot_id: str, seed: int) -> list[float]:
    """Eight numbers from 0 to 1 that depend on the item and the seed alone."""
    digest = hashlib.sha512(f"{seed}|{annot_id}".encode()).digest()
    words = (digest[at : at + _WORD] for at in range(0, 2 * CHOICES * _WORD, _WORD))
    return [int.from_bytes(word, "big") / 2**64 for word in words]
