"""One metric of two runs: the difference, how sure it is, and which items moved.

The randomisation test exchanges all items of a picture together; the interval
resamples pictures. In retrieval the gallery stays as it is, and a text belongs
to its first picture. McNemar's test is shown beside because readers ask for it:
it takes items as independent, and so is too sure of itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.eval.compare.runs import StoredRun, refuse_unequal_terms
from vle_bench.eval.compare.terms import Terms, terms_of
from vle_bench.statistics.bootstrap import sums_by_group
from vle_bench.statistics.paired import exact_sign_test, holm, randomised, spread
from vle_bench.statistics.power import detectable

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_KINDS = ("group", "question_type")
_MOST_KINDS = 10
_NOTHING = 1e-9


class Drawing(msgspec.Struct, frozen=True):
    """How often, and from which seed, the tests draw."""

    resamples: int = 10_000
    seed: int = 0


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of items: its score in both runs, and how many items differ."""

    kind: str
    n: int
    first: float
    second: float
    higher: int
    lower: int


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of a run beside the first run's; every difference is the run's minus the first's.

    Attributes:
        metric: Its key.
        first: Name of the run that it is compared with.
        second: Name of the run.
        first_value: In the metric's unit.
        second_value: In the metric's unit.
        difference: Second minus first.
        low: Lower end of the difference's 95 % interval; null with fewer than two pictures.
        high: Upper end.
        n: Items.
        pictures: Pictures they belong to.
        higher: Items that score higher in the second run.
        lower: Items that score lower.
        effect: The mean of the pictures' differences over their standard deviation (Cohen's d of
            pairs); null where no picture differs from another.
        p: Of the randomisation test.
        p_holm: The same, for all tests of this call together.
        p_bootstrap: Of the bootstrap; null with fewer than two pictures.
        p_mcnemar: Exact, of items as if independent; null where the metric has several ratios.
        detectable: Least difference that as many pictures show with 80 % power; null where none
            differs.
        moved: Kinds of items, the largest movement first.
    """

    metric: str
    first: str
    second: str
    first_value: float
    second_value: float
    difference: float
    low: float | None
    high: float | None
    n: int
    pictures: int
    higher: int
    lower: int
    effect: float | None
    p: float
    p_holm: float
    p_bootstrap: float | None
    p_mcnemar: float | None
    detectable: float | None
    moved: tuple[Moved, ...]


class ByPicture(msgspec.Struct, frozen=True, eq=False):
    """A metric's sums per picture, shape [pictures, ratios], and what a ratio counts."""

    sums: Floats
    counts: Floats
    weight: float

    @property
    def parts(self) -> Floats:
        """What each picture adds to the metric's distance from its value, shape [pictures]."""
        totals = self.counts.sum(axis=0)
        means = self.sums.sum(axis=0) / totals
        parts: Floats = self.weight * ((self.sums - means * self.counts) / totals).sum(axis=1)
        return parts

    @property
    def standard_error(self) -> float:
        """Of the metric, pictures being independent of each other; 0 for fewer than two."""
        pictures = len(self.sums)
        if pictures < 2:
            return 0.0
        found = math.sqrt(pictures / (pictures - 1) * float((self.parts**2).sum()))
        return found if found > _NOTHING else 0.0


def contrast_with_first(
    runs: Sequence[StoredRun], metrics: Sequence[str], drawing: Drawing
) -> tuple[Contrast, ...]:
    """Every run after the first beside the first, in each metric, with Holm's correction.

    Args:
        runs: At least two.
        metrics: Their keys.
        drawing: Draws and seed.

    Raises:
        DataProblem: Runs that cannot be compared.
        UsageProblem: A metric that the items of a run do not say.
    """
    first, *others = runs
    refuse_unequal_terms(first, others)
    found = [
        _contrast(first, other.ordered_as(first.keys), metric, drawing)
        for other in others
        for metric in metrics
    ]
    together = holm([one.p for one in found])
    return tuple(
        msgspec.structs.replace(one, p_holm=value)
        for one, value in zip(found, together, strict=True)
    )


