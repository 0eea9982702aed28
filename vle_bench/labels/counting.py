"""A class vocabulary from the data itself: the most frequent names of its objects.

Spellings that differ in spaces and hyphens only are one class, as are names
that a file of synonyms joins; the most frequent name of a class is its name.
Ties go by the alphabet, so the same boxes in any order give the same classes.
The 1,600 classes of bottom-up-attention are not reproduced by this: their program
keeps 2,500 and how they became 1,600 is not published. Their file can be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from vle_bench.labels.names import object_name, spelling
from vle_bench.labels.vocabulary import ClassVocabulary, Names
from vle_bench.records import Sample

DEFAULT_CLASSES = 1600


class NameCounts(msgspec.Struct, frozen=True):
    """How often things are named: per name, all object boxes, and those without a name."""

    names: Mapping[str, int]
    boxes: int
    nameless: int


class CountedVocabulary(msgspec.Struct, frozen=True):
    """A vocabulary, the boxes of each class, and the boxes whose name has no class."""

    vocabulary: ClassVocabulary
    boxes: tuple[int, ...]
    left_out: int


def count_names(samples: Iterable[Sample]) -> NameCounts:
    """Counts the names of object boxes; crowds and regions are no single things.

    Args:
        samples: For example of `vle_bench.shards.read.iter_samples`; read once.
    """
    raw: Counter[str] = Counter()
    for sample in samples:
        raw.update(box.label for box in sample.boxes if box.kind == "object")
    names: Counter[str] = Counter()
    for label, count in raw.items():
        names[object_name(label).name] += count
    nameless = names.pop("", 0)
    return NameCounts(MappingProxyType(names), raw.total(), nameless)


def most_frequent(
    counts: Mapping[str, int],
    *,
    classes: int = DEFAULT_CLASSES,
    at_least: int = 1,
    synonyms: Iterable[Sequence[str]] = (),
) -> CountedVocabulary:
    """The classes with the most boxes, the largest first.

    Args:
        counts: Boxes of each cleaned name.
        classes: How many classes at most.
        at_least: Boxes that a class needs.
        synonyms: Groups of names that are one class; names that never occur are passed over.

    Raises:
        ValueError: Fewer than one class or box asked for.

    >>> found = most_frequent({"dog": 4, "tshirt": 1, "t-shirt": 2, "cat": 3}, classes=2)
    >>> found.vocabulary.classes, found.boxes, found.left_out
    ((('dog',), ('cat',)), (4, 3), 3)
    """
    if classes < 1 or at_least < 1:
        raise ValueError(f"{classes} classes of {at_least} boxes asked for, 1 is the least")
    groups = [_by_frequency(group, counts) for group in _groups(counts, synonyms)]
    totals = {group: sum(counts[name] for name in group) for group in groups}
    ranked = sorted(groups, key=lambda group: (-totals[group], group[0]))
    kept = [group for group in ranked if totals[group] >= at_least][:classes]
    boxes = tuple(totals[group] for group in kept)
    return CountedVocabulary(
        vocabulary=ClassVocabulary.of(kept),
        boxes=boxes,
        left_out=sum(counts.values()) - sum(boxes),
    )


def count_classes(counts: Mapping[str, int], vocabulary: ClassVocabulary) -> CountedVocabulary:
    """How many boxes each class of a given vocabulary has.

    >>> count_classes({"telly": 2, "tv": 3}, ClassVocabulary.of([["dog"], ["tv"]])).boxes
    (0, 3)
    """
    boxes = [0] * len(vocabulary)
    left_out = 0
    for name, count in counts.items():
        label = vocabulary.label_of(name)
        if label is None:
            left_out += count
        else:
            boxes[label] += count
    return CountedVocabulary(vocabulary, tuple(boxes), left_out)


def _by_frequency(group: Iterable[str], counts: Mapping[str, int]) -> Names:
    return tuple(sorted(group, key=lambda name: (-counts[name], name)))


def _groups(counts: Mapping[str, int], synonyms: Iterable[Sequence[str]]) -> list[list[str]]:
    """Names that are one class: joined by spelling and by synonyms, over any number of steps."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while (above := leader.setdefault(name, name)) != name:
            leader[name] = leader[above]
            name = above
        return name

    spelt: dict[str, str] = {}
    for name in counts:
        leader[find(name)] = find(spelt.setdefault(spelling(name), name))
    for group in synonyms:
        for name in group[1:]:
            leader[find(name)] = find(group[0])
    together: dict[str, list[str]] = {}
    for name in counts:
        together.setdefault(find(name), []).append(name)
    return list(together.values())
