"""What a VCR question asks with, and how many objects it names.

A question is a list of tokens: a word, or the numbers of the objects that stand
in a word's place. Files in the wild write plain text as well, which names no
object by number; that is "unstated", not none.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

QUESTION_WORDS = ("what", "which", "where", "when", "why", "how", "who")
FIRST_TOKENS = 3
"""Where a question word is looked for: "At what ...", "And then why ..."."""
OTHER = "other"
UNSTATED = -1
"""Objects named in a question that is not written in tokens."""

_WORD_OF = {**{word: word for word in QUESTION_WORDS}, "whom": "who", "whose": "who"}


def question_word(question: Any) -> str:
    """The first question word among the first three tokens, `other` without one.

    Args:
        question: Tokens (a word, or a list of object numbers) or plain text; anything else
            states nothing and gives "".

    >>> question_word(["Why", "is", [0], "here", "?"]), question_word(["Is", [0], "here", "?"])
    ('why', 'other')
    """
    tokens = question.split() if type(question) is str else question
    if type(tokens) is not list or not tokens:
        return ""
    for token in tokens[:FIRST_TOKENS]:
        if type(token) is str and (word := _word(token)):
            return word
    return OTHER


@lru_cache(maxsize=4096)
def _word(token: str) -> str:
    return _WORD_OF.get(token.lower().partition("'")[0].rstrip("?,"), "")


def objects_named(question: Any) -> int:
    """How many different objects the question's tokens name; `UNSTATED` where it is no tokens.

    >>> objects_named(["Are", [0, 1], "older", "than", [1], "?"]), objects_named("Who is it?")
    (2, -1)
    """
    if type(question) is not list or not question:
        return UNSTATED
    objects: set[int] = set()
    for token in question:
        if type(token) is str:
            continue
        # A tag is a list of numbers, or one number; whatever else is there names no object.
        for number in token if type(token) is list else (token,):
            if type(number) is int:
                objects.add(number)
    return len(objects)
