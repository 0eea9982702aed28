"""Names as annotators write them, plurals, and the word tables behind both."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.catalog.files import user_file
from vle_bench.catalog.words import coco_words, leading_adjectives, read_coco_words
from vle_bench.errors import DataProblem
from vle_bench.labels.names import clean_name, object_name, plural, spelling

settled = settings(deadline=None, derandomize=True)
"""The same examples on every machine, however busy it is."""


@pytest.mark.parametrize(
    ("raw", "name", "attributes"),
    [
        ("Man", "man", ()),
        (" man. ", "man", ()),
        ("man.  ", "man", ()),
        ("a.m.", "a.m", ()),
        ("white cat", "cat", ("white",)),
        ("Large Black dog.", "dog", ("large", "black")),
        ("old black dog", "old black dog", ()),
        ("orange", "orange", ()),
        ("orange orange", "orange", ("orange",)),
        ("traffic light", "traffic light", ()),
        ("table,chair", "table chair", ()),
        ("two\nlines", "two lines", ()),
        ("", "", ()),
        (" . ", "", ()),
        ("...", "..", ()),
    ],
)
def test_the_rules_for_names_literally(raw, name, attributes) -> None:
    assert object_name(raw) == (name, attributes)


def test_only_one_full_stop_is_taken_off() -> None:
    assert clean_name("etc..") == "etc."


@settled
@given(st.text(max_size=30))
def test_a_cleaned_name_fits_a_line_of_a_vocabulary(raw: str) -> None:
    name = object_name(raw).name
    assert "," not in name
    assert name == " ".join(name.split())
    assert "\n" not in name


@settled
@given(st.text(alphabet="ab -", max_size=8))
def test_spelling_sees_letters_only(name: str) -> None:
    assert spelling(name) == "".join(letter for letter in name if letter in "ab")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dog", "dogs"),
        ("bus", "buses"),
        ("couch", "couches"),
        ("toothbrush", "toothbrushes"),
        ("box", "boxes"),
        ("puppy", "puppies"),
        ("boy", "boys"),
        ("police officer", "police officers"),
        ("person", "people"),
        ("baseball glove", "baseball gloves"),
        ("sheep", "sheep"),
        ("scissors", "scissors"),
        ("slice of pizza", "slices of pizza"),
        ("pair of scissors", "pairs of scissors"),
    ],
)
def test_plurals_by_rule_and_by_table(name, expected) -> None:
    assert plural(name) == expected


def test_the_adjectives_are_nineteen() -> None:
    assert len(leading_adjectives()) == 19


def test_every_word_of_the_table_names_one_class_as_the_same() -> None:
    words = [word for entry in coco_words().classes for word in (entry.name, *entry.same)]
    assert len(coco_words().classes) == 80
    assert len({spelling(word) for word in words}) >= 80


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"sofa"', '"Sofa"'), "not in lower case"),
        (('"sofa"', '"sofa", "sofa"'), "has a word twice"),
        (('"sofa"', '"couch of tv", "television"'), "the same as two classes"),
        (('"zebra crossing"', '"sofa"'), "names a class and nothing"),
        (('"zebra crossing"', '"baby blue"'), "nothing has a phrase twice"),
        (('name = "zebra"', 'name = "okapi"'), "not COCO's"),
    ],
)
def test_a_table_of_words_that_contradicts_itself_is_refused(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    from vle_bench.catalog.files import packaged_file

    text = packaged_file("labels", "coco80-words.toml").read_text()
    assert change[0] in text
    path = tmp_path / "words.toml"
    path.write_text(text.replace(*change))
    with pytest.raises(DataProblem, match=message):
        read_coco_words(user_file(path))
