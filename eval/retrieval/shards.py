"""Retrieval references out of prepared shards: the captions of a split, sample by sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from vle_bench.eval.matching import unique_ids
from vle_bench.eval.references import canonical_split, shards_digest
from vle_bench.eval.requests import RetrievalRequest
from vle_bench.eval.retrieval.gold import TextRow
from vle_bench.eval.scored import ReferenceFacts
from vle_bench.inputs.collector import no_collector
from vle_bench.records import Sample
from vle_bench.shards.read import iter_samples
from vle_bench.shards.report import read_report

DEFAULT_DATASET = "coco"


def read_shards(request: RetrievalRequest) -> tuple[tuple[TextRow, ...], ReferenceFacts]:
    """The captions of `--split` under `--data`, in the order of the samples.

    Raises:
        DataProblem: No such dataset or split, damaged shards, or an id of two captions.
    """
    split = canonical_split(request.split)
    folder = Path(request.data) / (request.dataset or DEFAULT_DATASET)
    report = read_report(folder)
    place = str(folder / split)
    with no_collector():
        texts = tuple(_texts(iter_samples(folder, split, Sample)))
    unique_ids(((place, text.text_id) for text in texts), what="text_id", file=place)
    facts = ReferenceFacts(
        path=place,
        sha256=shards_digest(report, split),
        dataset=report.dataset,
        split=split,
        sample=report.sample,
    )
    return texts, facts


def _texts(samples: Iterable[Sample]) -> Iterator[TextRow]:
    """The captions in order; one that stands on several pictures, as in Flickr30k-CN, is one text.

    The same id with other words, or twice on one picture, is not: it comes out twice.
    """
    rows: dict[tuple[str, str], list[str]] = {}
    again: list[TextRow] = []
    for sample in samples:
        image = sample.image.coco_id or sample.image.id
        for caption in sample.captions:
            images = rows.setdefault((caption.id, caption.text), [])
            if image in images:
                again.append(TextRow(caption.id, (image,), len(caption.text)))
            else:
                images.append(image)
    for (identity, text), images in rows.items():
        yield TextRow(identity, tuple(images), len(text))
    yield from again
