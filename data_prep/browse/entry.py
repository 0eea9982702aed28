"""What the page knows of one picture, as plain values under short names.

All of it is text from strangers. Nothing here escapes anything: the page puts
text into text nodes only, and `page` makes the JSON safe to stand in HTML.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from vle_bench.data_prep.browse.targets import TargetMaker
from vle_bench.data_prep.prepared import AnySample
from vle_bench.records import BoxAnnotation, Question, VcrItem, VcrToken
from vle_bench.shards.index import SampleRow

Objects = Sequence[dict[str, Any]]

_KIB = 1024


def entry(
    sample: AnySample, row: SampleRow, *, source: str, answers: Sequence[str], maker: TargetMaker
) -> dict[str, Any]:
    """One picture for the page.

    Args:
        sample: Its record.
        row: Its row in the index.
        source: The thumbnail as a data URI, or "" where the picture cannot be decoded.
        answers: Names of the soft targets' labels.
        maker: Of frames and the training targets in them.
    """
    return {
        "key": sample.key,
        "dataset": sample.dataset,
        "split": sample.split,
        "width": sample.image.width,
        "height": sample.image.height,
        "src": source,
        "facts": _facts(sample, row),
        "captions": [caption.text for caption in sample.captions],
        "boxes": [_box(box) for box in sample.boxes],
        "questions": [_question(one, answers) for one in sample.questions],
        "views": maker.views(sample),
        "items": [_item(one, sample.objects) for one in sample.items],
    }


def _box(box: BoxAnnotation) -> dict[str, Any]:
    return {
        "id": box.id,
        "xywh": list(box.xywh),
        "kind": box.kind,
        "label": box.label,
        "phrase": box.phrase,
        "attributes": list(box.attributes),
        "source": box.source,
    }


def _question(question: Question, names: Sequence[str]) -> dict[str, Any]:
    given = Counter(answer.answer for answer in question.answers)
    return {
        "id": str(question.question_id),
        "text": question.question,
        "type": " · ".join(filter(None, (question.question_type, question.answer_type))),
        "dev": question.test_dev,
        "answers": [[answer, count] for answer, count in given.most_common()],
        "targets": [
            [names[label] if 0 <= label < len(names) else f"label {label}", score]
            for label, score in zip(question.labels, question.scores, strict=False)
        ],
    }


def _item(item: VcrItem, objects: Objects) -> dict[str, Any]:
    """A VCR question; in test nobody knows which choice is right."""
    return {
        "id": item.annot_id,
        "text": _told(item.question, objects),
        "type": item.answer_likelihood,
        "answers": _choices(item.answer_choices, item.answer_label, objects),
        "reasons": _choices(item.rationale_choices, item.rationale_label, objects),
    }


def _choices(
    choices: Sequence[Sequence[VcrToken]], right: int, objects: Objects
) -> list[list[Any]]:
    return [[_told(choice, objects), place == right] for place, choice in enumerate(choices)]


def _told(tokens: Sequence[VcrToken], objects: Objects) -> str:
    """Tokens as a sentence; things have their number, as in the list of boxes."""
    return " ".join(
        token.text or " and ".join(_object(place, objects) for place in token.objects)
        for token in tokens
    )


def _object(place: int, objects: Objects) -> str:
    thing = objects[place] if 0 <= place < len(objects) else {}
    return f"[{place + 1} {thing.get('name', 'object')}]"


def _facts(sample: AnySample, row: SampleRow) -> list[list[str]]:
    image = sample.image
    turned = "" if image.orientation == 1 else " (shown as stored, not turned)"
    facts = {
        "shard": f"{row.split}/{row.shard} at {row.offset:,}",
        "size": f"{image.width} x {image.height}, {image.format}, {row.image_size / _KIB:,.1f} KiB",
        "EXIF orientation": f"{image.orientation}{turned}",
        "licence": image.licence,
        "image id": image.id,
        "COCO id": image.coco_id,
        "Flickr id": image.flickr_id,
        "file": image.file_name,
        "address": image.source_url,
        "sha256": image.sha256,
    }
    return [[name, value] for name, value in facts.items() if value]
