"""Pins damage in a shard to its samples, with the index as witness.

Our headers follow from name and size, so a header can be made again and
compared; pictures have a sha256 in the index, records a CRC-32, and padding is
zeros. What is left over lies behind the last sample.
"""

from __future__ import annotations

import mmap
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from vle_bench.canonical import sha256_bytes
from vle_bench.shards.index import SampleRow
from vle_bench.shards.layout import JSON_ENDING
from vle_bench.shards.scan import Damage, Member, Scan, mapped, scan_bytes
from vle_bench.shards.ustar import BLOCK, header

Named = tuple[str, str]
"""The key of a sample ("" for none) and what is wrong."""


class _Pair(NamedTuple):
    """The two members of a sample."""

    picture: Member
    record: Member


def look(
    path: Path, rows: Sequence[SampleRow], owners: Mapping[str, str], place: str
) -> Iterator[Named]:
    """What headers and places tell: cuts, broken headers, samples that the index has elsewhere.

    Args:
        path: The shard.
        rows: Its samples in the index.
        owners: Every key of the index and the shard it belongs to.
        place: The name under which `owners` knows this shard.
    """
    with mapped(path) as data:
        yield from _places(scan_bytes(data), len(data), rows, owners=owners, place=place)


def diagnose(
    path: Path, rows: Sequence[SampleRow], owners: Mapping[str, str], place: str
) -> Iterator[Named]:
    """Everything that can be said of a shard whose sha256 is wrong; arguments as for `look`."""
    with mapped(path) as data:
        scan = scan_bytes(data)
        yield from _places(scan, len(data), rows, owners=owners, place=place)
        pairs = _pairs(scan)
        for row in rows:
            pair = pairs.get(row.key)
            # Behind a broken header no member can be found, but the index knows where they are.
            behind = pair is None and bool(scan.damages) and row.offset + row.size <= len(data)
            if behind or (pair is not None and _stands_as(pair, row)):
                yield from _contents(data, row)
            if pair is not None:
                yield from _frames(data, pair)


def _places(
    scan: Scan, length: int, rows: Sequence[SampleRow], *, owners: Mapping[str, str], place: str
) -> Iterator[Named]:
    for damage in scan.damages:
        yield _owner(damage, rows, length), f"{damage.reason} (byte {damage.offset:,})"
    pairs = _pairs(scan)
    strangers = Counter(owners.get(key, "") for key in pairs if owners.get(key, "") != place)
    if strangers and len(pairs) == strangers.total():
        ((owner, _),) = strangers.most_common(1)
        yield "", f"holds the samples of {owner or 'no shard of the index'} (swapped or renamed)"
        return
    known = {row.key: row for row in rows}
    for key, pair in pairs.items():
        if key not in known:
            yield key, "is not in the index as a sample of this shard"
        elif not _stands_as(pair, known[key]):
            yield key, "does not lie where the index says: the index is stale"
    if not scan.damages:
        for key in sorted(known.keys() - pairs.keys()):
            yield key, "is in the index but not in the shard"
    elif len(pairs) < len(known):
        yield "", f"readers do not get to {len(known) - len(pairs):,} of {len(known):,} samples"


def _owner(damage: Damage, rows: Sequence[SampleRow], length: int) -> str:
    """Whose bytes are broken: a broken header may lie about its name, the index does not."""
    if damage.offset + BLOCK > length:
        return damage.key
    inside = (row.key for row in rows if row.offset <= damage.offset < row.offset + row.size)
    return next(inside, damage.key)


def _contents(data: mmap.mmap | bytes, row: SampleRow) -> Iterator[Named]:
    picture = data[row.image_offset : row.image_offset + row.image_size]
    record = data[row.json_offset : row.json_offset + row.json_size]
    if sha256_bytes(picture) != row.sha256:
        yield row.key, "the bytes of its picture changed"
    if zlib.crc32(record) != row.json_crc32:
        yield row.key, "the bytes of its JSON changed"


def _frames(data: mmap.mmap | bytes, pair: _Pair) -> Iterator[Named]:
    for member in pair:
        if data[member.offset : member.data_offset] != header(member.name, member.size):
            yield member.key, f"the header of {member.name} changed"
        if data[member.data_offset + member.size : member.end].strip(b"\0"):
            yield member.key, f"the padding behind {member.name} changed"


def _pairs(scan: Scan) -> dict[str, _Pair]:
    """Picture and record of each key that has both."""
    pictures: dict[str, Member] = {}
    pairs: dict[str, _Pair] = {}
    for member in scan.members:
        if member.ending != JSON_ENDING:
            pictures.setdefault(member.key, member)
        elif member.key in pictures:
            pairs.setdefault(member.key, _Pair(pictures[member.key], member))
    return pairs


def _stands_as(pair: _Pair, row: SampleRow) -> bool:
    picture, record = pair
    return (
        (picture.offset, picture.data_offset, picture.size)
        == (row.offset, row.image_offset, row.image_size)
        and (record.data_offset, record.size) == (row.json_offset, row.json_size)
        and record.end - picture.offset == row.size
    )
