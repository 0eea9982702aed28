"""The two sides of a comparison: training splits here, evaluation splits there, shard by shard.

A picture of a training split that is in an evaluation split as well is what this
package looks for; the index of a corpus is walked through in pieces, so that
memory does not grow with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from vle_bench.data_prep.plan import SPLIT_ALIASES
from vle_bench.data_prep.prepared import Prepared, prepared_datasets
from vle_bench.errors import DataProblem
from vle_bench.shards.index import SampleRow, iter_sample_rows
from vle_bench.shards.layout import SAMPLES, number_of, split_order
from vle_bench.shards.report import ShardReport

TRAINING = ("train", "restval")
"""Splits that models are trained on; every other one is there to be evaluated on."""


class Place(NamedTuple):
    """A split of a prepared dataset; `folder` is resolved, so that the same place is equal."""

    dataset: str
    folder: Path
    split: str


class ShardRows(NamedTuple):
    """One shard as its report has it, with the rows of its pictures."""

    place: Place
    report: ShardReport
    rows: tuple[SampleRow, ...]

    @property
    def path(self) -> Path:
        """Where the shard lies."""
        return self.place.folder / self.place.split / self.report.name


class Side(NamedTuple):
    """Prepared datasets, each with the splits that are looked at."""

    datasets: tuple[Prepared, ...]

    @property
    def places(self) -> list[Place]:
        """Every split, in order."""
        return [
            Place(one.report.dataset, one.folder.resolve(), split)
            for one in self.datasets
            for split in one.splits
        ]

    @property
    def pictures(self) -> int:
        """How many there are, by the reports."""
        return sum(
            shard.samples
            for one in self.datasets
            for split in one.splits
            for shard in one.report.splits[split].shards
        )

    @property
    def sample(self) -> bool:
        """Whether some of it is the sample world."""
        return any(one.report.sample for one in self.datasets)

    def shards(self) -> Iterator[ShardRows]:
        """Every shard with its rows.

        Raises:
            DataProblem: An index is damaged, or is not of the shards in the report.
        """
        for one in self.datasets:
            yield from _shards(one)


def training_side(folder: Path, splits: Sequence[str] = ()) -> Side:
    """The training splits of the datasets in `folder`: train and restval, or those named.

    Raises:
        DataProblem: No prepared dataset there, or none with such a split.
    """
    return _side([folder], splits, "training", lambda split: split in TRAINING)


def evaluation_side(folders: Sequence[Path], splits: Sequence[str] = ()) -> Side:
    """The evaluation splits of the datasets in `folders`: all but training, or those named.

    Raises:
        DataProblem: No prepared dataset there, or none with such a split.
    """
    return _side(folders, splits, "evaluation", lambda split: split not in TRAINING)


def _side(
    folders: Sequence[Path], splits: Sequence[str], role: str, usual: Callable[[str], bool]
) -> Side:
    found = {one.folder.resolve(): one for folder in folders for one in prepared_datasets(folder)}
    there = sorted({split for one in found.values() for split in one.splits}, key=split_order)
    named = {SPLIT_ALIASES.get(split, split) for split in splits}
    wanted = [split for split in there if (split in named if named else usual(split))]
    absent = sorted(named - set(there), key=split_order)
    if absent or not wanted:
        places = ", ".join(map(str, folders))
        raise DataProblem(
            f"{places}: no {role} split {', '.join(absent) or 'there'}, only "
            f"{', '.join(there)}. Prepare it with vle-prep run, or name another."
        )
    chosen = (
        one._replace(splits=tuple(split for split in one.splits if split in wanted))
        for one in found.values()
    )
    order = sorted(
        (one for one in chosen if one.splits),
        key=lambda one: (one.report.dataset, one.folder.resolve().as_posix()),
    )
    return Side(tuple(order))


def _shards(one: Prepared) -> Iterator[ShardRows]:
    index = one.folder / SAMPLES
    for split in one.splits:
        place = Place(one.report.dataset, one.folder.resolve(), split)
        # A shard whose pictures were all left out has no row in the index, and nothing to compare.
        known = {shard.name: shard for shard in one.report.splits[split].shards if shard.samples}
        for name, rows in groupby(iter_sample_rows(index, split=split), attrgetter("shard")):
            report = known.pop(name, None)
            here = tuple(rows)
            if report is None or report.samples != len(here):
                raise _stale(index, name)
            if number_of(name, dataset=place.dataset, split=split) is None:
                raise DataProblem(f"{index}: {name!r} is no shard of {split}.")
            yield ShardRows(place, report, here)
        if known:
            raise _stale(index, min(known))


def _stale(index: Path, name: str) -> DataProblem:
    return DataProblem(
        f"{index}: does not hold the samples of {name} that report.json counts. "
        "Run vle-prep verify, then run or repair."
    )
