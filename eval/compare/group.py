"""A leaderboard's runs beside the best of them, all in one correction.

Runs of one table may still have answered other questions (another file of
references under the same names); those are named and left out, not refused: a
table is shown whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vle_bench.eval.compare.contrast import Contrast, Drawing, contrast_with_first
from vle_bench.eval.compare.runs import StoredRun, read_run, unequal_terms
from vle_bench.results import StoredResult


class LeftOut(NamedTuple):
    """A run that was not compared, and why."""

    model: str
    why: tuple[str, ...]


class GroupContrasts(NamedTuple):
    """The runs of a table beside the best one.

    Attributes:
        best: Name of the run with the highest value; "" where none has the metric.
        contrasts: The others in the order given, p values corrected together.
        left_out: Runs that cannot be compared with the best.
    """

    best: str
    contrasts: tuple[Contrast, ...]
    left_out: tuple[LeftOut, ...]


def contrast_with_best(
    found: Sequence[StoredResult], metric: str, drawing: Drawing
) -> GroupContrasts:
    """Is the best run of a table really better than the others?

    Args:
        found: Stored results of one table; of equally good ones the first is the best.
        metric: A metric of which more is better.
        drawing: Draws and seed.

    Raises:
        DataProblem: An item table is missing or broken.
        UsageProblem: The items do not say the metric.
    """
    there = [one for one in found if metric in one.document.metrics]
    if not there:
        return GroupContrasts("", (), ())
    top = max(there, key=lambda one: one.document.metrics[metric].value)
    best = read_run(top.folder)
    compared: list[StoredRun] = []
    left_out: list[LeftOut] = []
    for run in (read_run(one.folder) for one in there if one is not top):
        why = unequal_terms(best, run)
        if why:
            left_out.append(LeftOut(run.name, tuple(why)))
        else:
            compared.append(run)
    contrasts = contrast_with_first([best, *compared], [metric], drawing) if compared else ()
    return GroupContrasts(best.name, contrasts, tuple(left_out))
