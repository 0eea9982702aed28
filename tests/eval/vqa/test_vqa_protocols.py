"""Each protocol on questions small enough to check in the head."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from vqa_world import annotation_file, prediction_file, question

from vle_bench.answers import normalise_answer_mmf
from vle_bench.eval.requests import VqaRequest
from vle_bench.eval.vqa.accuracy import Lexicon, score_items
from vle_bench.eval.vqa.gold import Annotation, given_answers, gold_of
from vle_bench.eval.vqa.protocols import PROTOCOLS, Hits, leave_one_out, soft_label
from vle_bench.eval.vqa.task import TASK


def score(answers: list[str], prediction: str, protocol: str = "official") -> float:
    gold = gold_of(msgspec.convert([question(1000, answers)], list[Annotation]), "here")
    items = score_items(gold, given_answers([prediction]), PROTOCOLS[protocol])
    return round(float(items.scores[0]), 4)


@pytest.mark.parametrize(
    ("hits", "earned"), [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1), (9, 1), (10, 1)]
)
def test_ten_annotators_give_three_tenths_each(hits, earned):
    flags = np.arange(10) < hits
    assert leave_one_out(Hits(flags, np.array([0, 10]))).round(9).tolist() == [earned]


@pytest.mark.parametrize(
    ("annotators", "earned"), [(1, 0), (2, 0.3333), (3, 0.6667), (4, 1), (5, 1)]
)
def test_few_annotators_who_all_agree_follow_the_same_formula(annotators, earned):
    assert score(["cat"] * annotators, "cat") == earned


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=lambda one: one.name)
def test_no_answer_earns_nothing_even_where_the_one_before_it_would_be_right(protocol):
    asked = [question(1000 * at, ["cat"] * 9 + ["dog"]) for at in (1, 2, 3)]
    gold = gold_of(msgspec.convert(asked, list[Annotation]), "here")
    items = score_items(gold, given_answers([None, "cat", None]), protocol)
    assert items.scores.tolist() == [0.0, 1.0, 0.0]
    assert items.matches.tolist() == [0, 9, 0]


@pytest.mark.parametrize(
    ("ids", "left_out_by"),
    [
        ([[1, 2, 3], [1, 2, 3]], "id"),
        ([[7, "a", 9], [3, 1, 2]], "id"),
        ([[1, 2, 3], [1, 2, 2]], "index"),
        ([[1, 2, "2"], [4, 5, 6]], "index"),
        ([[1, 2, 3], [1, 2, None]], "index"),
    ],
)
def test_one_is_left_out_by_id_only_where_every_answer_of_a_question_has_its_own(ids, left_out_by):
    asked = [question(1000 * at, ["cat"] * 3) for at in (1, 2)]
    for one, own in zip(asked, ids, strict=True):
        for answer, given in zip(one["answers"], own, strict=True):
            answer["answer_id"] = given
    assert gold_of(msgspec.convert(asked, list[Annotation]), "here").left_out_by == left_out_by


def test_simple_gives_thirds_of_all_annotators():
    assert score(["cat"] * 2 + ["dog"] * 8, "cat", "simple") == 0.6667
    assert score(["cat"], "cat", "simple") == 0.3333


def test_unanimous_annotators_switch_the_official_normalisation_off():
    assert score(["yes"] * 10, "Yes") == 0
    assert score(["yes"] * 9 + ["no"], "Yes") == 1
    assert score(["yes"] * 10, "Yes", "always") == 1
    assert score(["yes"] * 10, "Yes", "lavis") == 1
    assert score(["yes"] * 10, "Yes", "simple") == 0


def test_unanimous_means_equal_after_the_strip():
    assert score(["yes"] * 9 + ["yes\n"], "Yes") == 0
    assert score(["yes"] * 9 + ["yes\n"], " yes\t") == 1


def test_lavis_reads_the_annotators_marks_but_not_their_words():
    answers = ["two dogs"] * 5 + ["cat."] * 5
    assert score(answers, "two dogs", "lavis") == 0
    assert score(answers, "Two dogs.", "always") == 1
    assert score(answers, "cat", "lavis") == 1


def test_lavis_takes_unanimous_annotators_as_written():
    assert score(["Yes."] * 10, "Yes.", "lavis") == 0
    assert score(["Yes."] * 10, "Yes.", "official") == 1


def test_an_answer_of_nothing_but_an_article_matches_its_like():
    assert score(["the"] * 4 + ["cat"] * 6, "a") == 1


def test_nothing_that_was_read_is_changed():
    annotations = msgspec.convert([question(1000, ["Two", "2."] * 5)], list[Annotation])
    gold = gold_of(annotations, "here")
    before = (list(gold.texts), gold.codes.tolist())
    given = given_answers(["Two"])
    first = score_items(gold, given, PROTOCOLS["official"]).scores.tolist()
    assert score_items(gold, given, PROTOCOLS["official"]).scores.tolist() == first == [1.0]
    assert (list(gold.texts), gold.codes.tolist()) == before


def test_soft_labels_look_raw_answers_up_in_a_normalised_vocabulary():
    gold = gold_of(
        msgspec.convert(
            [question(1000, ["Two"] * 7 + ["2"] * 3), question(2000, ["Two"] * 10)],
            list[Annotation],
        ),
        "here",
    )
    raw = score_items(gold, given_answers(["2", "2"]), soft_label(("2",), "raw"))
    assert (raw.rows.tolist(), raw.scores.tolist(), raw.left_out) == ([0], [0.9], 1)
    repaired = score_items(gold, given_answers(["2", "2"]), soft_label(("2",), "normalised"))
    assert (repaired.scores.tolist(), repaired.left_out) == ([1.0, 1.0], 0)


def test_a_soft_label_is_matched_as_written_and_must_be_in_the_vocabulary():
    gold = gold_of(msgspec.convert([question(1000, ["cat", "dog"] * 5)], list[Annotation]), "here")
    protocol = soft_label(("cat",), "normalised")
    for prediction, earned in [("cat", 1.0), ("Cat", 0.0), ("dog", 0.0)]:
        assert score_items(gold, given_answers([prediction]), protocol).scores.tolist() == [earned]


def test_a_lexicon_gives_equal_readings_one_number_across_readers():
    lexicon = Lexicon(["Cat", "cat"], ["CAT", "cat"])
    assert lexicon.gold(str.upper).tolist() == [0, 0]
    assert lexicon.given(str.upper).tolist() == [0, 0]
    assert lexicon.given(str.lower).tolist() == [1, 1]
    assert lexicon.among(["cat", "dog"]).tolist() == [False, True]


def signature(folder: Path, questions: list[dict[str, object]], **asked: object) -> dict[str, str]:
    annotation_file(folder / "a.json", questions)
    answers = {entry["question_id"]: "cat" for entry in questions}
    prediction_file(folder / "p.json", answers)
    request = VqaRequest(
        annotations=str(folder / "a.json"), predictions=(str(folder / "p.json"),), **asked
    )
    return dict(TASK.score(request).signature)


def test_the_signature_says_how_one_is_left_out(tmp_path):
    numbered = question(1000, ["cat", "dog"])
    bare = question(2000, ["cat", "dog"], ids=False)
    twice = question(3000, ["cat", "dog"])
    twice["answers"][1]["answer_id"] = 1
    text = question(4000, ["cat", "dog"])
    text["answers"][0]["answer_id"] = "first"
    falling = question(5000, ["cat", "dog"])
    falling["answers"][0]["answer_id"] = 9
    huge = question(6000, ["cat", "dog"])
    huge["answers"][0]["answer_id"] = 2**70
    assert signature(tmp_path, [numbered, text, falling])["loo"] == "id"
    assert signature(tmp_path, [numbered, huge, falling])["loo"] == "id"
    assert signature(tmp_path, [numbered, bare])["loo"] == "index"
    assert signature(tmp_path, [numbered, twice])["loo"] == "index"
    assert "loo" not in signature(tmp_path, [numbered], protocol="simple")


def test_the_signature_of_the_official_protocol(tmp_path):
    assert signature(tmp_path, [question(1000, ["cat"] * 4)], seed=3) == {
        "data": "vqav2",
        "split": "valtiny",
        "n": "1",
        "protocol": "official",
        "loo": "id",
        "missing": "error",
        "ci": "image-10000-s3",
    }


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ("The Dog's", "dog 's"),
        ("1,000", "1000"),
        ("x,y 1,2", "xy 12"),
        ("red,white", "redwhite"),
        ("a,the", "athe"),
        ("who?", "who"),
        ("it's 3.", "it 's 3"),
        ("'S", "'s"),
        ("well-known", "well known"),
        ("None", "0"),
        ("dont", "don't"),
        ("Ive", "ive"),
    ],
)
def test_mmf_drops_commas_and_takes_the_s_apart_before_the_official_rule(answer, read):
    assert normalise_answer_mmf(answer) == read


def test_mmf_normalises_unanimous_answers_as_well():
    assert score(["yes"] * 10, "Yes?", "mmf") == 1
    assert score(["john's"] * 10, "john 's", "mmf") == 1
    assert score(["john's"] * 10, "john 's", "always") == 0
