"""VCR's token lists: words, and lists of object numbers where people are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Token = str | list[int]


def tokens(template: str, tags: Mapping[str, Sequence[int]]) -> list[Token]:
    """A template as VCR stores it.

    >>> tokens("Where are {ab} ?", {"{ab}": [0, 2]})
    ['Where', 'are', [0, 2], '?']
    """
    return [list(tags[word]) if word in tags else word for word in template.split()]


def original(template: str, tags: Mapping[str, Sequence[int]]) -> str:
    """The sentence as the annotator wrote it: objects counted from 1, marks close up.

    >>> original("Where are {ab} , now ?", {"{ab}": [0, 2]})
    'Where are 1 and 3, now?'
    """
    words = [
        " and ".join(str(tag + 1) for tag in tags[word]) if word in tags else word
        for word in template.split()
    ]
    text = " ".join(words)
    for mark in ",.?":
        text = text.replace(f" {mark}", mark)
    return text
