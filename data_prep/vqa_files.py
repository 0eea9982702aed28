"""The questions and annotations files of VQA, and everything that can be odd in them.

An id that comes twice, an annotation of a question nobody asked, a question
nobody answered: each is named in the books and none ends the run. Questions and
annotations wait on disk by picture, and meet when their picture's turn comes;
the answers stay as they lie in the file until then.
Format: https://visualqa.org/vqa_v2_format.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from vle_bench.data_prep.books import (
    DUPLICATE,
    NO_ANNOTATION,
    NO_NUMBER_ID,
    NO_QUESTION,
    Books,
)
from vle_bench.data_prep.id_set import IdSet
from vle_bench.data_prep.joined import Joined
from vle_bench.data_prep.sources import Document
from vle_bench.errors import DataProblem
from vle_bench.identity import Identity, number_of
from vle_bench.records import NO_NUMBER, Answer

NOT_IN_TEST = "test-dev question that test does not have"
OTHER_IMAGE = "annotation names another image than its question"

_NOWHERE = -1
"""No number that an id can be."""

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


class AskedQuestion(NamedTuple):
    """A question of a picture, with its annotation where its split has them."""

    question: int
    text: str
    annotation: AnnotationRow | None


class _MainAnswerRow(msgspec.Struct, frozen=True, gc=False):
    question_id: Identity
    multiple_choice_answer: str = ""


class _AnswerRow(msgspec.Struct, frozen=True, gc=False):
    answer: str
    answer_confidence: str = ""
    answer_id: int = NO_NUMBER


_ANSWERS = msgspec.json.Decoder(list[_AnswerRow])


class Questions:
    """The questions of a split by picture, in the order of the file.

    Repeated and unusable ids go to the books.

    Args:
        document: A questions file.
        books: Notes what was read and what is odd.
    """

    def __init__(self, document: Document, books: Books) -> None:
        self._books = books
        self._texts: Joined[tuple[int, str]] = Joined()
        self._known = IdSet()
        self._annotations: Joined[AnnotationRow] | None = None
        self._annotated = IdSet()
        self._images: set[int] = set()
        for rows in document.rows("questions", QuestionRow, expected=_QUESTIONS):
            self._read(rows)

    @property
    def images(self) -> list[int]:
        """The pictures asked about, ascending."""
        return sorted(self._images)

    def annotate(self, document: Document) -> None:
        """Reads the annotations; those of no question and repeated ones go to the books."""
        self._annotations = Joined()
        for rows in document.rows("annotations", AnnotationRow, expected=_ANNOTATIONS):
            for row, asked, new in self._matched(rows):
                if asked and new:
                    image = number_of(row.image_id)
                    self._annotations.add(_NOWHERE if image is None else image, row)
                    continue
                self._books.read["question"] += 1
                _skip(row, DUPLICATE if asked else NO_QUESTION, self._books)

    def of(self, image: int) -> list[AskedQuestion]:
        """The usable questions of a picture: all, or those annotated for it where any are."""
        if self._annotations is None:
            return [AskedQuestion(one, text, None) for one, text in self._texts.of(image)]
        rows = {number_of(row.question_id): row for row in self._annotations.of(image)}
        return [
            AskedQuestion(one, text, rows[one])
            for one, text in self._texts.of(image)
            if one in rows
        ]

    def leave_out_unusable(self, image: int) -> None:
        """Names the questions of a picture that have no annotation, or one of another picture."""
        if self._annotations is None:
            return
        usable = {one.question for one in self.of(image)}
        left = [one for one, _ in self._texts.of(image) if one not in usable]
        for question, annotated in zip(left, self._annotated.has(left), strict=True):
            reason = OTHER_IMAGE if annotated else NO_ANNOTATION
            self._books.skip("question", str(question), str(image), reason)

    def read_test_dev(self, document: Document) -> tuple[IdSet, int]:
        """The questions that are in test-dev too, and how many; one that test lacks is foreign."""
        flagged, count = IdSet(), 0
        for rows in document.rows("questions", QuestionRow, expected=_QUESTIONS):
            numbers = [number_of(row.question_id) for row in rows]
            known = self._known.has([_NOWHERE if one is None else one for one in numbers])
            mine = [
                one for one, asked in zip(numbers, known, strict=True) if asked and one is not None
            ]
            count += sum(flagged.add(mine))
            for row, asked in zip(rows, known, strict=True):
                if not asked:
                    self._books.read["question"] += 1
                    _skip(row, NOT_IN_TEST, self._books)
        return flagged, count

    def _read(self, rows: Sequence[QuestionRow]) -> None:
        self._books.read["question"] += len(rows)
        sound: list[tuple[int, int, QuestionRow]] = []
        for row in rows:
            question, image = number_of(row.question_id), number_of(row.image_id)
            if question is None or image is None:
                _skip(row, NO_NUMBER_ID, self._books)
            else:
                sound.append((question, image, row))
        new = self._known.add([question for question, _, _ in sound])
        for (question, image, row), first in zip(sound, new, strict=True):
            if first:
                self._images.add(image)
                self._texts.add(image, (question, row.question))
            else:
                _skip(row, DUPLICATE, self._books)

    def _matched(self, rows: Sequence[AnnotationRow]) -> Iterator[tuple[AnnotationRow, bool, bool]]:
        """Each annotation, whether its question was asked, and whether it is its first."""
        numbers = [number_of(row.question_id) for row in rows]
        ids = [_NOWHERE if one is None else one for one in numbers]
        return zip(rows, self._known.has(ids), self._annotated.add(ids), strict=True)


def images_asked(document: Document) -> set[int]:
    """The images that a questions file asks about."""
    return {
        image
        for rows in document.rows("questions", QuestionRow, expected=_QUESTIONS)
        for row in rows
        if (image := number_of(row.image_id)) is not None
    }


def main_answers(document: Document) -> Iterator[str]:
    """`multiple_choice_answer` of each question in the order of the file, where it has one."""
    seen = IdSet()
    for rows in document.rows("annotations", _MainAnswerRow, expected=_ANNOTATIONS):
        for row, new in zip(rows, seen.add([row.question_id for row in rows]), strict=True):
            if new and row.multiple_choice_answer:
                yield row.multiple_choice_answer


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
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
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
