"""Words of a caption, as the split files and the tokenised corpora spell them."""

from __future__ import annotations

import re

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_PIECE = re.compile(r"[A-Za-z0-9]+(?:'[a-z]+)?|[.,;!?]")


def caption_tokens(text: str) -> list[str]:
    """Lower-case words without punctuation, as in Karpathy's files.

    >>> caption_tokens("A person, and a dog.")
    ['a', 'person', 'and', 'a', 'dog']
    """
    return _WORD.findall(text.lower())


def spaced(text: str) -> str:
    """The text with every mark a word of its own, as Flickr30k and CC3M write it.

    >>> spaced("Two dogs, and a cat.")
    'Two dogs , and a cat .'
    """
    return " ".join(_PIECE.findall(text))
