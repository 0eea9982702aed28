"""One row of VCR scores: four answers, and four reasons under one answer or under each.

A table writes the reasons under each answer in columns of their own; JSONL as
`qa2r`, four scores given the right answer, or four lists of four.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from vle_bench.eval.matching import named
from vle_bench.eval.vcr.references import CHOICES
from vle_bench.identity import id_text

ANSWER_COLUMNS = tuple(f"answer_{i}" for i in range(CHOICES))
RATIONALE_COLUMNS = tuple(
    tuple(f"rationale_conditioned_on_a{j}_{i}" for i in range(CHOICES)) for j in range(CHOICES)
)


class RowScores(NamedTuple):
    """Scores of one item.

    Attributes:
        answers: One score an answer.
        reasons: Blocks of one score a reason: one block given the right answer, or four, one
            under each answer.
    """

    answers: list[float]
    reasons: list[list[float]]

    def reasons_given(self, answer: int) -> list[float]:
        """The block that counts where `answer` is right.

        >>> RowScores([1, 0, 0, 0], [[1, 0, 0, 0]]).reasons_given(3)
        [1, 0, 0, 0]
        """
        return self.reasons[answer] if len(self.reasons) == CHOICES else self.reasons[0]


def annot_id_of(values: Mapping[str, Any]) -> str:
    """The id of a row; raises ValueError where it has none."""
    if "annot_id" not in values:
        raise ValueError(f"no annot_id; found {named(values)}")
    return id_text(values["annot_id"])


def row_scores(values: Mapping[str, Any]) -> RowScores:
    """The scores of a row of a table or of JSONL.

    Raises:
        ValueError: Scores are absent, too few, no numbers or not finite.

    >>> row_scores({"q2a": [3, 1, 1, 1], "qa2r": [0, 0, 2, 0]}).reasons
    [[0.0, 0.0, 2.0, 0.0]]
    """
    if "q2a" in values or "qa2r" in values:
        return RowScores(four(values.get("q2a"), "q2a"), _reasons(values.get("qa2r")))
    blocks = (ANSWER_COLUMNS, *RATIONALE_COLUMNS)
    absent = [name for block in blocks for name in block if name not in values]
    if absent:
        raise ValueError(f"no {named(absent)}")
    scores = [[_finite(values[name], name) for name in block] for block in blocks]
    return RowScores(scores[0], scores[1:])


def _reasons(value: Any) -> list[list[float]]:
    if isinstance(value, list) and len(value) == CHOICES and isinstance(value[0], list):
        return [four(block, f"qa2r[{at}]") for at, block in enumerate(value)]
    return [four(value, "qa2r")]


def four(value: Any, name: str) -> list[float]:
    """Four finite scores; raises ValueError for anything else."""
    if not isinstance(value, list) or len(value) != CHOICES:
        found = f"{len(value)} of them" if isinstance(value, list) else repr(value)
        raise ValueError(f"{name} must be a list of {CHOICES} scores, found {found}")
    return [_finite(score, f"{name}[{at}]") for at, score in enumerate(value)]


def _finite(value: Any, name: str) -> float:
    """A score from a table (text) or from JSON (a number), refused where it is neither."""
    number = _number(value)
    if number is None:
        raise ValueError(f"{name} is {value!r}, a number was expected")
    if not math.isfinite(number):
        raise ValueError(f"{name} is {value}, a finite number was expected")
    return number


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and "_" in value:
        return None  # Python reads "1_5" as 15
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
