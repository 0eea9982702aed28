"""Which classes a caption names."""

from __future__ import annotations

import copy
import pickle

import pytest

from vle_bench.labels.mentions import MentionFinder, mention_finder, words_of
from vle_bench.labels.vocabulary import ClassVocabulary, coco_vocabulary, joined


@pytest.fixture(scope="module")
def finder() -> MentionFinder:
    return mention_finder(coco_vocabulary())


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("A man riding a horse.", {"person", "horse"}),
        ("Two MEN eat hot dogs", {"person", "hot dog"}),
        ("A dog beside a hot-dog stand", {"dog", "hot dog"}),
        ("Sheep and geese", {"sheep", "bird"}),
        ("a teddy bear", {"teddy bear"}),
        ("Polar bears", {"bear"}),
        ("people wait at the bus stop", {"person"}),
        ("the bus driver smiles", {"person"}),
        ("a bus stops near the driver", {"bus", "person"}),
        ("a roll of toilet paper", set()),
        ("a couple of zebras", {"zebra"}),
        ("a couple hugging", {"person"}),
        ("A woman's handbag", {"person", "handbag"}),
        ("a catcher\N{RIGHT SINGLE QUOTATION MARK}s mitt", {"baseball glove"}),
        ("a bike leans on a wall", {"bicycle", "motorcycle"}),
        ("three wine glasses and two cups of coffee", {"wine glass", "cup"}),
        ("a boardroom", set()),
        ("", set()),
        ("一只狗", set()),
    ],
)
def test_captions_literally(finder: MentionFinder, caption: str, expected: set[str]) -> None:
    assert {coco_vocabulary().name(label) for label in finder.labels_in(caption)} == expected


def test_every_class_is_found_by_its_own_name_in_singular_and_plural(
    finder: MentionFinder,
) -> None:
    from vle_bench.labels.names import plural

    for label, names in enumerate(coco_vocabulary().classes):
        for name in names:
            assert label in finder.labels_in(f"There is {name} here")
            assert label in finder.labels_in(f"Several {plural(name)}, here")


def test_a_word_may_name_a_class_of_each_corpus() -> None:
    both = joined(coco_vocabulary(), ClassVocabulary.of([["man"], ["toilet paper"], ["couch"]]))
    found = mention_finder(both).labels_in("A man with toilet paper on a sofa")
    assert {both.name(label) for label in found} == {"person", "man", "toilet paper", "couch"}


def test_classes_that_are_not_cocos_need_no_table() -> None:
    finder = mention_finder(ClassVocabulary.of([["wind turbine"], ["pitcher's mound"]]))
    assert finder.labels_in("Wind turbines behind the pitcher's mound") == {0, 1}


def test_a_caption_without_spaces_names_nothing_even_by_its_own_words() -> None:
    finder = mention_finder(ClassVocabulary.of([["狗"]]))
    assert finder.labels_in("一只狗在草地上跑") == set()
    assert finder.labels_in("一只 狗。") == {0}


def test_words_are_letters_and_digits_of_any_script() -> None:
    assert words_of("Café 2go: 狗!") == ("café", "2go", "狗")


def test_a_spawned_worker_gets_the_very_finder(finder: MentionFinder) -> None:
    for again in (pickle.loads(pickle.dumps(finder)), copy.deepcopy(finder)):
        assert again == finder
        assert again.labels_in("Men at a bus stop") == finder.labels_in("Men at a bus stop") == {0}
