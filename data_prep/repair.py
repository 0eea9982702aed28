"""Builds again just the shards that are damaged or gone, to the very bytes they had.

The report knows the sha256 every shard must have, so a shard made from other raw
files, or by other parameters, never gets to stand under a name of the old build:
either the build comes back bit for bit, or nothing of it is touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from vle_bench.canonical import sha256_bytes, sha256_file
from vle_bench.console import progress
from vle_bench.data_prep.books import Books
from vle_bench.data_prep.datasets.base import Dataset, OpenedDataset, Parameters
from vle_bench.data_prep.datasets.registry import DATASETS
from vle_bench.data_prep.engines.local import LocalEngine
from vle_bench.data_prep.journal import (
    entry_path,
    has_leftovers,
    only_run,
    read_entry,
    remove_leftovers,
)
from vle_bench.data_prep.leaks.guard import guarded
from vle_bench.data_prep.picture import BadPicture, read_picture
from vle_bench.data_prep.plan import plan_shards
from vle_bench.data_prep.run import Request, prepare
from vle_bench.data_prep.shard_task import ShardTask, ensure_shard
from vle_bench.data_prep.sources import PictureFile, RawTree
from vle_bench.data_prep.verify import Finding, verify
from vle_bench.errors import DataProblem, MachineProblem, Problems, UsageProblem, machine_errors
from vle_bench.shards.index import read_samples
from vle_bench.shards.layout import REPORT, SAMPLES, ShardName, number_of
from vle_bench.shards.report import Report, read_report

_ANEW = "vle-prep run prepares it anew, with what is there now."


@dataclass(frozen=True)
class Repaired:
    """What a repair did.

    Attributes:
        folder: The dataset's folder.
        built: Shards built again, by place below it.
        beside: Files beside shards that were written again.
        removed: Copies of shards under names that are none of theirs.
        left: What verify finds now.
    """

    folder: Path
    built: tuple[str, ...]
    beside: tuple[str, ...]
    removed: tuple[str, ...]
    left: tuple[Finding, ...]


class _Again(NamedTuple):
    """A shard to build again, and the sha256 of its pictures where the index is whole."""

    task: ShardTask
    pictures: Mapping[str, str]


class _Outcome(NamedTuple):
    place: str
    problems: tuple[str, ...]


def repair(folder: Path, raw: Path, *, workers: int = 1) -> Repaired:
    """Repairs a prepared dataset from the raw files it was made from.

    Args:
        folder: The dataset's folder, as `vle-prep run` made it.
        raw: The raw downloads.
        workers: Processes; changes no byte.

    Raises:
        UsageProblem: A folder or parameters that no run of ours makes.
        DataProblem: The report is damaged, or the raw files are not those of the build.
        MachineProblem: The disk refuses, or a run is writing there.
    """
    report = read_report(folder)
    dataset: Dataset = DATASETS.load(report.dataset)
    parameters = _parameters(folder, report)
    place = _place(folder, report.dataset)
    if place.name != report.dataset:
        raise UsageProblem(
            f"{folder}: shards of {report.dataset} lie in a folder of that name. Rename it."
        )
    raw_tree = _raw(raw, folder, report)
    findings = _findings(folder)
    shards = {f"{name}/{one.name}" for name, split in report.splits.items() for one in split.shards}
    hurt = {finding.place for finding in findings} & shards
    beside = {one.place for one in findings if one.place in {*report.files, SAMPLES}}
    out = place.parent
    if hurt or beside or has_leftovers(out, dataset.name):
        work = _Repair(folder, out, report, dataset, parameters)
        with only_run(out, dataset.name):
            for split in report.splits:
                remove_leftovers(out, dataset.name, split)
            if hurt or beside:
                work.build(raw_tree, hurt, everything=bool(beside), workers=workers)
    if beside:
        before = (folder / REPORT).read_bytes()
        request = Request(
            dataset=dataset.name,
            raw=raw,
            out=out,
            splits=tuple(report.splits),
            parameters=parameters,
            workers=workers,
            build=False,
        )
        prepare(request)
        if (folder / REPORT).read_bytes() != before:
            raise DataProblem(
                f"{folder / REPORT}: every shard is as it was, but another version of vle-prep "
                "made the files beside them; they were all written again and fit together."
            )
    removed = tuple(_remove_copies(folder, report, findings))
    left = verify(folder).findings
    return Repaired(folder, tuple(sorted(hurt)), tuple(sorted(beside)), removed, left)


def _place(folder: Path, dataset: str) -> Path:
    """The folder as `run` knows it: OUT/coco may be a link to wherever there is room."""
    named = folder.absolute()
    return named if named.name == dataset else folder.resolve()


def _findings(folder: Path) -> tuple[Finding, ...]:
    """What is wrong, as far as a repair can go by it."""
    verdict = verify(folder)
    findings = verdict.findings
    if verdict.unread:
        problems = Problems(f"{folder}: a repair must know what is damaged:")
        problems.extend(str(finding) for finding in verdict.unread)
        problems.raise_if_any(
            advice="Check the disk and permissions; a file that is lost, remove.",
            kind=MachineProblem,
        )
    if any(finding.place == REPORT for finding in findings):
        raise DataProblem(
            f"{folder / REPORT}: is not as it was written, and a repair goes by it. Run the "
            "vle-prep run that made it: it writes the report anew and keeps what is whole."
        )
    return findings


class _Repair:
    """The shards of one dataset, to be as its report says."""

    def __init__(
        self, folder: Path, out: Path, report: Report, dataset: Dataset, parameters: Parameters
    ) -> None:
        self._folder = folder
        self._out = out
        self._report = report
        self._dataset = dataset
        self._parameters = parameters

    def build(self, raw: RawTree, hurt: set[str], *, everything: bool, workers: int) -> None:
        """Builds the shards in `hurt`; with `everything`, also those whose journal is lost."""
        opened = guarded(self._dataset, raw, self._parameters, out=self._out, workers=workers)
        self._check_shared(opened)
        pictures = self._pictures()
        problems = Problems(f"{self._folder}: the raw files are not those it was made from:")
        with LocalEngine(workers) as engine:
            for split in self._report.splits:
                wanted = self._wanted(split, hurt, everything=everything)
                if wanted or everything:
                    again = (
                        _Again(task, _of(task, pictures))
                        for task in self._tasks(opened, split, wanted)
                    )
                    built = engine.map(_build_again, again, total=len(wanted))
                    for outcome in progress(built, total=len(wanted), what=split):
                        problems.extend(f"{outcome.place}: {one}" for one in outcome.problems)
        problems.raise_if_any(advice=f"Those shards were left as they are. {_ANEW}")

    def _check_shared(self, opened: OpenedDataset) -> None:
        for name, content in opened.shared_files().items():
            if self._report.files.get(name) != sha256_bytes(content):
                raise DataProblem(
                    f"{self._folder / name}: would be another from these raw files, so they are "
                    f"not those it was made from. {_ANEW}"
                )

    def _pictures(self) -> dict[str, str]:
        """sha256 of every picture by key, where the index is the one of the build."""
        path = self._folder / SAMPLES
        if not path.is_file() or sha256_file(path) != self._report.files.get(SAMPLES):
            return {}
        return {row.key: row.sha256 for row in read_samples(path)}

    def _wanted(self, split: str, hurt: set[str], *, everything: bool) -> dict[int, str]:
        """The sha256 that each shard to be built must have, by number."""
        wanted: dict[int, str] = {}
        for shard in self._report.splits[split].shards:
            number = number_of(shard.name, dataset=self._dataset.name, split=split)
            if number is None:
                raise UsageProblem(f"{self._folder}: {shard.name} is no name of a shard of ours.")
            journal = entry_path(self._out, ShardName(self._dataset.name, split, number))
            entry = read_entry(journal) if everything else None
            lost = everything and (entry is None or entry.sha256 != shard.sha256)
            if f"{split}/{shard.name}" in hurt or lost:
                wanted[number] = shard.sha256
        return wanted

    def _tasks(
        self, opened: OpenedDataset, split: str, wanted: Mapping[int, str]
    ) -> Iterator[ShardTask]:
        books = Books(split)
        reading = opened.read(split, books)
        self._check_sources(split, books)
        tasks = plan_shards(
            self._dataset,
            self._out,
            split,
            reading,
            samples_per_shard=self._parameters.samples_per_shard,
            wanted=wanted.__contains__,
        )
        found = 0
        for task in tasks:
            found += 1
            yield task._replace(must_be=wanted[task.name.number])
        if found != len(wanted):
            raise DataProblem(
                f"{self._folder}: split {split} has fewer pictures in these raw files than it was "
                f"made from. {_ANEW}"
            )

    def _check_sources(self, split: str, books: Books) -> None:
        before, now = self._report.splits[split].sources, books.sources
        problems = Problems(f"{self._folder}: split {split} was made from other raw files:")
        for name in sorted({*before, *now}):
            if before.get(name) != now.get(name):
                problems.add(
                    f"{name}: is gone"
                    if name not in now
                    else f"{name}: {'changed' if name in before else 'is new'}"
                )
        problems.raise_if_any(advice=f"Give the raw files of the build. {_ANEW}")


def _build_again(again: _Again) -> _Outcome:
    """Builds a shard if its pictures are those of the build; runs in any process."""
    task = again.task
    place = f"{task.name.split}/{task.name.file_name}"
    changed = [
        f"{draft.picture.name} changed"
        for draft in task.drafts
        if draft.key in again.pictures and _digest(draft.picture) != again.pictures[draft.key]
    ]
    if not changed:
        try:
            ensure_shard(task)
        except DataProblem as error:
            changed = [str(error).removeprefix(f"{task.name.file_name}: ")]
    return _Outcome(place, tuple(changed))


def _of(task: ShardTask, pictures: Mapping[str, str]) -> dict[str, str]:
    return {draft.key: pictures[draft.key] for draft in task.drafts if draft.key in pictures}


def _digest(picture: PictureFile) -> str:
    try:
        return sha256_bytes(read_picture(picture))
    except BadPicture:
        return ""


def _parameters(folder: Path, report: Report) -> Parameters:
    strange = sorted({*report.parameters} - {*Parameters.__struct_fields__})
    if strange:
        raise UsageProblem(
            f"{folder}: was made with {', '.join(strange)}, which vle-prep run does not take. "
            "Make it again with the command that made it."
        )
    try:
        return msgspec.convert(report.parameters, Parameters)
    except msgspec.ValidationError as error:
        raise DataProblem(f"{folder / REPORT}: {error}. {_ANEW}") from error


def _raw(raw: Path, folder: Path, report: Report) -> RawTree:
    if not raw.is_dir():
        raise DataProblem(f"{raw}: no such folder of raw files. Check --raw.")
    tree = RawTree(raw)
    if tree.is_sample != report.sample:
        words = {True: "the sample world", False: "real data"}
        raise DataProblem(
            f"{folder}: was made from {words[report.sample]}, {raw} is {words[tree.is_sample]}."
        )
    return tree


def _remove_copies(folder: Path, report: Report, findings: Sequence[Finding]) -> Iterator[str]:
    """Removes tar files that hold the very bytes of a shard under a name that is none."""
    known = {f"{name}/{one.name}" for name, split in report.splits.items() for one in split.shards}
    digests = {shard.sha256 for split in report.splits.values() for shard in split.shards}
    for place in sorted({finding.place for finding in findings} - known):
        path = folder / place
        if path.suffix == ".tar" and path.is_file() and sha256_file(path) in digests:
            with machine_errors(path):
                path.unlink()
            yield place
