"""Small invented VQA files, and the official rule written a second time, slowly.

The slow rule shares no code with the package: dictionaries are compared as the
official program compares them, answers are normalised character by character.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vle_bench.catalog.contractions import contractions


def question(
    question_id: object, answers: Sequence[str], *, ids: bool = True, **more: object
) -> dict[str, Any]:
    """One annotation as official files have it; the picture is the id without three digits."""
    made = [
        {"answer": answer, "answer_confidence": "yes", "answer_id": number}
        for number, answer in enumerate(answers, 1)
    ]
    if not ids:
        for answer in made:
            del answer["answer_id"]
    return {
        "question_id": question_id,
        "image_id": int(str(question_id)) // 1000 if str(question_id).isdigit() else 1,
        "question_type": "what is",
        "answer_type": "other",
        "answers": made,
        **more,
    }


def annotation_file(path: Path, questions: Sequence[dict[str, Any]], **more: object) -> Path:
    document = {
        "info": {"version": "2.0"},
        "data_type": "mscoco",
        "data_subtype": "valtiny",
        "annotations": list(questions),
        **more,
    }
    return write(path, document)


def prediction_file(path: Path, answers: dict[Any, Any]) -> Path:
    return write(path, [{"question_id": key, "answer": text} for key, text in answers.items()])


def write(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


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


def _slow_mmf(text: str) -> str:
    text = "".join(character for character in text.lower() if character not in ",?")
    text = " 's".join(text.split("'s"))
    return _slow_words(_slow_marks(_slow_strip(text.strip())))


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
