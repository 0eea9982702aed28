"""A stored run beside a figure that somebody printed.

Nobody has the items behind a printed figure, so the test is one of one sample:
our spread over pictures, against the figure as if it were exact, and against the
figure with the error that n items of it would have. The second is the careful
one where both were scored on the same questions: what both find hard is not
taken out. A figure of other data or another rule is shown with the reasons.
"""

from __future__ import annotations

import math

import msgspec

from vle_bench.catalog.comparison import rows_for
from vle_bench.catalog.datasets import dataset_names, dataset_of_result, expected_count
from vle_bench.catalog.published import PublishedScore
from vle_bench.errors import DataProblem
from vle_bench.eval.compare.contrast import by_picture
from vle_bench.eval.compare.runs import StoredRun
from vle_bench.eval.compare.terms import terms_of
from vle_bench.eval.published import describe
from vle_bench.statistics.power import detectable, standard_error, two_sided

_MOST_NAMED = 8
_UNITS_OF_N = {"vqa": "questions", "vcr": "questions"}


class FigureTest(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of a run beside one published figure.

    Attributes:
        metric: Its key.
        ours: Our value.
        model: The published model.
        value: The digits as printed.
        split: The split of the figure.
        setting: Of the figure.
        source: Where it stands.
        verified: `yes`, `secondary` or `no`.
        comparable: Whether nothing speaks against the comparison.
        why: What speaks against it.
        difference: Ours minus the figure.
        standard_error: Of our value, pictures being independent.
        n: Our items.
        n_published: Items of the figure; null where nobody says.
        p_exact: As if the figure were exact; null where our value has no error.
        p_both: With the error of the figure; null where that is not known.
        detectable: Least difference from an exact figure that our items show with 80 % power.
        printed_to: Half a unit of the figure's last digit: less is no difference at all.
    """

    metric: str
    ours: float
    model: str
    value: str
    split: str
    setting: str
    source: str
    verified: str
    comparable: bool
    why: tuple[str, ...]
    difference: float
    standard_error: float
    n: int
    n_published: int | None
    p_exact: float | None
    p_both: float | None
    detectable: float | None
    printed_to: float


def against_published(
    run: StoredRun, model: str, metric: str, *, n_published: int | None = None
) -> tuple[FigureTest, ...]:
    """Every published figure of `model` for `metric` beside the run's.

    Args:
        run: A stored run.
        model: The model as published rows name it; capitals do not matter.
        metric: Its key.
        n_published: Items behind the figure; None for what the dataset's manifest says.

    Raises:
        DataProblem: No published row of that model has the metric on this dataset.
        UsageProblem: The run's items do not say the metric.
    """
    rows = [(row, found) for row, found in rows_for(describe(run.document)) if row.metric == metric]
    chosen = [(row, found) for row, found in rows if row.model.casefold() == model.casefold()]
    if not chosen:
        names = sorted({row.model for row, _ in rows})
        known = ", ".join(names[:_MOST_NAMED]) or "none"
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        raise DataProblem(
            f"No published {metric} of {model!r} on {run.document.dataset}. "
            f"There are those of {known}{more}."
        )
    terms = terms_of(run, metric)
    folded = by_picture(run, terms, [one.values for one in terms.ratios])
    error, n = folded.standard_error, int(terms.rows.sum())
    tests = []
    for row, verdict in chosen:
        difference = terms.value - row.number
        size = n_published or _items_of(run, row, comparable=verdict.comparable, n=n)
        theirs = None
        if size is not None and terms.shares:
            theirs = 100 * standard_error(row.number / 100, size)
        tests.append(
            FigureTest(
                metric=metric,
                ours=terms.value,
                model=row.model,
                value=row.value,
                split=row.split,
                setting=row.setting,
                source=row.source,
                verified=row.verified,
                comparable=verdict.comparable,
                why=verdict.why,
                difference=difference,
                standard_error=error,
                n=n,
                n_published=size,
                p_exact=two_sided(difference, error) if error else None,
                p_both=None
                if theirs is None or not (error or theirs)
                else two_sided(difference, math.hypot(error, theirs)),
                detectable=detectable(error) if error else None,
                printed_to=_half_a_unit(row.value),
            )
        )
    return tuple(tests)


def _items_of(run: StoredRun, row: PublishedScore, *, comparable: bool, n: int) -> int | None:
    """Items behind a figure: ours where it is comparable, else what the manifest counts."""
    if comparable:
        return n
    owner = dataset_of_result(row.dataset)
    kind = _UNITS_OF_N.get(run.document.task)
    # A part of the metric, or of the split, has fewer items than the manifest counts.
    if kind is None or owner not in dataset_names() or row.part or "[" in row.metric:
        return None
    expected = expected_count(owner, row.split, kind)
    return expected.count if expected else None


def _half_a_unit(digits: str) -> float:
    """How far a printed figure may lie from the value it was rounded from.

    >>> _half_a_unit("79.3"), _half_a_unit("80")
    (0.05, 0.5)
    """
    decimals = len(digits.partition(".")[2])
    return round(0.5 * 10.0**-decimals, decimals + 1)
