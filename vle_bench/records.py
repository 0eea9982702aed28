"""What one sample holds: a picture and everything known of it.

These are the shapes of `KEY.json` in every shard (JSON Schema in
`manifests/schema`). Every key is always there with the same type: absent text
and absent ids are "", an absent class is label "" with label_id -1, an absent
number id is -1. Encoded with sorted keys, so the same sample is the same bytes.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

BoxKind = Literal["object", "region", "crowd"]
NO_LABEL_ID = -1
NO_NUMBER = -1
NO_SCORE = -1.0

KEY_PATTERN = r"[a-z0-9][a-z0-9_-]{0,89}"
"""Keys are lower-case ASCII without dots or slashes: WebDataset splits names at the first dot."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every record: immutable, keyword-only, unknown keys of a dataset tolerated."""


class Picture(Record, frozen=True, kw_only=True):
    """The picture of a sample; `width` and `height` are those of the stored pixel matrix."""

    id: str
    file_name: str
    width: int
    height: int
    orientation: int
    """EXIF orientation 1 to 8; the bytes are never rotated."""
    sha256: str
    format: str
    """`jpg`, `png` or `webp`, by content."""
    source_url: str = ""
    licence: str = ""
    coco_id: str = ""
    flickr_id: str = ""


class Caption(Record, frozen=True, kw_only=True):
    """One sentence about the whole picture."""

    id: str
    text: str


class BoxAnnotation(Record, frozen=True, kw_only=True):
    """One box: an object with a class, a region with a phrase, or a crowd."""

    id: str
    xywh: tuple[float, float, float, float]
    """Left, top, width, height in absolute pixels of the stored matrix."""
    label: str = ""
    label_id: int = NO_LABEL_ID
    attributes: tuple[str, ...] = ()
    phrase: str = ""
    kind: BoxKind = "object"
    source: str = ""


class Answer(Record, frozen=True, kw_only=True):
    """What one annotator answered; `answer_id` is -1 where the source has none."""

    answer: str
    answer_confidence: str = ""
    answer_id: int = NO_NUMBER


class Question(Record, frozen=True, kw_only=True):
    """One VQA question with its answers (none in a test split) and soft targets."""

    question_id: int
    question: str
    question_type: str = ""
    answer_type: str = ""
    multiple_choice_answer: str = ""
    answers: tuple[Answer, ...] = ()
    labels: tuple[int, ...] = ()
    """Indices into the answer vocabulary, in order of first appearance among the answers."""
    scores: tuple[float, ...] = ()
    """Soft target of each label: 0.3, 0.6, 0.9 or 1.0."""
    test_dev: bool = False


class Sample(Record, frozen=True, kw_only=True):
    """One picture with everything known of it; datasets add keys in a subclass."""

    key: str
    dataset: str
    split: str
    image: Picture
    captions: tuple[Caption, ...] = ()
    boxes: tuple[BoxAnnotation, ...] = ()


class VqaSample(Sample, frozen=True, kw_only=True):
    """A sample whose picture is asked about (VQAv2)."""

    questions: tuple[Question, ...] = ()


class VgObject(Record, frozen=True, kw_only=True):
    """What Visual Genome calls an object, in full; its box has the same id and the first name."""

    object_id: str
    names: tuple[str, ...] = ()
    synsets: tuple[str, ...] = ()
    merged_object_ids: tuple[str, ...] = ()
    """Other boxes that were found to be the same thing; relationships may name those."""


class VgSample(Sample, frozen=True, kw_only=True):
    """A picture of Visual Genome."""

    objects: tuple[VgObject, ...] = ()


class SbuSample(Sample, frozen=True, kw_only=True):
    """A Flickr photograph of SBU."""

    user_id: str = ""
    """Whose photograph it is."""


class VcrToken(Record, frozen=True, kw_only=True):
    """A word, or the objects that stand in its place; the other one is empty."""

    text: str = ""
    objects: tuple[int, ...] = ()
    """Positions in the sample's `objects`, from 0."""


class VcrItem(Record, frozen=True, kw_only=True):
    """One VCR question: four answers, four reasons, and which are right (-1 in test).

    What the source tells beside the labels of how the wrong choices were made would give the
    right ones away, so it has no place here.
    """

    annot_id: str
    question_number: int = NO_NUMBER
    question: tuple[VcrToken, ...]
    answer_choices: tuple[tuple[VcrToken, ...], ...]
    rationale_choices: tuple[tuple[VcrToken, ...], ...]
    answer_label: int = NO_LABEL_ID
    rationale_label: int = NO_LABEL_ID
    answer_likelihood: str = ""
    region: str = ""
    """Part of the world, where the source (GD-VCR) says it."""


class VcrObject(Record, frozen=True, kw_only=True):
    """Something that tokens point at: its class, and how sure the detector was (-1: unknown)."""

    name: str
    score: float = NO_SCORE


class VcrSample(Sample, frozen=True, kw_only=True):
    """A film still that is asked about; the box of `objects[i]` has the id `str(i)`."""

    movie: str = ""
    metadata_file: str = ""
    """Below `vcr1images/`; the outlines of the objects stand in it."""
    objects: tuple[VcrObject, ...] = ()
    items: tuple[VcrItem, ...] = ()


_ENCODER = msgspec.json.Encoder(order="sorted")


def sample_bytes(sample: Sample) -> bytes:
    """`KEY.json`: UTF-8, sorted keys, no spaces, the same for the same sample."""
    return _ENCODER.encode(sample)


def sample_from_bytes(data: bytes, kind: type[Sample] = Sample) -> Sample:
    """Reads `KEY.json` back; raises `msgspec.ValidationError` where a type is wrong."""
    return msgspec.json.decode(data, type=kind)


def as_builtins(record: Record) -> dict[str, Any]:
    """The record as plain dictionaries and lists."""
    plain: dict[str, Any] = msgspec.to_builtins(record)
    return plain
