"""One call of `vle-prep fetch`: the official files, then the pictures of the lists."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from vle_bench.catalog.datasets import DatasetManifest, load_dataset_manifest
from vle_bench.data_prep.datasets.registry import DATASETS
from vle_bench.data_prep.fetch.addressed import Addresses
from vle_bench.data_prep.fetch.client import open_client
from vle_bench.data_prep.fetch.failure import Failure
from vle_bench.data_prep.fetch.ledger import only_fetch
from vle_bench.data_prep.fetch.official import (
    FileLine,
    Manifests,
    OfficialFile,
    fetch_file,
    judge_present,
    line_before,
    named_files,
    official_files,
)
from vle_bench.data_prep.fetch.pictures import PictureList, PictureTally, fetch_pictures, look
from vle_bench.data_prep.fetch.rules import Rules, needs_httpx
from vle_bench.data_prep.fetch.shelf import Shelf
from vle_bench.data_prep.plan import SPLIT_ALIASES
from vle_bench.data_prep.sources import RawTree
from vle_bench.data_prep.web_lists import WebListed
from vle_bench.errors import DataProblem
from vle_bench.records import Record


class PictureLine(Record, frozen=True, kw_only=True):
    """The pictures of one list, before or after."""

    split: str
    addresses: int
    before: int
    to_ask: int
    """Addresses that are not decided for good."""
    got: int = 0
    bytes: int = 0
    requests: int = 0
    failed: dict[str, int]
    """Addresses that brought nothing, by class."""
    again: int = 0
    """Failures that the next call asks again."""
    left: int = 0


class Fetched(Record, frozen=True, kw_only=True):
    """The answer of `vle-prep fetch`."""

    schema: Literal["vle-bench/fetch/1"] = "vle-bench/fetch/1"
    dataset: str
    dry_run: bool
    files: tuple[FileLine, ...]
    pictures: tuple[PictureLine, ...]


@dataclass(frozen=True, kw_only=True)
class Call:
    """What is wanted.

    Attributes:
        dataset: The dataset.
        raw: The raw folder.
        splits: Which splits; () is all.
        files: Official files by name; () is what the splits need.
        scheme: COCO's way of splitting; "" is the default.
        pictures: Whether the pictures of lists are fetched as well, where no file is named.
        limit: Only the first so many addresses of each list.
        dry_run: Only say what would be done.
        rules: How to behave.
        manifests: Where manifests come from.
    """

    dataset: str
    raw: Path
    splits: Sequence[str] = ()
    files: Sequence[str] = ()
    scheme: str = ""
    pictures: bool = True
    limit: int | None = None
    dry_run: bool = False
    rules: Rules = field(default_factory=Rules)
    manifests: Manifests = load_dataset_manifest


class Ears(Protocol):
    """Who is told of progress."""

    def bar(
        self, total: int, what: str, unit: str
    ) -> AbstractContextManager[Callable[[int], None]]:
        """A progress bar."""

    def say(self, text: str) -> None:
        """A sentence."""


def fetch(call: Call, ears: Ears) -> Fetched:
    """Fetches what is missing; a second call only what is undecided.

    Raises:
        UsageProblem: No such dataset, split, file or scheme.
        DataProblem: A file is not what it should be, or only its publisher may hand it out; the
            others were fetched all the same.
        MachineProblem: The extra is not installed, the disk refuses, the network is down.
    """
    manifest = call.manifests(call.dataset)
    raw = RawTree(call.raw)
    if call.files:
        wanted = named_files(manifest, call.files, raw, manifests=call.manifests)
    else:
        wanted = official_files(
            manifest, raw, splits=call.splits, scheme=call.scheme, manifests=call.manifests
        )
    if call.dry_run:
        files = [line_before(one) for one in wanted]
        return _answer(call, files, [_line(*found) for found in _lists(call, manifest)])
    if raw.is_sample:
        raise DataProblem(
            f"{call.raw} is a sample world, whose pictures are drawn: what is fetched would be "
            "taken for a part of it. Choose another --raw."
        )
    needs_httpx()
    with only_fetch(call.raw, call.dataset):
        problems: list[str] = []
        files = list(_files(call, wanted, ears, problems))
        pictures = [_pictures(call, *found, ears) for found in _lists(call, manifest)]
    answer = _answer(call, files, pictures)
    if problems:
        raise IncompleteFetch("\n".join(problems), answer)
    return answer


class IncompleteFetch(DataProblem):
    """Something could not be fetched; `answer` says what was."""

    def __init__(self, text: str, answer: Fetched) -> None:
        super().__init__(text)
        self.answer = answer


def _files(
    call: Call, wanted: Sequence[OfficialFile], ears: Ears, problems: list[str]
) -> Iterator[FileLine]:
    for file in wanted:
        line = line_before(file)
        try:
            if line.state == "to fetch":
                line = _one_file(call, file, ears)
            elif line.state == "present":
                line = judge_present(file, call.raw)
            else:
                problems.append(f"{line.file}: {line.note}; put it into {call.raw / line.dataset}.")
        except Failure as failure:
            told = "; the same command goes on from what is there" if failure.transient else ""
            problems.append(f"{line.file}: {line.url}: {failure}{told}.")
            line = _failed(line, str(failure))
        except DataProblem as problem:
            problems.append(str(problem))
            line = _failed(line, str(problem))
        if line.checked_by == "first fetch":
            ears.say(
                f"{line.file}: its sha256 is not in the manifest; recorded as found: {line.sha256} "
                f"({line.size:,} bytes)."
            )
        yield line


def _one_file(call: Call, file: OfficialFile, ears: Ears) -> FileLine:
    with ears.bar(file.download.size, file.download.file, "B") as add:
        there = 0

        def heard(size: int, total: int) -> None:
            nonlocal there
            del total
            add(size - there)
            there = size

        async def run() -> FileLine:
            async with open_client(call.rules) as client:
                return await fetch_file(client, file, call.raw, rules=call.rules, heard=heard)

        return asyncio.run(run())


def _failed(line: FileLine, note: str) -> FileLine:
    return msgspec.structs.replace(line, state="failed", note=note)


def _lists(call: Call, manifest: DatasetManifest) -> Iterator[tuple[str, PictureList]]:
    """The lists whose pictures are wanted and that are there."""
    name = manifest.name
    wanted = call.pictures and not call.files and name in DATASETS.names()
    dataset = DATASETS.load(name) if wanted else None
    if not isinstance(dataset, WebListed):
        return
    raw = RawTree(call.raw)
    names = [SPLIT_ALIASES.get(one, one) for one in call.splits] or manifest.prepared_splits()
    for split in names:
        found = dataset.web_list(raw, split)
        if found is None:
            continue
        folder = call.raw / name
        addresses = Addresses(found.rows)
        shelf = Shelf(folder / f"fetched-{split}", found.sha256)
        yield split, look(addresses, shelf, folder, call.rules, limit=call.limit)


def _pictures(call: Call, split: str, work: PictureList, ears: Ears) -> PictureLine:
    asked = work.open
    with ears.bar(asked, f"{call.dataset} {split}", " pictures") as add:
        tally = fetch_pictures(work, call.rules, lambda: add(1))
    return _line_of(split, asked, tally)


def _line(split: str, work: PictureList) -> PictureLine:
    return _line_of(split, work.open, work.tally)


def _line_of(split: str, asked: int, tally: PictureTally) -> PictureLine:
    return PictureLine(
        split=split,
        addresses=tally.addresses,
        before=tally.before,
        to_ask=asked,
        got=tally.got,
        bytes=tally.bytes,
        requests=tally.requests,
        failed=dict(sorted(tally.failed.items())),
        again=tally.again,
        left=tally.left,
    )


def _answer(call: Call, files: Sequence[FileLine], pictures: Sequence[PictureLine]) -> Fetched:
    return Fetched(
        dataset=call.dataset,
        dry_run=call.dry_run,
        files=tuple(files),
        pictures=tuple(pictures),
    )
