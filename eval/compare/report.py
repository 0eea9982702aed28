"""Comparisons as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vle_bench.canonical import pretty_json_bytes
from vle_bench.console import amount
from vle_bench.eval.compare.contrast import Contrast, Drawing
from vle_bench.eval.compare.figures import FigureTest
from vle_bench.eval.compare.runs import StoredRun
from vle_bench.eval.show import VERIFIED_WORDS, headline, short_source, shown
from vle_bench.tables import Column, Table, to_text

SCHEMA = "vle-bench/compare/1"
_SMALL = 0.0001


def comparison_text(
    runs: Sequence[StoredRun],
    contrasts: Sequence[Contrast],
    figures: Sequence[FigureTest],
    drawing: Drawing,
) -> str:
    """The comparisons as tables for a terminal."""
    parts = []
    if contrasts:
        parts.append(to_text(_contrast_table(runs[0], contrasts, drawing)))
    parts += [to_text(_moved_table(one)) for one in contrasts if one.moved]
    if figures:
        parts.append(to_text(_figure_table(runs[0], figures)))
    return "\n".join(parts)


def comparison_json(
    runs: Sequence[StoredRun],
    contrasts: Sequence[Contrast],
    figures: Sequence[FigureTest],
    drawing: Drawing,
) -> bytes:
    """The comparisons as a JSON document."""
    return pretty_json_bytes(
        {
            "schema": SCHEMA,
            "runs": [
                {
                    "model": run.name,
                    "signature": run.document.signature,
                    "sample": run.document.sample,
                }
                for run in runs
            ],
            "resamples": drawing.resamples,
            "seed": drawing.seed,
            "contrasts": contrasts,
            "published": figures,
        }
    )


def p_text(p: float | None) -> str:
    """A p value, never as 0.

    >>> p_text(0.03127), p_text(1e-12), p_text(None)
    ('0.0313', '<0.0001', '-')
    """
    if p is None:
        return "-"
    return f"<{_SMALL}" if p < _SMALL else f"{p:.4f}"


def signed(value: float | None) -> str:
    """A difference with its sign; none where it rounds to zero.

    >>> signed(0.5), signed(-1.234), signed(0.001), signed(None)
    ('+0.50', '-1.23', '0.00', '-')
    """
    if value is None:
        return "-"
    return shown(0.0) if abs(value) < 0.005 else f"{value:+.2f}"


def _contrast_table(first: StoredRun, contrasts: Sequence[Contrast], drawing: Drawing) -> Table:
    columns = (
        Column("run"),
        Column("metric"),
        Column(first.name, number=True),
        Column("run's", number=True),
        Column("difference", number=True),
        Column("95 % interval", number=True),
        Column("p", number=True),
        Column("p (Holm)", number=True),
        Column("p boot", number=True),
        Column("p McNemar", number=True),
        Column("effect d", number=True),
        Column("n", number=True),
        Column("pictures", number=True),
    )
    return Table(
        columns,
        tuple(map(_contrast_row, contrasts)),
        f"{headline(first.document)}, and other runs",
        tuple(_contrast_notes(contrasts, drawing)),
    )


def _contrast_row(one: Contrast) -> tuple[str, ...]:
    interval = "-" if one.low is None else f"{signed(one.low)} to {signed(one.high)}"
    return (
        one.second,
        one.metric,
        shown(one.first_value),
        shown(one.second_value),
        signed(one.difference),
        interval,
        p_text(one.p),
        p_text(one.p_holm),
        p_text(one.p_bootstrap),
        p_text(one.p_mcnemar),
        "-" if one.effect is None else f"{one.effect:+.3f}",
        f"{one.n:,}",
        f"{one.pictures:,}",
    )


def _contrast_notes(contrasts: Sequence[Contrast], drawing: Drawing) -> Iterator[str]:
    # Each picture is exchanged or not, and two of these ways lie as far from 0 as what was seen.
    fewest = min(one.pictures for one in contrasts)
    least = max(1 / (drawing.resamples + 1), 2.0 ** (1 - fewest))
    yield (
        "p: randomisation, all items of a picture exchanged together; "
        f"{drawing.resamples:,} draws, seed {drawing.seed}; with {amount(fewest, 'picture')} the "
        f"least it can be is {least:.2g}."
    )
    yield f"p (Holm): the same, for {amount(len(contrasts), 'test')} of this table together."
    yield (
        "p McNemar (exact, items that are higher against lower) takes items as independent; "
        "those of a picture are not."
    )
    yield "effect d: mean over standard deviation of the pictures' differences."
    for one in contrasts:
        if one.detectable is not None:
            yield (
                f"{one.second}, {one.metric}: {one.pictures:,} pictures show differences of "
                f"{shown(one.detectable)} or more (80 % power, 5 % level)."
            )


def _moved_table(one: Contrast) -> Table:
    columns = (
        Column("items"),
        Column("n", number=True),
        Column(one.first, number=True),
        Column(one.second, number=True),
        Column("difference", number=True),
        Column("higher", number=True),
        Column("lower", number=True),
    )
    rows = tuple(
        (
            moved.kind,
            f"{moved.n:,}",
            shown(moved.first),
            shown(moved.second),
            signed(moved.second - moved.first),
            f"{moved.higher:,}",
            f"{moved.lower:,}",
        )
        for moved in one.moved
    )
    every = (
        "all",
        f"{one.n:,}",
        shown(one.first_value),
        shown(one.second_value),
        signed(one.difference),
        f"{one.higher:,}",
        f"{one.lower:,}",
    )
    return Table(columns, (*rows, every), f"What moved in {one.metric}: {one.second}")


def _figure_table(run: StoredRun, figures: Sequence[FigureTest]) -> Table:
    columns = (
        Column("published"),
        Column("metric"),
        Column("split"),
        Column("setting"),
        Column("figure", number=True),
        Column("ours", number=True),
        Column("difference", number=True),
        Column("p, figure exact", number=True),
        Column("p, both in error", number=True),
        Column("n", number=True),
        Column("n published", number=True),
        Column("verified"),
        Column("source"),
        Column("not comparable because"),
    )
    rows = tuple(_figure_row(one) for one in figures)
    return Table(columns, rows, f"{run.name} beside published figures", tuple(_notes(figures)))


def _figure_row(one: FigureTest) -> tuple[str, ...]:
    return (
        one.model,
        one.metric,
        one.split,
        one.setting,
        one.value,
        shown(one.ours),
        signed(one.difference),
        p_text(one.p_exact),
        p_text(one.p_both),
        f"{one.n:,}",
        "-" if one.n_published is None else f"{one.n_published:,}",
        VERIFIED_WORDS[one.verified],
        short_source(one.source),
        "; ".join(one.why),
    )


def _notes(figures: Sequence[FigureTest]) -> Iterator[str]:
    yield "One-sample tests, pictures being independent; normal law."
    if any(not one.comparable for one in figures):
        yield (
            "Where a figure is not comparable, p says how far apart two numbers are, and nothing "
            "about the two models."
        )
    for one in figures:
        if one.detectable is not None:
            yield (
                f"{one.metric}: {one.n:,} items show differences of {shown(one.detectable)} or "
                "more from an exact figure (80 % power, 5 % level)."
            )
            break
    for one in figures:
        if abs(one.difference) <= one.printed_to:
            yield f"{one.model} {one.value}: the difference is within what rounding hides."
