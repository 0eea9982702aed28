"""Which classes a sentence names: by the words of its classes, longest phrase first.

"A man eats a hot dog" names person and hot dog, and no dog. The words are those
of the vocabulary and, for COCO's classes, our own table of synonyms and
narrower words, in singular and plural. It is a table and no parser ("an orange
cat" names an orange), which is enough for its use: a named class counts only
where the picture has a box of it. Words end at spaces and signs, so a Chinese
caption, written without any, names nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import msgspec

from vle_bench.catalog.words import coco_words
from vle_bench.labels.names import plural
from vle_bench.labels.vocabulary import ClassVocabulary

Words = tuple[str, ...]

_POSSESSIVE = re.compile(r"['\N{RIGHT SINGLE QUOTATION MARK}]s\b")
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> Words:
    """Lower-case words; hyphens part words, a possessive "'s" is none.

    >>> words_of("A man's T-shirt, and 2 dogs.")
    ('a', 'man', 't', 'shirt', 'and', '2', 'dogs')
    """
    return tuple(_WORD.findall(_POSSESSIVE.sub("", text.lower())))


class MentionFinder(msgspec.Struct, frozen=True):
    """Finds class labels in sentences; make it with `mention_finder`.

    Attributes:
        phrases: Words to the labels they name; none for a phrase that only looks like a name.
        longest: Words of the longest phrase.
    """

    phrases: Mapping[Words, frozenset[int]]
    longest: int

    def __reduce__(self) -> tuple[Callable[..., MentionFinder], tuple[dict[Words, frozenset[int]]]]:
        # A read-only view cannot be pickled; spawned workers make their own.
        return _finder, (dict(self.phrases),)

    def labels_in(self, text: str) -> frozenset[int]:
        """The labels that `text` names; where phrases overlap, the longest from the left.

        >>> from vle_bench.labels.vocabulary import coco_vocabulary
        >>> finder, names = mention_finder(coco_vocabulary()), coco_vocabulary().name
        >>> sorted(map(names, finder.labels_in("Two men eat hot-dogs at a bus stop")))
        ['hot dog', 'person']
        """
        words = words_of(text)
        found: set[int] = set()
        at = 0
        while at < len(words):
            for length in range(min(self.longest, len(words) - at), 0, -1):
                labels = self.phrases.get(words[at : at + length])
                if labels is not None:
                    found |= labels
                    at += length
                    break
            else:
                at += 1
        return frozenset(found)


def mention_finder(vocabulary: ClassVocabulary) -> MentionFinder:
    """A finder for the classes of `vocabulary`, with our words for those that COCO has too.

    A word may name several classes: "man" is a person to COCO and a class of its own to Visual
    Genome.
    """
    table = coco_words()
    phrases: dict[Words, set[int]] = {}
    for label, names in enumerate(vocabulary.classes):
        _enter(phrases, names, {label})
    for entry in table.classes:
        known = vocabulary.label_of(entry.name)
        if known is not None:
            _enter(phrases, (*entry.same, *entry.also), {known})
    for phrase in table.nothing:  # as written: "a bus stops" is about a bus
        phrases.setdefault(words_of(phrase), set())
    return _finder({words: frozenset(labels) for words, labels in phrases.items()})


def _finder(phrases: dict[Words, frozenset[int]]) -> MentionFinder:
    return MentionFinder(MappingProxyType(phrases), max(map(len, phrases), default=0))


def _enter(phrases: dict[Words, set[int]], names: Iterable[str], labels: set[int]) -> None:
    for name in names:
        for form in (name, plural(name)):
            if words := words_of(form):
                phrases.setdefault(words, set()).update(labels)
