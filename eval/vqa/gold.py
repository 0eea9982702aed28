"""The reference answers in columns, and the texts behind them, each distinct one once.

2.1 million answers of VQAv2 val are 72,000 distinct strings. Everything that
reads an answer (a strip, the official normalisation) works on the distinct ones
and everything that counts works on their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Literal, NamedTuple, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.errors import DataProblem
from vle_bench.eval.matching import named, unique_ids

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

Number = TypeVar("Number", np.int64, np.bool_)

LeftOutBy = Literal["id", "index"]
NO_ANSWER = -1


class AnnotatorAnswer(msgspec.Struct, frozen=True, gc=False):
    """What one annotator answered; `answer_id` is absent from VizWiz-style files."""

    answer: str
    answer_id: int | str | None = None


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """One question of an annotations file; keys that no score needs are not read."""

    question_id: int | str
    image_id: int | str
    answers: list[AnnotatorAnswer]
    answer_type: str = ""
    question_type: str = ""


class Groups(NamedTuple):
    """A column as its distinct values, in order of first appearance, and the place of each."""

    names: list[str]
    codes: Ints

    @staticmethod
    def of(column: Sequence[str]) -> Groups:
        """Groups equal values.

        >>> Groups.of(["b", "a", "b"]).codes.tolist()
        [0, 1, 0]
        """
        first: dict[str, int] = {}
        firsts = map(first.setdefault, column, range(len(column)))  # hashes every text once
        places = np.fromiter(firsts, dtype=np.int64, count=len(column))
        dense = np.empty(len(column), dtype=np.int64)
        dense[list(first.values())] = np.arange(len(first))
        return Groups(list(first), dense[places])


@dataclass(frozen=True, kw_only=True, eq=False)
class Gold:
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
    codes: Ints
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Given:
    """The answers to be scored, one entry a question in the order of the references.

    Attributes:
        texts: The distinct answers as they were written.
        codes: Place in `texts` of each question's answer; `NO_ANSWER` where there is none.
        annotators: Whose answer it is, as a place among the question's answers; None for every
            source but the annotator baseline.
    """

    texts: list[str]
    codes: Ints
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
    codes = np.full(len(column), NO_ANSWER, dtype=np.int64)
    codes[present] = groups.codes
    return Given(texts=groups.names, codes=codes)


def gold_of(annotations: Sequence[Annotation], place: str) -> Gold:
    """The columns of `annotations`.

    Args:
        annotations: In the order that results shall have.
        place: Where they were read, for messages.

    Raises:
        DataProblem: No question at all, an id that is none or stands twice, or a question
            without answers.
    """
    if not annotations:
        raise DataProblem(f"{place}: holds no question. Give a file of annotated questions.")
    ids = _ids([entry.question_id for entry in annotations], "question_id", place)
    _refuse_twice(ids, place)
    sizes = [len(entry.answers) for entry in annotations]
    _refuse_unanswered(ids, sizes, place)
    answers = list(chain.from_iterable(entry.answers for entry in annotations))
    texts = Groups.of([answer.answer for answer in answers])
    starts = np.fromiter(accumulate(sizes, initial=0), dtype=np.int64, count=len(sizes) + 1)
    return Gold(
        place=place,
        ids=ids,
        images=_ids([entry.image_id for entry in annotations], "image_id", place),
        answer_types=[entry.answer_type for entry in annotations],
        question_types=[entry.question_type for entry in annotations],
        texts=texts.names,
        codes=texts.codes,
        starts=starts,
        left_out_by=_left_out_by([answer.answer_id for answer in answers], starts),
    )


def _ids(values: Sequence[int | str], key: str, place: str) -> list[str]:
    if "" in values:
        empty = [f"annotation {number}" for number, value in enumerate(values, 1) if value == ""]
        raise DataProblem(
            f"{place}: {key} is empty: {named(empty)}. An id is an integer or a text."
        )
    return list(map(str, values))


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


def _left_out_by(answer_ids: Sequence[int | str | None], starts: Ints) -> LeftOutBy:
    """`id` where no answer lacks an id and none shares it with another of its question."""
    kinds = set(map(type, answer_ids))
    if type(None) in kinds:
        return "index"
    try:
        codes = np.array(answer_ids, dtype=np.int64) if kinds == {int} else None
    except OverflowError:
        codes = None
    if codes is None:
        codes = Groups.of(list(map(str, answer_ids))).codes
    falling = np.diff(codes) <= 0
    falling[starts[1:-1] - 1] = False
    if not falling.any():
        return "id"  # official files number the answers of each question 1 to 10
    question = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    order = np.lexsort((codes, question))
    same = (np.diff(question[order]) == 0) & (np.diff(codes[order]) == 0)
    return "index" if same.any() else "id"
