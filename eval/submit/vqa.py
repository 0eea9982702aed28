"""The list that EvalAI takes for VQA: one answer for each question, ids as numbers.

The official loader compares two sets of ids: a missing or a foreign id aborts
it, a duplicate passes and the last one wins, and an id written as text is
foreign. A whole test-std submission that fails so has used up one of few tries.
Source: GT-Vision-Lab/VQA, PythonHelperTools/vqaTools/vqa.py; visualqa.org/evaluation.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from vle_bench.answers import normalise_answer
from vle_bench.atomic import write_if_changed
from vle_bench.canonical import sha256_bytes
from vle_bench.errors import DataProblem, Problems
from vle_bench.eval.matching import Matching, named, unique_ids
from vle_bench.eval.references import canonical_split
from vle_bench.eval.submit.summary import (
    Submission,
    count_warnings,
    refuse_byte_order_mark,
    refuse_other_split,
)
from vle_bench.eval.vqa.predictions import answers_by_id
from vle_bench.identity import id_order, id_text
from vle_bench.inputs import Source, open_source, read_json
from vle_bench.inputs.collector import no_collector

DATASET = "vqav2"
_EXPECTED = 'a JSON list of {"question_id": 42, "answer": "yes"}, each question once'
_EXPECTED_QUESTIONS = 'VQA questions: {"questions": [{"question_id", "image_id", "question"}]}'
_KEYS = {"question_id", "answer"}
_MOSTLY = 0.9


class _Question(msgspec.Struct, frozen=True, gc=False):
    question_id: int | str


class _QuestionFile(msgspec.Struct, frozen=True):
    questions: list[_Question]
    data_subtype: str = ""


class _Answer(msgspec.Struct, frozen=True, gc=False):
    question_id: int | str
    answer: str


class Questions(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked.

    Attributes:
        ids: Each id by its text, as the file writes it (a number or a text).
        dataset: The dataset's name.
        split: As stored; "" where nobody says it.
        sha256: Digest of the file.
        warnings: What is odd about their number.
    """

    ids: Mapping[str, int | str]
    dataset: str
    split: str
    sha256: str
    warnings: tuple[str, ...]


def write_submission(questions: Questions, predictions: Path, out: Path) -> Submission:
    """Writes predictions of any accepted format as the server's file, then checks that.

    Args:
        questions: What is asked; each must be answered.
        predictions: JSON, JSONL, CSV or Parquet of question_id and answer.
        out: The file to write, whole or not at all.

    Raises:
        DataProblem: Ids that do not match, or an answer that is no text.
        MachineProblem: The file cannot be written.
    """
    with no_collector():
        source = open_source(predictions, "VQA predictions")
        answers = answers_by_id(source, list(questions.ids), missing="whole")
        rows = [_Answer(questions.ids[one], answers[one]) for one in sorted(answers, key=id_order)]
    data = msgspec.json.encode(rows)
    checked = _checked(Source(out, data, data, "json"), questions)
    write_if_changed(out, data)
    return msgspec.structs.replace(
        checked, written=True, inputs={**checked.inputs, "predictions": source.sha256}
    )


def check_submission(questions: Questions, path: Path) -> Submission:
    """Checks an existing file as the server reads it.

    Raises:
        DataProblem: The server would refuse it, or score other answers than are meant.
    """
    source = open_source(path, "VQA answers to submit")
    if sha256_bytes(source.data) != source.sha256:
        raise DataProblem(f"{path}: compressed. The server reads plain JSON: unpack it.")
    refuse_byte_order_mark(source.data, place=str(path))
    with no_collector():
        return _checked(source, questions)


