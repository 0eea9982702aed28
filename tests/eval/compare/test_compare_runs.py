import json
from itertools import product
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.eval.compare import (
    Drawing,
    contrast_with_first,
    read_run,
    refuse_unequal_terms,
    unequal_terms,
)
from vle_bench.eval.compare.contrast import by_picture
from vle_bench.eval.compare.terms import main_metric, terms_of
from vle_bench.results.store import ITEMS, items_bytes
from vle_bench.statistics.paired import exact_sign_test

FEW = Drawing(resamples=2000, seed=0)


def rewritten(run, **columns):
    """The run with other columns in its item table."""
    return replace(run, columns={**run.columns, **columns})


def test_a_difference_is_that_of_the_stored_values(two_runs):
    (found,) = contrast_with_first(two_runs, ["q2a"], FEW)
    assert (found.first_value, found.second_value) == pytest.approx((50.0, 50 + 100 * 4 / 60))
    assert found.difference == pytest.approx(100 * 4 / 60)
    assert (found.n, found.pictures, found.higher, found.lower) == (60, 20, 6, 2)
    assert found.low < found.difference < found.high
    assert found.p_mcnemar == exact_sign_test(6, 2)
    assert found.effect == pytest.approx(0.2 / np.std(differences(two_runs), ddof=1))


def differences(runs):
    """What the second run has right more than the first, picture by picture."""
    rows = np.array(runs[1].columns["q2a"], float) - np.array(runs[0].columns["q2a"], float)
    return rows.reshape(20, 3).sum(axis=1)


def test_the_randomisation_exchanges_whole_pictures(two_runs):
    (found,) = contrast_with_first(two_runs, ["q2a"], Drawing(resamples=20_000, seed=0))
    moved = differences(two_runs)
    moved = moved[moved != 0]
    assert len(moved) < 8  # fewer than the items that differ: some share a picture
    sums = [abs(np.dot(signs, moved)) for signs in product((1, -1), repeat=len(moved))]
    assert found.p == pytest.approx(np.mean(np.array(sums) >= abs(moved.sum())), abs=0.015)


def test_a_run_beside_itself_differs_in_nothing(two_runs):
    first, _ = two_runs
    (found,) = contrast_with_first([first, first], ["q2a"], FEW)
    assert (found.difference, found.low, found.high) == (0.0, 0.0, 0.0)
    assert (found.p, found.p_holm, found.p_bootstrap, found.p_mcnemar) == (1.0, 1.0, 1.0, 1.0)
    assert found.effect is None
    assert found.detectable is None


@pytest.mark.parametrize("metric", ["q2a", "q2ar"])
def test_exchanging_two_runs_turns_the_sign(two_runs, metric):
    first, second = two_runs
    (there,) = contrast_with_first([first, second], [metric], FEW)
    (back,) = contrast_with_first([second, first], [metric], FEW)
    assert back.difference == -there.difference
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert (back.higher, back.lower) == (there.lower, there.higher)
    assert (back.p, back.p_bootstrap, back.p_mcnemar) == (
        there.p, there.p_bootstrap, there.p_mcnemar
    )  # fmt: skip


def test_items_are_joined_by_id_and_not_by_place(two_runs):
    first, second = two_runs
    shuffled = second.ordered_as(sorted(second.keys, key=lambda key: key[1][::-1]))
    assert shuffled.keys != second.keys
    assert contrast_with_first([first, shuffled], ["q2a"], FEW) == contrast_with_first(
        two_runs, ["q2a"], FEW
    )


def test_holm_counts_every_test_of_the_call(two_runs, store):
    third = read_run(store("c", [True] * 60))
    found = contrast_with_first([*two_runs, third], ["q2a", "q2ar"], FEW)
    assert [(one.second, one.metric) for one in found] == [
        ("b", "q2a"), ("b", "q2ar"), ("c", "q2a"), ("c", "q2ar")
    ]  # fmt: skip
    (alone,) = contrast_with_first(two_runs, ["q2a"], FEW)
    assert alone.p_holm == alone.p == found[0].p
    assert found[2].p_holm == pytest.approx(4 / 2001)


def test_metrics_of_retrieval_are_made_from_their_items(retrieval_runs):
    names = [name for name in retrieval_runs[0].document.metrics if not name.endswith("medr")]
    assert len(names) == 12
    for run in retrieval_runs:
        for name in names:
            assert terms_of(run, name).value == pytest.approx(run.document.metrics[name].value)
    found = contrast_with_first(retrieval_runs, names, FEW)
    for one in found:
        stored = [run.document.metrics[one.metric].value for run in retrieval_runs]
        assert one.difference == pytest.approx(stored[1] - stored[0])
    by_name = {one.metric: one for one in found}
    assert by_name["rsum"].p == by_name["mean_recall"].p or by_name["rsum"].p < 0.05
    assert by_name["rsum"].p_mcnemar is None
    assert by_name["t2i_meanr"].difference < 0


def test_a_text_belongs_to_its_first_picture_and_the_gallery_stays(retrieval_runs):
    first, second = retrieval_runs
    (found,) = contrast_with_first(retrieval_runs, ["rsum"], FEW)
    assert found.pictures == 12
    terms = terms_of(first, "rsum")
    folded = by_picture(first, terms, [one.values for one in terms.ratios])
    assert folded.counts.sum(axis=0).tolist() == [12, 30]
    owner = first.owners[first.keys.index(("t2i", "5"))]
    assert owner == "picture 5"
    # The items' ranks were made in the whole gallery; drawing pictures changes none of them.
    assert max(second.columns["rank"]) > 2


