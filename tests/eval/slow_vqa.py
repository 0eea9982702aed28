"""The official rule of VQA and its dialects written a second time, slowly.

It shares no code with the package: dictionaries are compared as the official program compares
them, answers are normalised character by character, each text once.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache
from typing import Any

from vle_bench.catalog.contractions import contractions


def slow_score(annotation: dict[str, Any], prediction: str, protocol: str) -> float:
    """One question's accuracy, from 0 to 1, under a protocol without vocabulary."""
    gold = [dict(answer) for answer in annotation["answers"]]
    for number, answer in enumerate(gold):
        answer.setdefault("answer_id", f"by index {number}")
    if protocol == "lavis":
        prediction = _slow_words(_slow_marks(_slow_strip(prediction)))
        if len({answer["answer"] for answer in gold}) > 1:
            for answer in gold:
                answer["answer"] = _slow_marks(answer["answer"])
    elif protocol == "mmf":
        for answer in gold:
            answer["answer"] = _slow_mmf(answer["answer"])
        prediction = _slow_mmf(prediction)
    else:
        for answer in gold:
            answer["answer"] = _slow_strip(answer["answer"])
        prediction = _slow_strip(prediction)
        if protocol == "always" or len({answer["answer"] for answer in gold}) > 1:
            for answer in gold:
                answer["answer"] = _slow_words(_slow_marks(answer["answer"]))
            prediction = _slow_words(_slow_marks(prediction))
    if protocol == "simple":
        return min(1.0, sum(answer["answer"] == prediction for answer in gold) / 3)
    total = 0.0
    for left_out in gold:
        others = [answer for answer in gold if answer != left_out]
        same = [answer for answer in others if answer["answer"] == prediction]
        total = total + min(1, float(len(same)) / 3)
    return total / len(gold)


def slow_soft_score(
    annotation: dict[str, Any], prediction: str, vocabulary: Sequence[str], *, normalised: bool
) -> float | None:
    """The soft target of the predicted label; None for a question without target."""
    texts = [answer["answer"] for answer in annotation["answers"]]
    if normalised:
        texts = [_slow_words(_slow_marks(_slow_strip(text))) for text in texts]
    targets = {
        text: {1: 0.3, 2: 0.6, 3: 0.9}.get(texts.count(text), 1.0)
        for text in texts
        if text in vocabulary
    }
    return targets.get(prediction, 0.0) if targets else None


def _slow_strip(text: str) -> str:
    return "".join(" " if character in "\n\t" else character for character in text).strip()


@cache
def _slow_marks(text: str) -> str:
    comma = any(
        text[at] == "," and text[at - 1].isdecimal() and text[at + 1].isdecimal()
        for at in range(1, len(text) - 1)
    )
    out = list(text)
    for mark in ';/[]"{}()=+\\_-><@`,?!':
        gone = comma or any(pair in ((mark, " "), (" ", mark)) for pair in itertools.pairwise(text))
        new = "" if gone else " "
        out = [new if piece == mark else piece for piece in out]
    joined = "".join(out)
    kept: list[str] = []
    periods = 0
    for at, character in enumerate(joined):
        followed = joined[at + 1 : at + 2].isdecimal()
        if character == "." and not followed and periods < 32:
            periods += 1
            continue
        kept.append(character)
    return "".join(kept)


@cache
def _slow_mmf(text: str) -> str:
    text = "".join(character for character in text.lower() if character not in ",?")
    text = " 's".join(text.split("'s"))
    return _slow_words(_slow_marks(_slow_strip(text.strip())))


@cache
def _slow_words(text: str) -> str:
    numbers = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
    ]
    words: list[str] = []
    for word in text.lower().split():
        if word == "none":
            word = "0"
        if word in numbers:
            word = str(numbers.index(word))
        if word not in ("a", "an", "the"):
            words.append(contractions().get(word, word))
    return " ".join(words)
