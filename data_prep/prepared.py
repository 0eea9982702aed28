"""Prepared datasets as they lie, whichever they are: for commands that only look at shards.

The record below takes every dataset's `KEY.json`: what a dataset adds is empty
where another has none. It is for reading only; writing one back would lose the
keys of its dataset that it does not name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vle_bench.data_prep.plan import SPLIT_ALIASES
from vle_bench.data_prep.verify import dataset_folders
from vle_bench.errors import DataProblem
from vle_bench.inputs import open_source, read_json
from vle_bench.records import Question, Sample, VcrItem
from vle_bench.shards.layout import split_order
from vle_bench.shards.report import Report, read_report

_LABELS = "answers/label2answer.json"


class AnySample(Sample, frozen=True, kw_only=True):
    """A sample of any dataset; `objects` are of another shape in each, so they stay as they are."""

    questions: tuple[Question, ...] = ()
    objects: tuple[dict[str, Any], ...] = ()
    items: tuple[VcrItem, ...] = ()


class Prepared(NamedTuple):
    """One prepared dataset: its folder, its books, and the splits that are looked at."""

    folder: Path
    report: Report
    splits: tuple[str, ...]


def prepared_datasets(folder: Path, splits: Sequence[str] = ()) -> list[Prepared]:
    """The prepared datasets in `folder` (or `folder` itself), with the named splits of each.

    Args:
        folder: A prepared dataset, or a folder of several.
        splits: Splits to look at, `dev` for `val` too; all of them where none is named.

    Raises:
        DataProblem: No prepared dataset there, or none that has one of the splits.
    """
    return datasets_of([folder], splits)


def datasets_of(folders: Sequence[Path], splits: Sequence[str] = ()) -> list[Prepared]:
    """The same of several folders; a split must be that of a dataset in one of them."""
    splits = [SPLIT_ALIASES.get(split, split) for split in splits]
    found: dict[Path, Prepared] = {}
    there: set[str] = set()
    for place in (place for folder in folders for place in dataset_folders(folder)):
        report = read_report(place)
        known = sorted(report.splits, key=split_order)
        there.update(known)
        wanted = tuple(name for name in known if not splits or name in splits)
        if wanted:
            found.setdefault(place.resolve(), Prepared(place, report, wanted))
    absent = [name for name in splits if name not in there]
    if absent or not found:
        raise DataProblem(
            f"{', '.join(map(str, folders))}: has no split {', '.join(absent) or 'at all'}, only "
            f"{', '.join(sorted(there, key=split_order)) or 'none'}. Prepare it with vle-prep run."
        )
    return list(found.values())


def answer_names(dataset_folder: Path) -> list[str]:
    """The answers of the soft targets by label; empty where the dataset has no vocabulary.

    Raises:
        DataProblem: The vocabulary is there and not a list of texts.
    """
    path = dataset_folder / _LABELS
    if not path.is_file():
        return []
    return read_json(open_source(path, "answers"), list[str], "the list that vle-prep run writes")


def each_split(datasets: Sequence[Prepared]) -> Iterator[tuple[Prepared, str]]:
    """Every dataset with each of its splits, in order."""
    for dataset in datasets:
        for split in dataset.splits:
            yield dataset, split
