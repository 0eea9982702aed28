"""Classes of boxes (MPC): is the class of a hidden box the model's first guess, or among five?

The label space is a vocabulary of classes counted from 0, without gaps. COCO's
own category ids run from 1 to 90 with ten gaps: a file of those is shifted by
one at its start and by eleven at its end, and most of its guesses would still be
some class. So ids beyond the vocabulary are refused, with that hint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.boxes import from_xywh
from vle_bench.canonical import json_bytes
from vle_bench.errors import DataProblem, Problems
from vle_bench.eval.grounding.fields import identity, integers
from vle_bench.eval.grounding.frame import Frame
from vle_bench.eval.grounding.queries import COVERAGE, query_name
from vle_bench.eval.grounding.shards import read_split
from vle_bench.eval.matching import Matching, named, unique_ids
from vle_bench.eval.requests import GroundingRequest
from vle_bench.eval.scored import ReferenceFacts
from vle_bench.inputs import Source, read_rows
from vle_bench.labels.vocabulary import ClassVocabulary
from vle_bench.patches.coverage import coverage
from vle_bench.records import Sample

GUESSES = 5
METRICS = ("mpc_top1", "mpc_top5")
_EXPECTED = "MPC guesses: rows of key, box_id and label_ids (five classes, best first)"

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class LabelledBox(msgspec.Struct, frozen=True):
    """One box whose class is asked."""

    key: str
    box_id: str
    image_id: str
    label: int

    @property
    def name(self) -> str:
        """The box's id over the whole split."""
        return query_name(self.key, self.box_id)


class BoxSet(msgspec.Struct, frozen=True):
    """The boxes of a split.

    Attributes:
        boxes: Those that are asked, in the order of the shards.
        without_class: Names of boxes whose name is no class of the vocabulary.
        without_patch: Names of boxes that show in no patch of the frame.
        facts: What the references are.
        notes: What a reader of the number must know of them.
    """

    boxes: tuple[LabelledBox, ...]
    without_class: tuple[str, ...]
    without_patch: tuple[str, ...]
    facts: ReferenceFacts
    notes: tuple[str, ...]


class Guesses(msgspec.Struct, frozen=True, eq=False):
    """Five classes for each box, -1 where there is no prediction; shape [boxes, 5]."""

    label_ids: Ints
    present: Flags


def read_boxes(
    request: GroundingRequest, vocabulary: ClassVocabulary, frame: Frame | None
) -> BoxSet:
    """The objects of `--dataset` and `--split` whose class the vocabulary holds.

    Crowds and regions are no single things and are not asked.

    Args:
        request: Names the shards.
        vocabulary: The classes.
        frame: Where it is given, boxes that show in no patch are not asked either.

    Raises:
        DataProblem: No such split, damaged shards, an id twice, or no box with a class.
    """
    without_class: list[str] = []
    without_patch: list[str] = []

    def boxes_of(samples: Iterable[Sample]) -> Iterator[LabelledBox]:
        for sample in samples:
            things = [box for box in sample.boxes if box.kind == "object"]
            shows = [True] * len(things)
            if frame is not None and things:
                view = frame.view(sample.image.width, sample.image.height)
                shares = coverage((from_xywh(*one.xywh) for one in things), view, frame.grid)
                shows = [bool(row.any()) for row in shares.members(COVERAGE)]
            for box, shown in zip(things, shows, strict=True):
                label = vocabulary.label_of(box.label)
                if label is None:
                    without_class.append(query_name(sample.key, box.id))
                elif not shown:
                    without_patch.append(query_name(sample.key, box.id))
                else:
                    yield LabelledBox(sample.key, box.id, sample.image.id, label)

    boxes, facts, notes = read_split(request, lambda samples: tuple(boxes_of(samples)))
    if not boxes:
        raise DataProblem(
            f"{facts.path}: no box with a class of the vocabulary ({len(without_class):,} of other "
            "names). Prepare a split with objects, or give --vocabulary."
        )
    everything = (*(box.name for box in boxes), *without_class, *without_patch)
    unique_ids(((facts.path, name) for name in everything), what="key and box_id", file=facts.path)
    return BoxSet(boxes, tuple(without_class), tuple(without_patch), facts, notes)


def read_guesses(source: Source, asked: BoxSet, *, classes: int, missing: str) -> Guesses:
    """Reads guesses and brings them into the order of the boxes.

    Args:
        source: The opened file: CSV, JSON, JSONL or Parquet.
        asked: What was asked; rows about boxes that cannot be scored are let through.
        classes: Classes of the vocabulary.
        missing: `error`, or `zero` to let boxes without prediction pass.

    Raises:
        DataProblem: Ids that do not match, or classes that are none.
    """
    names = [box.name for box in asked.boxes]
    unasked = frozenset((*asked.without_class, *asked.without_patch))
    matching = Matching(names, what="key and box_id", file=str(source.path))
    label_ids = np.full((len(names), GUESSES), -1, dtype=np.int64)
    present = np.zeros(len(names), dtype=np.bool_)
    problems = Problems()
    for place, values in read_rows(source, _EXPECTED, columns=("key", "box_id", "label_ids")):
        try:
            name = query_name(identity(values, "key"), identity(values, "box_id"))
            guesses = _classes(integers(values, "label_ids", min(GUESSES, classes)), classes)
        except ValueError as error:
            problems.add(f"{place}: {error}")
            continue
        at = None if name in unasked else matching.place(name, place)
        if at is not None:
            label_ids[at, : len(guesses)] = guesses
            present[at] = True
    problems.raise_if_any(advice=f"Expected {_EXPECTED}.")
    matching.check(missing=missing)
    return Guesses(label_ids, present)


def hits(guesses: Guesses, boxes: Sequence[LabelledBox]) -> npt.NDArray[np.float64]:
    """Whether the class is the first guess and whether it is any, shape [boxes, 2].

    >>> found = Guesses(np.array([[4, 7, 1, 2, 3]]), np.array([True]))
    >>> hits(found, [LabelledBox("k", "b", "i", 7)]).tolist()
    [[0.0, 1.0]]
    """
    labels = np.array([box.label for box in boxes], dtype=np.int64)
    right = guesses.label_ids == labels[:, None]
    return np.column_stack([right[:, 0], right.any(axis=1)]).astype(np.float64)


def guess_lines(guesses: Guesses, boxes: Sequence[LabelledBox]) -> bytes:
    """The normal form: JSONL in the order of the boxes, those without prediction left out."""
    return b"".join(
        json_bytes(
            {"key": box.key, "box_id": box.box_id, "label_ids": [one for one in row if one >= 0]}
        )
        + b"\n"
        for box, row, there in zip(
            boxes, guesses.label_ids.tolist(), guesses.present.tolist(), strict=True
        )
        if there
    )


def _classes(guesses: Sequence[int], classes: int) -> Sequence[int]:
    beyond = [guess for guess in guesses if not 0 <= guess < classes]
    if beyond:
        raise ValueError(
            f"label_ids {named(map(str, beyond))}: classes count from 0 to {classes - 1} here, "
            "without the gaps of COCO's category ids"
        )
    if len(set(guesses)) != len(guesses):
        raise ValueError("label_ids name a class twice")
    return guesses
