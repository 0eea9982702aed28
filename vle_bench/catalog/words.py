"""Word tables for class names: what COCO's classes are called, plurals, leading adjectives.

`same` words join two label spaces; `also` words only find boxes for a caption,
because they say less or more than the class ("man" is a person, but Visual
Genome has a class "man"). All three are data in `manifests/labels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from vle_bench.catalog.files import CatalogFile, packaged_file
from vle_bench.catalog.labels import coco_classes
from vle_bench.catalog.strict_toml import read_toml


class ClassWords(msgspec.Struct, frozen=True):
    """What one class is called: `same` is that very class, `also` may be more or less than it."""

    name: str
    same: tuple[str, ...]
    also: tuple[str, ...]

    def __post_init__(self) -> None:
        words = (self.name, *self.same, *self.also)
        if len(set(words)) != len(words):
            raise ValueError(f"{self.name} has a word twice")
        _expect_clean(words)


class CocoWords(msgspec.Struct, frozen=True):
    """The words of all classes, in their order, and phrases that name none of them."""

    source: str
    nothing: tuple[str, ...]
    classes: tuple[ClassWords, ...]

    def __post_init__(self) -> None:
        _expect_clean(self.nothing)
        if len(set(self.nothing)) != len(self.nothing):
            raise ValueError("nothing has a phrase twice")
        if [entry.name for entry in self.classes] != [one.name for one in coco_classes().classes]:
            raise ValueError("the classes are not COCO's, in COCO's order")
        same = [word for entry in self.classes for word in (entry.name, *entry.same)]
        if len(set(same)) != len(same):
            raise ValueError("a word is the same as two classes")
        also = {word for entry in self.classes for word in entry.also}
        if both := {*same, *also} & set(self.nothing):
            raise ValueError(f"{min(both)} names a class and nothing")


class _PluralFile(msgspec.Struct, frozen=True):
    source: str
    plurals: Mapping[str, str]


class _AdjectiveFile(msgspec.Struct, frozen=True):
    source: str
    words: tuple[str, ...]


@cache
def coco_words() -> CocoWords:
    """The words for COCO's 80 classes.

    >>> coco_words().classes[57].name, coco_words().classes[57].same
    ('couch', ('sofa',))
    """
    return read_coco_words(packaged_file("labels", "coco80-words.toml"))


def read_coco_words(file: CatalogFile) -> CocoWords:
    """Reads a table of words; `DataProblem` where it is not of that form."""
    return read_toml(file, CocoWords).record


@cache
def irregular_plurals() -> Mapping[str, str]:
    """Singular to plural where no rule of spelling leads there.

    >>> irregular_plurals()["knife"]
    'knives'
    """
    return read_toml(packaged_file("labels", "plurals.toml"), _PluralFile).record.plurals


@cache
def leading_adjectives() -> frozenset[str]:
    """Words in front of a thing that are its attributes; bottom-up-attention's 19.

    >>> len(leading_adjectives()), "wooden" in leading_adjectives()
    (19, True)
    """
    file = packaged_file("labels", "leading-adjectives.toml")
    return frozenset(read_toml(file, _AdjectiveFile).record.words)


def _expect_clean(words: tuple[str, ...]) -> None:
    for word in words:
        if word != " ".join(word.lower().split()) or not word:
            raise ValueError(f"{word!r} is not in lower case with single spaces")
