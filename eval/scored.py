"""What every scorer hands on: item scores, metrics, and how they were made.

A scorer is a function from a request to a `Scored`. It reads files and computes;
it stores nothing and prints nothing. The item table is the primitive, each
metric is a fold over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, Protocol

import msgspec

from vle_bench.errors import DataProblem
from vle_bench.eval.requests import ScoringRequest
from vle_bench.results import Metric


class ReferenceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the references are, as they say themselves or as the user named them.

    Attributes:
        path: As the user wrote it (the shard folder, where references come from shards).
        sha256: Digest of the file, or of the split's samples.
        dataset: `vqav2`, `vcr`, `coco`, ...
        split: `train`, `val`, ... (`dev` is `val`).
        sample: Whether they belong to the sample world.
        part: "886 of 26,534 questions" where they are not the whole split, else "".
    """

    path: str
    sha256: str
    dataset: str
    split: str
    sample: bool = False
    part: str = ""


class LaterTable(Mapping[str, Any]):
    """An item table that is made when somebody looks at it: a run that stores nothing need not.

    Args:
        make: Makes the columns.
    """

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        self._make = make

    @cached_property
    def _columns(self) -> Mapping[str, Any]:
        return self._make()

    def __getitem__(self, name: str) -> Any:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """One scored run.

    Attributes:
        task: `vqa`, `vcr` or `retrieval`.
        protocol: The scoring rule's name (the tie rule in retrieval, `joint` in VCR).
        model: Default name of the model: the predictions file's stem, or the predictor's name.
        references: What it was scored against.
        metrics: Percent (ranks: counts), in the order to show them.
        items: Columns of the item table: at least id, image_id, group, prediction, score.
        predictions: The predictions in their normal form, as JSONL, or how to make it.
        signature: The parts between the task and our version, in order.
        inputs: Name and sha256 of every file that was read.
        notes: Sentences a reader of the number must know (missing items, ties, duplicates).
    """

    task: str
    protocol: str
    model: str
    references: ReferenceFacts
    metrics: Mapping[str, Metric]
    items: Mapping[str, Any]
    predictions: bytes | Callable[[], bytes]
    signature: tuple[tuple[str, str], ...]
    inputs: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def prediction_lines(self) -> bytes:
        """The predictions in their normal form."""
        return self.predictions if isinstance(self.predictions, bytes) else self.predictions()


class ScoringTask(Protocol):
    """What `eval/<task>/task.py` offers under the name `TASK`."""

    name: str
    request_type: type[ScoringRequest]

    def score(self, request: ScoringRequest) -> Scored:
        """Reads what the request names and scores it; checks the task's identities."""
        ...

    def again(self, request: ScoringRequest, folder: str) -> ScoringRequest | None:
        """The request that scores the stored predictions of `folder`; None if they cannot be."""
        ...


def refuse_broken_identity(holds: bool, what: str) -> None:
    """Stops a run whose own numbers contradict each other.

    Raises:
        DataProblem: `holds` is false: a bug of ours or damaged input, never a result.
    """
    if not holds:
        raise DataProblem(f"The scores contradict themselves: {what}. Please report this.")
