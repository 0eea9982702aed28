"""Retrieval references: which texts there are, whose they are, and what they are part of.

They come from a file of one of three formats, or from the captions of prepared
shards. Pictures follow the texts, by their first appearance among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.eval.references import (
    canonical_split,
    check_expected_count,
    is_sample,
    part_note,
    with_part,
)
from vle_bench.eval.requests import RetrievalRequest
from vle_bench.eval.retrieval.formats import EXPECTED, read_texts
from vle_bench.eval.retrieval.gold import Gold, TextRow
from vle_bench.eval.scored import ReferenceFacts
from vle_bench.inputs import open_source


class References(msgspec.Struct, frozen=True):
    """The texts of the references, what they are, and what a reader of a score must know."""

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
    if request.texts:
        return _from_file(request)
    if request.split:
        from vle_bench.eval.retrieval.shards import read_shards

        texts, facts = read_shards(request)
        return _described(texts, facts, named_split=request.split)
    raise UsageProblem(
        f"No references. Give --texts with {EXPECTED}; or --split S for shards under --data."
    )


def with_gallery(facts: ReferenceFacts, gold: Gold) -> ReferenceFacts:
    """`facts` that know of pictures in the gallery which the split does not have.

    Where nobody counted the split's pictures its gallery may be larger than what its texts name.
    """
    from vle_bench.catalog.datasets import expected_count

    pictures = len(gold.image_ids)
    if facts.sample or facts.part or pictures == gold.captioned:
        return facts
    if expected_count(facts.dataset, facts.split, "images") is None:
        return facts
    return msgspec.structs.replace(facts, part=f"a gallery of {pictures:,} pictures")


def _from_file(request: RetrievalRequest) -> References:
    path = Path(request.texts)
    source = open_source(path, "retrieval references")
    found = read_texts(source, canonical_split(request.split))
    facts = ReferenceFacts(
        path=request.texts,
        sha256=source.sha256,
        dataset=request.dataset or found.dataset,
        split=canonical_split(request.split) or found.split,
        sample=is_sample(path, found.description),
    )
    return _described(found.texts, facts, named_split=request.split, scheme=found.scheme)


def _described(
    texts: Sequence[TextRow], facts: ReferenceFacts, *, named_split: str, scheme: str = ""
) -> References:
    """Checks that something can be scored and that a named split is whole."""
    from vle_bench.catalog.datasets import expected_count

    _refuse_useless(texts, facts.path)
    notes: list[str] = []
    counts = {
        "images": len({image for text in texts for image in text.image_ids}),
        "captions": len(texts),
    }
    for kind, count in counts.items():
        check_expected_count(
            dataset=facts.dataset,
            named_split=named_split,
            kind=kind,
            found=count,
            place=facts.path,
            sample=facts.sample,
            scheme=scheme,
        )
        notes += part_note(facts=facts, kind=kind, found=count, scheme=scheme)
    # Captions alone differ where duplicates were dropped: the note says it, the pictures decide,
    # unless nobody counted them (MUGE, whose gallery is larger than what its texts name).
    known = expected_count(facts.dataset, facts.split, "images", scheme=scheme) is not None
    kind = "images" if known else "captions"
    facts = with_part(facts, kind=kind, found=counts[kind], scheme=scheme)
    return References(tuple(texts), facts, tuple(notes))


def _refuse_useless(texts: Sequence[TextRow], file: str) -> None:
    if not texts:
        raise DataProblem(f"{file}: no texts in it. Expected {EXPECTED}.")
    if not any(text.image_ids for text in texts):
        raise DataProblem(
            f"{file}: none of its {len(texts):,} texts names a picture. "
            "A test split whose answers are hidden cannot be scored here."
        )
