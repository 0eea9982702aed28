"""The vocabulary and soft targets against the rules of the published code."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from vle_bench.data_prep.vocabulary import (
    SoftTargets,
    build_vocabulary,
    class_name,
    hold_out,
    soft_score,
)

ANSWERS = st.sampled_from(["yes", "Yes", "no", "two", "2", "the 2", "a", "red, white", "1,000"])


def test_spellings_of_one_answer_count_together():
    assert dict(build_vocabulary(["Yes", "yes.", "yes", "no"], at_least=3)) == {"yes": 0}


def test_order_is_that_of_first_appearance_also_of_another_spelling():
    answers = ["The dog", "cat", "cat", "dog", "dog", "cat"]
    assert list(build_vocabulary(answers, at_least=3)) == ["dog", "cat"]


def test_the_empty_answer_may_be_a_class():
    assert dict(build_vocabulary(["a", "the"], at_least=2)) == {"": 0}


def test_commas_that_normalisation_leaves_are_deleted():
    assert class_name("1,2,3") == "123"
    assert "," not in class_name("x ,")


@given(st.lists(ANSWERS, min_size=10, max_size=10))
def test_the_raw_rule_is_the_one_of_the_published_code(answers):
    vocabulary = {"yes": 0, "no": 1, "2": 2}
    labels, scores = [], []
    counts: dict[str, int] = {}
    for answer in answers:
        counts[answer] = counts.get(answer, 0) + 1
    for answer, count in counts.items():
        if answer in vocabulary:
            labels.append(vocabulary[answer])
            scores.append({1: 0.3, 2: 0.6, 3: 0.9}.get(count, 1.0))
    assert SoftTargets(vocabulary, normalised=False).of(answers) == (tuple(labels), tuple(scores))


@given(st.lists(ANSWERS, min_size=10, max_size=10))
def test_the_repaired_rule_never_scores_an_answer_lower(answers):
    vocabulary = {"yes": 0, "no": 1, "2": 2, "": 3, "red white": 4, "1000": 5}
    raw = SoftTargets(vocabulary, normalised=False).of(answers)
    repaired = dict(zip(*SoftTargets(vocabulary, normalised=True).of(answers), strict=True))
    for label, score in zip(*raw, strict=True):
        assert repaired[label] >= score


def test_scores_are_those_of_the_field():
    assert [soft_score(count) for count in range(6)] == [0.0, 0.3, 0.6, 0.9, 1.0, 1.0]


@given(st.integers(0, 300), st.integers(0, 5))
def test_the_hold_out_is_a_tenth_and_a_partition_in_order(count, seed):
    images = [str(number) for number in range(count)]
    trainable, rest = hold_out(images, seed=seed)
    assert len(rest) == count // 10
    assert sorted(trainable + rest, key=int) == images
    assert trainable == sorted(trainable, key=int)


def test_the_hold_out_never_exceeds_a_thousand():
    assert len(hold_out([str(n) for n in range(20_000)], seed=0)[1]) == 1000


def test_a_missing_image_moves_at_most_one_other():
    images = [str(number) for number in range(200)]
    before = set(hold_out(images, seed=0)[1])
    after = set(hold_out(images[:-1], seed=0)[1])
    assert len(before ^ after) <= 3


def test_all_published_classes_are_their_own_class_name(reference):
    table = json.loads((reference / "data/ChenRocks+UNITER/ans2label.json").read_text())
    assert len(table) == 3129
    assert [answer for answer in table if class_name(answer) != answer] == []
