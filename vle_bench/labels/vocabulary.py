"""Class vocabularies, and the text file that holds one.

One class a line, synonyms separated by commas, the first the class's name; the
number of the line, from 0, is the label. The known files end without a newline,
so `wc -l` says 1,599 for 1,600 classes, and ours end so too: a reader that
splits at newlines must not find an empty class behind the last.
Source: data/genome/1600-400-20 of peteanderson80/bottom-up-attention.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import msgspec

from vle_bench.catalog.files import CatalogFile
from vle_bench.catalog.words import coco_words
from vle_bench.errors import Problems, needs_file
from vle_bench.labels.names import clean_name, object_name, spelling

Names = tuple[str, ...]
"""The names of one class; the first is the one that is shown."""


class ClassVocabulary(msgspec.Struct, frozen=True):
    """Classes in the order of their labels, and the ways to look one up; make it with `of`."""

    classes: tuple[Names, ...]
    by_name: Mapping[str, int]
    by_spelling: Mapping[str, int]

    @classmethod
    def of(cls, classes: Iterable[Iterable[str]]) -> ClassVocabulary:
        """A vocabulary of these classes, each given by its names.

        Raises:
            ValueError: A class without a name, or a name that stands in two classes.
        """
        listed = tuple(tuple(dict.fromkeys(names)) for names in classes)
        by_name: dict[str, int] = {}
        by_spelling: dict[str, int] = {}
        for label, names in enumerate(listed):
            if not names or not all(names):
                raise ValueError(f"class {label} has no name")
            for name in names:
                if name in by_name:
                    raise ValueError(f"{name!r} is class {by_name[name]} and class {label}")
                by_name[name] = label
                by_spelling.setdefault(spelling(name), label)
        return cls(listed, MappingProxyType(by_name), MappingProxyType(by_spelling))

    def __len__(self) -> int:
        return len(self.classes)

    def __reduce__(self) -> tuple[Callable[..., ClassVocabulary], tuple[tuple[Names, ...]]]:
        # The look-ups are read-only views, which nothing pickles; spawned workers make their own.
        return ClassVocabulary.of, (self.classes,)

    def name(self, label: int) -> str:
        """The name that a label is shown by."""
        return self.classes[label][0]

    def label_of(self, raw: str) -> int | None:
        """The label of a thing as an annotator named it; None where no class has that name.

        Its own name comes first, then the rules for names, then the spelling without spaces and
        hyphens (of two classes that differ in nothing else, the first).

        >>> vocabulary = ClassVocabulary.of([["stop sign"], ["television", "tv"]])
        >>> [vocabulary.label_of(raw) for raw in ("TV.", "red stopsign", "stop signs", "")]
        [1, 0, None, None]
        """
        if raw in self.by_name:
            return self.by_name[raw]
        for name in (clean_name(raw), object_name(raw).name):
            label = self.by_name.get(name, self.by_spelling.get(spelling(name)))
            if label is not None:
                return label
        return None


@cache
def coco_vocabulary() -> ClassVocabulary:
    """COCO's 80 classes by their gapless index, each with the words that mean just the same.

    >>> coco_vocabulary().label_of("sofa"), coco_vocabulary().classes[57]
    (57, ('couch', 'sofa'))
    """
    return ClassVocabulary.of((entry.name, *entry.same) for entry in coco_words().classes)


def joined(first: ClassVocabulary, second: ClassVocabulary) -> ClassVocabulary:
    """One label space of two: `first` keeps its labels, what `second` adds follows in its order.

    A class of `second` is a class of `first` where one of its names is, in any spelling; it then
    brings its other names along. Its first such name decides. No other likeness counts: plurals,
    wider and narrower words stay classes of their own.

    Args:
        first: Has precedence, e.g. `coco_vocabulary()`.
        second: E.g. the classes of Visual Genome.

    >>> both = joined(ClassVocabulary.of([["tv"], ["couch"]]),
    ...               ClassVocabulary.of([["man"], ["television", "tv"], ["couches"]]))
    >>> both.classes
    (('tv', 'television'), ('couch',), ('man',), ('couches',))
    """
    names = [list(one) for one in first.classes]
    added: list[Names] = []
    for one in second.classes:
        known = (first.by_spelling.get(spelling(name)) for name in one)
        label = next((found for found in known if found is not None), None)
        if label is None:
            added.append(one)
        else:
            names[label] += [name for name in one if name not in first.by_name]
    return ClassVocabulary.of([*names, *added])


def read_vocabulary(path: Path) -> ClassVocabulary:
    """Reads a vocabulary file; a newline at the end is allowed, an empty line is not.

    Raises:
        DataProblem: No such file, no text, or up to ten lines that are wrong.
    """
    problems = Problems()
    classes: list[Names] = []
    lines_of: dict[str, int] = {}
    for number, line in enumerate(_lines(path, "a class vocabulary"), start=1):
        names = tuple(clean_name(name) for name in line.split(","))
        if not all(names):
            problems.add(f"{path}:{number}: expected names separated by commas, found {line!r}.")
        for name in set(names) - {""}:
            if name in lines_of:
                problems.add(f"{path}:{number}: {name!r} stands on line {lines_of[name]} already.")
            lines_of.setdefault(name, number)
        classes.append(names)
    if not classes:
        problems.add(f"{path}: the file is empty, one class a line was expected.")
    problems.raise_if_any(advice="Correct the vocabulary: the number of a line is its label.")
    return ClassVocabulary.of(classes)


def read_synonyms(path: Path) -> tuple[Names, ...]:
    """Groups of names that mean the same thing, one group a line, as in Visual Genome's aliases.

    A name may stand in several groups, and empty lines are passed over: nothing hangs on the
    number of a line here.

    Raises:
        DataProblem: No such file, or no text.
    """
    lines = _lines(path, "a file of synonyms")
    groups = (tuple(filter(None, map(clean_name, line.split(",")))) for line in lines)
    return tuple(group for group in groups if group)


def vocabulary_bytes(vocabulary: ClassVocabulary) -> bytes:
    """The file's content: UTF-8, no newline at the end.

    >>> vocabulary_bytes(ClassVocabulary.of([["tv", "television"], ["dog"]])).splitlines()
    [b'tv,television', b'dog']
    """
    return "\n".join(",".join(names) for names in vocabulary.classes).encode("utf-8")


def _lines(path: Path, what: str) -> list[str]:
    text = CatalogFile(str(path), needs_file(path, what)).read_text()
    # Not splitlines: a name may hold what Unicode calls a line separator, a label must not shift.
    lines = text.removeprefix("\ufeff").removesuffix("\n").split("\n")
    return [line.removesuffix("\r") for line in lines] if lines != [""] else []
