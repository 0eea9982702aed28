"""VQAv2 files: official keys, answers that follow from the picture, words that give no hint."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import pytest

from vle_bench.data_prep.sample_world.cast import PictureName
from vle_bench.data_prep.sample_world.classes import CATEGORY_NAMES, plural, word
from vle_bench.data_prep.sample_world.language.interview import TOPICS, Interview
from vle_bench.data_prep.sample_world.language.nouns import with_article
from vle_bench.data_prep.sample_world.language.question_types import question_type
from vle_bench.data_prep.sample_world.layout import stage_picture
from vle_bench.data_prep.sample_world.picture import facts_of

SPLITS = ("train2014", "val2014")


def questions_of(world, split):
    return world.json(f"vqav2/v2_OpenEnded_mscoco_{split}_questions.json")


def annotations_of(world, split):
    return world.json(f"vqav2/v2_mscoco_{split}_annotations.json")


def interviews(part, split, count):
    interview = Interview(0, split)
    scenes = [
        facts_of(stage_picture(PictureName(0, part, number, "photo"))) for number in range(count)
    ]
    return [asked for number, scene in enumerate(scenes) for asked in interview.ask(scene, number)]


@pytest.fixture(scope="module")
def train():
    return interviews("coco-train", "train2014", 260)


@pytest.fixture(scope="module")
def val():
    return interviews("coco-val", "val2014", 160)


def test_files_have_the_official_keys(world):
    for split in (*SPLITS, "test2015", "test-dev2015"):
        document = questions_of(world, split)
        assert set(document) == {
            "info", "task_type", "data_type", "license", "data_subtype", "questions",
        }  # fmt: skip
        assert document["data_subtype"] == split
        assert document["info"]["description"] == "VLE bench sample world"
        assert all(
            set(row) == {"image_id", "question", "question_id"} for row in document["questions"]
        )
    for split in SPLITS:
        document = annotations_of(world, split)
        assert set(document) == {"info", "license", "data_subtype", "annotations", "data_type"}
        for row in document["annotations"]:
            assert set(row) == {
                "question_type", "multiple_choice_answer", "answers", "image_id", "answer_type",
                "question_id",
            }  # fmt: skip


def test_keys_are_those_of_the_real_files(world, reference):
    folder = reference / "data/lmb-freiburg+ovqa"
    real = json.loads((folder / "smallval_questions.json").read_bytes())
    assert set(real) == set(questions_of(world, "val2014"))
    assert set(real["questions"][0]) == set(questions_of(world, "val2014")["questions"][0])
    real = json.loads((folder / "smallval_annotations.json").read_bytes())
    ours = annotations_of(world, "val2014")
    assert set(real["annotations"][0]) | {"multiple_choice_answer"} == set(ours["annotations"][0])
    assert set(real["annotations"][0]["answers"][0]) == set(ours["annotations"][0]["answers"][0])


@pytest.mark.parametrize("split", SPLITS)
def test_questions_and_annotations_are_of_one_order_and_of_known_pictures(world, split):
    questions = questions_of(world, split)["questions"]
    annotations = annotations_of(world, split)["annotations"]
    assert [q["question_id"] for q in questions] == [a["question_id"] for a in annotations]
    assert len({q["question_id"] for q in questions}) == len(questions)
    assert all(q["question_id"] // 1000 == q["image_id"] for q in questions)
    images = world.json(f"coco/annotations/instances_{split}.json")["images"]
    assert {q["image_id"] for q in questions} == {image["id"] for image in images}


def test_test_dev_is_a_part_of_test(world):
    full = {q["question_id"] for q in questions_of(world, "test2015")["questions"]}
    dev = {q["question_id"] for q in questions_of(world, "test-dev2015")["questions"]}
    assert dev
    assert dev < full


@pytest.mark.parametrize("split", SPLITS)
def test_ten_people_answer_and_most_of_them_agree(world, split):
    for row in annotations_of(world, split)["annotations"]:
        answers = row["answers"]
        assert [answer["answer_id"] for answer in answers] == list(range(1, 11))
        assert {answer["answer_confidence"] for answer in answers} <= {"yes", "maybe", "no"}
        (first, times), *rest = Counter(a["answer"] for a in answers).most_common()
        assert first == row["multiple_choice_answer"]
        assert not rest or rest[0][1] < times


def test_annotators_disagree_a_little_and_write_as_people_do(train):
    given = [answer.answer for asked in train for answer in asked.given]
    unanimous = sum(len({g.answer for g in asked.given}) == 1 for asked in train) / len(train)
    assert 0.2 < unanimous < 0.5
    assert any(answer.endswith(".") for answer in given)
    assert any(answer[:1].isupper() for answer in given)
    assert any(answer.startswith(("a ", "the ")) for answer in given)
    assert {"two", "three"} & set(given)
    assert any("'" in answer for answer in given)


def test_question_types_are_the_longest_official_prefix(train, val, reference):
    text = (reference / "data/GT-Vision-Lab+VQA/mscoco_question_types.txt").read_text()
    prefixes = [line.strip() for line in text.splitlines() if line.strip()]
    for asked in (*train, *val):
        words = asked.question.lower().rstrip("?.").split()
        fitting = [p for p in prefixes if words[: len(p.split())] == p.split()]
        longest = max(fitting, key=lambda p: len(p.split()), default="none of the above")
        assert asked.question_type == longest


def test_a_prefix_ends_with_a_word():
    assert question_type("Isn't it night?") == "none of the above"
    assert question_type("What colored thing is it?") == "what"


def test_answer_types_have_about_the_shares_of_the_real_data(train):
    shares = Counter(asked.answer_type for asked in train)
    total = shares.total()
    assert shares["yes/no"] / total == pytest.approx(0.38, abs=0.06)
    assert shares["number"] / total == pytest.approx(0.13, abs=0.05)
    types = Counter(asked.question_type for asked in train)
    assert 0 < types["none of the above"] / total < 0.2
    assert len(types) > 25


def test_yes_is_as_often_right_as_no_in_every_topic(train):
    answers = defaultdict(Counter)
    for asked in train:
        if asked.answer_type == "yes/no":
            answers[asked.question_type][asked.truth] += 1
    for kind, count in answers.items():
        if count.total() >= 20:
            assert 0.3 < count["yes"] / count.total() < 0.7, kind


def test_colours_are_even(train):
    colours = Counter(a.truth for a in train if "color" in a.question and a.answer_type == "other")
    assert len(colours) == 10
    assert max(colours.values()) < 2.5 * min(colours.values())


def test_the_words_of_a_question_give_little_more_than_chance(train, val):
    by_words, by_type = defaultdict(Counter), defaultdict(Counter)
    for asked in train:
        by_words[asked.question][asked.truth] += 1
        by_type[asked.question_type][asked.truth] += 1
    right = defaultdict(list)
    for asked in val:
        known = by_words.get(asked.question) or by_type[asked.question_type]
        guess = known.most_common(1)[0][0] if known else ""
        right[asked.answer_type].append(guess == asked.truth)
    assert sum(right["yes/no"]) / len(right["yes/no"]) < 0.62
    assert sum(right["number"]) / len(right["number"]) < 0.45
    assert sum(right["other"]) / len(right["other"]) < 0.33


def test_a_vocabulary_exists_at_the_default_size(train, val):
    counts = Counter(
        Counter(g.answer for g in asked.given).most_common(1)[0][0]
        for asked in (*train[:310], *val[:220])
    )
    frequent = {answer for answer, count in counts.items() if count >= 9}
    assert {"yes", "no"} <= frequent
    assert len(frequent) >= 12


def digits(answer):
    first = answer.split(",")[0]
    return {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}.get(first, first)


@pytest.mark.parametrize("split", SPLITS)
def test_counts_and_presence_follow_from_the_coco_annotations(world, split):
    document = world.json(f"coco/annotations/instances_{split}.json")
    names = {entry["id"]: entry["name"] for entry in document["categories"]}
    counts = defaultdict(Counter)
    for annotation in document["annotations"]:
        counts[annotation["image_id"]][names[annotation["category_id"]]] += 1
    questions = {q["question_id"]: q for q in questions_of(world, split)["questions"]}
    expected = {}
    for category in CATEGORY_NAMES:
        expected[f"How many {plural(category)} are there?"] = (category, str)
        presence = {
            f"Is there {with_article(word(category))} in the picture?",
            f"Are there any {plural(category)}?",
            f"Do you see {with_article(word(category))}?",
        }
        for text in presence:
            expected[text] = (category, lambda count: "yes" if count else "no")
    checked = 0
    for row in annotations_of(world, split)["annotations"]:
        question = questions[row["question_id"]]["question"]
        if question in expected:
            category, say = expected[question]
            most = Counter(digits(a["answer"].lower().strip(" .")) for a in row["answers"])
            assert most.most_common(1)[0][0] == say(counts[row["image_id"]][category])
            checked += 1
    assert checked > 5


def test_every_topic_is_asked_in_a_large_world():
    asked = interviews("coco-train", "train2014", 700)
    assert len(asked) > 3000
    types = {a.question_type for a in asked}
    named = {topic.name for topic in TOPICS}
    assert len(named) == len(TOPICS)
    assert {"why is the", "what time", "is that a", "what is on the", "are they"} <= types
