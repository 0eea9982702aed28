"""The reference answers in columns, and the texts behind them, each distinct one once.

2.1 million answers of VQAv2 val are 72,000 distinct strings. Everything that
reads an answer (a strip, the official normalisation) works on the distinct ones
and everything that counts works on their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain, islice
from operator import attrgetter
from sys import intern
from typing import Literal, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.errors import DataProblem
from vle_bench.eval.distinct import Codes, Groups, Numbers
from vle_bench.eval.matching import named, unique_ids
from vle_bench.identity import Identity

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

Number = TypeVar("Number", np.int64, np.int32, np.bool_)

LeftOutBy = Literal["id", "index"]
NO_ANSWER = -1


class AnnotatorAnswer(msgspec.Struct, frozen=True, gc=False):
    """What one annotator answered; `answer_id` is absent from VizWiz-style files."""

    answer: str
    answer_id: int | str | None = None


class Annotation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One question of an annotations file; keys that no score needs are not read."""

    question_id: int | str
    image_id: int | str
    answers: list[AnnotatorAnswer]
    answer_type: str = ""
    question_type: str = ""


_QUESTION_ID, _IMAGE_ID = attrgetter("question_id"), attrgetter("image_id")
_ANSWER_TYPE, _QUESTION_TYPE = attrgetter("answer_type"), attrgetter("question_type")
_ANSWERS, _ANSWER, _ANSWER_ID = map(attrgetter, ("answers", "answer", "answer_id"))


