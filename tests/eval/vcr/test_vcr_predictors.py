"""Predictors without weights: what each says, and that only ids and seed decide."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from vle_bench.errors import DataProblem
from vle_bench.eval.vcr.predictors import constant, noisy_oracle, shortest
from vle_bench.eval.vcr.references import VcrItem


def items(count: int) -> list[VcrItem]:
    return [
        VcrItem(f"val-{at}", f"p{at}", at % 4, at % 3, "", (3, 1, 1, 9), (2, 2, 2, 1))
        for at in range(count)
    ]


def test_constant_ties_every_choice() -> None:
    found = constant(items(2), seed=0)
    assert np.unique(found.q2a).size == np.unique(found.qa2r).size == 1


def test_shortest_likes_the_fewest_tokens() -> None:
    found = shortest(items(1), seed=0)
    assert found.q2a.tolist() == [[-3.0, -1.0, -1.0, -9.0]]
    assert found.qa2r.argmax() == 3


def test_noisy_oracle_is_better_than_chance_and_not_perfect() -> None:
    some = items(2000)
    found = noisy_oracle(some, seed=0)
    right = found.q2a.argmax(axis=1) == [item.answer_label for item in some]
    why = found.qa2r.argmax(axis=1) == [item.rationale_label for item in some]
    assert 0.65 < right.mean() < 0.85
    assert 0.65 < why.mean() < 0.85
    # The noise of reasons is not that of answers.
    assert (right & why).mean() == pytest.approx(right.mean() * why.mean(), abs=0.03)


def test_noisy_oracle_depends_on_the_item_and_the_seed_alone() -> None:
    some = items(20)
    found = noisy_oracle(some, seed=1)
    turned = noisy_oracle(some[::-1], seed=1)
    assert np.array_equal(found.q2a, turned.q2a[::-1])
    assert not np.array_equal(found.q2a, noisy_oracle(some, seed=2).q2a)


def test_shortest_needs_both_kinds_of_choices() -> None:
    some = items(2)
    for item in (replace(some[0], answer_lengths=()), replace(some[0], rationale_lengths=())):
        with pytest.raises(DataProblem, match="1 references without"):
            shortest([item, some[1]], seed=0)


def write_references(path: Path, *, choices: bool) -> Path:
    words = [["a", "b", "c"], ["a", [0]], ["a"], ["a", "b", [0, 1], "."]]
    line = {"annot_id": "val-0", "img_id": "p", "answer_label": 2, "rationale_label": 1}
    if choices:
        line |= {"answer_choices": words, "rationale_choices": ["x y", "z", "x y", "x y z"]}
    path.write_text(json.dumps(line) + "\n")
    return path


def test_predictors_run_from_the_command_line(vle_eval, tmp_path) -> None:
    path = write_references(tmp_path / "val.jsonl", choices=True)
    ran = vle_eval("vcr", "--annotations", path, "--model", "baseline:shortest", "--json")
    assert ran.values == {"q2a": 100.0, "qa2r": 100.0, "q2ar": 100.0}
    assert ran.document["model"] == "baseline:shortest"
    assert set(ran.document["stamp"]["inputs"]) == {"annotations"}


def test_shortest_needs_the_choices_and_constant_does_not(vle_eval, tmp_path) -> None:
    path = write_references(tmp_path / "val.jsonl", choices=False)
    assert vle_eval("vcr", "--annotations", path, "--model", "baseline:constant").code == 0
    ran = vle_eval("vcr", "--annotations", path, "--model", "baseline:shortest")
    assert ran.code == 3
    assert "1 references without answer_choices or rationale_choices: val-0." in ran.err


@pytest.mark.parametrize("options", [["--model", "baseline:none"]])
def test_an_unknown_predictor_names_the_known_ones(vle_eval, tmp_path, options) -> None:
    path = write_references(tmp_path / "val.jsonl", choices=True)
    ran = vle_eval("vcr", "--annotations", path, *options)
    assert ran.code == 2
    assert "Known: baseline:constant, baseline:shortest, baseline:noisy-oracle" in ran.err
