"""Class vocabularies. COCO's category ids have gaps: 80 classes, ids 1 to 90.

Models want positions without gaps, so every class also has `index`, its place
among the sorted ids. VCR writes the same names without their spaces
("cellphone"); `CocoClasses.by_name` finds both spellings.
Source: the `categories` of COCO's instances files.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import msgspec

from vle_bench.catalog.files import CatalogFile, packaged_file
from vle_bench.catalog.strict_toml import read_toml


class CocoClass(msgspec.Struct, frozen=True):
    """One class: `index` without gaps from 0, `id` as COCO numbers it."""

    index: int
    id: int
    name: str
    supercategory: str


class _ClassFile(msgspec.Struct, frozen=True):
    source: str
    classes: tuple[CocoClass, ...]

    def __post_init__(self) -> None:
        if [entry.index for entry in self.classes] != list(range(len(self.classes))):
            raise ValueError("the indexes do not count up from 0")
        ids = [entry.id for entry in self.classes]
        if ids != sorted(set(ids)):
            raise ValueError("the ids do not rise")
        spellings = {_spelling(entry.name) for entry in self.classes}
        if len(spellings) != len(self.classes):
            raise ValueError("a name stands twice")


class CocoClasses(msgspec.Struct, frozen=True):
    """The classes in the order of their indexes, and the ways to look one up."""

    classes: tuple[CocoClass, ...]
    by_id: Mapping[int, CocoClass]
    spellings: Mapping[str, CocoClass]

    def by_name(self, name: str) -> CocoClass | None:
        """The class called `name`; case and spaces do not matter; None where there is none.

        >>> coco_classes().by_name("pottedplant").id
        64
        """
        return self.spellings.get(_spelling(name))


@cache
def coco_classes() -> CocoClasses:
    """COCO's 80 object classes.

    >>> coco_classes().by_id[90].name, coco_classes().by_id[90].index
    ('toothbrush', 79)
    """
    return read_classes(packaged_file("labels", "coco80.toml"))


def read_classes(file: CatalogFile) -> CocoClasses:
    """Reads a class file; indexes must count up from 0, ids rise, names differ.

    Raises:
        DataProblem: the file is not of that form.
    """
    classes = read_toml(file, _ClassFile).record.classes
    return CocoClasses(
        classes=classes,
        by_id=MappingProxyType({entry.id: entry for entry in classes}),
        spellings=MappingProxyType({_spelling(entry.name): entry for entry in classes}),
    )


def _spelling(name: str) -> str:
    return name.replace(" ", "").lower()
