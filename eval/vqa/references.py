"""Where references come from: official files, or the shards of a prepared data set."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from vle_bench.errors import UsageProblem
from vle_bench.eval.requests import VqaRequest
from vle_bench.eval.scored import ReferenceFacts
from vle_bench.eval.vqa.gold import Gold


class References(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What predictions are scored against.

    Attributes:
        gold: The annotators' answers.
        facts: Where they lie and what they are.
        inputs: Role and sha256 of each file read.
        questions: The questions' texts, in the order of `gold`; empty where no file holds them.
        vocabulary: Path of the answer vocabulary that was prepared with them; "" without one.
        notes: What a reader of the score must know about them.
    """

    gold: Gold
    facts: ReferenceFacts
    inputs: Mapping[str, str]
    questions: tuple[str, ...] = ()
    vocabulary: str = ""
    notes: tuple[str, ...] = ()


def read_references(request: VqaRequest) -> References:
    """The references that a request names.

    Raises:
        DataProblem: They are missing, broken or not the split that was named.
        UsageProblem: The request names none.
    """
    if request.annotations:
        from vle_bench.eval.vqa.annotations import read_annotations

        return read_annotations(request)
    if request.questions:
        raise UsageProblem("--questions adds to --annotations: give both, or neither.")
    if request.split:
        from vle_bench.eval.vqa.shards import read_shards

        return read_shards(request)
    raise UsageProblem(
        "No references. Give --annotations A.json, or --split S for prepared shards under --data."
    )