def test_what_moved_is_told_by_kind(retrieval_runs):
    (found,) = contrast_with_first(retrieval_runs, ["rsum"], FEW)
    assert {one.kind for one in found.moved} == {"i2t", "t2i"}
    assert sum(one.second - one.first for one in found.moved) == pytest.approx(found.difference)
    assert sum(one.higher for one in found.moved) == found.higher


def test_the_first_metric_of_the_task_is_the_default(two_runs, retrieval_runs):
    assert main_metric(two_runs[0]) == "q2ar"
    assert main_metric(retrieval_runs[0]) == "rsum"
    expected = msgspec.structs.replace(retrieval_runs[0].document, protocol="expected")
    # A hit is a probability under this rule, and the items hold that of R@1 alone.
    assert main_metric(replace(retrieval_runs[0], document=expected)) == "i2t_r1"


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("protocol", "other", "protocol: joint and other"),
        ("split", "test", "split: val and test"),
        ("dataset", "else", "dataset: vcr and else"),
        ("part", "9 of 10", "part of the split: "),
    ],
)
def test_runs_on_other_terms_are_refused_by_name(two_runs, field, value, named):
    first, second = two_runs
    changed = msgspec.structs.replace(second.document, **{field: value})
    other = replace(second, document=changed)
    assert any(reason.startswith(named) for reason in unequal_terms(first, other))
    with pytest.raises(DataProblem, match=named.split(":")[0]):
        refuse_unequal_terms(first, [second, other])


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("folds:3x4-a", "folds:3x4-b", "folds: 3x4-a and 3x4-b"),
        ("folds:3x4-a", "", "folds: 3x4-a and none"),
        ("labels:raw", "labels:normalised", "labels: raw and normalised"),
        ("n:12x30", "n:15x30", "n: 12x30 and 15x30"),
    ],
)
def test_what_only_signatures_tell_apart_is_no_comparison(two_runs, before, after, named):
    signatures = ("|".join(filter(None, ("vcr", part, "v:0.1.0"))) for part in (before, after))
    first, second = (
        replace(run, document=replace(run.document, signature=line))
        for run, line in zip(two_runs, signatures, strict=True)
    )
    assert unequal_terms(first, second) == [named]


@pytest.mark.parametrize(
    "part", ["from:lists", "missing:zero", "positives:a", "annotator:s1", "ci:none", "v:9"]
)
def test_what_moves_no_item_stands_in_no_comparison_s_way(two_runs, part):
    first, second = two_runs
    changed = replace(second.document, signature=f"{second.document.signature}|{part}")
    assert not unequal_terms(first, replace(second, document=changed))


def test_other_items_and_other_pictures_are_refused(two_runs):
    first, second = two_runs
    keys = (("", "new"), *second.keys[1:])
    (reason,) = unequal_terms(first, replace(second, keys=keys))
    assert reason == "items: 1 of the first are not in the other (val-0)"
    owners = ("picture zz", *second.owners[1:])
    (reason,) = unequal_terms(first, replace(second, owners=owners))
    assert reason.startswith("pictures:")
    (reason,) = unequal_terms(first, replace(second, keys=second.keys[:-1]))
    assert reason == "n: 60 and 59"


def test_items_that_do_not_make_the_stored_score_are_refused(two_runs):
    first, _ = two_runs
    with pytest.raises(DataProblem, match="belong to different runs"):
        terms_of(rewritten(first, q2a=[True] * 60), "q2a")


def test_a_mean_over_folds_of_unequal_size_is_not_taken_for_a_mean_over_items(two_runs):
    first, _ = two_runs
    document = msgspec.structs.replace(first.document, signature="retrieval|data:coco|folds:5x1000")
    folds = replace(rewritten(first, q2a=[True] * 60), document=document)
    with pytest.raises(UsageProblem, match="a mean over folds"):
        terms_of(folds, "q2a")


@pytest.mark.parametrize("values", [["yes"] * 60, [None] * 60])
def test_columns_without_numbers_are_no_scores(two_runs, values):
    with pytest.raises((DataProblem, UsageProblem)):
        terms_of(rewritten(two_runs[0], q2a=values), "q2a")


def test_a_metric_that_is_not_there_is_a_wrong_option(two_runs, retrieval_runs):
    with pytest.raises(UsageProblem, match="no metric 'f1'"):
        terms_of(two_runs[0], "f1")
    with pytest.raises(UsageProblem, match="no mean of its items"):
        terms_of(retrieval_runs[0], "t2i_medr")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["a", "a"]}, "a stands more than once"),
        ({"id": ["a", None]}, "is no id"),
        ({"score": None}, "lacks the column score"),
        ({"id": [], "image_id": [], "group": [], "score": []}, "holds no item"),
    ],
)
def test_broken_item_tables_are_told(two_runs, columns, message):
    place = two_runs[0].place
    table = {"id": ["a", "b"], "image_id": ["1", "1"], "group": ["", ""], "score": [0.0, 1.0]}
    changed = {name: value for name, value in {**table, **columns}.items() if value is not None}
    write_items(place, items_bytes(changed))
    with pytest.raises(DataProblem, match=message):
        read_run(path_of(place))


@pytest.mark.parametrize("damage", [b"", b"PAR1 and no more", None])
def test_a_missing_or_damaged_table_is_told(two_runs, damage):
    place = two_runs[0].place
    if damage is None:
        (path_of(place) / ITEMS).unlink()
    else:
        write_items(place, damage)
    with pytest.raises(DataProblem, match=ITEMS):
        read_run(path_of(place))


def write_items(place, data):
    (path_of(place) / ITEMS).write_bytes(data)


def path_of(place):
    return Path(place)


def test_the_document_can_be_named_itself(two_runs):
    first, _ = two_runs
    named = read_run(path_of(first.place) / "result.json")
    assert named.keys == first.keys
    assert json.loads((path_of(first.place) / "result.json").read_bytes())["model"] == named.name
