"""Four file formats that hold retrieval references: who reads which, and in what order.

The order of the texts is part of the references: a score matrix has no ids of
its own. It is that of the file: `annotations` of COCO captions, the sentences
of each picture of a Karpathy file in turn. References that were turned round
(`*_texts.tr.jsonl`) hold no other texts than those of their pictures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import msgspec

from vle_bench.errors import DataProblem, Problems
from vle_bench.eval.matching import unique_ids
from vle_bench.eval.references import canonical_split
from vle_bench.eval.retrieval.gold import TextRow
from vle_bench.identity import id_text
from vle_bench.inputs import Source, decode_json, read_json
from vle_bench.inputs.names import stem_of
from vle_bench.inputs.records import read_records

UNNAMED = "unnamed"
KARPATHY_SPLIT = "test"
EXPECTED = (
    'retrieval references: Chinese-CLIP texts {"text_id", "text", "image_ids"} a line, '
    "or turned round, COCO captions_*.json, or a Karpathy dataset_*.json"
)
_CAPTIONS_NAME = re.compile(r"captions_((?:train|val|test)(20\d\d)?)")
_LONGEST_LINE = 1 << 20
"""No picture has more texts than fit; a whole document in one line is not looked through."""
_TEXTS_NAME = re.compile(r"(train|valid|val|dev|test)_texts")

Id = int | str


class TextLine(msgspec.Struct, frozen=True):
    """A line of Chinese-CLIP's texts."""

    text_id: Id
    image_ids: list[Id]
    text: str = ""


class TurnedLine(msgspec.Struct, frozen=True):
    """A line of references that were turned round: a picture and its texts."""

    image_id: Id
    text_ids: list[Id]


class CaptionLine(msgspec.Struct, frozen=True):
    """One of COCO's captions."""

    id: Id
    image_id: Id
    caption: str = ""


class _Sentence(msgspec.Struct, frozen=True):
    sentid: Id
    raw: str = ""


class KarpathyImage(msgspec.Struct, frozen=True):
    """A picture of a Karpathy file, with its sentences."""

    split: str
    sentences: list[_Sentence]
    filename: str = ""
    cocoid: Id | None = None


class _Info(msgspec.Struct, frozen=True):
    description: str = ""


class FoundTexts(msgspec.Struct, frozen=True):
    """What a file holds and what it says of itself; "" where it says nothing.

    Attributes:
        texts: The texts in their order.
        dataset: The dataset's name.
        split: The split.
        scheme: How the dataset's pictures are split.
        description: What the file says it is.
    """

    texts: tuple[TextRow, ...]
    dataset: str
    split: str
    scheme: str = ""
    description: str = ""


def read_texts(source: Source, split: str) -> FoundTexts:
    """Reads whichever of the four formats `source` is.

    Args:
        source: An opened file.
        split: The split wanted of a Karpathy file; "" for its test split.

    Raises:
        DataProblem: None of the four, broken, or a text twice.
    """
    if is_turned(source):
        return _turned_file(source)
    if source.kind == "jsonl" or _is_list(source):
        return _texts_file(source)
    if source.kind != "json":
        raise DataProblem(f"{source.path}: a {source.kind} file. Expected {EXPECTED}.")
    parts = read_json(source, dict[str, msgspec.Raw], EXPECTED)
    if "annotations" in parts:
        return _captions_file(source, parts)
    if "images" in parts:
        return _karpathy_file(source, parts, split or KARPATHY_SPLIT)
    if "text_id" in parts:
        return _texts_file(source)
    raise DataProblem(
        f"{source.path}: an object with {', '.join(sorted(parts)[:10]) or 'no keys'}. "
        f"Expected {EXPECTED}."
    )


def is_turned(source: Source) -> bool:
    """Whether the first line holds a picture and its texts, and no text of its own."""
    if source.kind not in {"json", "jsonl"}:
        return False
    head = source.data[:_LONGEST_LINE].removeprefix(b"\xef\xbb\xbf").lstrip()
    first = head.partition(b"\n")[0]
    try:
        keys = msgspec.json.decode(first, type=dict[str, msgspec.Raw]).keys()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return {"image_id", "text_ids"} <= keys and "text_id" not in keys