def by_picture(run: StoredRun, terms: Terms, values: Sequence[Floats]) -> ByPicture:
    """Folds item values into pictures; pictures are numbered by name.

    Args:
        run: Whose pictures.
        terms: Which items count.
        values: One array for each ratio, 0 where an item does not count.
    """
    owners = [owner for owner, counts in zip(run.owners, terms.rows, strict=True) if counts]
    codes = {owner: code for code, owner in enumerate(sorted(set(owners)))}
    groups = np.array([codes[owner] for owner in owners], dtype=np.int64)
    kept = terms.rows
    sums = [sums_by_group(value[kept], groups, len(codes)) for value in values]
    counts = [sums_by_group(one.rows[kept], groups, len(codes)) for one in terms.ratios]
    return ByPicture(np.column_stack(sums), np.column_stack(counts), terms.weight)


def _contrast(first: StoredRun, second: StoredRun, metric: str, drawing: Drawing) -> Contrast:
    before, after = terms_of(first, metric), terms_of(second, metric)
    pairs = zip(before.ratios, after.ratios, strict=True)
    differences = [(new.values - old.values).round(12) for old, new in pairs]
    folded = by_picture(first, before, differences)
    stream = f"compare {metric}"
    turned = randomised(
        _in_one_unit(folded), resamples=drawing.resamples, seed=drawing.seed, stream=stream
    )
    drawn = spread(
        folded.sums,
        folded.counts,
        np.full(len(differences), before.weight),
        resamples=drawing.resamples,
        seed=drawing.seed,
        stream=stream,
    )
    total = np.sum(differences, axis=0)
    higher, lower = int(np.count_nonzero(total > 0)), int(np.count_nonzero(total < 0))
    error = folded.standard_error
    return Contrast(
        metric=metric,
        first=first.name,
        second=second.name,
        first_value=before.value,
        second_value=after.value,
        difference=_difference(folded),
        low=drawn.interval.low if drawn.interval else None,
        high=drawn.interval.high if drawn.interval else None,
        n=int(before.rows.sum()),
        pictures=len(folded.sums),
        higher=higher,
        lower=lower,
        effect=_effect(_in_one_unit(folded)),
        p=1.0 if turned is None else turned,
        p_holm=1.0,
        p_bootstrap=drawn.p,
        p_mcnemar=exact_sign_test(higher, lower) if len(differences) == 1 else None,
        detectable=detectable(error) if error else None,
        moved=_moved(first, before, after),
    )


def _difference(folded: ByPicture) -> float:
    return float(folded.weight * (folded.sums.sum(axis=0) / folded.counts.sum(axis=0)).sum())


def _in_one_unit(folded: ByPicture) -> Floats:
    """The pictures' differences so that their sum goes with the metric's, in whole steps.

    Ratios of 5,000 and of 25,000 items count alike, so an item of the first counts five times
    one of the second; a common multiple keeps sums of hits whole numbers.
    """
    totals = [int(total) for total in folded.counts.sum(axis=0)]
    common = math.lcm(*totals)
    units: Floats = folded.sums @ np.array([common // total for total in totals], np.float64)
    return units


def _effect(parts: Floats) -> float | None:
    deviation = float(np.std(parts, ddof=1)) if len(parts) > 1 else 0.0
    return float(np.mean(parts)) / deviation if deviation > _NOTHING else None


def _moved(run: StoredRun, before: Terms, after: Terms) -> tuple[Moved, ...]:
    found = [
        moved
        for column in _KINDS
        for moved in _moved_in(run.columns.get(column, []), column, before, after)
    ]
    found.sort(key=lambda one: (-abs(one.second - one.first) * one.n, one.kind))
    return tuple(found[:_MOST_KINDS])


def _moved_in(names: Sequence[str], column: str, before: Terms, after: Terms) -> list[Moved]:
    """The kinds in one column, where it tells more than one apart."""
    kept = before.rows
    labels = np.array([str(name or "unstated") for name in names], dtype=object)
    kinds = sorted(set(labels[kept])) if len(labels) else []
    if len(kinds) < 2:
        return []
    old = np.sum([one.values for one in before.ratios], axis=0)
    new = np.sum([one.values for one in after.ratios], axis=0)
    prefix = "" if column == "group" else f"{column}="
    scale = before.weight
    found = []
    for kind in kinds:
        rows = kept & (labels == kind)
        change = (new[rows] - old[rows]).round(12)
        found.append(
            Moved(
                kind=f"{prefix}{kind}",
                n=int(rows.sum()),
                first=scale * float(old[rows].mean()) + before.offset,
                second=scale * float(new[rows].mean()) + before.offset,
                higher=int(np.count_nonzero(change > 0)),
                lower=int(np.count_nonzero(change < 0)),
            )
        )
    return found
