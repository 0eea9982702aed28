"""Writes one shard: whole under its final name, or not there at all.

A sample is two members, `KEY.<picture ending>` and `KEY.json`. The sha256 of the
shard is taken from the bytes on their way to the disk, so it also tells later
whether the disk gave them back. A second thread takes it and writes, and the
disk is set to work early, so that neither is waited for.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from vle_bench.atomic import replacing
from vle_bench.errors import DataProblem
from vle_bench.shards.behind import behind
from vle_bench.shards.layout import JSON_ENDING, PICTURE_FORMATS
from vle_bench.shards.ustar import BLOCK, END_OF_ARCHIVE, check_key, header, padded, padding


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
    with replacing(path) as stream, behind(stream) as end:
        for item in items:
            if item.key in seen:
                raise DataProblem(f"{path.name}: the key {item.key} comes twice. Keys are unique.")
            seen.add(item.key)
            end.add(*_pieces(item))
            placed.append(_place(item, at))
            at += placed[-1].size
        end.add(END_OF_ARCHIVE)
        sha256 = end.finish()
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
    return b"".join(_pieces(item))


def _pieces(item: Item) -> tuple[bytes, bytes, bytes]:
    """The same in pieces, of which the picture is one: it is large, and so never copied."""
    key = check_key(item.key)
    if item.ending not in PICTURE_FORMATS:
        raise DataProblem(
            f"{key}.{item.ending}: a picture ends in {', '.join(PICTURE_FORMATS)} in a shard."
        )
    rest = (
        padding(len(item.picture)),
        header(f"{key}.{JSON_ENDING}", len(item.record)),
        item.record,
        padding(len(item.record)),
    )
    return header(f"{key}.{item.ending}", len(item.picture)), item.picture, b"".join(rest)


def _place(item: Item, offset: int) -> Placed:
    image_offset = offset + BLOCK
    json_offset = image_offset + padded(len(item.picture)) + BLOCK
    size = json_offset + padded(len(item.record)) - offset
    return Placed(
        item.key, offset, size, image_offset, len(item.picture), json_offset, len(item.record)
    )
