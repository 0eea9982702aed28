"""Predictions: the official list of question ids and answers, in any accepted file format.

An answer is text and is never parsed: "None", "n/a" and "" are answers. The
official loader lets the last duplicate win; here it stops the run, because
METER's per-rank files repeat questions that the sampler padded.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from vle_bench.errors import DataProblem, Problems, UsageProblem, needs_file
from vle_bench.eval.distinct import Numbers
from vle_bench.eval.matching import Matching, named
from vle_bench.eval.requests import MissingRule
from vle_bench.eval.vqa.gold import NO_ANSWER, Given, Gold, given_answers
from vle_bench.eval.vqa.places import Places, plain_numbers
from vle_bench.identity import id_text
from vle_bench.inputs import Row, Source, open_source, read_rows
from vle_bench.inputs.bytes import most_unpacked
from vle_bench.inputs.collector import no_collector
from vle_bench.inputs.content import file_content
from vle_bench.inputs.json_stream import JsonStream

_ID, _ANSWER = "question_id", "answer"
_PICTURE = "image"
"""VizWiz, which asks one question a picture, names that instead of the question."""
_EXPECTED = 'VQA predictions: a list of {"question_id": 42, "answer": "yes"}'


class _Prediction(msgspec.Struct, frozen=True, gc=False):
    """In alphabetical order of the keys, which is how they are written."""

    answer: str
    question_id: int | str


_QUESTION_ID, _ANSWER_TEXT = attrgetter("question_id"), attrgetter("answer")


class ReadPredictions(NamedTuple):
    """Answers in the order of the references, and the digest of their file."""

    given: Given
    sha256: str


def read_predictions(files: Sequence[str], gold: Gold, *, missing: MissingRule) -> ReadPredictions:
    """Reads a predictions file and brings it into the order of `gold`.

    Args:
        files: What `--predictions` named: exactly one file.
        gold: The references.
        missing: `error` stops over questions without prediction, `zero` lets them pass, `whole`
            stops where no option could let them pass.

    Raises:
        DataProblem: No table of answers, an answer that is no text, or ids that do not match.
        UsageProblem: More than one file.
    """
    if len(files) != 1:
        raise UsageProblem(f"{len(files)} files of predictions. Give one; join parts beforehand.")
    path = Path(files[0])
    with no_collector():
        given, digest = _fast(path, gold)
        if given is None or (missing == "error" and given.missing.any()):
            source = open_source(path, "VQA predictions")
            answers, digest = answers_by_id(source, gold.ids, missing=missing), source.sha256
            given = given_answers([answers.get(one) for one in gold.ids])
    return ReadPredictions(given, digest)


def prediction_lines(gold: Gold, given: Given) -> bytes:
    """The normal form: JSONL in the order of the references; missing answers have no line.

    Ids are written as numbers where all of them are plain numbers, as in official files.
    """
    answers = zip(_as_official(gold.ids), given.column(), strict=True)
    return msgspec.json.Encoder().encode_lines(
        [_Prediction(answer, one) for one, answer in answers if answer is not None]
    )


def _as_official(ids: Sequence[str]) -> Sequence[int | str]:
    """Numbers where all ids are plain numbers, else the texts ("007" must stay itself)."""
    numbers = plain_numbers(ids)
    return ids if numbers is None else numbers.tolist()


def _fast(path: Path, gold: Gold) -> tuple[Given | None, str]:
    """The answers of an official file, a window at a time; None where it needs a closer look."""
    needs_file(path, "a file of VQA predictions")
    most = most_unpacked(path.stat().st_size)
    content = file_content(path, "VQA predictions", most_bytes=most)
    places, count = Places(gold.ids), 0
    numbers = Numbers[str]()
    codes = np.full(len(gold), NO_ANSWER, dtype=np.int32)
    try:
        for rows in JsonStream(content).rows("", _Prediction, expected=_EXPECTED):
            found = places.of(list(map(_QUESTION_ID, rows)))
            codes[found] = numbers.of(map(_ANSWER_TEXT, rows), len(rows))
            count += len(rows)
    except (DataProblem, KeyError):  # another format, a mistake, or a foreign id
        return None, ""
    if np.count_nonzero(codes != NO_ANSWER) != count:  # an id twice
        return None, ""
    return Given(texts=list(numbers), codes=codes), content.sha256


def answers_by_id(
    source: Source, ids: Sequence[str], *, missing: MissingRule | Literal["whole"]
) -> dict[str, str]:
    """The answers of a file in any accepted format, row by row: every problem has its place.

    Args:
        source: An opened file of predictions.
        ids: The questions.
        missing: `error` stops over questions without prediction, `zero` lets them pass, `whole`
            stops where no option could let them pass.

    Raises:
        DataProblem: No table of answers, an answer that is no text, or ids that do not match.
    """
    matching = Matching(ids, what=_ID, file=str(source.path))
    problems = Problems()
    answers: dict[str, str] = {}
    for row in read_rows(source, _EXPECTED, columns=(_ID, _ANSWER)):
        try:
            one, answer = _checked(row)
        except ValueError as error:
            problems.add(f"{row.place}: {error}.")
            continue
        if matching.place(one, row.place) is not None:
            answers[one] = answer
    problems.raise_if_any(advice=f"Expected {_EXPECTED}.")
    matching.check(missing=missing)
    return answers


def _checked(row: Row) -> tuple[str, str]:
    values = row.values
    key = _PICTURE if _PICTURE in values and _ID not in values else _ID
    for needed in (key, _ANSWER):
        if needed not in values:
            raise ValueError(f"no {needed}; found {named(values) or 'nothing'}")
    one = id_text(values[key])
    answer = values[_ANSWER]
    if isinstance(answer, str):
        return one, answer
    raise ValueError(f"the answer of question {one} is {_shown(answer)}, a text was expected")


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the number {value}"
    return f"a {type(value).__name__}"
