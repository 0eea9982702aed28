"""Compared with a second, slow implementation over random questions, to the last bit."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from slow_vqa import slow_score, slow_soft_score
from vqa_world import question

from vle_bench.eval.vqa.accuracy import score_items
from vle_bench.eval.vqa.gold import Annotation, Gold, given_answers, gold_of
from vle_bench.eval.vqa.protocols import PROTOCOLS, soft_label

POOL = [
    "yes", "Yes", "yes.", "no", "NO ", "2", "two", "Two.", "1,000", "1000", "x,y 1,2", "xy 12",
    "the cat", "cat", "a cat", "cat\n", "\tcat", "red/white", "red white", "red, white", "t-shirt",
    "t shirt", "none", "None", "0", "", "the", "a", "dont know", "don't know", "Im here", "3.",
    ".5", "3.5", "U.S.A.", "usa", "“quoted”", "café", "Café", "猫", "?", "...", "?!", "a-b", "b",
]  # fmt: skip
VOCABULARY = ("yes", "no", "2", "cat", "red white", "", "0", "café", "don't know")


def random_questions(seed: int, *, ids: bool) -> tuple[list[dict[str, Any]], list[str | None]]:
    draw = random.Random(seed)
    made: list[dict[str, Any]] = []
    predictions: list[str | None] = []
    for number in range(400):
        size = 10 if draw.random() < 0.7 else draw.randint(1, 12)
        few = draw.sample(POOL, draw.choice([1, 1, 2, 3, 5]))
        answers = [draw.choice(few) for _ in range(size)]
        made.append(question(1000 + number, answers, ids=ids))
        predictions.append(
            None if draw.random() < 0.05 else draw.choice([*answers, *few, draw.choice(POOL)])
        )
    return made, predictions


def gold(questions: list[dict[str, Any]]) -> Gold:
    return gold_of(msgspec.convert(questions, list[Annotation]), "here")


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize("protocol", ["official", "always", "lavis", "simple", "mmf"])
@pytest.mark.parametrize("seed", range(3))
def test_every_question_scores_as_the_slow_rule_says(seed, protocol, ids):
    questions, predictions = random_questions(seed, ids=ids)
    found = score_items(gold(questions), given_answers(predictions), PROTOCOLS[protocol])
    expected = [
        0.0 if prediction is None else slow_score(entry, prediction, protocol)
        for entry, prediction in zip(questions, predictions, strict=True)
    ]
    assert found.scores.tolist() == expected
    assert len(set(expected)) >= 4


@pytest.mark.parametrize("labels", ["raw", "normalised"])
@pytest.mark.parametrize("seed", range(3))
def test_every_label_scores_as_the_slow_rule_says(seed, labels):
    questions, predictions = random_questions(seed, ids=True)
    protocol = soft_label(VOCABULARY, labels)
    found = score_items(gold(questions), given_answers(predictions), protocol)
    expected = {
        row: score
        for row, (entry, prediction) in enumerate(zip(questions, predictions, strict=True))
        if (score := slow_soft_score(
            entry, "no such answer" if prediction is None else prediction, VOCABULARY,
            normalised=labels == "normalised",
        )) is not None
    }  # fmt: skip
    assert dict(zip(found.rows.tolist(), found.scores.tolist(), strict=True)) == expected
    assert 0 < found.left_out == len(questions) - len(expected)


@pytest.mark.parametrize(
    ("places", "last_bit"),
    [((8, 9), 0.5999999999999999), ((6, 9), 0.6), ((5, 6), 0.6000000000000001)],
)
def test_terms_are_added_in_annotator_order(places, last_bit):
    entry = question(1000, ["y" if place in places else "x" for place in range(10)])
    found = score_items(gold([entry]), given_answers(["y"]), PROTOCOLS["official"])
    assert found.scores.tolist() == [last_bit] == [slow_score(entry, "y", "official")]
