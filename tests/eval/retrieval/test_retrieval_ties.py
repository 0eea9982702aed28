"""Tie rules: what each says of the same counts, against lists that are really shuffled."""

from __future__ import annotations

import json
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.eval.retrieval.ties import TieCounts, hits, ranks

RULES = ("pessimistic", "optimistic", "stable", "expected")


def counts(greater: int, tied: int, positives: int, before: int = 0) -> TieCounts:
    return TieCounts(*(np.array([value]) for value in (greater, tied, positives, before)))


def test_pessimism_puts_every_tied_negative_first() -> None:
    assert ranks(counts(2, 5, 2), "pessimistic").item() == 5
    assert ranks(counts(2, 5, 2), "optimistic").item() == 2


def test_stable_counts_the_tied_before_the_first_positive() -> None:
    assert ranks(counts(2, 5, 2, before=1), "stable").item() == 3


def test_without_ties_all_rules_agree() -> None:
    alone = counts(7, 1, 1)
    assert {ranks(alone, rule).item() for rule in RULES} == {7.0}
    assert {hits(alone, rule, at=5).item() for rule in RULES} == {0.0}
    assert {hits(alone, rule, at=8).item() for rule in RULES} == {1.0}
    assert not alone.rule_matters.any()


def test_positives_tied_with_each_other_alone_do_not_depend_on_the_rule() -> None:
    twins = counts(1, 3, 3)
    assert not twins.rule_matters.any()
    assert {ranks(twins, rule).item() for rule in RULES} == {1.0}


@pytest.mark.parametrize(("tied", "positives"), [(1, 1), (3, 1), (4, 2), (5, 3), (6, 1), (6, 5)])
@pytest.mark.parametrize("greater", [0, 2])
def test_expected_is_the_mean_over_every_order_of_the_tied(greater, tied, positives) -> None:
    places = [
        greater + next(at for at, one in enumerate(order) if one < positives)
        for order in permutations(range(tied))
    ]
    found = counts(greater, tied, positives)
    assert ranks(found, "expected").item() == pytest.approx(np.mean(places))
    for at in (1, 2, 3, 5, 10):
        share = np.mean([place < at for place in places])
        assert hits(found, "expected", at=at).item() == pytest.approx(share, abs=1e-12)


def test_expected_does_not_overflow_on_large_ties() -> None:
    huge = counts(0, 500_000, 5)
    assert hits(huge, "expected", at=10).item() == pytest.approx(1e-4, rel=1e-3)


@given(
    st.integers(0, 20), st.integers(1, 30), st.integers(1, 30), st.integers(0, 30),
)  # fmt: skip
@settings(max_examples=200, deadline=None, derandomize=True)
def test_recall_grows_with_k_and_the_rules_are_ordered(greater, tied, positives, before) -> None:
    positives = min(positives, tied)
    found = counts(greater, tied, positives, before=min(before, tied - positives))
    for rule in RULES:
        recalls = [hits(found, rule, at=at).item() for at in (1, 5, 10)]
        assert recalls == sorted(recalls)
        assert all(0 <= recall <= 1 for recall in recalls)
        best, worst = ranks(found, "optimistic").item(), ranks(found, "pessimistic").item()
        assert best <= ranks(found, rule).item() <= worst


def test_the_reader_is_told_of_ties_and_of_texts_without_a_picture(score, world) -> None:
    lone = {"text_id": 74, "text": "nobody's", "image_ids": []}
    with (world / "T.jsonl").open("a") as stream:
        stream.write(json.dumps(lone) + "\n")
    tied = np.array([[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1]])
    # Pictures 3 and 9 are as near to a text of another; so are texts 70 and 72 to picture 3.
    np.save(world / "tied.npy", tied)
    for rule in ("pessimistic", "stable"):
        ran = score("--scores", world / "tied.npy", "--ties", rule)
        depends = f"depends on the tie rule ({rule} here)."
        assert ran.document["notes"] == [
            f"i2t: the rank of 2 of 3 queries {depends}",
            f"t2i: the rank of 2 of 5 queries {depends}",
            "Texts without a picture, which count as misses of t2i: 1.",
        ]
