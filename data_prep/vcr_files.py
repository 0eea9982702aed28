"""VCR's lines of questions, and the boxes that lie beside every still.

A token is a word or a list of object numbers, which no table column can hold;
here it becomes a record with both. The keys that tell how the wrong choices
were made (`*_match_iter`, `*_sources`) and the original sentences of the right
ones are passed over: they give the label away.
Format: https://github.com/rowanz/r2c/tree/master/data
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from sys import intern
from typing import Annotated, Any, NamedTuple

import msgspec

from vle_bench.boxes import Box, to_xywh
from vle_bench.catalog.labels import coco_classes
from vle_bench.data_prep.lines import json_lines
from vle_bench.data_prep.sources import Document
from vle_bench.identity import GivenIdentity, id_text
from vle_bench.records import (
    NO_LABEL_ID,
    NO_NUMBER,
    NO_SCORE,
    BoxAnnotation,
    VcrItem,
    VcrObject,
    VcrToken,
)

BOX_SOURCE = "vcr"
CHOICES = 4
NO_METADATA = "picture without metadata"
BAD_METADATA = "metadata that cannot be read"
OTHER_OBJECTS = "metadata of other objects than the questions'"

MOST_METADATA = 64 << 20
"""Bytes of one file of metadata; outlines make them large."""

_DIGITS = 6
"""Decimals kept of a side: far below a pixel, above the noise of the subtraction."""
_EXPECTED = (
    "VCR questions: {annot_id, img_id, img_fn, objects, question, answer_choices, "
    "rationale_choices}, tokens being text or lists of object numbers"
)

Token = str | int | list[int]
Corner = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]
"""Of a box; what lies further out is no place in a picture, and its width may be no number."""
Choices = Annotated[list[list[Token]], msgspec.Meta(min_length=CHOICES, max_length=CHOICES)]
Label = Annotated[int, msgspec.Meta(ge=NO_LABEL_ID, lt=CHOICES)]


class QuestionRow(msgspec.Struct, frozen=True):
    """One line, as far as it is wanted."""

    annot_id: GivenIdentity
    img_id: GivenIdentity
    img_fn: str
    question: list[Token]
    answer_choices: Choices
    rationale_choices: Choices
    objects: list[str] = []
    metadata_fn: str = ""
    movie: str = ""
    question_number: int = NO_NUMBER
    answer_likelihood: str = ""
    answer_label: Label | None = None
    rationale_label: Label | None = None
    region: Any = None


class _ImageOnly(msgspec.Struct, frozen=True):
    img_id: GivenIdentity


class Frame(NamedTuple):
    """What the lines say of a still: where it lies and which objects their tokens count."""

    picture: str
    metadata: str
    movie: str
    objects: tuple[str, ...]


class Detected(NamedTuple):
    """What lies beside a still.

    Attributes:
        objects: In the order that tokens count them.
        boxes: One for each object that has one, its id the object's number.
        declared: Width and height that the boxes were made for; None where not said.
        odd: The rule that was applied, "" if none.
    """

    objects: tuple[VcrObject, ...]
    boxes: tuple[BoxAnnotation, ...]
    declared: tuple[int, int] | None
    odd: str


class _Metadata(msgspec.Struct, frozen=True):
    boxes: list[Annotated[list[Corner], msgspec.Meta(min_length=4, max_length=5)]]
    names: list[str] = []
    width: int = 0
    height: int = 0


_DECODER = msgspec.json.Decoder(_Metadata)


def read_rows(document: Document) -> Iterator[QuestionRow]:
    """The questions in the order of the file; `DataProblem` names up to ten broken lines."""
    yield from json_lines(document, QuestionRow, _EXPECTED)


def images_asked(document: Document) -> set[str]:
    """The ids of the stills that a file asks about."""
    return {id_text(row.img_id) for row in json_lines(document, _ImageOnly, _EXPECTED)}


def frame_of(row: QuestionRow) -> Frame:
    """What a line says of its still; its names of classes are those of all other stills."""
    return Frame(row.img_fn, row.metadata_fn, intern(row.movie), tuple(map(intern, row.objects)))


def item_of(row: QuestionRow) -> VcrItem:
    """The question as a record."""
    return VcrItem(
        annot_id=id_text(row.annot_id),
        question_number=row.question_number,
        question=_tokens(row.question),
        answer_choices=tuple(map(_tokens, row.answer_choices)),
        rationale_choices=tuple(map(_tokens, row.rationale_choices)),
        answer_label=NO_LABEL_ID if row.answer_label is None else row.answer_label,
        rationale_label=NO_LABEL_ID if row.rationale_label is None else row.rationale_label,
        answer_likelihood=row.answer_likelihood,
        region=row.region if isinstance(row.region, str) else "",
    )


def objects_meant(row: QuestionRow) -> set[int]:
    """The numbers of all objects that a question or its choices point at."""
    sentences = (row.question, *row.answer_choices, *row.rationale_choices)
    return {
        number
        for sentence in sentences
        for token in sentence
        if not isinstance(token, str)
        for number in ([token] if isinstance(token, int) else token)
    }


def detected(data: bytes | None, frame: Frame) -> Detected:
    """The boxes beside a still. Corners become left, top, width, height; outlines stay there.

    Args:
        data: The still's file of metadata; None where it is absent, b"" where it is damaged.
        frame: What the questions say of the still.
    """
    unknown = tuple(VcrObject(name=name) for name in frame.objects)
    if data is None:
        return Detected(unknown, (), None, NO_METADATA)
    try:
        metadata = _DECODER.decode(data.removeprefix(codecs.BOM_UTF8))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Detected(unknown, (), None, BAD_METADATA)
    if len(metadata.boxes) != len(frame.objects) or tuple(metadata.names) != frame.objects:
        # Numbers would point at other things than the questions mean.
        return Detected(unknown, (), None, OTHER_OBJECTS)
    objects = tuple(
        VcrObject(name=name, score=box[4] if len(box) > 4 else NO_SCORE)
        for name, box in zip(frame.objects, metadata.boxes, strict=True)
    )
    boxes = tuple(
        _box(number, name, box)
        for number, (name, box) in enumerate(zip(frame.objects, metadata.boxes, strict=True))
    )
    said = metadata.width > 0 and metadata.height > 0
    return Detected(objects, boxes, (metadata.width, metadata.height) if said else None, "")


def _box(number: int, name: str, corners: Sequence[float]) -> BoxAnnotation:
    known = coco_classes().by_name(name)
    x, y, w, h = to_xywh(Box(*corners[:4]))
    return BoxAnnotation(
        id=str(number),
        xywh=(x, y, round(w, _DIGITS), round(h, _DIGITS)),
        label=name,
        label_id=known.id if known else NO_LABEL_ID,
        source=BOX_SOURCE,
    )


def _tokens(sentence: Sequence[Token]) -> tuple[VcrToken, ...]:
    return tuple(map(_token, sentence))


def _token(token: Token) -> VcrToken:
    if isinstance(token, str):
        return VcrToken(text=token)
    return VcrToken(objects=(token,) if isinstance(token, int) else tuple(token))
