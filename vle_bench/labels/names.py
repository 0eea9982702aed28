"""Names of things as annotators wrote them, to the names that classes have.

Visual Genome's names are free text: "Man", "man." and "tall man" are one thing.
The rules are those that made the 1,600 classes of bottom-up-attention, so a
class file of theirs fits names that were cleaned here. One addition: a comma,
which separates synonyms in such a file, counts as a space.
Source: data/genome/setup_vg.py of peteanderson80/bottom-up-attention (commit 1ba7086f).
"""

from __future__ import annotations

from typing import NamedTuple

from vle_bench.catalog.words import irregular_plurals, leading_adjectives

_HISSING = ("s", "x", "z", "ch", "sh")
_VOWELS = frozenset("aeiou")


class ObjectName(NamedTuple):
    """A thing and the attributes that stood in front of it; no thing is ""."""

    name: str
    attributes: tuple[str, ...]


def clean_name(raw: str) -> str:
    """Lower case, single spaces, without one full stop at the end.

    >>> clean_name(" Stop  Sign. ")
    'stop sign'
    """
    name = " ".join(raw.lower().replace(",", " ").split())
    return name.removesuffix(".").rstrip()


def object_name(raw: str) -> ObjectName:
    """The thing that `raw` names; adjectives in front become attributes if they are all known.

    >>> object_name("Tall white Building.")
    ObjectName(name='building', attributes=('tall', 'white'))
    >>> object_name("old white building").name
    'old white building'
    """
    name = clean_name(raw)
    *leading, last = name.split() or [""]
    if leading and all(word in leading_adjectives() for word in leading):
        return ObjectName(last, tuple(leading))
    return ObjectName(name, ())


def spelling(name: str) -> str:
    """What two spellings of a name have in common: its letters without spaces and hyphens.

    >>> spelling("t-shirt") == spelling("t shirt") == spelling("tshirt")
    True
    """
    return name.replace(" ", "").replace("-", "").lower()


def plural(name: str) -> str:
    """The plural of a name: of its last word, or of the word before "of".

    >>> [plural(name) for name in ("wine glass", "teddy", "knife", "cup of coffee", "ski")]
    ['wine glasses', 'teddies', 'knives', 'cups of coffee', 'skis']
    """
    words = name.split(" ")
    head = words.index("of") - 1 if "of" in words[1:] else len(words) - 1
    words[head] = _plural_word(words[head])
    return " ".join(words)


def _plural_word(word: str) -> str:
    irregular = irregular_plurals().get(word)
    if irregular is not None:
        return irregular
    if word.endswith(_HISSING):
        return f"{word}es"
    if word.endswith("y") and word[-2:-1] not in _VOWELS:
        return f"{word[:-1]}ies"
    return f"{word}s"
