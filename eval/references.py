"""What a reference file says of itself: dataset, split, and whether it is sample data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from vle_bench.canonical import json_bytes, sha256_bytes
from vle_bench.errors import DataProblem
from vle_bench.eval.scored import ReferenceFacts

if TYPE_CHECKING:
    from vle_bench.shards.report import Report

SAMPLE_MARK = "sample_world.json"
SAMPLE_DESCRIPTION = "VLE bench sample world"
_MARK_DEPTH = 4

SPLIT_NAMES = {
    "dev": "val",
    "valid": "val",
    "train2014": "train",
    "val2014": "val",
    "train2017": "train",
    "val2017": "val",
    "test2015": "test",
    "test-dev2015": "test-dev",
}


def canonical_split(name: str) -> str:
    """The split's stored name.

    >>> canonical_split("dev"), canonical_split("val2014"), canonical_split("valsmall")
    ('val', 'val', 'valsmall')
    """
    return SPLIT_NAMES.get(name, name)


def is_sample(path: Path, description: str = "") -> bool:
    """Whether a file belongs to a sample world.

    Args:
        path: The reference file.
        description: What the file's own `info.description` says, if it has one.
    """
    if description == SAMPLE_DESCRIPTION:
        return True
    parents = list(path.resolve().parents)[:_MARK_DEPTH]
    return any((folder / SAMPLE_MARK).is_file() for folder in parents)


def check_expected_count(
    *,
    dataset: str,
    named_split: str,
    kind: str,
    found: int,
    place: str,
    sample: bool,
    scheme: str = "",
) -> None:
    """Refuses references that are not the whole split the user named.

    Nothing is checked where the user named no split, the dataset is unknown, the manifest states
    no count, or the references are marked as sample data.

    Args:
        dataset: The dataset's name.
        named_split: The split as the user named it; "" when not named.
        kind: What was counted: `questions`, `images`, `captions`.
        found: The number found.
        place: The reference file, for the message.
        sample: Whether the references are sample data.
        scheme: How the dataset's pictures are split; "" is its default.

    Raises:
        DataProblem: The counts differ.
    """
    if sample or not named_split:
        return
    from vle_bench.catalog.datasets import dataset_names, expected_count

    if dataset not in dataset_names():
        return
    split = canonical_split(named_split)
    expected = expected_count(dataset, split, kind, scheme=scheme)
    if expected is None or expected.count == found:
        return
    raise DataProblem(
        f"{place}: {found:,} {kind}, {expected.count:,} were expected of {dataset} {split} "
        f"({expected.source}). Give the whole split, or leave --split out."
    )


def part_note(*, facts: ReferenceFacts, kind: str, found: int, scheme: str = "") -> tuple[str, ...]:
    """A sentence where the references are not as many as the split they call themselves.

    References may be a part on purpose, so nothing is refused; the reader of the number is told.

    Args:
        facts: What the references are.
        kind: What was counted: `questions`, `images`, `captions`.
        found: The number found.
        scheme: How the dataset's pictures are split; "" is its default.
    """
    part = part_of(facts=facts, kind=kind, found=found, scheme=scheme)
    if not part:
        return ()
    note = (
        f"Scored on {part} of {facts.dataset} {facts.split}. "
        "Published scores are of the whole; name another set with --dataset."
    )
    return (note,)


def part_of(*, facts: ReferenceFacts, kind: str, found: int, scheme: str = "") -> str:
    """How many of a known split's items the references hold; "" where it is all of them.

    Arguments as in `part_note`.
    """
    if facts.sample:
        return ""
    from vle_bench.catalog.datasets import expected_count

    expected = expected_count(facts.dataset, facts.split, kind, scheme=scheme)
    if expected is None or expected.count == found:
        return ""
    return f"{found:,} of {expected.count:,} {kind}"


def with_part(facts: ReferenceFacts, *, kind: str, found: int, scheme: str = "") -> ReferenceFacts:
    """`facts` that know whether they are a part; arguments as in `part_note`."""
    return replace(facts, part=part_of(facts=facts, kind=kind, found=found, scheme=scheme))


def shards_digest(report: Report, split: str) -> str:
    """One digest over the names and digests of a split's shards, as the report lists them.

    Args:
        report: The books of a prepared dataset.
        split: One of its splits.

    Raises:
        DataProblem: It has no such split.
    """
    if split not in report.splits:
        known = ", ".join(report.splits) or "none"
        raise DataProblem(f"{report.dataset}: no split {split} is prepared; there is {known}.")
    shards = report.splits[split].shards
    return sha256_bytes(json_bytes([[shard.name, shard.sha256] for shard in shards]))
