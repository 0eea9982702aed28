"""The contests of scoring, each with its input there as long as it is held.

`--only retrieval-whole` ranks all of 100,000 pictures and 500,000 texts, which
takes half an hour and is held only when it is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from bench import board, grounding, intervals, recall, retrieval, vcr, vqa
from bench.contest import Contest
from bench.retrieval import COCO_5K, SLICE, WHOLE, Shape
from bench.vcr_data import QUESTIONS_OF_VAL as QUESTIONS_OF_VCR
from bench.vqa_data import QUESTIONS_OF_VAL

NAMED_ONLY = "retrieval-whole"
_LONG = 3

Scratch = Callable[[], AbstractContextManager[Path]]


class Size(NamedTuple):
    """How much is measured, and how often."""

    questions: int
    vcr: int
    coco: Shape
    slice: Shape
    whole: Shape
    recall: tuple[int, int]
    maps: int
    rounds: int


FULL = Size(
    questions=QUESTIONS_OF_VAL,
    vcr=QUESTIONS_OF_VCR,
    coco=COCO_5K,
    slice=SLICE,
    whole=WHOLE,
    recall=(1_000, 5_010),
    maps=5_000,
    rounds=7,
)
QUICK = Size(
    questions=600,
    vcr=300,
    coco=Shape(50, 260, 16),
    slice=Shape(20, 300, 16),
    whole=Shape(40, 300, 16),
    recall=(20, 110),
    maps=20,
    rounds=1,
)


def contests(size: Size, only: tuple[str, ...], scratch: Scratch) -> Iterator[Contest]:
    """Those that are asked for, one after the other."""

    def wanted(*names: str) -> bool:
        return not only or any(name.startswith(only) for name in names)

    if wanted("vqa"):
        with scratch() as place:
            yield vqa.contest(place, size.questions)
    if wanted("vcr"):
        with scratch() as place:
            yield vcr.contest(place, size.vcr)
    if wanted("interval", "paired-test"):
        with scratch() as place:
            yield from intervals.contests(place, size.questions)
    if wanted("retrieval"):
        with scratch() as place:
            yield retrieval.small(place, size.coco)
    if wanted("recall"):
        with scratch() as place:
            yield recall.contest(place, *size.recall)
    if wanted("grounding-maps", "grounding-area"):
        with scratch() as place:
            yield from grounding.contests(place, size.maps)
    if wanted("board"):
        with scratch() as place:
            found = board.contest(place, size.questions)
            if found is not None:
                yield found
    if wanted("retrieval-slice"):
        with scratch() as place:
            yield retrieval.large(place, size.slice, name="retrieval-slice", rounds=_LONG)
    if NAMED_ONLY in only:
        with scratch() as place:
            yield retrieval.large(place, size.whole, name=NAMED_ONLY, rounds=1)
