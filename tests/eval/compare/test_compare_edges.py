"""Few pictures, directions of unequal size, and what a run does not hold."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from msgspec.structs import replace

from vle_bench.catalog.comparison import Comparison
from vle_bench.catalog.published import load_published
from vle_bench.errors import DataProblem
from vle_bench.eval.compare import (
    Drawing,
    StoredRun,
    against_published,
    contrast_with_first,
    figures,
    read_run,
    runs,
)
from vle_bench.eval.compare.terms import main_metric, terms_of

DRAWING = Drawing(resamples=4000, seed=0)


def in_pictures(run: StoredRun, count: int) -> StoredRun:
    """The same items in so many pictures."""
    return replace(run, owners=tuple(f"picture {at % count}" for at in range(len(run.keys))))


def test_one_picture_has_a_difference_and_nothing_to_tell_its_error_from(two_runs):
    one, two = (in_pictures(run, 1) for run in two_runs)
    (found,) = contrast_with_first([one, two], ["q2a"], DRAWING)
    assert found.difference == pytest.approx(100 * 4 / 60)
    assert (found.low, found.high, found.effect, found.detectable) == (None,) * 4
    assert (found.p, found.p_bootstrap, found.pictures) == (1.0, None, 1)
    document = replace(one.document, dataset="vcr", split="val", part="", sample=False)
    figures = against_published(replace(one, document=document), "R2C", "q2a")
    assert figures
    assert all(figure.p_exact is None and figure.standard_error == 0 for figure in figures)


def test_two_pictures_have_an_error_and_an_effect(two_runs):
    one, two = (in_pictures(run, 2) for run in two_runs)
    (found,) = contrast_with_first([one, two], ["q2a"], DRAWING)
    # Six items more, all in the second picture, and two less, both in the first.
    assert found.effect == pytest.approx(2 / (8 / math.sqrt(2)))
    assert found.detectable == pytest.approx(2.8015852 * 100 * math.sqrt(2 * (4**2 + 4**2)) / 60)
    assert (found.p, found.low, found.high) == (1.0, pytest.approx(-20 / 3), 20.0)


def test_an_item_of_the_smaller_direction_counts_more(retrieval_runs):
    """12 pictures and 30 texts: whoever exchanges hits must weigh a text by 12 of 30."""
    first, second = retrieval_runs
    (found,) = contrast_with_first([first, second], ["rsum"], DRAWING)
    before, after = (terms_of(run, "rsum") for run in (first, second))
    parts = dict.fromkeys(first.owners, Fraction(0))
    for old, new in zip(before.ratios, after.ratios, strict=True):
        change = (new.values - old.values).astype(int).tolist()
        for owner, hits in zip(first.owners, change, strict=True):
            parts[owner] += Fraction(hits, int(old.rows.sum()))
    moved = [part for part in parts.values() if part]
    data = abs(sum(moved))
    signs = itertools.product((1, -1), repeat=len(moved))
    sums = [abs(sum(map(lambda sign, part: sign * part, way, moved))) for way in signs]
    exact = sum(one >= data for one in sums) / len(sums)
    assert found.p == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 4000))
    assert 0.01 < exact < 0.9


def test_what_moved_is_in_the_metrics_unit_and_by_how_much_it_moves_it(retrieval_runs):
    runs_of = [
        replace(
            run, columns={**run.columns, "group": [GROUPS[at % 10] for at in range(len(run.keys))]}
        )
        for run in retrieval_runs
    ]
    (found,) = contrast_with_first(runs_of, ["t2i_meanr"], DRAWING)
    rows = np.array(runs_of[0].columns["direction"]) == "t2i"
    groups = np.array(runs_of[0].columns["group"])
    for moved in found.moved:
        for run, value in zip(runs_of, (moved.first, moved.second), strict=True):
            ranks = np.array(run.columns["rank"], float)[rows & (groups == moved.kind)]
            assert value == pytest.approx(ranks.mean() + 1)
            assert moved.n == len(ranks)
    shares = [abs(one.second - one.first) * one.n for one in found.moved]
    assert len(shares) == 3
    assert shares == sorted(shares, reverse=True)


GROUPS = ["few", *["some"] * 3, *["many"] * 6]


def test_only_one_percentage_of_items_is_a_share(retrieval_runs):
    shares = {
        metric: terms_of(retrieval_runs[0], metric).shares
        for metric in ("i2t_r1", "rsum", "t2i_meanr", "t2i_mean_recall")
    }
    assert shares == {"i2t_r1": True, "rsum": False, "t2i_meanr": False, "t2i_mean_recall": False}


def test_a_figure_in_error_has_the_error_of_its_own_share(two_runs):
    run = two_runs[0]
    document = replace(run.document, dataset="vcr", split="val", part="", sample=False)
    (found, *_) = against_published(replace(run, document=document), "R2C", "q2a", n_published=50)
    share = float(found.value) / 100
    both = math.hypot(found.standard_error, 100 * math.sqrt(share * (1 - share) / 50))
    assert found.p_both == pytest.approx(math.erfc(abs(found.difference) / both / math.sqrt(2)))


def test_a_figure_of_all_right_beside_a_run_of_all_right_has_no_p(store, monkeypatch):
    run = read_run(store("all", [True] * 60))
    document = replace(run.document, dataset="vcr", split="val", part="", sample=False)
    row = next(row for row in load_published() if (row.model, row.metric) == ("R2C", "q2a"))
    whole = replace(row, value="100")
    monkeypatch.setattr(figures, "rows_for", lambda _: [(whole, Comparison((), ()))])
    (found,) = against_published(replace(run, document=document), "R2C", "q2a", n_published=9)
    assert (found.standard_error, found.p_exact, found.p_both) == (0.0, None, None)


def test_a_column_that_is_not_there_is_told(two_runs):
    with pytest.raises(DataProblem, match="has no column rank"):
        two_runs[0].numbers("rank")


def test_a_run_whose_items_give_no_metric_is_told(two_runs):
    run = two_runs[0]
    columns = {name: run.columns[name] for name in ("id", "image_id", "group")}
    with pytest.raises(DataProblem, match="its items give none of its metrics"):
        main_metric(replace(run, columns=columns))


def test_a_table_of_too_many_rows_is_not_read(store, monkeypatch):
    folder = store("a", [True] * 60)
    monkeypatch.setattr(runs, "_MOST_ROWS", 60)
    assert len(read_run(folder).keys) == 60
    monkeypatch.setattr(runs, "_MOST_ROWS", 59)
    with pytest.raises(DataProblem, match="60 rows, at most 59 are read"):
        read_run(folder)
