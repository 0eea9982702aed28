"""The 65 question types of VQA: the longest prefix a question begins with.

The list is the one of the official evaluation code (GT-Vision-Lab/VQA,
QuestionTypes/mscoco_question_types.txt, commit a013f004); "none of the above"
is its catch-all.
"""

from __future__ import annotations

NO_TYPE = "none of the above"

PREFIXES = (
    "how many", "is the", "what", "what color is the", "what is the", "is this", "is this a",
    "what is", "are the", "what kind of", "is there a", "what type of", "is it", "what are the",
    "where is the", "is there", "does the", "what color are the", "are these", "are there",
    "which", "is", "what is the man", "is the man", "are", "how", "does this", "what is on the",
    "what does the", "how many people are", "what is in the", "what is this", "do", "what are",
    "are they", "what time", "what sport is", "are there any", "is he", "what color is", "why",
    "where are the", "what color", "who is", "what animal is", "is the woman", "is this an",
    "do you", "how many people are in", "what room is", "has", "is this person",
    "what is the woman", "can you", "why is the", "is the person", "what is the color of the",
    "what is the person", "could", "was", "is that a", "what number is", "what is the name",
    "what brand",
)  # fmt: skip

_LONGEST_FIRST = tuple(sorted(PREFIXES, key=lambda prefix: (-len(prefix.split()), prefix)))


def question_type(question: str) -> str:
    """The type of a question; whole words only.

    >>> question_type("What color is the car?"), question_type("Isn't it night?")
    ('what color is the', 'none of the above')
    """
    words = question.lower().rstrip("?. ").split()
    for prefix in _LONGEST_FIRST:
        expected = prefix.split()
        if words[: len(expected)] == expected:
            return prefix
    return NO_TYPE
