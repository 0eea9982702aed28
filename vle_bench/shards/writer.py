"""Writes one shard: whole under its final name, or not there at all.

A sample is two members, `KEY.<picture ending>` and `KEY.json`, and one write.
The sha256 of the shard is taken from the bytes on their way to the disk, so it
also tells later whether the disk gave them back. It is taken in a second
thread, and the disk is set to work early, so that neither is waited for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from vle_bench.atomic import replacing
from vle_bench.errors import DataProblem
from vle_bench.shards.digests import digests
from vle_bench.shards.layout import JSON_ENDING, PICTURE_FORMATS
from vle_bench.shards.ustar import BLOCK, END_OF_ARCHIVE, check_key, header, padded, padding

_BEGIN_WRITING = 8 << 20
"""Bytes after which the system is told to send what it holds to the disk."""


class Item(NamedTuple):
    """One sample on its way into a shard.

    Attributes:
        key: Name of the sample, unique over the dataset.
        picture: The original bytes of the picture.
        ending: `jpg`, `png` or `webp`, by content.
        record: `KEY.json`.
    """

    key: str
    picture: bytes
    ending: str
    record: bytes


class Placed(NamedTuple):
    """Where a sample lies in its shard, in bytes from the shard's first byte."""

    key: str
    offset: int
    size: int
    image_offset: int
    image_size: int
    json_offset: int
    json_size: int


class WrittenShard(NamedTuple):
    """What was written: the samples' places, the size in bytes and the digest of all of it."""

    placed: tuple[Placed, ...]
    bytes: int
    sha256: str


def write_shard(path: Path, items: Iterable[Item], *, must_be: str = "") -> WrittenShard:
    """Writes `items` to `path` in their order.

    The bytes depend on the items only. They are written beside `path` and renamed when the last
    one is on the disk; when `items` raises, or the disk refuses, nothing appears under `path`.

    Args:
        path: The shard's final name; its folder is made.
        items: The samples; consumed one by one, so a generator keeps memory small.
        must_be: The sha256 that the shard must have to appear under its name; "" for any.

    Raises:
        DataProblem: A key that cannot be one, a key twice, a picture ending nobody reads, or
            another sha256 than `must_be`.
        MachineProblem: The disk is full, the folder cannot be written, and so on.
    """
    placed: list[Placed] = []
    seen: set[str] = set()
    at = 0
    with replacing(path) as stream, digests("sha256") as taken:
        begun = 0
        for item in items:
            if item.key in seen:
                raise DataProblem(f"{path.name}: the key {item.key} comes twice. Keys are unique.")
            seen.add(item.key)
            sample = sample_members(item)
            stream.write(sample)
            taken.update(sample)
            placed.append(_place(item, at, len(sample)))
            at += len(sample)
            if at - begun >= _BEGIN_WRITING:
                _begin_writing(stream, begun, at)
                begun = at
        stream.write(END_OF_ARCHIVE)
        taken.update(END_OF_ARCHIVE)
        (sha256,) = taken.finish()
        if must_be not in ("", sha256):
            raise DataProblem(
                f"{path.name}: would get the sha256 {sha256[:16]}..., not the expected "
                f"{must_be[:16]}...; what is made from is no longer what it was. Nothing was "
                "written."
            )
    return WrittenShard(tuple(placed), at + len(END_OF_ARCHIVE), sha256)


def sample_members(item: Item) -> bytes:
    """The two members of a sample, headers and padding included.

    Raises:
        DataProblem: The key or the ending is not allowed.
    """
    key = check_key(item.key)
    if item.ending not in PICTURE_FORMATS:
        raise DataProblem(
            f"{key}.{item.ending}: a picture ends in {', '.join(PICTURE_FORMATS)} in a shard."
        )
    return b"".join(
        (
            header(f"{key}.{item.ending}", len(item.picture)),
            item.picture,
            padding(len(item.picture)),
            header(f"{key}.{JSON_ENDING}", len(item.record)),
            item.record,
            padding(len(item.record)),
        )
    )


def _place(item: Item, offset: int, size: int) -> Placed:
    image_offset = offset + BLOCK
    json_offset = image_offset + padded(len(item.picture)) + BLOCK
    return Placed(
        item.key, offset, size, image_offset, len(item.picture), json_offset, len(item.record)
    )


def _begin_writing(stream: BinaryIO, begin: int, end: int) -> None:
    """Sends these bytes on their way to the disk, so that the last fsync finds little to do.

    Linux begins to write when it is told that pages are not needed; it drops none before that.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(stream.fileno(), begin, end - begin, os.POSIX_FADV_DONTNEED)
