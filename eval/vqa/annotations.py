"""Official VQA annotation and question files.

Only what a score needs is decoded, a window of the file at a time: the memory that
a score takes is that of its columns, whatever the file's size.
Files in the wild lack `multiple_choice_answer` (ovqa), `answer_id` (VizWiz) or
both types, and write `image_id` as text; none of that is needed here. TextVQA's
and VizWiz's own files are told apart by their shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from vle_bench.errors import DataProblem, Problems, needs_file
from vle_bench.eval.matching import named
from vle_bench.eval.references import canonical_split, check_expected_count, is_sample
from vle_bench.eval.requests import VqaRequest
from vle_bench.eval.scored import ReferenceFacts
from vle_bench.eval.vqa.gold import Annotation, Gold, GoldColumns
from vle_bench.eval.vqa.own_formats import (
    TEXTVQA,
    TEXTVQA_LIST,
    VIZWIZ,
    Questions,
    textvqa_questions,
    vizwiz_questions,
    vizwiz_split,
)
from vle_bench.eval.vqa.references import References
from vle_bench.identity import id_text
from vle_bench.inputs import open_source, read_json
from vle_bench.inputs.aside import aside
from vle_bench.inputs.bytes import most_unpacked
from vle_bench.inputs.collector import no_collector
from vle_bench.inputs.content import file_content
from vle_bench.inputs.json_stream import JsonStream

VQA_V2 = "vqav2"
_VQA_V1 = "vqav1"
_COCO = "mscoco"
_OTHER = "vqa"
_LIST = "annotations"
_EXPECTED = (
    'VQA annotations: {"annotations": [{"question_id", "image_id", "answers": [{"answer"}]}]}'
)
_EXPECTED_QUESTIONS = 'VQA questions: {"questions": [{"question_id", "image_id", "question"}]}'


class _Info(msgspec.Struct, frozen=True):
    description: Any = ""
    version: Any = ""


class _Read(NamedTuple):
    """A file's columns, what it asks where it says so, and what it says of itself."""

    gold: Gold
    texts: tuple[str, ...]
    description: str
    dataset: str
    split: str
    sha256: str


class _Question(msgspec.Struct, frozen=True, gc=False):
    question_id: int | str
    image_id: int | str
    question: str


class _QuestionFile(msgspec.Struct, frozen=True):
    questions: list[_Question]


def read_annotations(request: VqaRequest) -> References:
    """The references of `--annotations` and `--questions`.

    Raises:
        DataProblem: Broken files, files that contradict each other, or not the whole split that
            the user named.
    """
    path = Path(request.annotations)
    read = _annotations(path)
    gold = read.gold
    facts = ReferenceFacts(
        path=request.annotations,
        sha256=read.sha256,
        dataset=request.dataset or read.dataset,
        split=canonical_split(request.split or read.split),
        sample=is_sample(path, read.description),
    )
    check_expected_count(
        dataset=facts.dataset,
        named_split=request.split,
        kind="questions",
        found=len(gold),
        place=str(path),
        sample=facts.sample,
    )
    inputs = {"annotations": read.sha256}
    if not request.questions:
        return References(gold=gold, facts=facts, inputs=inputs, questions=read.texts)
    questions, questions_digest, extra = _questions(Path(request.questions), gold)
    return References(
        gold=gold,
        facts=facts,
        inputs={**inputs, "questions": questions_digest},
        questions=questions,
        notes=(f"{extra:,} more questions in {request.questions} are not annotated.",)
        if extra
        else (),
    )


def _annotations(path: Path) -> _Read:
    """What a file holds, which itself is never held as a whole."""
    needs_file(path, "a file of VQA annotations")
    most = most_unpacked(path.stat().st_size)
    content = file_content(path, "VQA annotations", most_bytes=most)
    stream = JsonStream(content)
    columns = GoldColumns(str(path))
    texts: list[str] = []
    with no_collector(), aside(lambda: content.sha256):
        for asked in _questions_of(stream):
            columns.add(asked.annotations)
            texts += asked.texts
    gold = columns.gold()
    if stream.is_list:
        description, dataset, split = "", VIZWIZ, vizwiz_split(gold.images)
    elif stream.has(_LIST):
        info = stream.value("info", _Info, _Info())
        description, split = str(info.description), stream.value("data_subtype", str, "")
        dataset = _dataset(stream.value("data_type", str, ""), info)
    else:
        description, dataset = "", stream.value("dataset_name", str, TEXTVQA)
        split = stream.value("dataset_type", str, "")
    return _Read(gold, tuple(texts), description, dataset, split, content.sha256)


def _questions_of(stream: JsonStream) -> Iterator[Questions]:
    if stream.is_list:
        yield from vizwiz_questions(stream, expected=_EXPECTED)
        return

    def official(*, required: bool) -> Iterator[Questions]:
        rows = stream.rows(_LIST, Annotation, required=required, expected=_EXPECTED)
        return (Questions(some, []) for some in rows)

    yield from official(required=False)
    if not stream.has(_LIST):
        # A file that has neither list is told that it has no official one.
        own = stream.has(TEXTVQA_LIST)
        yield from textvqa_questions(stream) if own else official(required=True)


def _dataset(data_type: str, info: _Info) -> str:
    """VQA v1 and v2 differ in `info.version` alone."""
    if data_type != _COCO:
        return data_type or _OTHER
    return _VQA_V1 if str(info.version).startswith("1") else VQA_V2


def _questions(path: Path, gold: Gold) -> tuple[tuple[str, ...], str, int]:
    """Texts in the order of `gold`, the file's digest, and how many questions nobody annotated."""
    with no_collector():
        source = open_source(path, "VQA questions")
        document = read_json(source, _QuestionFile, _EXPECTED_QUESTIONS)
    try:
        asked = {id_text(entry.question_id): entry for entry in document.questions}
        images = {key: id_text(entry.image_id) for key, entry in asked.items()}
    except ValueError as error:
        raise DataProblem(f"{path}: {error}. Expected {_EXPECTED_QUESTIONS}.") from error
    if len(asked) != len(document.questions):
        raise DataProblem(
            f"{path}: {len(document.questions) - len(asked):,} question ids stand more than once. "
            "Keep each question once."
        )
    problems = Problems(f"{path} and {gold.place} do not belong together:")
    absent = [one for one in gold.ids if one not in asked]
    if absent:
        problems.add(f"{len(absent):,} annotated questions are not there: {named(absent)}.")
    moved = [
        f"{one} (picture {images[one]}, annotated {image})"
        for one, image in zip(gold.ids, gold.images, strict=True)
        if one in images and images[one] != image
    ]
    if moved:
        problems.add(f"{len(moved):,} questions are about another picture: {named(moved)}.")
    problems.raise_if_any(advice="Give the questions file of the same split.")
    texts = tuple(asked[one].question for one in gold.ids)
    return texts, source.sha256, len(asked) - len(gold)
