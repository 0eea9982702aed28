"""What a run's items make of its metrics: probabilities, errors, and how near is near enough."""

from __future__ import annotations

import json

import numpy as np
import pytest
from msgspec.structs import replace

from vle_bench.errors import DataProblem
from vle_bench.eval.compare import Drawing, contrast_with_first, read_run
from vle_bench.eval.compare.contrast import by_picture
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
