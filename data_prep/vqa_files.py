"""The questions and annotations files of VQA, and everything that can be odd in them.

An id that comes twice, an annotation of a question nobody asked, a question
nobody answered: each is named in the books and none ends the run. The answers
of a question stay as they lie in the file until its sample is drafted; four
million of them as objects would take a gigabyte.
Format: https://visualqa.org/vqa_v2_format.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from vle_bench.data_prep.books import (
    DUPLICATE,
    NO_ANNOTATION,
    NO_NUMBER_ID,
    NO_QUESTION,
    Books,
)
from vle_bench.data_prep.sources import Document
from vle_bench.errors import DataProblem
from vle_bench.identity import Identity, number_of
from vle_bench.records import NO_NUMBER, Answer

NOT_IN_TEST = "test-dev question that test does not have"
OTHER_IMAGE = "annotation names another image than its question"

_QUESTIONS = "VQA questions: {questions: [{question_id, image_id, question}]}"
_ANNOTATIONS = "VQA annotations: {annotations: [{question_id, image_id, answers}]}"


class QuestionRow(msgspec.Struct, frozen=True, gc=False):
    """One of `questions`."""

    question_id: Identity
    image_id: Identity
    question: str


class AnnotationRow(msgspec.Struct, frozen=True):
    """One of `annotations`; `answers` is still JSON."""

    question_id: Identity
    image_id: Identity
    answers: msgspec.Raw
    question_type: str = ""
    answer_type: str = ""
    multiple_choice_answer: str = ""


class Asked(NamedTuple):
    """A question and the image it is about."""

    image: int
    text: str


class _QuestionFile(msgspec.Struct):
    questions: list[QuestionRow]


class _AnnotationFile(msgspec.Struct):
    annotations: list[AnnotationRow]


class _MainAnswerRow(msgspec.Struct, frozen=True, gc=False):
    question_id: Identity
    multiple_choice_answer: str = ""


class _MainAnswerFile(msgspec.Struct):
    annotations: list[_MainAnswerRow]


class _AnswerRow(msgspec.Struct, frozen=True, gc=False):
    answer: str
    answer_confidence: str = ""
    answer_id: int = NO_NUMBER


_ANSWERS = msgspec.json.Decoder(list[_AnswerRow])


def read_questions(document: Document, books: Books) -> dict[int, Asked]:
    """The questions by id, in the order of the file; repeated and unusable ids go to the books."""
    asked: dict[int, Asked] = {}
    for row in document.decoded(_QuestionFile, _QUESTIONS).questions:
        books.read["question"] += 1
        question, image = number_of(row.question_id), number_of(row.image_id)
        if question is None or image is None:
            _skip(row, NO_NUMBER_ID, books)
        elif question in asked:
            _skip(row, DUPLICATE, books)
        else:
            asked[question] = Asked(image, row.question)
    return asked


def read_annotations(
    document: Document, asked: Mapping[int, Asked], books: Books
) -> dict[int, AnnotationRow]:
    """The annotation of each question that has a sound one; the books name every other case."""
    found: dict[int, AnnotationRow] = {}
    for row in document.decoded(_AnnotationFile, _ANNOTATIONS).annotations:
        question = number_of(row.question_id)
        if question is not None and question in asked and question not in found:
            found[question] = row
            continue
        books.read["question"] += 1
        _skip(row, DUPLICATE if question in found else NO_QUESTION, books)
    for question, (image, _) in asked.items():
        if question not in found:
            books.skip("question", str(question), str(image), NO_ANNOTATION)
        elif number_of(found[question].image_id) != image:
            books.skip("question", str(question), str(image), OTHER_IMAGE)
            del found[question]
    return found


def read_test_dev(document: Document, asked: Mapping[int, Asked], books: Books) -> frozenset[int]:
    """The questions of test that are in test-dev too; a question that test lacks is foreign."""
    flagged: set[int] = set()
    for row in document.decoded(_QuestionFile, _QUESTIONS).questions:
        question = number_of(row.question_id)
        if question is not None and question in asked:
            flagged.add(question)
        else:
            books.read["question"] += 1
            _skip(row, NOT_IN_TEST, books)
    return frozenset(flagged)


def images_asked(document: Document) -> set[int]:
    """The images that a questions file asks about."""
    rows = document.decoded(_QuestionFile, _QUESTIONS).questions
    return {image for row in rows if (image := number_of(row.image_id)) is not None}


def main_answers(document: Document) -> Iterator[str]:
    """`multiple_choice_answer` of each question in the order of the file, where it has one."""
    seen: set[Identity] = set()
    for row in document.decoded(_MainAnswerFile, _ANNOTATIONS).annotations:
        if row.question_id not in seen and row.multiple_choice_answer:
            yield row.multiple_choice_answer
        seen.add(row.question_id)


def answers_of(row: AnnotationRow, place: str) -> tuple[Answer, ...]:
    """The annotators' answers of a question.

    Args:
        row: The question's annotation.
        place: The file it stands in, for messages.

    Raises:
        DataProblem: They are no list of answers; an answer is text, never a number or null.
    """
    try:
        rows = _ANSWERS.decode(row.answers)
    except (msgspec.DecodeError, RecursionError) as error:
        raise DataProblem(
            f"{place}: question_id {row.question_id}: {error}. Expected answers as a list of "
            "{answer, answer_confidence, answer_id}, answer being text."
        ) from error
    return tuple(
        Answer(
            answer=one.answer,
            answer_confidence=one.answer_confidence,
            answer_id=one.answer_id,
        )
        for one in rows
    )


def _skip(row: QuestionRow | AnnotationRow, reason: str, books: Books) -> None:
    books.skip("question", str(row.question_id), str(row.image_id), reason)
