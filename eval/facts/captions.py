"""The words of retrieval: what each text says and whose it is.

Scoring needs ids and lengths only, so its reader keeps no words; here they are
read again, by the same three forms of files or from shards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from vle_bench.errors import DataProblem
from vle_bench.eval.references import canonical_split, shards_digest
from vle_bench.eval.requests import RetrievalRequest
from vle_bench.eval.retrieval.formats import (
    CaptionLine,
    Id,
    KarpathyImage,
    TextLine,
    TurnedLine,
    image_id_of,
    is_turned,
)
from vle_bench.identity import id_text
from vle_bench.inputs import Source, open_source, read_json
from vle_bench.inputs.json import decode_json
from vle_bench.inputs.records import read_records
from vle_bench.records import Sample
from vle_bench.shards.read import iter_samples
from vle_bench.shards.report import read_report

_WHAT = "retrieval references"
_DEFAULT_DATASET = "coco"

Caption = tuple[Id, str, Iterable[Id]]


class Captions(msgspec.Struct, frozen=True):
    """Texts by id, and the ids of texts and pictures that belong together."""

    words: dict[str, str]
    of_picture: dict[str, list[str]]
    pictures: dict[str, list[str]]


def read_captions(request: RetrievalRequest) -> tuple[Captions, str]:
    """The captions that a request was scored against, and the digest of where they stand.

    Raises:
        DataProblem: They are missing or broken.
    """
    if request.texts:
        source = open_source(Path(request.texts), _WHAT)
        return _captions(_of_file(source), request.texts), source.sha256
    split = canonical_split(request.split)
    folder = Path(request.data) / (request.dataset or _DEFAULT_DATASET)
    digest = shards_digest(read_report(folder), split)
    return _captions(_of_shards(folder, split), str(folder)), digest


def _captions(rows: Iterable[Caption], place: str) -> Captions:
    words: dict[str, str] = {}
    of_picture: defaultdict[str, list[str]] = defaultdict(list)
    pictures: defaultdict[str, list[str]] = defaultdict(list)
    for text_id, text, images in rows:
        try:
            name, shown = id_text(text_id), [*map(id_text, images)]
        except ValueError as error:
            raise DataProblem(f"{place}: {error}. Score the run again.") from error
        words[name] = text
        for image in shown:
            of_picture[image].append(name)
            pictures[name].append(image)
    return Captions(words, dict(of_picture), dict(pictures))


def _of_file(source: Source) -> Iterator[Caption]:
    parts: dict[str, Any] = {}
    if is_turned(source):
        for _, line in read_records(source, TurnedLine, _WHAT):
            yield from ((text, "", (line.image_id,)) for text in line.text_ids)
        return
    if source.kind == "json" and not source.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        parts = read_json(source, dict[str, msgspec.Raw], _WHAT)
    place = str(source.path)
    if "annotations" in parts:
        for caption in decode_json(bytes(parts["annotations"]), list[CaptionLine], place, _WHAT):
            yield caption.id, caption.caption, (caption.image_id,)
    elif "images" in parts:
        for image in decode_json(bytes(parts["images"]), list[KarpathyImage], place, _WHAT):
            for sentence in image.sentences:
                yield sentence.sentid, sentence.raw, (image_id_of(image),)
    else:
        for _, row in read_records(source, TextLine, _WHAT):
            yield row.text_id, row.text, row.image_ids


def _of_shards(folder: Path, split: str) -> Iterator[Caption]:
    for sample in iter_samples(folder, split, Sample):
        for caption in sample.captions:
            yield caption.id, caption.text, (sample.image.coco_id or sample.image.id,)
