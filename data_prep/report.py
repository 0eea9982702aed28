"""Turns books and shards into `report.json`, with the published counts beside ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from vle_bench.catalog.datasets import ExpectedCount, load_dataset_manifest
from vle_bench.console import amount, verb
from vle_bench.data_prep.books import ABSENT, Books
from vle_bench.data_prep.box_rules import OTHER_SIZE
from vle_bench.data_prep.gathered import Gathered
from vle_bench.data_prep.reasons import LOSSES, UNPACKED_BADLY, classes_of
from vle_bench.data_prep.sources import RawTree
from vle_bench.shards.index import KINDS
from vle_bench.shards.layout import split_order
from vle_bench.shards.report import (
    Counts,
    Expectation,
    Report,
    SplitReport,
    total,
)

_PLURALS = {"image": "images", "question": "questions", "caption": "captions", "box": "boxes"}
"""The books count things one by one, manifests speak of many."""


def split_report(
    dataset: str,
    books: Books,
    gathered: Gathered,
    *,
    raw: RawTree,
    scheme: str = "",
) -> SplitReport:
    """The closed books of a split.

    Args:
        dataset: The dataset's name.
        books: Everything read, skipped and adjusted, those of the shards included.
        gathered: The finished shards.
        raw: The raw folder; where its pictures are drawn, published counts say nothing about them.
        scheme: The way of splitting; "" is the dataset's default.

    Raises:
        DataProblem: The books do not balance.
    """
    counts = books.closed(gathered.written)
    published = () if raw.is_sample else _expectations(dataset, books, counts, scheme=scheme)
    expectations = tuple(published)
    manifest = load_dataset_manifest(dataset)
    zips = raw.zips_beside(manifest, manifest.needs_of(books.split, scheme=scheme))
    return SplitReport(
        counts=counts,
        adjusted=dict(sorted(books.adjusted.items())),
        licences=dict(sorted(books.licences.items())),
        elsewhere=dict(sorted((kind, n) for kind, n in books.elsewhere.items() if n)),
        expectations=expectations,
        absent_sources=tuple(sorted(books.absent)),
        sources=dict(sorted(books.sources.items())),
        picture_endings=tuple(sorted({e for one in gathered.outcomes for e in one.entry.endings})),
        warnings=(
            *books.warnings,
            *_warnings(books, counts, expectations),
            *_whole_elsewhere(counts["image"], zips),
        ),
        overlap=tuple(books.overlap),
        shards=gathered.shards,
    )


def make_report(
    dataset: str,
    splits: Mapping[str, SplitReport],
    *,
    sample: bool,
    parameters: Mapping[str, str | int],
    files: Mapping[str, str],
) -> Report:
    """The report over all splits, in their fixed order."""
    ordered = {name: _classed(splits[name]) for name in sorted(splits, key=split_order)}
    return Report(
        dataset=dataset,
        sample=sample,
        parameters=dict(parameters),
        counts={kind: total([split.counts[kind] for split in ordered.values()]) for kind in KINDS},
        splits=ordered,
        files=dict(sorted(files.items())),
    )


def _classed(split: SplitReport) -> SplitReport:
    """The books with the class of each reason, which the table of today decides."""
    replace = msgspec.structs.replace
    counts = {
        kind: replace(counts, classes=classes_of(counts.skipped))
        for kind, counts in split.counts.items()
    }
    return replace(split, counts=counts)


def _expectations(
    dataset: str, books: Books, counts: Mapping[str, Counts], *, scheme: str
) -> Iterator[Expectation]:
    manifest = load_dataset_manifest(dataset)
    for kind, plural in _PLURALS.items():
        published = manifest.expected(books.split, plural, scheme=scheme)
        if published is not None:
            yield _expectation(plural, published, counts[kind].written)
    for part, found in sorted(books.parts.items()):
        published = manifest.expected(part, "questions", scheme=scheme)
        if published is not None:
            yield _expectation(f"{part} questions", published, found)


def _expectation(what: str, published: ExpectedCount, found: int) -> Expectation:
    return Expectation(what=what, expected=published.count, found=found, source=published.source)


def _whole_elsewhere(pictures: Counts, zips: Iterable[str]) -> Iterator[str]:
    """What to do about pictures that an unpacking cut short which was broken off."""
    damaged = sum(pictures.skipped.get(reason, 0) for reason in UNPACKED_BADLY)
    names = " and ".join(zips)
    if damaged and names:
        yield (
            f"{amount(damaged, 'picture')} cut short, empty or broken may be whole in {names} "
            "beside the unpacked files, which are read first: unpack again, or remove the broken "
            "files, and run again"
        )


def _warnings(
    books: Books, counts: Mapping[str, Counts], expectations: Iterable[Expectation]
) -> Iterator[str]:
    absent = counts["image"].skipped.get(ABSENT, 0)
    if absent:
        images = amount(counts["image"].read, "image")
        yield f"{absent:,} of {images} {verb(absent, 'has', 'have')} no picture file"
    for rule in LOSSES:
        if books.adjusted[rule]:
            yield f"annotations lost: {rule} ({books.adjusted[rule]:,})"
    for one in expectations:
        if one.expected != one.found:
            read = [counts[kind].read for kind, what in _PLURALS.items() if what == one.what]
            found = f"{read[0]:,} read, {one.found:,} written" if read else f"{one.found:,} read"
            yield f"{one.expected:,} {one.what} expected ({one.source}), {found}"
    resized = books.adjusted[OTHER_SIZE]
    if resized:
        yield (
            f"{amount(resized, 'picture has', 'pictures have')} another size than "
            f"{verb(resized, 'its', 'their')} annotations say, and boxes are not "
            "scaled: are they the original files?"
        )
    for name in sorted(books.absent):
        yield f"{name} is absent"
