"""The class vocabulary of prepared datasets: what their object boxes are called, counted.

Only training splits are counted unless others are named, so that no class owes
its place to a picture that a model will be judged by. A picture that stands in
two datasets (COCO's in `coco` and in `vqav2`) counts in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from vle_bench.console import amount, progress
from vle_bench.data_prep.prepared import Prepared, each_split, prepared_datasets
from vle_bench.errors import DataProblem
from vle_bench.labels.counting import (
    CountedVocabulary,
    NameCounts,
    count_classes,
    count_names,
    most_frequent,
)
from vle_bench.labels.vocabulary import ClassVocabulary, Names, coco_vocabulary, joined
from vle_bench.records import Sample
from vle_bench.shards.read import iter_samples

TRAINING_SPLITS = ("train", "restval")


class CountedSplit(NamedTuple):
    """One split that was counted."""

    folder: Path
    dataset: str
    split: str
    samples: int


class PreparedNames(NamedTuple):
    """Names of the object boxes of prepared splits; `sample` says the sample world is in it."""

    counts: NameCounts
    splits: tuple[CountedSplit, ...]
    sample: bool


class ClassTable(NamedTuple):
    """A vocabulary, and the names from which it was made."""

    counted: CountedVocabulary
    names: PreparedNames


def prepared_names(folders: Sequence[Path], splits: Sequence[str] = ()) -> PreparedNames:
    """Counts the names of object boxes in prepared datasets.

    Args:
        folders: Prepared datasets, or folders of such.
        splits: Splits to count; none names the training splits.

    Raises:
        DataProblem: A folder holds no prepared dataset, or none of the splits; no box has a name;
            a damaged shard.
    """
    datasets = [one for folder in folders for one in _datasets(folder, splits)]
    once = {one.folder.resolve(): one for one in datasets}
    parts = []
    for one, split in each_split(list(once.values())):
        samples = sum(shard.samples for shard in one.report.splits[split].shards)
        parts.append(CountedSplit(one.folder, one.report.dataset, split, samples))
    counts = count_names(_samples(parts))
    if not counts.names:
        raise DataProblem(
            f"{', '.join(map(str, folders))}: "
            f"{amount(counts.boxes, 'object box', 'object boxes')} in "
            f"{', '.join(f'{one.dataset}/{one.split}' for one in parts)}, none with a name. "
            "Prepare a dataset that has boxes, coco or vg."
        )
    return PreparedNames(counts, tuple(parts), any(one.report.sample for one in datasets))


def class_table(
    names: PreparedNames,
    *,
    classes: int,
    at_least: int = 1,
    synonyms: Sequence[Names] = (),
    given: ClassVocabulary | None = None,
    with_coco: bool = False,
) -> ClassTable:
    """The vocabulary of these names, or a given one with the boxes that it names here.

    Args:
        names: Of `prepared_names`.
        classes: The most classes that are taken from the data.
        at_least: Boxes that such a class needs.
        synonyms: Groups of names that are one class.
        given: A vocabulary of which every class is kept; nothing is then taken from the data.
        with_coco: Whether COCO's 80 classes stand first, whatever the data holds.

    Raises:
        DataProblem: No class is frequent enough, and none is given.
    """
    counts = names.counts.names
    if given is None:
        found = most_frequent(counts, classes=classes, at_least=at_least, synonyms=synonyms)
        if not with_coco and not len(found.vocabulary):  # a file without a line is no vocabulary
            raise DataProblem(
                f"No class has {amount(at_least, 'object box', 'object boxes')}, the most "
                f"frequent name has {max(counts.values()):,}. Lower --at-least."
            )
    else:
        found = count_classes(counts, given)
    if with_coco:
        found = count_classes(counts, joined(coco_vocabulary(), found.vocabulary))
    return ClassTable(found, names)


def _datasets(folder: Path, splits: Sequence[str]) -> list[Prepared]:
    if splits:
        return prepared_datasets(folder, splits)
    found = [
        one._replace(splits=tuple(split for split in one.splits if split in TRAINING_SPLITS))
        for one in prepared_datasets(folder)
    ]
    training = [one for one in found if one.splits]
    if not training:
        raise DataProblem(
            f"{folder}: has no split {' or '.join(TRAINING_SPLITS)}. Classes are counted on "
            "training data; name other splits with --split."
        )
    return training


def _samples(parts: Sequence[CountedSplit]) -> Iterator[Sample]:
    for one in parts:
        samples = iter_samples(one.folder, one.split, Sample)
        yield from progress(samples, total=one.samples, what=f"{one.dataset} {one.split}")
