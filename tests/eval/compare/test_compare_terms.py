"""What a run's items make of its metrics: probabilities, errors, and how near is near enough."""

from __future__ import annotations

import json

import numpy as np
import pytest
from msgspec.structs import replace

from vle_bench.catalog.published import published_of
from vle_bench.errors import DataProblem
from vle_bench.eval.compare import Drawing, contrast_with_first, read_run
from vle_bench.eval.compare.contrast import by_picture
from vle_bench.eval.compare.figures import against_published
from vle_bench.eval.compare.terms import terms_of

FEW = Drawing(resamples=200, seed=0)


def test_r1_of_expected_ranks_is_made_of_probabilities(vle_eval, tmp_path):
    texts = [{"text_id": at, "text": "t", "image_ids": [at]} for at in range(4)]
    (tmp_path / "T.jsonl").write_text("".join(json.dumps(row) + "\n" for row in texts))
    runs = []
    for name, scores in (("tied", np.zeros((4, 4))), ("right", np.eye(4))):
        np.save(tmp_path / f"{name}.npy", scores)
        ran = vle_eval(
            "retrieval", "--texts", tmp_path / "T.jsonl", "--scores", tmp_path / f"{name}.npy",
            "--ties", "expected", "--resamples", 0, "--out", tmp_path / name,
        )  # fmt: skip
        assert ran.code == 0, ran.err
        runs.append(read_run(tmp_path / name))
    (found,) = contrast_with_first(runs, ["i2t_r1"], FEW)
    assert (found.first_value, found.second_value, found.difference) == (25.0, 100.0, 75.0)


def test_the_standard_error_is_that_of_a_ratio_over_pictures(two_runs):
    run = two_runs[0]
    terms = terms_of(run, "q2a")
    folded = by_picture(run, terms, [one.values for one in terms.ratios])
    rows = np.array(run.columns["q2a"], float).reshape(20, 3)
    residues = rows.sum(axis=1) - 3 * rows.mean()
    assert folded.standard_error == pytest.approx(100 * np.std(residues, ddof=1) * 20**0.5 / 60)


@pytest.mark.parametrize(("moved", "fits"), [(1e-6, True), (1e-3, False)])
def test_items_make_the_stored_value_to_its_sixth_digit(two_runs, moved, fits):
    run = two_runs[0]
    q2a = run.document.metrics["q2a"]
    metrics = {**run.document.metrics, "q2a": replace(q2a, value=q2a.value + moved)}
    changed = replace(run, document=replace(run.document, metrics=metrics))
    if fits:
        assert terms_of(changed, "q2a").value == q2a.value
    else:
        with pytest.raises(DataProblem, match="belong to different runs"):
            terms_of(changed, "q2a")


def as_published(run, dataset, split):
    """The run as if it were of a data set that rows are published of."""
    document = replace(run.document, dataset=dataset, split=split, part="", sample=False)
    return replace(run, document=document)


def test_a_comparable_figure_is_about_as_many_items_as_ours(two_runs):
    run = as_published(two_runs[0], "vcr", "val")
    (found,) = [one for one in against_published(run, "R2C", "q2a") if one.split == "val"]
    assert (found.comparable, found.n, found.n_published) == (True, 60, 60)


def test_a_mean_of_several_recalls_is_no_share_with_an_error_of_its_own(retrieval_runs):
    run = as_published(retrieval_runs[0], "aic-icc", "test")
    model = next(row.model for row in published_of("aic-icc") if row.metric == "mean_recall")
    found = against_published(run, model, "mean_recall", n_published=5000)
    assert found
    assert all(one.p_both is None and one.p_exact is not None for one in found)


def test_items_without_a_picture_stand_for_themselves(vle_eval, tmp_path):
    texts = [{"text_id": at, "text": "t", "image_ids": [7] if at < 2 else []} for at in range(5)]
    (tmp_path / "T.jsonl").write_text("".join(json.dumps(row) + "\n" for row in texts))
    np.save(tmp_path / "S.npy", np.ones((1, 5)))
    ran = vle_eval(
        "retrieval", "--texts", tmp_path / "T.jsonl", "--scores", tmp_path / "S.npy",
        "--resamples", 0, "--out", tmp_path / "out",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    run = read_run(tmp_path / "out")
    owners = dict(zip(run.keys, run.owners, strict=True))
    assert owners["t2i", "0"] == owners["t2i", "1"] == owners["i2t", "7"] == "picture 7"
    assert len({owners["t2i", str(at)] for at in (2, 3, 4)}) == 3
