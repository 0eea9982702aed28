"""Where finished shards stand, and what the journal knows of them: a folder, or a remote store.

Whoever builds shards writes each whole into a local folder first; a shelf takes
it from there. On the local shelf that is the shard's own place already.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vle_bench.canonical import sha256_file
from vle_bench.data_prep.journal import (
    ShardEntry,
    entry_path,
    known_shards,
    read_entry,
    remove_leftovers,
    remove_shard,
    write_entry,
)
from vle_bench.shards.layout import ShardName


class Shelf(Protocol):
    """Shards by name, each with its entry in the journal."""

    def entry(self, name: ShardName) -> ShardEntry | None:
        """What the journal says of a shard, or None where it says nothing that can be trusted."""

    def note(self, name: ShardName, entry: ShardEntry) -> None:
        """Writes an entry whole; one that says the same is left alone."""

    def has(self, name: ShardName) -> bool:
        """Whether something stands under the shard's name."""

    def holds(self, name: ShardName, entry: ShardEntry) -> bool:
        """Whether what stands there is, byte for byte, what the entry says."""

    def take(self, name: ShardName, entry: ShardEntry) -> None:
        """Takes over a shard that was just written, and then notes its entry."""

    def known(self, dataset: str, split: str) -> list[ShardName]:
        """The shards of a split that have an entry, by number."""

    def files(self, dataset: str, split: str) -> set[str]:
        """Names of what stands in the folder of a split."""

    def remove(self, name: ShardName) -> bool:
        """Removes a shard with its entry; says whether it was there."""

    def clean(self, dataset: str, split: str) -> None:
        """Removes what killed runs left of a split."""


@dataclass(frozen=True)
class LocalShelf:
    """Shards below a folder of this machine."""

    out: Path

    def entry(self, name: ShardName) -> ShardEntry | None:
        """What the journal says of a shard, or None where it says nothing that can be trusted."""
        return read_entry(entry_path(self.out, name))

    def note(self, name: ShardName, entry: ShardEntry) -> None:
        """Writes an entry whole; one that says the same is left alone."""
        write_entry(entry_path(self.out, name), entry)

    def has(self, name: ShardName) -> bool:
        """Whether a file stands under the shard's name."""
        return self._path(name).is_file()

    def holds(self, name: ShardName, entry: ShardEntry) -> bool:
        """Whether the file is, byte for byte, what the entry says."""
        path = self._path(name)
        return path.stat().st_size == entry.bytes and sha256_file(path) == entry.sha256

    def take(self, name: ShardName, entry: ShardEntry) -> None:
        """Notes the entry of a shard that was written to its place."""
        self.note(name, entry)

    def known(self, dataset: str, split: str) -> list[ShardName]:
        """The shards of a split that have an entry, by number."""
        return known_shards(self.out, dataset, split)

    def files(self, dataset: str, split: str) -> set[str]:
        """Names of what stands in the folder of a split."""
        folder = self.out / dataset / split
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()

    def remove(self, name: ShardName) -> bool:
        """Removes a shard with its entry; says whether it was there."""
        return remove_shard(self.out, name)

    def clean(self, dataset: str, split: str) -> None:
        """Removes files under a temporary name."""
        remove_leftovers(self.out, dataset, split)

    def _path(self, name: ShardName) -> Path:
        return name.path(self.out / name.dataset)


def shelf_of(out: Path, url: str = "") -> Shelf:
    """The shelf of a run.

    Args:
        out: The output folder; with a URL, the folder in which shards wait to be taken.
        url: Where a remote output lies, "" where it is `out` itself.
    """
    if not url:
        return LocalShelf(out)
    from vle_bench.data_prep.remote.shelf import RemoteShelf

    return RemoteShelf(out, url)
