"""Drawn VQA annotations and predictions of the size and the spelling of VQAv2 val.

Usage: python -m bench.vqa_data FOLDER QUESTIONS SEED. A process of its own: what a parent
holds in memory would count as its children's.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import numpy as np

QUESTIONS_OF_VAL = 214_354
ANNOTATIONS, PREDICTIONS = "annotations.json", "predictions.json"
QUESTIONS = "questions.json"
_ANNOTATORS = 10
_DISTINCT = 72_000
_PICTURES_PER_QUESTION = 40_504 / QUESTIONS_OF_VAL
_UNANIMOUS = 0.35
_AGREE = 0.6
_TYPES = ("yes/no", "number", "other")
_OPENINGS = (*(f"what {word} is" for word in "abcdefghijklmnopqrstuvwxyz"), "is", "how many")


def write_data(folder: Path, *, questions: int, seed: int) -> None:
    """Draws annotations, questions and predictions into `folder`."""
    draw = np.random.default_rng(seed)
    texts = _texts(draw)
    popular = 1 / (np.arange(1, len(texts) + 1) + 3.0) ** 0.95
    popular /= popular.sum()
    first = draw.choice(len(texts), size=questions, p=popular)
    others = draw.choice(len(texts), size=(questions, _ANNOTATORS), p=popular)
    agree = np.where(draw.random((questions, 1)) < _UNANIMOUS, 1.0, _AGREE)
    codes = np.where(draw.random((questions, _ANNOTATORS)) < agree, first[:, None], others)
    images = np.sort(draw.integers(0, int(questions * _PICTURES_PER_QUESTION) + 1, questions))
    ids = images * 1000 + np.arange(questions) % 1000 + np.arange(questions) // 1000 * 10**9
    annotations = [
        {
            "question_type": _OPENINGS[row % len(_OPENINGS)],
            "multiple_choice_answer": texts[first[row]],
            "answers": [
                {"answer": texts[code], "answer_confidence": "yes", "answer_id": number}
                for number, code in enumerate(codes[row], 1)
            ],
            "image_id": int(images[row]),
            "answer_type": _TYPES[row % len(_TYPES)],
            "question_id": int(ids[row]),
        }
        for row in range(questions)
    ]
    document = {"info": {"version": "2.0"}, "data_subtype": "val2014", "data_type": "mscoco"}
    picked = codes[np.arange(questions), draw.integers(0, _ANNOTATORS, questions)]
    predictions = [
        {"question_id": int(ids[row]), "answer": texts[picked[row]]}
        for row in draw.permutation(questions)
    ]
    encoded = msgspec.json.encode({**document, "annotations": annotations})
    (folder / ANNOTATIONS).write_bytes(encoded)
    asked = [
        {
            "image_id": row["image_id"],
            "question": f"{row['question_type']} it?",
            "question_id": row["question_id"],
        }
        for row in annotations
    ]
    (folder / QUESTIONS).write_bytes(msgspec.json.encode({**document, "questions": asked}))
    (folder / PREDICTIONS).write_bytes(msgspec.json.encode(predictions))


def _texts(draw: np.random.Generator) -> list[str]:
    """Distinct answers of one to three words, some with articles, capitals and marks."""
    syllables = [f"{head}{tail}" for head in "bcdfghjklmnprstv" for tail in "aeiou"]
    dress = ("{}", "{}", "{}", "{}", "the {}", "a {}", "{}.", "{}?", '"{}"', "1,000 {}", "{}-x")
    found: dict[str, None] = {}
    while len(found) < _DISTINCT:
        words = ["".join(draw.choice(syllables, draw.integers(1, 4))) for _ in range(1000)]
        for place in range(0, len(words) - 2, 3):
            phrase = " ".join(words[place : place + int(draw.integers(1, 4))])
            found[dress[int(draw.integers(len(dress)))].format(phrase)] = None
    return list(found)


if __name__ == "__main__":
    write_data(Path(sys.argv[1]), questions=int(sys.argv[2]), seed=int(sys.argv[3]))
