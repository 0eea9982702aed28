"""What was built from what, so that a second run touches only what must change.

One file per shard in `OUT/.vle-prep/<dataset>/<split>/`, written last, holds the
recipe (a digest of everything that decides the shard's bytes but the pictures),
the look of every raw picture, and the shard's rows for the index. A marker that
only says "done" proves nothing: here the shard must still have its sha256. The
entry itself is sealed, because its rows go into the index and the books as they
stand: one changed digit would be a wrong index that the next report vouches for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import msgspec

from vle_bench.atomic import make_folder, write_bytes, write_if_changed
from vle_bench.canonical import json_bytes, sha256_bytes
from vle_bench.data_prep.leaks.evidence import Evidence
from vle_bench.errors import MachineProblem, machine_errors
from vle_bench.file_lock import locked
from vle_bench.records import Record
from vle_bench.scratch import remove_scratch, scratch_in
from vle_bench.shards.index import SampleRow, SkippedRow
from vle_bench.shards.layout import ShardName, number_of

FOLDER = ".vle-prep"
_LOCK = "lock"
_LOOK = "lock.look"
_LOG = "runs.jsonl"
SLICE_LOG = "runs.slice-{}-of-{}.jsonl"
_ASIDE = ".*.tmp"

Outside = tuple[int, int, str]
"""Size, stamp and sha256 of a raw picture."""


class Slice(NamedTuple):
    """One of `of` parts of a dataset's shards: those whose number leaves `part`.

    >>> [number for number in range(7) if Slice(1, 3).holds(number)]
    [1, 4]
    """

    part: int
    of: int

    def holds(self, number: int) -> bool:
        """Whether the shard of that number is of this part."""
        return number % self.of == self.part


class Excluded(NamedTuple):
    """A picture that was left out for being an evaluation picture, and one thing that proves it.

    Attributes:
        key: The key that its sample would have had.
        image_id: Its id in the source.
        evidence: `coco_id`, `flickr_id` or `bytes`.
        value: The id, or the sha256 of the bytes in hex.
    """

    key: str
    image_id: str
    evidence: Evidence
    value: str


class ShardEntry(Record, frozen=True, kw_only=True):
    """One finished shard."""

    schema: Literal["vle-bench/journal/4"] = "vle-bench/journal/4"
    recipe: str
    sha256: str
    bytes: int
    pictures: dict[str, Outside]
    """The look of every raw picture by sample key, also of those that were refused."""
    rows: list[SampleRow]
    skipped: list[SkippedRow]
    adjusted: dict[str, int]
    endings: list[str]
    """Endings of the pictures in the shard, sorted."""
    licences: dict[str, int]
    """Pictures in the shard by licence; "" where their source names none."""
    excluded: list[Excluded] = msgspec.field(default_factory=list)
    seal: str = ""
    """sha256 of this very entry with these digits left out; "" in those of older versions."""


_DECODER = msgspec.json.Decoder(ShardEntry)


def entry_path(out: Path, name: ShardName) -> Path:
    """Where the entry of a shard lies."""
    stem = name.file_name.removesuffix(".tar")
    return out / FOLDER / name.dataset / name.split / f"{stem}.json"


def read_entry(path: Path) -> ShardEntry | None:
    """The entry, or None where there is none that can be trusted."""
    try:
        return entry_from_bytes(path.read_bytes())
    except OSError:
        return None


def entry_from_bytes(data: bytes) -> ShardEntry | None:
    """The entry that `entry_bytes` wrote, or None where it is torn or changed since."""
    try:
        entry = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return entry if entry.seal in ("", _seal(entry)) else None


def entry_bytes(entry: ShardEntry) -> bytes:
    """The entry as JSON, sealed."""
    return json_bytes(msgspec.structs.replace(entry, seal=_seal(entry)))


def _seal(entry: ShardEntry) -> str:
    return sha256_bytes(json_bytes(msgspec.structs.replace(entry, seal="")))


def write_entry(path: Path, entry: ShardEntry) -> None:
    """Writes the entry whole; one that says the same is left alone."""
    write_if_changed(path, entry_bytes(entry))


def known_shards(out: Path, dataset: str, split: str) -> list[ShardName]:
    """The shards of a split that have an entry, by number."""
    folder = out / FOLDER / dataset / split
    if not folder.is_dir():
        return []
    names = (f"{path.stem}.tar" for path in folder.glob("*.json"))
    numbers = (number_of(name, dataset=dataset, split=split) for name in names)
    return [
        ShardName(dataset, split, number) for number in sorted(n for n in numbers if n is not None)
    ]


def remove_leftovers(out: Path, dataset: str, split: str) -> None:
    """Removes what killed runs left beside shards: files under a temporary name."""
    for folder in (out / dataset / split, out / dataset, out / FOLDER / dataset / split):
        _remove_aside(folder)


def has_leftovers(out: Path, dataset: str) -> bool:
    """Whether a killed run left a file under a temporary name, its log included."""
    folders = (out / dataset, out / FOLDER / dataset)
    return any(True for folder in folders for _ in folder.rglob(_ASIDE))


def _remove_aside(folder: Path) -> None:
    for path in folder.glob(_ASIDE):
        with suppress(OSError):
            path.unlink()


def remove_shard(out: Path, name: ShardName) -> bool:
    """Removes a shard that the plan no longer has, with its entry; says whether it was there."""
    path = name.path(out / name.dataset)
    there = path.exists()
    with machine_errors(path):
        path.unlink(missing_ok=True)
        entry_path(out, name).unlink(missing_ok=True)
    return there


@contextmanager
def only_run(out: Path, dataset: str) -> Iterator[None]:
    """Holds the lock of a dataset's output, so that two runs never write the same shard.

    The lock belongs to the process and goes with it, however it ends.

    Raises:
        MachineProblem: Another run holds it.
    """
    folder = make_folder(out / FOLDER / dataset)
    with machine_errors(folder), (folder / _LOCK).open("ab") as stream, scratch_in(folder):
        _lock(stream, out / dataset)
        remove_scratch(folder)
        _remove_aside(folder)  # half a log of runs; no slice writes one as long as the lock is held
        yield


@contextmanager
def one_of_many(out: Path, dataset: str, part: Slice) -> Iterator[None]:
    """Holds the lock of one slice: other slices of the same cut may run, and nothing else.

    Slices of another cut would build some of the same shards at the same time, so they are
    refused as well.

    Raises:
        MachineProblem: A whole run, the same slice, or a slice of another cut is running.
    """
    folder = make_folder(out / FOLDER / dataset)
    place = out / dataset
    with ExitStack() as stack:
        stack.enter_context(machine_errors(folder))
        stack.enter_context(scratch_in(folder))

        def held(name: str, *, shared: bool) -> None:
            _lock(stack.enter_context((folder / name).open("ab")), place, shared=shared)

        held(_LOCK, shared=True)
        cut = f"{_LOCK}.of-{part.of}"
        held(cut, shared=True)
        # A lock can be looked at only by taking it. Of an array that starts at once, one job would
        # find there the hand of another that is looking too, so they look one after the other.
        with (folder / _LOOK).open("ab") as look:
            _lock(look, place, wait=True)
            for other in sorted(folder.glob(f"{_LOCK}.of-*")):
                if other.name != cut:
                    with other.open("ab") as stream:
                        _lock(stream, place)
        held(f"{_LOCK}.slice-{part.part}", shared=False)
        yield


def log_run(out: Path, dataset: str, facts: dict[str, object], *, name: str = _LOG) -> None:
    """Adds a line to a log of runs, the only place where times and worker counts are kept."""
    path = out / FOLDER / dataset / name
    before = path.read_bytes() if path.is_file() else b""
    write_bytes(path, before + json_bytes(facts) + b"\n")


class _SliceLine(msgspec.Struct):
    """What is read again of a line that a slice logged."""

    slice: str
    parameters: dict[str, str | int]


def slice_changes(out: Path, dataset: str, parameters: Mapping[str, str | int]) -> list[str]:
    """Names each parameter that slices were last built with and that is another now."""
    told = []
    for path in sorted((out / FOLDER / dataset).glob(SLICE_LOG.format("*", "*"))):
        with suppress(OSError, IndexError, msgspec.DecodeError, UnicodeDecodeError):
            line = msgspec.json.decode(path.read_bytes().splitlines()[-1], type=_SliceLine)
            told += [
                f"slice {line.slice} was built with {name.replace('_', '-')} "
                f"{line.parameters[name]}, this is {value}"
                for name, value in parameters.items()
                if line.parameters.get(name, value) != value
            ]
    return told


def _lock(stream: BinaryIO, place: Path, *, shared: bool = False, wait: bool = False) -> None:
    try:
        ours = locked(stream, shared=shared, wait=wait)
    except OSError as error:
        raise MachineProblem(
            f"{place}: cannot be locked: {os.strerror(error.errno or 0)}. Its file system must be "
            "mounted with locks (Lustre: -o flock), or choose another --out."
        ) from error
    if not ours:
        raise MachineProblem(
            f"{place}: another vle-prep run is writing there. Wait for it, or choose another --out."
        )
