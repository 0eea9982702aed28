"""How far people agree and what a vocabulary can say, beside the score and never in its name."""

from __future__ import annotations

import random

import msgspec
import pytest
from slow_vqa import slow_score
from vqa_world import annotation_file, prediction_file, question, write

from vle_bench.eval.vqa.accuracy import lexicon_of, readings
from vle_bench.eval.vqa.ceilings import agreement
from vle_bench.eval.vqa.gold import Annotation, gold_of
from vle_bench.eval.vqa.protocols import PROTOCOLS

ANSWERS = [
    ["yes"] * 10,
    ["2"] * 3 + ["two"] * 4 + ["3"] * 3,
    ["red", "red", "dark red", *["black"] * 7],
    list("abcdefghij"),
    ["cat"],
]


def test_ceilings_stand_beside_the_score_where_asked_for(score, world):
    write(world / "v.json", ["yes", "2", "black"])
    plain = score().values
    asked = score("--ceilings", "--vocabulary", "v.json").values
    assert {name: asked[name] for name in plain} == plain
    assert set(asked) - set(plain) == {"human_agreement", "vocabulary_ceiling"}
    assert asked["vocabulary_ceiling"] == pytest.approx(75)
    assert set(score("--ceilings").values) - set(plain) == {"human_agreement"}


def test_ten_who_agree_score_100_and_ten_who_do_not_score_nothing(score, world):
    annotation_file(world / "a.json", [question(1000, ["yes"] * 10)])
    prediction_file(world / "p.json", {1000: "no"})
    assert score("--ceilings").values["human_agreement"] == 100
    annotation_file(world / "a.json", [question(1000, list("bcdefghijk"))])
    assert score("--ceilings").values["human_agreement"] == 0


def drawn_answers() -> list[list[str]]:
    """Three hundred questions of one to twelve answers, few of them different."""
    draw = random.Random(6)
    return [
        draw.choices(["yes", "no", "two", "2", "cat"][: draw.randint(1, 5)], k=draw.randint(1, 12))
        for _ in range(300)
    ]


@pytest.mark.parametrize("protocol", ["always", "mmf"])
@pytest.mark.parametrize("every", [ANSWERS, drawn_answers()], ids=["few", "drawn"])
def test_agreement_is_each_annotator_scored_on_the_others(protocol, every):
    made = [question(1000 + place, answers) for place, answers in enumerate(every)]
    gold = gold_of(msgspec.convert(made, list[Annotation]), "here")
    rule = PROTOCOLS[protocol]
    found = agreement(gold, readings(gold, lexicon_of(gold, ()), rule))
    for value, answers in zip(found.tolist(), every, strict=True):
        reader = rule.gold.mixed
        read = [reader(answer) for answer in answers]
        terms = [min((read.count(one) - 1) / 3, 1) for one in read]
        assert value == pytest.approx(sum(terms) / len(terms))


def test_nobody_does_better_than_the_vocabulary(score, world):
    write(world / "v.json", ["Yes", "Two", "red", "Cat."])
    found = score("--ceilings", "--vocabulary", "v.json").values
    assert found["vocabulary_ceiling"] >= found["accuracy"]
    assert slow_score(question(1000, ["yes"] * 10), "Yes", "official") == 0
