"""What a preparation would find and need, before it touches anything."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from vle_bench.atomic import in_the_way
from vle_bench.catalog.datasets import DatasetManifest, dataset_names, load_dataset_manifest
from vle_bench.data_prep.base64_rows import Base64Cell
from vle_bench.data_prep.books import Books
from vle_bench.data_prep.datasets.base import Dataset, OpenedDataset, Parameters
from vle_bench.data_prep.datasets.registry import DATASETS
from vle_bench.data_prep.own_folder import keep_apart
from vle_bench.data_prep.picture import mark_of
from vle_bench.data_prep.plan import SplitState, settle, shard_count, split_states
from vle_bench.data_prep.sources import NeedState, PictureFile, RawTree
from vle_bench.errors import DataProblem, machine_errors
from vle_bench.records import Record

_OVERHEAD = 4096
"""Bytes a sample takes beside its picture: two headers, padding, its record; a round figure."""


class NeedLine(Record, frozen=True, kw_only=True):
    """A raw file or folder, what it gives, and where it is ("" where it is missing)."""

    path: str
    gives: str
    required: bool
    """Whether nothing can be prepared without it; not so where what stands `instead` is there."""
    instead: str
    """What will do where it is absent, "" where nothing does."""
    found: str
    download: str
    """The official file that holds it."""
    unfinished: str = ""
    """What is there of a download that was broken off, where the path was not found."""


class SplitPlan(Record, frozen=True, kw_only=True):
    """What preparing one split would do."""

    split: str
    missing: tuple[str, ...]
    """Annotation files without which it cannot be prepared."""
    images: int = 0
    pictures: int = 0
    """How many of the images have a picture file."""
    shards: int = 0
    bytes: int = 0
    """About how much the shards will take."""


class Survey(Record, frozen=True, kw_only=True):
    """The answer of `vle-prep plan`."""

    schema: Literal["vle-bench/plan/1"] = "vle-bench/plan/1"
    dataset: str
    sample: bool
    needs: tuple[NeedLine, ...]
    splits: tuple[SplitPlan, ...]
    free_bytes: int

    @property
    def bytes(self) -> int:
        """About how much all shards will take."""
        return sum(split.bytes for split in self.splits)


class SplitFacts(Record, frozen=True, kw_only=True):
    """One split in `vle-prep list`."""

    split: str
    scheme: str
    """The way of splitting that it belongs to; "" where there is one only."""
    expected: dict[str, int]
    needs: tuple[NeedLine, ...]


class DatasetFacts(Record, frozen=True, kw_only=True):
    """One dataset in `vle-prep list`."""

    name: str
    title: str
    prepared: bool
    """Whether `vle-prep run` makes shards of it."""
    licences: tuple[str, ...]
    splits: tuple[SplitFacts, ...]


def survey(name: str, raw_folder: Path, out: Path, parameters: Parameters) -> Survey:
    """What `vle-prep run` would find, and how much it would write.

    Args:
        name: The dataset.
        raw_folder: Raw downloads.
        out: Where the shards would go; nothing is made there.
        parameters: As for the run.

    Raises:
        UsageProblem: No such dataset, or shards would go among other files.
        DataProblem: The raw folder does not exist, or its files are malformed.
        MachineProblem: `out` cannot be a folder, since a file or dead link is in its way.
    """
    dataset: Dataset = DATASETS.load(name)
    keep_apart(name, raw_folder, out)
    raw = RawTree(raw_folder)
    if not raw_folder.is_dir():
        raise DataProblem(f"{raw_folder}: no such folder of raw files. Check --raw.")
    free_bytes = _free_bytes(out / name)
    parameters = settle(dataset, raw, parameters)
    states = split_states(dataset, raw, scheme=parameters.scheme)
    opened = dataset.open(raw, parameters)
    manifest = load_dataset_manifest(name)
    needs = {state.need: state for split in states for state in split.needs}
    return Survey(
        dataset=name,
        sample=raw.is_sample,
        needs=_need_lines(manifest, list(needs.values())),
        splits=tuple(_split_plan(opened, state, parameters) for state in states),
        free_bytes=free_bytes,
    )


def facts(raw_folder: Path | None) -> list[DatasetFacts]:
    """Every dataset that a manifest describes; with a raw folder, also which files are present."""
    raw = RawTree(raw_folder) if raw_folder else None
    if raw_folder and not raw_folder.is_dir():
        raise DataProblem(f"{raw_folder}: no such folder of raw files. Check --raw.")
    prepared = DATASETS.names()
    return [_facts(load_dataset_manifest(name), raw, name in prepared) for name in dataset_names()]


def _facts(manifest: DatasetManifest, raw: RawTree | None, prepared: bool) -> DatasetFacts:
    return DatasetFacts(
        name=manifest.name,
        title=manifest.title,
        prepared=prepared,
        licences=tuple(f"{one.covers}: {one.name}" for one in manifest.licences),
        splits=tuple(
            SplitFacts(
                split=split,
                scheme=scheme,
                expected=_expected(manifest, split, scheme),
                needs=_need_lines(
                    manifest,
                    [
                        raw.state(manifest, need) if raw else NeedState(need, "")
                        for need in manifest.needs_of(split, scheme=scheme)
                    ],
                ),
            )
            for scheme in manifest.schemes or ("",)
            for split in manifest.split_names(scheme)
        ),
    )


def _expected(manifest: DatasetManifest, split: str, scheme: str) -> dict[str, int]:
    kinds = dict.fromkeys(count.kind for count in manifest.counts)
    found = ((kind, manifest.expected(split, kind, scheme=scheme)) for kind in kinds)
    return {kind: count.count for kind, count in found if count is not None}


def _need_lines(manifest: DatasetManifest, states: Sequence[NeedState]) -> tuple[NeedLine, ...]:
    here = {state.need.path for state in states if state.found}
    lines = []
    for need, found, part in states:
        owner = need.dataset or manifest.name
        download = load_dataset_manifest(owner).download_of(need.path)
        line = NeedLine(
            path=f"{owner}/{need.path}",
            gives=need.gives,
            required=need.required and need.instead not in here,
            instead=need.instead,
            found=found,
            download=download.file if download else "",
            unfinished=part,
        )
        lines.append(line)
    return tuple(lines)


def _split_plan(opened: OpenedDataset, state: SplitState, parameters: Parameters) -> SplitPlan:
    if state.missing:
        return SplitPlan(split=state.split, missing=state.missing)
    books = Books(state.split)
    pictures = opened.read(state.split, books).pictures
    return SplitPlan(
        split=state.split,
        missing=(),
        images=books.read["image"],
        pictures=len(pictures),
        shards=shard_count(len(pictures), parameters.samples_per_shard),
        bytes=sum(_bytes_of(picture) + _OVERHEAD for picture in pictures),
    )


def _bytes_of(picture: PictureFile) -> int:
    """About how long a picture is; base64 writes three bytes in four signs."""
    size = mark_of(picture).size
    return size * 3 // 4 if isinstance(picture.member, Base64Cell) else size


def _free_bytes(out: Path) -> int:
    """Free space where `out` is, or would be."""
    place = out.absolute()
    while not place.exists() and not place.is_symlink():
        place = place.parent
    if not place.is_dir():  # a file, or a link to nothing
        raise in_the_way(out)
    with machine_errors(place):
        return shutil.disk_usage(place).free
