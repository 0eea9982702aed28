"""Vocabularies from data: frequencies, ties, spellings, synonyms."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.labels.counting import count_classes, count_names, most_frequent
from vle_bench.labels.vocabulary import ClassVocabulary
from vle_bench.records import BoxAnnotation, Picture, Sample

settled = settings(deadline=None, derandomize=True)
"""The same examples on every machine, however busy it is."""


def sample(*boxes: BoxAnnotation) -> Sample:
    picture = Picture(
        id="1", file_name="1.jpg", width=9, height=9, orientation=1, sha256="", format="jpg"
    )
    return Sample(key="vg-1", dataset="vg", split="train", image=picture, boxes=boxes)


def box(label: str, kind: str = "object") -> BoxAnnotation:
    return BoxAnnotation(id="1", xywh=(0, 0, 1, 1), label=label, kind=kind)


def test_only_object_boxes_are_counted_by_their_cleaned_names() -> None:
    counts = count_names(
        [
            sample(box("Dog"), box("white dog."), box("person", "crowd"), box("", "region")),
            sample(box("cat"), box(" . ")),
        ]
    )
    assert dict(counts.names) == {"dog": 2, "cat": 1}
    assert (counts.boxes, counts.nameless) == (4, 1)


def test_no_samples_count_nothing() -> None:
    counts = count_names(iter(()))
    assert (dict(counts.names), counts.boxes, counts.nameless) == ({}, 0, 0)


def test_classes_come_by_frequency_and_ties_by_the_alphabet() -> None:
    found = most_frequent({"zebra": 2, "cat": 2, "dog": 5, "ant": 1}, classes=3)
    assert found.vocabulary.classes == (("dog",), ("cat",), ("zebra",))
    assert found.boxes == (5, 2, 2)
    assert found.left_out == 1


def test_spellings_are_one_class_named_by_the_most_frequent() -> None:
    found = most_frequent({"t shirt": 2, "t-shirt": 3, "tshirt": 3, "dog": 7})
    assert found.vocabulary.classes == (("t-shirt", "tshirt", "t shirt"), ("dog",))
    assert found.boxes == (8, 7)


def test_singular_and_plural_are_two_classes() -> None:
    assert len(most_frequent({"giraffe": 1, "giraffes": 1}).vocabulary) == 2


def test_synonyms_join_over_several_steps_and_unknown_names_are_passed_over() -> None:
    found = most_frequent(
        {"tv": 1, "telly": 2, "television": 4, "dog": 3},
        synonyms=[("tv", "tube", "television"), ("tube", "telly"), ("car", "auto")],
    )
    assert found.vocabulary.classes == (("television", "telly", "tv"), ("dog",))


def test_a_class_needs_its_boxes_together_not_by_name() -> None:
    counts = {"tv": 2, "television": 2, "dog": 3}
    found = most_frequent(counts, at_least=4, synonyms=[("tv", "television")])
    assert found.vocabulary.classes == (("television", "tv"),)
    assert found.left_out == 3


def test_a_name_that_looks_like_the_spelling_of_another_does_not_join_by_accident() -> None:
    assert len(most_frequent({"-": 1, "--": 1, "dog": 1, "- dog": 1}).vocabulary) == 2


@pytest.mark.parametrize("asked", [{"classes": 0}, {"at_least": 0}])
def test_asking_for_nothing_is_refused(asked) -> None:
    with pytest.raises(ValueError, match="1 is the least"):
        most_frequent({"dog": 1}, **asked)


words = st.text(alphabet="ab -", min_size=1, max_size=4).map(
    lambda text: " ".join(text.split()) or "a"
)


@settled
@given(st.dictionaries(words, st.integers(1, 5), min_size=1), st.lists(st.lists(words, min_size=1)))
def test_the_order_of_names_and_of_synonyms_changes_nothing(counts, synonyms) -> None:
    items = list(counts.items())
    groups = [list(group) for group in synonyms]
    random.Random(1).shuffle(items)
    random.Random(2).shuffle(groups)
    for group in groups:
        random.Random(3).shuffle(group)
    shuffled = most_frequent(dict(items), classes=3, synonyms=groups)
    assert shuffled == most_frequent(counts, classes=3, synonyms=synonyms)


@settled
@given(st.dictionaries(words, st.integers(1, 5), min_size=1), st.integers(1, 6))
def test_no_box_is_lost_and_every_name_kept_has_one_class(counts, classes) -> None:
    found = most_frequent(counts, classes=classes)
    assert sum(found.boxes) + found.left_out == sum(counts.values())
    assert list(found.boxes) == sorted(found.boxes, reverse=True)
    kept = [name for names in found.vocabulary.classes for name in names]
    assert len(kept) == len(set(kept))
    assert sum(found.boxes) == sum(counts[name] for name in kept)


def test_boxes_of_a_given_vocabulary() -> None:
    vocabulary = ClassVocabulary.of([["dog"], ["stop sign"]])
    found = count_classes({"stopsign": 2, "stop sign": 1, "cat": 4}, vocabulary)
    assert (found.boxes, found.left_out) == ((0, 3), 4)