class Gold(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Questions and what people answered, one entry a question in the order of the references.

    Attributes:
        place: Where the references were read, for messages.
        ids: Question ids, unique.
        images: The picture each question is about.
        answer_types: `yes/no`, `number`, `other`; "" where the references name none.
        question_types: The opening words of the question; "" where the references name none.
        texts: The distinct answers as they were written.
        codes: Place in `texts` of every answer, question after question, in annotator order.
        starts: Where each question's answers begin in `codes`; one more entry marks the end.
        left_out_by: `id` where each answer of a question carries an id of its own, else `index`.
    """

    place: str
    ids: list[str]
    images: list[str]
    answer_types: list[str]
    question_types: list[str]
    texts: list[str]
    codes: Codes
    starts: Ints
    left_out_by: LeftOutBy

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def sizes(self) -> Ints:
        """Number of answers of each question, at least one."""
        return np.diff(self.starts)

    def spread(self, column: npt.NDArray[Number]) -> npt.NDArray[Number]:
        """A column of one entry a question as one entry an answer."""
        return np.repeat(column, self.sizes)


class Given(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The answers to be scored, one entry a question in the order of the references.

    Attributes:
        texts: The distinct answers as they were written.
        codes: Place in `texts` of each question's answer; `NO_ANSWER` where there is none.
        annotators: Whose answer it is, as a place among the question's answers; None for every
            source but the annotator baseline.
    """

    texts: list[str]
    codes: Codes
    annotators: Ints | None = None

    def column(self) -> list[str | None]:
        """Each question's answer as text; None where there is none."""
        return [None if code < 0 else self.texts[code] for code in self.codes.tolist()]

    @property
    def missing(self) -> Bools:
        """Which questions have no answer."""
        return self.codes < 0


def given_answers(column: Sequence[str | None]) -> Given:
    """Answers from one text a question; None is a missing answer.

    >>> given_answers(["yes", None, "yes"]).codes.tolist()
    [0, -1, 0]
    """
    present = np.array([text is not None for text in column], dtype=np.bool_)
    groups = Groups.of([text for text in column if text is not None])
    codes = np.full(len(column), NO_ANSWER, dtype=np.int32)
    codes[present] = groups.codes
    return Given(texts=groups.names, codes=codes)


class GoldColumns:
    """The references as they are read, a piece at a time; no record outlives its piece.

    Args:
        place: Where they are read, for messages.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._ids: list[str] = []
        self._images: list[str] = []
        self._answer_types: list[str] = []
        self._question_types: list[str] = []
        self._sizes: list[int] = []
        self._image_names = _Names()
        self._texts = Numbers[str]()
        self._codes: list[Codes] = []
        self._left_out_by: LeftOutBy = "id"

    def add(self, rows: Sequence[Annotation]) -> None:
        """Takes the next questions."""
        self._ids.extend(map(str, map(_QUESTION_ID, rows)))
        self._images.extend(map(self._image_names.__getitem__, map(_IMAGE_ID, rows)))
        self._answer_types.extend(map(intern, map(_ANSWER_TYPE, rows)))
        self._question_types.extend(map(intern, map(_QUESTION_TYPE, rows)))
        lists = list(map(_ANSWERS, rows))
        sizes = list(map(len, lists))
        self._sizes.extend(sizes)
        answers = list(chain.from_iterable(lists))
        self._codes.append(self._texts.of(map(_ANSWER, answers), len(answers)))
        if self._left_out_by == "id":
            self._left_out_by = _left_out_by(list(map(_ANSWER_ID, answers)), sizes)

    def gold(self) -> Gold:
        """All that was taken.

        Raises:
            DataProblem: No question at all, an id that is none or stands twice, or a question
                without answers.
        """
        place = self._place
        if not self._ids:
            raise DataProblem(f"{place}: holds no question. Give a file of annotated questions.")
        _refuse_empty(self._ids, "question_id", place)
        _refuse_twice(self._ids, place)
        _refuse_unanswered(self._ids, self._sizes, place)
        _refuse_empty(self._images, "image_id", place)
        ends = accumulate(self._sizes, initial=0)
        return Gold(
            place=place,
            ids=self._ids,
            images=self._images,
            answer_types=self._answer_types,
            question_types=self._question_types,
            texts=list(self._texts),
            codes=np.concatenate(self._codes),
            starts=np.fromiter(ends, dtype=np.int64, count=len(self._sizes) + 1),
            left_out_by=self._left_out_by,
        )


def gold_of(annotations: Sequence[Annotation], place: str) -> Gold:
    """The columns of `annotations`.

    Args:
        annotations: In the order that results shall have.
        place: Where they were read, for messages.

    Raises:
        DataProblem: No question at all, an id that is none or stands twice, or a question
            without answers.
    """
    columns = GoldColumns(place)
    columns.add(annotations)
    return columns.gold()


class _Names(dict[Identity, str]):
    """Ids as text, each made once: a picture has five questions."""

    def __missing__(self, value: Identity) -> str:
        return self.setdefault(value, str(value))


def _refuse_empty(ids: Sequence[str], key: str, place: str) -> None:
    if "" in ids:
        empty = [f"annotation {number}" for number, value in enumerate(ids, 1) if value == ""]
        raise DataProblem(
            f"{place}: {key} is empty: {named(empty)}. An id is an integer or a text."
        )


def _refuse_twice(ids: Sequence[str], place: str) -> None:
    if len(set(ids)) != len(ids):
        places = ((f"annotation {number}", one) for number, one in enumerate(ids, 1))
        unique_ids(places, what="question_id", file=place)


def _refuse_unanswered(ids: Sequence[str], sizes: Sequence[int], place: str) -> None:
    if all(sizes):
        return
    bare = [one for one, size in zip(ids, sizes, strict=True) if not size]
    raise DataProblem(
        f"{place}: {len(bare):,} of {len(ids):,} questions have no answers: {named(bare)}. "
        "A test split hides its answers and is scored by the official server only."
    )


def _left_out_by(answer_ids: list[Identity | None], sizes: Sequence[int]) -> LeftOutBy:
    """`id` where no answer lacks an id and none shares it with another of its question."""
    if len(set(sizes)) == 1 and answer_ids == list(range(1, sizes[0] + 1)) * len(sizes):
        return "id"  # official files number the answers of each question 1 to 10
    if None in answer_ids:
        return "index"
    left = iter(map(str, answer_ids))
    alone = (len(set(islice(left, size))) == size for size in sizes)
    return "id" if all(alone) else "index"
