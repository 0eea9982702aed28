"""Drawn VCR references of the size of val, and scores of every choice in three forms.

Usage: python -m bench.vcr_data FOLDER QUESTIONS SEED. A process of its own: what a parent
holds in memory would count as its children's. Keys, tokens and tags are as in the official
`val.jsonl`, 51 MB of them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from vle_bench.eval.submit.vcr import COLUMNS

QUESTIONS_OF_VAL = 26_534
REFERENCES, ANSWERS, REASONS, TABLE = "val.jsonl", "q2a.npy", "qa2r.npy", "leaderboard.csv"
_QUESTIONS_PER_PICTURE = 3
_CHOICES = 4
_WORDS = tuple(f"word{number}" for number in range(3000))
_OPENINGS = ("What", "Why", "How", "Where", "Is", "Who", "Which", "Will")
_LIKELIHOODS = ("likely", "possible", "unlikely")
_BONUS = 0.5


def write_data(folder: Path, *, questions: int, seed: int) -> None:
    """Draws references and scores into `folder`."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, _CHOICES, (questions, 2))
    with (folder / REFERENCES).open("wb") as stream:
        for number, (answer, reason) in enumerate(labels.tolist()):
            line = _line(draw, number, answer=answer, reason=reason)
            stream.write(msgspec.json.encode(line) + b"\n")
    scores = draw.random((questions, 1 + _CHOICES, _CHOICES))
    rows = np.arange(questions)
    scores[rows, 0, labels[:, 0]] += _BONUS
    scores[rows, 1 + labels[:, 0], labels[:, 1]] += _BONUS
    np.save(folder / ANSWERS, scores[:, 0])
    np.save(folder / REASONS, scores[rows, 1 + labels[:, 0]])
    with (folder / TABLE).open("w", encoding="utf-8") as table:
        table.write(",".join(COLUMNS) + "\n")
        for number, row in enumerate(scores.reshape(questions, -1).tolist()):
            table.write(f"val-{number},{','.join(map(repr, row))}\n")


def _line(draw: np.random.Generator, number: int, *, answer: int, reason: int) -> dict[str, Any]:
    picture = number // _QUESTIONS_PER_PICTURE
    movie = f"movie_{picture % 2000}"
    return {
        "movie": movie,
        "objects": ["person"] * int(draw.integers(2, 8)),
        "interesting_scores": [0],
        "answer_likelihood": _LIKELIHOODS[int(draw.integers(len(_LIKELIHOODS)))],
        "img_fn": f"{movie}/{picture}@0.jpg",
        "metadata_fn": f"{movie}/{picture}@0.json",
        "question_orig": "word " * 7,
        "answer_orig": "word " * 8,
        "rationale_orig": "word " * 16,
        "question": [_OPENINGS[int(draw.integers(len(_OPENINGS)))], *_tokens(draw, 7)],
        "answer_choices": [_tokens(draw, 8) for _ in range(_CHOICES)],
        "answer_label": answer,
        "answer_match_iter": [0, 3, 2, 1],
        "answer_sources": [1, 2, 3, 4],
        "rationale_choices": [_tokens(draw, 17) for _ in range(_CHOICES)],
        "rationale_label": reason,
        "rationale_match_iter": [0, 1, 2, 3],
        "rationale_sources": [1, 2, 3, 4],
        "img_id": f"val-{picture}",
        "question_number": number % _QUESTIONS_PER_PICTURE,
        "annot_id": f"val-{number}",
        "match_fold": "val-0",
        "match_index": number,
    }


def _tokens(draw: np.random.Generator, count: int) -> list[Any]:
    """Words, one of which is a tag of one or two objects."""
    tokens: list[Any] = [_WORDS[at] for at in draw.integers(0, len(_WORDS), count).tolist()]
    tags = draw.integers(0, _CHOICES, int(draw.integers(1, 3))).tolist()
    tokens[int(draw.integers(count))] = tags
    return tokens


if __name__ == "__main__":
    write_data(Path(sys.argv[1]), questions=int(sys.argv[2]), seed=int(sys.argv[3]))
