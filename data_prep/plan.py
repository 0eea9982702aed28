"""Which splits can be prepared, and which sample goes into which shard.

The assignment follows from the order of the samples and the shard size alone,
and a shard is handed to an engine only when all of its drafts are known; so it
is the same for every engine and worker count, and a second run finds every
shard where the first one put it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from vle_bench.catalog.datasets import DatasetManifest, also_offering, load_dataset_manifest
from vle_bench.data_prep.datasets.base import Dataset, Draft, Parameters, Reading, item_fields
from vle_bench.data_prep.shard_task import PackedDraft, ShardTask, packed_sample
from vle_bench.data_prep.sources import NeedState, RawTree
from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.records import sample_bytes
from vle_bench.shards.layout import ShardName

SPLIT_ALIASES = {"dev": "val"}


class SplitState(NamedTuple):
    """A split and its raw files; it can be prepared when no annotation file is missing."""

    split: str
    needs: tuple[NeedState, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Annotation files without which the split cannot be prepared.

        Pictures that are absent do not count: each is named as skipped.
        """
        here = {state.need.path for state in self.needs if state.found}
        return tuple(
            state.need.path
            for state in self.needs
            if state.need.required
            and here.isdisjoint((state.need.path, state.need.instead))
            and not state.need.path.endswith("/")
        )

    @property
    def lacks(self) -> str:
        """The same in words: of files of which any one will do, the first names the others."""
        absent = dict.fromkeys(self.missing)
        instead = {state.need.path: state.need.instead for state in self.needs}
        words = [
            f"{path} (or {instead[path]})" if instead[path] else path
            for number, path in enumerate(absent)
            if instead[path] not in list(absent)[:number]
        ]
        return ", ".join(words)


def settle(dataset: Dataset, raw: RawTree, parameters: Parameters) -> Parameters:
    """The parameters with their scheme filled in.

    Where none is named, a dataset that reads the parameter has its manifest's default. One that
    does not, though its manifest has several schemes, is split by the first under which any split
    can be prepared.

    Raises:
        UsageProblem: The dataset has no schemes, or none of that name.
    """
    schemes = load_dataset_manifest(dataset.name).schemes
    if parameters.scheme and not schemes:
        raise UsageProblem(
            f"--scheme {parameters.scheme}: {dataset.name} takes no --scheme. Leave it out."
        )
    if parameters.scheme and parameters.scheme not in schemes:
        raise UsageProblem(
            f"--scheme {parameters.scheme}: {dataset.name} has {', '.join(schemes)}."
        )
    if parameters.scheme or not schemes:
        return parameters
    scheme = schemes[0]
    if "scheme" not in dataset.parameters:
        scheme = next(
            (
                name
                for name in schemes
                if not all(state.missing for state in split_states(dataset, raw, scheme=name))
            ),
            scheme,
        )
    return msgspec.structs.replace(parameters, scheme=scheme)


def split_states(dataset: Dataset, raw: RawTree, *, scheme: str = "") -> list[SplitState]:
    """What there is of each split of a dataset.

    Args:
        dataset: The dataset.
        raw: The user's raw folder.
        scheme: The way of splitting, as settled; "" is the dataset's default.
    """
    manifest = load_dataset_manifest(dataset.name)
    there = manifest.split_names(scheme)
    return [
        SplitState(
            split,
            tuple(raw.state(manifest, need) for need in manifest.needs_of(split, scheme=scheme)),
        )
        for split in dataset.splits
        if split in there
    ]


def unfinished(states: Sequence[SplitState]) -> list[str]:
    """A sentence on each file that is absent because its download was broken off."""
    parts: dict[str, list[str]] = {}
    for state in (one for split in states for one in split.needs if one.unfinished):
        parts.setdefault(unfinished_download(state.unfinished), []).append(state.need.path)
    return [f"{', '.join(dict.fromkeys(paths))}: {why}" for why, paths in parts.items()]


def unfinished_download(part: str) -> str:
    """What is wrong with a file of which a part is there, and what to do.

    >>> unfinished_download("coco/val2014.zip.part")
    'download not finished: coco/val2014.zip.part, run vle-prep fetch again'
    """
    return f"download not finished: {part}, run vle-prep fetch again"


def has_any_file(manifest: DatasetManifest, raw: RawTree) -> bool:
    """Whether the raw folder holds a single file that is this dataset's own, be it half a download.

    What lies in another's folder, in an archive that both are offered, is there for the other.
    """
    for need in manifest.needs:
        if need.dataset in ("", manifest.name):
            state = raw.state(manifest, need)
            found = state.found or state.unfinished
            if found and found.split("/")[0] not in also_offering(manifest.name, need.path):
                return True
    return False


def choose_splits(
    dataset: Dataset, wanted: Sequence[str], states: Sequence[SplitState]
) -> list[SplitState]:
    """The splits to prepare: those named, or all whose annotation files are there.

    A split that is not named and lacks files is simply not among them.

    Raises:
        UsageProblem: No such split.
        DataProblem: A named split lacks files, or none can be prepared.
    """
    by_name = {state.split: state for state in states}
    names = [SPLIT_ALIASES.get(name, name) for name in wanted]
    for name in names:
        if name == "test-dev" and "test" in by_name:
            raise UsageProblem(
                "test-dev is a flag on questions of test, not a split of its own: use --split test."
            )
        if name not in by_name:
            raise UsageProblem(f"{dataset.name} has no split {name}. It has: {', '.join(by_name)}.")
    chosen = [by_name[name] for name in by_name if name in names or not names]
    lacking = [state for state in chosen if state.missing]
    ready = [state for state in chosen if not state.missing]
    if not ready or (names and lacking):
        lines = [f"split {state.split} lacks {state.lacks}" for state in lacking]
        raise DataProblem(
            "\n".join(
                (
                    *lines,
                    *unfinished(lacking),
                    f"vle-prep list --raw RAW says which files {dataset.name} needs and where.",
                )
            )
        )
    return ready


def plan_shards(
    dataset: Dataset,
    out: Path,
    split: str,
    reading: Reading,
    *,
    samples_per_shard: int,
    wanted: Callable[[int], bool] | None = None,
    url: str = "",
) -> Iterator[ShardTask]:
    """The shards of a split in order, each with its drafts; only those of `wanted` numbers.

    With a `url`, finished shards go there.
    """
    fields = item_fields(dataset.items)
    number = 0
    # Packed one by one: a thousand drafts as objects take ten times the memory.
    while drafts := tuple(map(_packed, islice(reading.drafts, samples_per_shard))):
        if wanted is None or wanted(number):
            yield ShardTask(
                out,
                ShardName(dataset.name, split, number),
                dataset.record,
                fields,
                drafts,
                forbidden=reading.forbidden,
                url=url,
            )
        number += 1


def shard_count(samples: int, samples_per_shard: int) -> int:
    """How many shards hold that many samples.

    >>> shard_count(2001, 1000), shard_count(0, 1000)
    (3, 0)
    """
    return -(-samples // samples_per_shard)


def _packed(draft: Draft) -> PackedDraft:
    sample = draft.sample
    packed = packed_sample(sample_bytes(sample))
    return PackedDraft(sample.key, packed, draft.picture, draft.declared, draft.leaks)
