"""Retrieval references: Chinese-CLIP texts, COCO captions, or a Karpathy split file.

The order of the texts is part of the references: a score matrix has no ids of
its own. It is that of the file (`annotations` of COCO captions, the sentences
of each picture of a Karpathy file in turn), and pictures follow by their first
appearance among the texts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from vle_bench.errors import DataProblem, Problems, UsageProblem
from vle_bench.eval.matching import unique_ids
from vle_bench.eval.references import (
    canonical_split,
    check_expected_count,
    is_sample,
    part_note,
)
from vle_bench.eval.requests import RetrievalRequest
from vle_bench.eval.retrieval.gold import TextRow
from vle_bench.eval.scored import ReferenceFacts
from vle_bench.identity import id_text
from vle_bench.inputs import Source, decode_json, open_source, read_json
from vle_bench.inputs.names import stem_of
from vle_bench.inputs.records import read_records

UNNAMED = "unnamed"
KARPATHY_SPLIT = "test"
_EXPECTED = (
    'retrieval references: Chinese-CLIP texts {"text_id", "text", "image_ids"} a line, '
    "COCO captions_*.json, or a Karpathy dataset_*.json"
)
_CAPTIONS_NAME = re.compile(r"captions_((?:train|val|test)(20\d\d)?)")
_TEXTS_NAME = re.compile(r"(train|valid|val|dev|test)_texts")

Id = int | str


class _Text(msgspec.Struct, frozen=True):
    text_id: Id
    image_ids: list[Id]
    text: str = ""


class _Caption(msgspec.Struct, frozen=True):
    id: Id
    image_id: Id
    caption: str = ""


class _Sentence(msgspec.Struct, frozen=True):
    sentid: Id
    raw: str = ""


class _KarpathyImage(msgspec.Struct, frozen=True):
    split: str
    sentences: list[_Sentence]
    filename: str = ""
    cocoid: Id | None = None


class _Info(msgspec.Struct, frozen=True):
    description: str = ""


@dataclass(frozen=True)
class _Found:
    """What one of the three formats yields."""

    texts: tuple[TextRow, ...]
    dataset: str
    split: str
    scheme: str = ""
    description: str = ""


@dataclass(frozen=True)
class References:
    """The texts of the references, what the file is, and what a reader of a score must know."""

    texts: tuple[TextRow, ...]
    facts: ReferenceFacts
    notes: tuple[str, ...]


def read_references(request: RetrievalRequest) -> References:
    """The references that a request names.

    Raises:
        DataProblem: Missing, broken, a text twice, no text with a picture, or not the whole
            split that was named.
        UsageProblem: No references were named.
    """
    if not request.texts:
        raise _no_texts(request)
    path = Path(request.texts)
    source = open_source(path, "retrieval references")
    found = _read(source, canonical_split(request.split))
    _refuse_useless(found.texts, str(path))
    facts = ReferenceFacts(
        path=request.texts,
        sha256=source.sha256,
        dataset=request.dataset or found.dataset,
        split=canonical_split(request.split) or found.split,
        sample=is_sample(path, found.description),
    )
    counts = {
        "images": len({image for text in found.texts for image in text.image_ids}),
        "captions": len(found.texts),
    }
    for kind, count in counts.items():
        check_expected_count(
            dataset=facts.dataset,
            named_split=request.split,
            kind=kind,
            found=count,
            place=str(path),
            sample=facts.sample,
            scheme=found.scheme,
        )
    notes = tuple(
        note
        for kind, count in counts.items()
        for note in part_note(facts=facts, kind=kind, found=count, scheme=found.scheme)
    )
    return References(found.texts, facts, notes)


def _read(source: Source, split: str) -> _Found:
    if source.kind == "jsonl" or _is_list(source):
        return _texts_file(source)
    if source.kind != "json":
        raise DataProblem(f"{source.path}: a {source.kind} file. Expected {_EXPECTED}.")
    parts = read_json(source, dict[str, msgspec.Raw], _EXPECTED)
    if "annotations" in parts:
        return _captions_file(source, parts)
    if "images" in parts:
        return _karpathy_file(source, parts, split or KARPATHY_SPLIT)
    if "text_id" in parts:
        return _texts_file(source)
    raise DataProblem(
        f"{source.path}: an object with {', '.join(sorted(parts)[:10]) or 'no keys'}. "
        f"Expected {_EXPECTED}."
    )


def _is_list(source: Source) -> bool:
    return source.kind == "json" and source.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def _texts_file(source: Source) -> _Found:
    rows = [
        (place, row.text_id, row.image_ids, row.text)
        for place, row in read_records(source, _Text, _EXPECTED)
    ]
    named = _TEXTS_NAME.fullmatch(stem_of(source.path))
    split = canonical_split(named[1]) if named else ""
    return _Found(_checked(rows, source), dataset=UNNAMED, split=split)


def _captions_file(source: Source, parts: dict[str, msgspec.Raw]) -> _Found:
    place = f"{source.path}: annotations"
    captions = decode_json(bytes(parts["annotations"]), list[_Caption], place, _EXPECTED)
    rows = [
        (f"{place}[{at}]", row.id, [row.image_id], row.caption) for at, row in enumerate(captions)
    ]
    named = _CAPTIONS_NAME.match(stem_of(source.path))
    info = bytes(parts.get("info", msgspec.Raw(b"{}")))
    return _Found(
        _checked(rows, source),
        dataset="coco",
        split=canonical_split(named[1]) if named else "",
        scheme=named[2] or "" if named else "",
        description=decode_json(info, _Info, f"{source.path}: info", _EXPECTED).description,
    )


def _karpathy_file(source: Source, parts: dict[str, msgspec.Raw], split: str) -> _Found:
    place = f"{source.path}: images"
    images = decode_json(bytes(parts["images"]), list[_KarpathyImage], place, _EXPECTED)
    name = decode_json(
        bytes(parts.get("dataset", msgspec.Raw(b'""'))), str, f"{source.path}: dataset", _EXPECTED
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
    problems.raise_if_any(advice=f"Expected {_EXPECTED}.")
    rows = [
        (f"{place}[{at}]", sentence.sentid, [_image_id(image)], sentence.raw)
        for at, image in chosen
        for sentence in image.sentences
    ]
    return _Found(_checked(rows, source), dataset=name or UNNAMED, split=split, scheme="karpathy")


def _named(image: _KarpathyImage) -> bool:
    return image.cocoid is not None or bool(PurePosixPath(image.filename).stem)


def _image_id(image: _KarpathyImage) -> Id:
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
    problems.raise_if_any(advice=f"Expected {_EXPECTED}.")
    unique_ids(
        ((row[0], text.text_id) for row, text in zip(rows, texts, strict=True)),
        what="text_id",
        file=str(source.path),
    )
    return tuple(texts)


def _refuse_useless(texts: Sequence[TextRow], file: str) -> None:
    if not texts:
        raise DataProblem(f"{file}: no texts in it. Expected {_EXPECTED}.")
    if not any(text.image_ids for text in texts):
        raise DataProblem(
            f"{file}: none of its {len(texts):,} texts names a picture. "
            "A test split whose answers are hidden cannot be scored here."
        )


def _no_texts(request: RetrievalRequest) -> DataProblem | UsageProblem:
    if not request.split:
        return UsageProblem(f"No references. Give --texts with {_EXPECTED}.")
    folder = Path(request.data) / (request.dataset or "<dataset>") / canonical_split(request.split)
    return DataProblem(
        f"{folder}: no shards with captions to take references from. Give --texts with {_EXPECTED}."
    )
