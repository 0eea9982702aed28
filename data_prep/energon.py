"""What Megatron-Energon wants to know of a folder of shards: `.nv-meta/`, and an index of each.

Its loader takes the shards as a crude dataset (every sample a dictionary of its
members), so that no box or question is lost on the way into its fixed sample
types. It opens no shard without `SHARD.tar.idx`, the places where samples begin.
`index.sqlite` and `index.uuid` differ from run to run and are not written: only
its other commands look for them, and `energon prepare --tar-index-only` adds them.
Format: https://nvidia.github.io/Megatron-Energon/data_on_disk.html
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence

from vle_bench.canonical import pretty_json_bytes
from vle_bench.shards.index import SampleRow
from vle_bench.shards.report import Report, ShardReport

FOLDER = ".nv-meta"
INDEX_ENDING = ".idx"
_PARTS = ("train", "val", "test")
"""Splits that Energon knows by name; it asks for all three."""


def energon_files(report: Report) -> dict[str, bytes]:
    """The files of `.nv-meta/`, by path below the dataset's folder.

    Args:
        report: The books; other splits than train, val and test get a part of their own name.
    """
    return {
        f"{FOLDER}/.info.json": pretty_json_bytes({"shard_counts": _shard_counts(report)}),
        f"{FOLDER}/dataset.yaml": _text(_dataset_lines()),
        f"{FOLDER}/split.yaml": _text(_split_lines(report)),
    }


class TarOffsets:
    """Where samples begin in each shard, noted while the rows of the index pass by.

    >>> TarOffsets().bytes_of("val", "a-val-000000.tar").hex()
    '0000000000000000'
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], array[int]] = {}

    def noting(self, rows: Iterable[SampleRow]) -> Iterator[SampleRow]:
        """The rows, each noted; those of a shard in order."""
        for row in rows:
            found = self._known.setdefault((row.split, row.shard), array("Q", [0]))
            found[-1] = row.offset
            found.append(row.offset + row.size)
            yield row

    def bytes_of(self, split: str, shard: str) -> bytes:
        """`SHARD.tar.idx`: where samples begin and the last one ends, as little 64-bit numbers."""
        found = array("Q", self._known.get((split, shard), [0]))
        if sys.byteorder == "big":
            found.byteswap()
        return found.tobytes()


def tar_indexes(split: str, shards: Sequence[ShardReport], offsets: TarOffsets) -> dict[str, bytes]:
    """The index of each shard of a split, by path below the dataset's folder."""
    return {
        f"{split}/{shard.name}{INDEX_ENDING}": offsets.bytes_of(split, shard.name)
        for shard in shards
    }


def _shard_counts(report: Report) -> dict[str, int]:
    return {
        f"{split}/{shard.name}": shard.samples
        for split, books in report.splits.items()
        for shard in books.shards
    }


def _dataset_lines() -> Iterator[str]:
    yield "__module__: megatron.energon"
    yield "__class__: CrudeWebdataset"


def _split_lines(report: Report) -> Iterator[str]:
    """The shards of each part by name; split and file names need no quotes in YAML."""
    yield "exclude: []"
    yield "split_parts:"
    for part in (*_PARTS, *(name for name in report.splits if name not in _PARTS)):
        books = report.splits.get(part)
        if books is None or not books.shards:
            yield f"  {part}: []"
            continue
        yield f"  {part}:"
        yield from (f"  - {part}/{shard.name}" for shard in books.shards)


def _text(lines: Iterator[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("ascii")
