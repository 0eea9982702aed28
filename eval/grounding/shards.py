"""The prepared split that holds the boxes, read once, whatever is scored against them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

from vle_bench.errors import UsageProblem
from vle_bench.eval.references import (
    canonical_split,
    check_expected_count,
    part_note,
    shards_digest,
    with_part,
)
from vle_bench.eval.requests import GroundingRequest
from vle_bench.eval.scored import ReferenceFacts
from vle_bench.inputs.collector import no_collector
from vle_bench.records import Sample
from vle_bench.shards.read import iter_samples
from vle_bench.shards.report import read_report

T = TypeVar("T")


class PreparedSplit(NamedTuple):
    """Where a split lies."""

    folder: Path
    split: str

    @property
    def place(self) -> str:
        """The split's folder, for messages."""
        return str(self.folder / self.split)


def prepared_split(request: GroundingRequest) -> PreparedSplit:
    """The split that a request names.

    Raises:
        UsageProblem: Dataset or split are not named.
    """
    if not (request.dataset and request.split):
        raise UsageProblem(
            "No references. Give --dataset and --split: the boxes come from the shards that "
            "vle-prep run DATASET wrote under --data."
        )
    return PreparedSplit(Path(request.data) / request.dataset, canonical_split(request.split))


def read_split(
    request: GroundingRequest, read: Callable[[Iterable[Sample]], T]
) -> tuple[T, ReferenceFacts, tuple[str, ...]]:
    """What `read` makes of the samples, what they are, and a note where they are a part.

    Args:
        request: Names folder, dataset and split.
        read: Goes over all samples once, in the order of the shards.

    Raises:
        DataProblem: No such dataset or split, damaged shards, or not the whole split.
        UsageProblem: Dataset or split are not named.
    """
    where = prepared_split(request)
    report = read_report(where.folder)
    samples = _Counted(iter_samples(where.folder, where.split, Sample))
    with no_collector():
        found = read(samples)
    facts = ReferenceFacts(
        path=where.place,
        sha256=shards_digest(report, where.split),
        dataset=report.dataset,
        split=where.split,
        sample=report.sample,
    )
    scheme = str(report.parameters.get("scheme", ""))
    check_expected_count(
        dataset=facts.dataset,
        named_split=request.split,
        kind="images",
        found=samples.count,
        place=where.place,
        sample=facts.sample,
        scheme=scheme,
    )
    note = part_note(facts=facts, kind="images", found=samples.count, scheme=scheme)
    facts = with_part(facts, kind="images", found=samples.count, scheme=scheme)
    return found, facts, note


class _Counted:
    """An iterable that knows how much went by."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = iter(samples)
        self.count = 0

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> Sample:
        sample = next(self._samples)
        self.count += 1
        return sample