def _turned_file(source: Source) -> FoundTexts:
    lines = list(read_records(source, TurnedLine, EXPECTED))
    problems = Problems()
    pictures: dict[str, list[str]] = {}
    for place, line in lines:
        try:
            image, texts = id_text(line.image_id), list(map(id_text, line.text_ids))
        except ValueError as error:
            problems.add(f"{place}: {error}")
            continue
        if image in pictures or not texts:
            what = "stands there already" if image in pictures else "has no text"
            problems.add(f"{place}: picture {image} {what}")
        pictures[image] = texts
    problems.raise_if_any(advice=f"Expected {EXPECTED}.")
    owners: dict[str, list[str]] = {}
    for image, texts in pictures.items():
        for text in texts:
            owners.setdefault(text, []).append(image)
    named = _TEXTS_NAME.fullmatch(stem_of(source.path).removesuffix(".tr"))
    return FoundTexts(
        tuple(TextRow(text, tuple(images), 0) for text, images in owners.items()),
        dataset=UNNAMED,
        split=canonical_split(named[1]) if named else "",
    )


def _is_list(source: Source) -> bool:
    return source.kind == "json" and source.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def _texts_file(source: Source) -> FoundTexts:
    rows = [
        (place, row.text_id, row.image_ids, row.text)
        for place, row in read_records(source, TextLine, EXPECTED)
    ]
    named = _TEXTS_NAME.fullmatch(stem_of(source.path))
    split = canonical_split(named[1]) if named else ""
    return FoundTexts(_checked(rows, source), dataset=UNNAMED, split=split)


def _captions_file(source: Source, parts: dict[str, msgspec.Raw]) -> FoundTexts:
    place = f"{source.path}: annotations"
    captions = decode_json(bytes(parts["annotations"]), list[CaptionLine], place, EXPECTED)
    rows = [
        (f"{place}[{at}]", row.id, [row.image_id], row.caption) for at, row in enumerate(captions)
    ]
    named = _CAPTIONS_NAME.match(stem_of(source.path))
    info = bytes(parts.get("info", msgspec.Raw(b"{}")))
    return FoundTexts(
        _checked(rows, source),
        dataset="coco",
        split=canonical_split(named[1]) if named else "",
        scheme=named[2] or "" if named else "",
        description=decode_json(info, _Info, f"{source.path}: info", EXPECTED).description,
    )


def _karpathy_file(source: Source, parts: dict[str, msgspec.Raw], split: str) -> FoundTexts:
    place = f"{source.path}: images"
    images = decode_json(bytes(parts["images"]), list[KarpathyImage], place, EXPECTED)
    name = decode_json(
        bytes(parts.get("dataset", msgspec.Raw(b'""'))), str, f"{source.path}: dataset", EXPECTED
    )
    chosen = [(at, image) for at, image in enumerate(images) if image.split == split]
    if not chosen:
        splits = ", ".join(sorted({image.split for image in images})) or "none"
        raise DataProblem(f"{source.path}: no picture of split {split}; it has {splits}.")
    bare = [
        f"{place}[{at}]: neither cocoid nor filename" for at, image in chosen if not _named(image)
    ]
    problems = Problems()
    problems.extend(bare)
    problems.raise_if_any(advice=f"Expected {EXPECTED}.")
    ids = ((f"{place}[{at}]", str(image_id_of(image))) for at, image in chosen)
    unique_ids(ids, what="picture", file=str(source.path))
    rows = [
        (f"{place}[{at}]", sentence.sentid, [image_id_of(image)], sentence.raw)
        for at, image in chosen
        for sentence in image.sentences
    ]
    return FoundTexts(
        _checked(rows, source), dataset=name or UNNAMED, split=split, scheme="karpathy"
    )


def _named(image: KarpathyImage) -> bool:
    return image.cocoid is not None or bool(PurePosixPath(image.filename).stem)


def image_id_of(image: KarpathyImage) -> Id:
    """Its cocoid, else its file's stem."""
    return PurePosixPath(image.filename).stem if image.cocoid is None else image.cocoid


def _checked(
    rows: Sequence[tuple[str, Id, Sequence[Id], str]], source: Source
) -> tuple[TextRow, ...]:
    texts: list[TextRow] = []
    problems = Problems()
    for place, text_id, image_ids, text in rows:
        try:
            images = tuple(id_text(image_id) for image_id in image_ids)
            texts.append(TextRow(id_text(text_id), images, len(text)))
        except ValueError as error:
            problems.add(f"{place}: {error}")
    problems.raise_if_any(advice=f"Expected {EXPECTED}.")
    unique_ids(
        ((row[0], text.text_id) for row, text in zip(rows, texts, strict=True)),
        what="text_id",
        file=str(source.path),
    )
    return tuple(texts)
