"""From raw files to a verified, indexed, described dataset; again, and only what changed is made.

The order of writing is the order of trust: shards, then their journal, then the
indexes and files beside them, then `report.json`, which vouches for all. A run
that ends anywhere leaves whole files only, and the next one goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from vle_bench.atomic import make_folder
from vle_bench.console import amount, progress
from vle_bench.data_prep.beside import Beside, write_beside
from vle_bench.data_prep.books import Books
from vle_bench.data_prep.datasets.base import Dataset, OpenedDataset, Parameters, chosen
from vle_bench.data_prep.datasets.registry import DATASETS
from vle_bench.data_prep.engines.engine import ENGINES, Engine
from vle_bench.data_prep.gathered import Gathered
from vle_bench.data_prep.journal import log_run, only_run, slice_changes
from vle_bench.data_prep.leaks.guard import Guarded, changes, guarded, with_rules
from vle_bench.data_prep.own_folder import keep_apart
from vle_bench.data_prep.plan import (
    choose_splits,
    plan_shards,
    settle,
    shard_count,
    split_states,
    unfinished,
)
from vle_bench.data_prep.prior import Prior
from vle_bench.data_prep.report import split_report
from vle_bench.data_prep.shard_task import ShardOutcome, ShardTask, ensure_shard, find_shard
from vle_bench.data_prep.shelf import shelf_of
from vle_bench.data_prep.sources import RawTree
from vle_bench.data_prep.spool import Reread
from vle_bench.errors import DataProblem, Problems
from vle_bench.shards.index import (
    SampleRow,
    SkippedRow,
    iter_sample_rows,
    iter_skipped_rows,
)
from vle_bench.shards.layout import (
    SAMPLES,
    SKIPPED,
    ShardName,
    number_of,
    split_order,
)
from vle_bench.shards.report import Report, SplitReport

_MOST_CHANGES = 4
"""How many changes are told before shards that are lacking, so that there is room for these too."""


@dataclass(frozen=True)
class Request:
    """What a user asked for.

    Attributes:
        dataset: Name in the registry.
        raw: Folder of raw downloads.
        out: Folder that will hold `<dataset>/`.
        splits: Splits by name; () is all that can be prepared.
        parameters: Everything that changes bytes; the scheme may be left to the dataset.
        workers: Processes; changes no byte. 0 leaves the number to the engine.
        engine: Where the work is done, by its name in `ENGINES`; changes no byte.
        build: Whether shards may be built; False is content with those that slices built.
        url: Where a remote output lies, which takes finished shards out of `out`; "" for none.
        strict: Whether a rule of the leak guard that cannot be checked is a problem.
    """

    dataset: str
    raw: Path
    out: Path
    splits: tuple[str, ...] = ()
    parameters: Parameters = field(default_factory=Parameters)
    workers: int = 1
    engine: str = "local"
    build: bool = True
    strict: bool = False
    url: str = ""


@dataclass(frozen=True)
class Prepared:
    """What a run did.

    Attributes:
        folder: The dataset's folder.
        report: Its books.
        splits: The splits of this run.
        built: Shards written.
        kept: Shards that stood already, verified by their sha256.
        changes: Sentences on what was left out, found changed, damaged or superfluous.
    """

    folder: Path
    report: Report
    splits: tuple[str, ...]
    built: int
    kept: int
    changes: tuple[str, ...]


class Opening(NamedTuple):
    """A request whose dataset, raw files and splits were found; `left_out` says which were not."""

    request: Request
    dataset: Dataset
    raw: RawTree
    splits: list[str]
    left_out: list[str]


@dataclass
class _Done:
    """One split as it was just prepared."""

    report: SplitReport
    rows: Iterable[SampleRow]
    skipped: Iterable[SkippedRow]
    outcomes: list[ShardOutcome]


def opening(request: Request) -> Opening:
    """Finds out what a request is about.

    Raises:
        UsageProblem: No such dataset, engine or split, or shards would go among other files.
        DataProblem: Raw files are missing.
    """
    dataset: Dataset = DATASETS.load(request.dataset)
    ENGINES.load(request.engine)  # a wrong name is told before anything is made
    keep_apart(request.dataset, request.raw, request.out)
    raw = RawTree(request.raw)
    if not raw.root.is_dir():
        raise DataProblem(f"{raw.root}: no such folder of raw files. Check --raw.")
    parameters = with_rules(dataset, settle(dataset, raw, request.parameters))
    request = replace(request, parameters=parameters)
    states = split_states(dataset, raw, scheme=parameters.scheme)
    wanted = choose_splits(dataset, request.splits, states)
    left_out = unfinished(wanted if request.splits else states) + [
        f"split {state.split} is left out, {state.lacks} missing"
        for state in states
        if not request.splits and state.missing
    ]
    return Opening(request, dataset, raw, [state.split for state in wanted], left_out)


def parameters_of(found: Opening) -> dict[str, str | int]:
    """The parameters of a request that matter to its dataset, for the report."""
    parameters = found.request.parameters
    settled = {name for name in ("scheme", "rules") if getattr(parameters, name)}
    return chosen(parameters, found.dataset.parameters | {"samples_per_shard"} | settled)


def prepare(request: Request) -> Prepared:
    """Prepares splits of a dataset.

    Raises:
        UsageProblem: No such dataset or split, or parameters other splits do not share.
        DataProblem: Raw files are missing, malformed, or changed under splits left alone; or
            shards are missing that a run may not build.
        MachineProblem: The disk refuses, or another run is writing there.
    """
    begun = time.time()
    found = opening(request)
    request = found.request
    make_folder(request.out)
    with only_run(request.out, request.dataset):
        prepared = _Run(found).finish(found.left_out)
        log_run(
            request.out,
            request.dataset,
            {
                "begun": begun,
                "seconds": round(time.time() - begun, 3),
                "engine": request.engine,
                "workers": request.workers,
                "splits": found.splits,
                "built": prepared.built,
                "kept": prepared.kept,
                "changes": list(prepared.changes),
            },
        )
    return prepared


class _Run:
    """One run over one dataset, holding its lock."""

    def __init__(self, found: Opening) -> None:
        self._request = request = found.request
        self._dataset = dataset = found.dataset
        self._raw = raw = found.raw
        self._splits = splits = found.splits
        self._shelf = shelf_of(request.out, request.url)
        self._engine: Engine = ENGINES.load(request.engine)(request.workers)
        self._folder = request.out / dataset.name
        self._parameters = parameters_of(found)
        self._prior = Prior(request.out, dataset.name, splits)
        self._changes = self._prior.check_parameters(self._parameters, sample=raw.is_sample)
        self._other_parameters = bool(self._changes)
        self._done: dict[str, _Done] = {}
        self._lacking: list[str] = []

    def finish(self, notes: Sequence[str]) -> Prepared:
        self._clean()
        opened = guarded(
            self._dataset,
            self._raw,
            self._request.parameters,
            out=self._request.out,
            workers=self._request.workers,
            strict=self._request.strict,
        )
        self._prior.check_shared(opened.shared_files())
        try:
            with self._engine as engine:
                for split in self._splits:
                    done = self._split(opened, split, engine)
                    if done is not None:
                        self._done[split] = done
        finally:
            self._clean()
        if self._lacking:
            self._refuse_what_lacks()
        report = self._write_beside(opened)
        outcomes = [outcome for done in self._done.values() for outcome in done.outcomes]
        built = sum(bool(outcome.why) for outcome in outcomes)
        return Prepared(
            self._folder,
            report,
            tuple(self._splits),
            built,
            len(outcomes) - built,
            (*notes, *self._changes),
        )

    def _split(self, opened: Guarded, split: str, engine: Engine) -> _Done | None:
        books = Books(split)
        reading = opened.read(split, books)
        told = self._prior.check_sources(books, others=self._other_parameters)
        self._changes += [f"{split}: {one}" for one in told]
        per_shard = self._request.parameters.samples_per_shard
        count = shard_count(len(reading.pictures), per_shard)
        before = {name.number for name in self._shelf.known(self._dataset.name, split)}
        tasks = plan_shards(
            self._dataset,
            self._request.out,
            split,
            reading,
            samples_per_shard=per_shard,
            url=self._request.url,
        )
        gathered = self._gathered(tasks, engine, total=count, what=split)
        if self._lacking:
            return None
        if not count:
            self._keep_what_stands(split, books.read["image"])
        outcomes = gathered.outcomes
        for outcome in outcomes:
            if outcome.name.number in before:
                self._changes += _told(outcome)
        gathered.into(books)
        opened.account(books, outcomes)
        seen = changes(self._prior.overlap_of(split), books.overlap)
        self._changes += [f"{split}: {one}" for one in seen]
        self._remove_surplus(split, count)
        report = split_report(
            self._dataset.name,
            books,
            gathered,
            raw=self._raw,
            scheme=self._request.parameters.scheme,
        )
        if not self._other_parameters:
            moved = self._prior.picture_changes(split, report.counts["image"])
            self._changes += [f"{split}: {one}" for one in moved]
        return _Done(report, gathered.rows, books.skipped, outcomes)

    def _gathered(
        self, tasks: Iterator[ShardTask], engine: Engine, *, total: int, what: str
    ) -> Gathered:
        """The shards of a split; where none may be built, those that stand."""
        gathered = Gathered()
        if self._request.build:
            done = engine.map(ensure_shard, tasks, total=total)
            for outcome in progress(done, total=total, what=what):
                gathered.add(outcome)
            return gathered
        lacking: list[tuple[int, str]] = []
        for look in progress(engine.map(find_shard, tasks, total=total), total=total, what=what):
            if look.entry is None:
                detail = f" ({look.detail})" if look.detail else ""
                lacking.append((look.name.number, f"{look.name.file_name}: {look.why}{detail}"))
            else:
                gathered.add(ShardOutcome(look.name, "", "", look.entry))
        self._lacking.extend(f"{what}: {text}" for _, text in sorted(lacking))
        return gathered

    def _refuse_what_lacks(self) -> None:
        """Names shards that slices should have built, and first why they are not the right ones."""
        changed = slice_changes(self._request.out, self._dataset.name, self._parameters)
        problems = Problems("Not every shard is there:")
        problems.extend([*changed, *self._changes][:_MOST_CHANGES])
        problems.extend(self._lacking)
        problems.raise_if_any(
            advice="Run the slices that hold them (--slice I/N: shard numbers that leave I when "
            "divided by N), then --finish again."
        )

    def _clean(self) -> None:
        for split in self._splits:
            self._shelf.clean(self._dataset.name, split)

    def _keep_what_stands(self, split: str, listed: int) -> None:
        """Refuses to remove all shards of a split because the pictures are out of reach today.

        A disk that is not mounted, or downloads that were deleted to make room, would cost
        everything that was built of them; an annotation file that lists nothing does not.
        """
        name = self._dataset.name
        files = self._shelf.files(name, split)
        shards = sum(number_of(file, dataset=name, split=split) is not None for file in files)
        if listed and shards:
            place = f"{self._request.url or self._request.out}/{name}/{split}"
            raise DataProblem(
                f"{self._raw.root}: holds no picture of the {amount(listed, 'image')} of split "
                f"{split}, and {amount(shards, 'shard')} in {place} would be "
                "removed. Bring the pictures back (vle-prep plan says where they belong), or "
                "remove that folder to prepare the split without them."
            )

    def _remove_surplus(self, split: str, count: int) -> None:
        """Shards beyond the plan are of an earlier one, and every `*.tar` would read them."""
        name = self._dataset.name
        there = self._shelf.files(name, split)
        numbers = {number_of(file, dataset=name, split=split) for file in there}
        self._changes += [
            f"{split}: {file} is none of ours and was left, but readers of *.tar will read it"
            for file in sorted(there)
            if file.endswith(".tar") and number_of(file, dataset=name, split=split) is None
        ]
        numbers |= {shard.number for shard in self._shelf.known(name, split)}
        for number in sorted(n for n in numbers if n is not None and n >= count):
            shard = ShardName(name, split, number)
            if self._shelf.remove(shard):
                self._changes.append(f"{split}: {shard.file_name} is not of this plan, removed")

    def _write_beside(self, opened: OpenedDataset) -> Report:
        if self._prior.other_splits:
            self._prior.vouch_for(SAMPLES)
            self._prior.vouch_for(SKIPPED)
        rows = Reread(self._rows)
        content = Beside(
            dataset=self._dataset,
            sample=self._raw.is_sample,
            parameters=self._parameters,
            splits={
                **self._prior.other_splits,
                **{split: done.report for split, done in self._done.items()},
            },
            rows=rows,
            skipped=Reread(self._skipped),
            fresh=tuple(self._done),
            own={**opened.shared_files(), **opened.split_files(rows)},
            kept=self._prior.other_files,
        )
        return write_beside(self._folder, content)

    def _rows(self) -> Iterator[SampleRow]:
        """Rows of this run and of the splits left alone, in the order of splits."""
        for split in self._order():
            done = self._done.get(split)
            path = self._folder / SAMPLES
            yield from done.rows if done else iter_sample_rows(path, split=split)

    def _skipped(self) -> Iterator[SkippedRow]:
        for split in self._order():
            done = self._done.get(split)
            path = self._folder / SKIPPED
            yield from done.skipped if done else iter_skipped_rows(path, split=split)

    def _order(self) -> list[str]:
        return sorted({*self._prior.other_splits, *self._done}, key=split_order)


def _told(outcome: ShardOutcome) -> list[str]:
    """What made a shard that stood once be built again; a changed recipe was named already."""
    if outcome.why in ("", "recipe changed"):
        return []
    detail = f" ({outcome.detail})" if outcome.detail else ""
    return [f"{outcome.name.split}: {outcome.name.file_name}: {outcome.why}{detail}, built again"]
