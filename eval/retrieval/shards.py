"""Retrieval references out of prepared shards: the captions of a split, sample by sample."""

from __future__ import annotations

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
        DataProblem: No such dataset or split, damaged shards, or a caption id twice.
    """
    split = canonical_split(request.split)
    folder = Path(request.data) / (request.dataset or DEFAULT_DATASET)
    report = read_report(folder)
    with no_collector():
        texts = tuple(
            TextRow(caption.id, (sample.image.coco_id or sample.image.id,), len(caption.text))
            for sample in iter_samples(folder, split, Sample)
            for caption in sample.captions
        )
    place = str(folder / split)
    unique_ids(((place, text.text_id) for text in texts), what="text_id", file=place)
    facts = ReferenceFacts(
        path=place,
        sha256=shards_digest(report, split),
        dataset=report.dataset,
        split=split,
        sample=report.sample,
    )
    return texts, facts
