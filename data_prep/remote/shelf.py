"""Shards in a remote store, with the journal beside them.

A shard is written in a folder of this machine, sent, proved to have arrived,
and removed here; then its entry is written, as on a local shelf. Whether it
still stands is told by size and ETag, noted in `SHARD.stored` when the bytes
were last proved; where there is no such note, or a store has no ETags, the
shard is read back and hashed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from vle_bench.canonical import json_bytes
from vle_bench.data_prep.journal import (
    FOLDER,
    ShardEntry,
    entry_bytes,
    entry_from_bytes,
    remove_leftovers,
)
from vle_bench.data_prep.remote.store import Store, store_of
from vle_bench.records import Record
from vle_bench.shards.layout import ShardName, number_of


class Proof(Record, frozen=True, kw_only=True):
    """Of which object it was proved that it is a shard of that digest."""

    schema: Literal["vle-bench/stored/1"] = "vle-bench/stored/1"
    sha256: str
    bytes: int
    stamp: str


@dataclass(frozen=True)
class RemoteShelf:
    """Shards below a URL, which are made below `stage`."""

    stage: Path
    url: str

    def entry(self, name: ShardName) -> ShardEntry | None:
        """What the journal says of a shard, or None where it says nothing that can be trusted."""
        data = self._store.read(self._entry(name))
        return None if data is None else entry_from_bytes(data)

    def note(self, name: ShardName, entry: ShardEntry) -> None:
        """Writes an entry whole; one that says the same is left alone."""
        data = entry_bytes(entry)
        if self._store.read(self._entry(name)) != data:
            self._store.write(self._entry(name), data)

    def has(self, name: ShardName) -> bool:
        """Whether an object stands under the shard's name."""
        return self._store.stat(self._shard(name)) is not None

    def holds(self, name: ShardName, entry: ShardEntry) -> bool:
        """Whether the object is, byte for byte, what the entry says."""
        stored = self._store.stat(self._shard(name))
        if stored is None or stored.bytes != entry.bytes:
            return False
        proof = self._proof(name)
        if proof is not None and proof.stamp and proof.stamp == stored.stamp:
            return proof.sha256 == entry.sha256
        if self._store.sha256(self._shard(name)) != entry.sha256:
            return False
        self._prove(name, entry, stored.stamp)
        return True

    def take(self, name: ShardName, entry: ShardEntry) -> None:
        """Sends a shard that was just written, notes its entry, and removes it here.

        Raises:
            MachineProblem: The store refuses; nothing new stands under the shard's name.
        """
        path = name.path(self.stage / name.dataset)
        try:
            stored = self._store.upload(self._shard(name), path, entry.sha256)
        finally:
            with suppress(OSError):
                path.unlink()
        self._prove(name, entry, stored.stamp)
        self.note(name, entry)

    def known(self, dataset: str, split: str) -> list[ShardName]:
        """The shards of a split that have an entry, by number."""
        files = self._store.names(f"{FOLDER}/{dataset}/{split}")
        names = (f"{file.removesuffix('.json')}.tar" for file in files if file.endswith(".json"))
        numbers = (number_of(name, dataset=dataset, split=split) for name in names)
        return [
            ShardName(dataset, split, one) for one in sorted(n for n in numbers if n is not None)
        ]

    def files(self, dataset: str, split: str) -> set[str]:
        """Names of what stands in the folder of a split."""
        return self._store.names(f"{dataset}/{split}")

    def remove(self, name: ShardName) -> bool:
        """Removes a shard with its entry; says whether it was there."""
        there = self._store.remove(self._shard(name))
        for place in (self._entry(name), self._note(name)):
            self._store.remove(place)
        return there

    def clean(self, dataset: str, split: str) -> None:
        """Removes what tasks that failed left in the stage; the rest `writing` sees to."""
        remove_leftovers(self.stage, dataset, split)

    @property
    def _store(self) -> Store:
        return store_of(self.url)

    def _proof(self, name: ShardName) -> Proof | None:
        data = self._store.read(self._note(name))
        try:
            return None if data is None else msgspec.json.decode(data, type=Proof)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def _prove(self, name: ShardName, entry: ShardEntry, stamp: str) -> None:
        proof = Proof(sha256=entry.sha256, bytes=entry.bytes, stamp=stamp)
        self._store.write(self._note(name), json_bytes(proof))

    def _shard(self, name: ShardName) -> str:
        return f"{name.dataset}/{name.split}/{name.file_name}"

    def _entry(self, name: ShardName) -> str:
        return f"{FOLDER}/{name.dataset}/{name.split}/{self._stem(name)}.json"

    def _note(self, name: ShardName) -> str:
        return f"{FOLDER}/{name.dataset}/{name.split}/{self._stem(name)}.stored"

    def _stem(self, name: ShardName) -> str:
        return name.file_name.removesuffix(".tar")
