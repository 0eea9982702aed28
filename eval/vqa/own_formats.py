"""The annotation files of TextVQA and VizWiz as their makers publish them.

Neither is in the VQA format. TextVQA calls its list `data` and writes answers as
plain texts. VizWiz is a bare list without ids: it asks one question a picture,
so the picture's name is the id, in predictions too. Both hold the questions'
texts, and no answer has an id, so one is left out by index.
Sources: https://textvqa.org/dataset, https://vizwiz.org/tasks-and-datasets/vqa/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from vle_bench.eval.vqa.gold import Annotation, AnnotatorAnswer
from vle_bench.inputs.json_stream import JsonStream

TEXTVQA, VIZWIZ = "textvqa", "vizwiz"
TEXTVQA_LIST = "data"

_SPLIT_OF_PICTURE = re.compile(r"VizWiz_(train|val|test)_[0-9]+\.[a-z]+")


class _TextVqaQuestion(msgspec.Struct, frozen=True, gc=False):
    question_id: int | str
    image_id: int | str
    question: str
    answers: list[str]


class _VizWizQuestion(msgspec.Struct, frozen=True, gc=False):
    image: str
    question: str
    answers: list[AnnotatorAnswer]
    answer_type: str = ""


class Questions(NamedTuple):
    """Some questions in the VQA format, and what they ask."""

    annotations: list[Annotation]
    texts: list[str]


def textvqa_questions(stream: JsonStream) -> Iterator[Questions]:
    """The questions of a TextVQA file, a window at a time.

    Raises:
        DataProblem: Broken JSON, or questions of another shape.
    """
    expected = 'TextVQA\'s {"data": [{"question_id", "image_id", "question", "answers": ["..."]}]}'
    for rows in stream.rows(TEXTVQA_LIST, _TextVqaQuestion, expected=expected):
        yield Questions(
            [
                Annotation(
                    question_id=row.question_id,
                    image_id=row.image_id,
                    answers=list(map(AnnotatorAnswer, row.answers)),
                )
                for row in rows
            ],
            [row.question for row in rows],
        )


def vizwiz_questions(stream: JsonStream, *, expected: str) -> Iterator[Questions]:
    """The questions of a VizWiz file, a window at a time.

    Args:
        stream: A document that is a list.
        expected: What a list that is no VizWiz should have been.

    Raises:
        DataProblem: Broken JSON, or questions of another shape.
    """
    own = f'{expected}, or VizWiz\'s [{{"image", "question", "answers": [{{"answer"}}]}}]'
    for rows in stream.rows("", _VizWizQuestion, expected=own):
        yield Questions(
            [
                Annotation(
                    question_id=row.image,
                    image_id=row.image,
                    answers=row.answers,
                    answer_type=row.answer_type,
                )
                for row in rows
            ],
            [row.question for row in rows],
        )


def vizwiz_split(pictures: Sequence[str]) -> str:
    """The split that all pictures are named after; "" where they do not agree.

    >>> vizwiz_split(["VizWiz_val_00000000.jpg", "VizWiz_val_00000001.jpg"])
    'val'
    """
    names = {match and match[1] for match in map(_SPLIT_OF_PICTURE.fullmatch, pictures)}
    return (names.pop() or "") if len(names) == 1 else ""
