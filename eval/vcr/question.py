"""What a VCR question asks with, and how many objects it names.

A question is a list of tokens: a word, or the numbers of the objects that stand
in a word's place. Files in the wild write plain text as well, which names no
object by number; that is "unstated", not none.
"""

from __future__ import annotations

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
    tokens = question.split() if isinstance(question, str) else question
    if not isinstance(tokens, list) or not tokens:
        return ""
    for token in tokens[:FIRST_TOKENS]:
        if isinstance(token, str):
            word = _WORD_OF.get(token.lower().partition("'")[0].rstrip("?,"))
            if word:
                return word
    return OTHER


def objects_named(question: Any) -> int:
    """How many different objects the question's tokens name; -1 where it is not in tokens.

    >>> objects_named(["Are", [0, 1], "older", "than", [1], "?"]), objects_named("Who is it?")
    (2, -1)
    """
    if not isinstance(question, list) or not question:
        return UNSTATED
    named: set[int] = set()
    for token in question:
        if type(token) is list:
            named.update(one for one in token if type(one) is int)
        elif type(token) is int:
            named.add(token)
    return len(named)
