"""Retrieval without a model: three predictors that show what a number means.

`constant` gives every pair the same score: whatever it reaches is the tie
rule's doing. `shortest` prefers short texts whatever the picture. `noisy-oracle`
gives every picture a random vector and every text that of its pictures with
noise added, so it is right often and not always. All depend on ids and seed
alone, so the order of a file moves nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vle_bench.errors import DataProblem
from vle_bench.eval.matching import named
from vle_bench.eval.retrieval.gold import Gold, TextRow
from vle_bench.eval.retrieval.similarity import FeatureSimilarity, MatrixSimilarity, Similarity

Floats = npt.NDArray[np.float64]

_DIMENSIONS = 32
_NOISE = 0.25
"""Standard deviation in each dimension beside a vector of length one."""


def constant(gold: Gold, texts: Sequence[TextRow], *, seed: int) -> Similarity:  # noqa: ARG001  # every predictor takes both
    """The same score for every pair."""
    return MatrixSimilarity(np.broadcast_to(np.float64(0), _shape(gold)))


def shortest(gold: Gold, texts: Sequence[TextRow], *, seed: int) -> Similarity:  # noqa: ARG001  # every predictor takes a seed
    """Texts of fewer characters first, for every picture; pictures are all the same to a text.

    Raises:
        DataProblem: The references do not hold the texts.
    """
    bare = [text.text_id for text in texts if not text.length]
    if bare:
        raise DataProblem(
            f"{len(bare):,} references without text: {named(bare)}. baseline:shortest needs them."
        )
    lengths = np.array([-float(text.length) for text in texts])
    return MatrixSimilarity(np.broadcast_to(lengths, _shape(gold)))


def noisy_oracle(gold: Gold, texts: Sequence[TextRow], *, seed: int) -> Similarity:  # noqa: ARG001  # every predictor takes the texts
    """Texts near their pictures."""
    images = np.array([_direction(f"{seed}|image|{name}") for name in gold.image_ids])
    features = np.array([_NOISE * _normal(f"{seed}|text|{name}") for name in gold.text_ids])
    np.add.at(features, gold.pairs[:, 1], images[gold.pairs[:, 0]])
    return FeatureSimilarity(images, features)


def _shape(gold: Gold) -> tuple[int, int]:
    return len(gold.image_ids), len(gold.text_ids)


def _normal(name: str) -> Floats:
    """Normal numbers that depend on `name` alone."""
    word = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return np.random.default_rng(word).standard_normal(_DIMENSIONS)


def _direction(name: str) -> Floats:
    vector = _normal(name)
    unit: Floats = vector / np.sqrt(np.add.reduce(vector * vector))
    return unit
