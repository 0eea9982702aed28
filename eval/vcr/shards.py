"""References out of the shards that `vle-prep run vcr` wrote.

Shards go picture by picture; here the items stand by the number in their
`annot_id`, which is the order of the official file, so that arrays of scores
made for one fit the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vle_bench.errors import DataProblem
from vle_bench.eval.matching import unique_ids
from vle_bench.eval.references import canonical_split, check_expected_count, shards_digest
from vle_bench.eval.requests import VcrRequest
from vle_bench.eval.scored import ReferenceFacts
from vle_bench.eval.vcr.order import annotation_order
from vle_bench.eval.vcr.question import objects_named, question_word
from vle_bench.eval.vcr.references import DATASET, VcrItem
from vle_bench.inputs.collector import no_collector
from vle_bench.records import NO_LABEL_ID, VcrSample
from vle_bench.records import VcrItem as Item
from vle_bench.shards.layout import REPORT
from vle_bench.shards.read import iter_samples
from vle_bench.shards.report import read_report


def read_shards(request: VcrRequest) -> tuple[tuple[VcrItem, ...], ReferenceFacts]:
    """The items of `--split` under `--data`.

    Raises:
        DataProblem: No such dataset or split, damaged shards, an id twice, hidden labels, or not
            the whole split.
    """
    split = canonical_split(request.split)
    folder = Path(request.data) / (request.dataset or DATASET)
    place = str(folder / split)
    if not (folder / REPORT).is_file():
        raise DataProblem(
            f"{place}: no VCR shards to take references from. Give --annotations val.jsonl, "
            "or make them with vle-prep run vcr."
        )
    report = read_report(folder)
    with no_collector():
        items = sorted(_items(folder, split), key=lambda item: annotation_order(item.annot_id))
    hidden = sum(NO_LABEL_ID in (item.answer_label, item.rationale_label) for item in items)
    if hidden or not items:
        raise DataProblem(
            f"{place}: {hidden:,} of {len(items):,} items have no labels (those of test are "
            "hidden), so nothing can be scored. Choose --split val, or write "
            "what the server takes with vle-eval submit vcr."
        )
    unique_ids(((place, item.annot_id) for item in items), what="annot_id", file=place)
    facts = ReferenceFacts(
        path=place,
        sha256=shards_digest(report, split),
        dataset=report.dataset,
        split=split,
        sample=report.sample,
    )
    check_expected_count(
        dataset=facts.dataset,
        named_split=request.split,
        kind="questions",
        found=len(items),
        place=place,
        sample=facts.sample,
    )
    return tuple(items), facts


def _items(folder: Path, split: str) -> list[VcrItem]:
    return [
        VcrItem(
            annot_id=item.annot_id,
            image_id=sample.image.id,
            answer_label=item.answer_label,
            rationale_label=item.rationale_label,
            group=item.region,
            answer_lengths=tuple(map(len, item.answer_choices)),
            rationale_lengths=tuple(map(len, item.rationale_choices)),
            likelihood=item.answer_likelihood,
            objects_named=objects_named(question := _question(item)),
            question_word=question_word(question),
        )
        for sample in iter_samples(folder, split, VcrSample)
        for item in sample.items
    ]


def _question(item: Item) -> list[Any]:
    """The question as the official file writes it, so that its kind is found in one way only."""
    return [list(token.objects) if token.objects else token.text for token in item.question]