def read_questions(path: Path, *, split: str, dataset: str = "") -> Questions:
    """The questions to be answered.

    Args:
        path: The official questions file of the split.
        split: As the user named it; "" for what the file says.
        dataset: "" for VQAv2.

    Raises:
        DataProblem: No questions file, an id twice, or not (the whole of) the split that was named.
    """
    with no_collector():
        source = open_source(path, "VQA questions")
        document = read_json(source, _QuestionFile, _EXPECTED_QUESTIONS)
    if not document.questions:
        raise DataProblem(f"{path}: holds no question. Expected {_EXPECTED_QUESTIONS}.")
    try:
        ids = {id_text(entry.question_id): entry.question_id for entry in document.questions}
    except ValueError as error:
        raise DataProblem(f"{path}: {error}. Expected {_EXPECTED_QUESTIONS}.") from error
    if len(ids) != len(document.questions):
        places = (
            (f"question {at}", str(entry.question_id))
            for at, entry in enumerate(document.questions, 1)
        )
        unique_ids(places, what="question_id", file=str(path))
    own = canonical_split(document.data_subtype)
    refuse_other_split(split, own, place=str(path))
    chosen = split or own
    name = dataset or DATASET
    warnings = count_warnings(name, chosen, found=len(ids), named=split, place=str(path))
    return Questions(
        ids=ids,
        dataset=name,
        split=canonical_split(chosen),
        sha256=source.sha256,
        warnings=tuple(warnings),
    )


def _checked(source: Source, questions: Questions) -> Submission:
    rows = read_json(source, list[dict[str, Any]], _EXPECTED)
    matching = Matching(
        list(questions.ids),
        what="question_id",
        file=str(source.path),
        advice="Give the questions file of the split that you answer.",
    )
    problems = Problems()
    answers: list[str] = []
    for at, row in enumerate(rows, 1):
        try:
            one = _id_in(row, questions.ids)
            answers.append(_answer_in(row))
        except ValueError as error:
            problems.add(f"{source.path}: record {at}: {error}.")
        else:
            matching.place(one, f"{source.path}: record {at}")
    problems.raise_if_any(advice=f"Expected {_EXPECTED}.")
    matching.check(missing="whole")
    more = sorted(set().union(*rows) - _KEYS)
    return Submission(
        task="vqa",
        dataset=questions.dataset,
        split=questions.split,
        n=len(rows),
        file=str(source.path),
        sha256=source.sha256,
        written=False,
        inputs={"questions": questions.sha256},
        warnings=(*questions.warnings, *_warnings(answers, more)),
    )


def _id_in(row: Mapping[str, Any], ids: Mapping[str, int | str]) -> str:
    """The id as text; one of another type than the questions' is nobody's to the server."""
    if "question_id" not in row:
        raise ValueError(f"no question_id; found {named(row) or 'nothing'}")
    found = row["question_id"]
    one = id_text(found)
    if one in ids and type(found) is not type(ids[one]):
        raise ValueError(
            f"question_id {found!r} is a {type(found).__name__}, "
            f"the questions have {ids[one]!r}: the server would not find it"
        )
    return one


def _answer_in(row: Mapping[str, Any]) -> str:
    if "answer" not in row:
        raise ValueError(f"no answer; found {named(row)}")
    answer = row["answer"]
    if isinstance(answer, str):
        return answer
    raise ValueError(f"the answer of {row['question_id']} is {answer!r}, a text was expected")


def _warnings(answers: Sequence[str], more: Sequence[str]) -> list[str]:
    """What the server takes, and scores as wrong."""
    found: list[str] = []
    distinct = sorted(set(answers))
    empty = {answer for answer in distinct if not normalise_answer(answer)}
    if empty:
        count = sum(answer in empty for answer in answers)
        shown = named(repr(answer) for answer in sorted(empty))
        found.append(f"{count:,} answers are empty after the official normalisation: {shown}.")
    numbers = sum(answer.isascii() and answer.isdigit() for answer in answers)
    if numbers >= _MOSTLY * len(answers):
        found.append(
            f"{numbers:,} of {len(answers):,} answers are plain numbers: are they places in an "
            "answer vocabulary rather than answers?"
        )
    if len(distinct) == 1 and len(answers) > 1:
        found.append(f"all {len(answers):,} answers are {distinct[0]!r}.")
    if more:
        found.append(f"keys that the server does not read: {named(more)}.")
    return found
