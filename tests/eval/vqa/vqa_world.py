"""Small invented VQA files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


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
