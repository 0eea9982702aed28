"""Evaluation pictures by what they can be known by: a few bytes each, looked up by halving.

Half of Visual Genome has COCO ids, so nearly every picture is looked up, and a
quarter of a million evaluation pictures have to stay small in memory.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from vle_bench.data_prep.leaks.evidence import NO_ID, Evidence, Facts, Leak

DIGEST_BYTES = 32


class Owner(NamedTuple):
    """An evaluation picture: the rule that names it, by its place, and its id there."""

    rule: int
    id: str


class Numbers:
    """Numbers and who has them; a number may have several owners.

    >>> Numbers({7: [3, 1]}.items()).of(7), Numbers([]).of(7)
    ([1, 3], [])
    """

    def __init__(self, pairs: Iterable[tuple[int, Iterable[int]]]) -> None:
        keys, owners = array("q"), array("q")
        for key, some in pairs:
            for owner in some:
                keys.append(key)
                owners.append(owner)
        order = np.lexsort((np.array(owners, dtype=np.int64), np.array(keys, dtype=np.int64)))
        self._keys = array("q", (keys[place] for place in order.tolist()))
        self._owners = array("q", (owners[place] for place in order.tolist()))

    def of(self, key: int) -> list[int]:
        """The owners of a number, ascending; [] where nobody has it."""
        place = bisect_left(self._keys, key)
        found: list[int] = []
        while place < len(self._keys) and self._keys[place] == key:
            found.append(self._owners[place])
            place += 1
        return found

    def __len__(self) -> int:
        return len(self._keys)


def holds(digests: bytes, sha256: str) -> bool:
    """Whether a digest is among digests that lie sorted, one behind the other.

    Args:
        digests: 32 bytes each.
        sha256: In hex; what is none is not among them.

    >>> holds(bytes(32) + b"a" * 32, "61" * 32), holds(b"", "61" * 32), holds(b"", "")
    (True, False, False)
    """
    return bool(digests) and _place(digests, _raw(sha256)) >= 0


def _raw(sha256: str) -> bytes:
    try:
        return bytes.fromhex(sha256)
    except ValueError:
        return b""


def _place(digests: bytes, digest: bytes) -> int:
    """The first place of a digest, -1 where it is not there."""
    low, high = 0, len(digests) // DIGEST_BYTES
    while low < high:
        middle = (low + high) // 2
        if digests[middle * DIGEST_BYTES : (middle + 1) * DIGEST_BYTES] < digest:
            low = middle + 1
        else:
            high = middle
    found = digests[low * DIGEST_BYTES : (low + 1) * DIGEST_BYTES]
    return low if found == digest else -1


class EvaluationIndex:
    """All evaluation pictures.

    Args:
        pictures: Each with its facts; digests may be b"".
    """

    def __init__(self, pictures: Iterable[tuple[Owner, Facts]]) -> None:
        self._owners: list[Owner] = []
        coco: dict[int, list[int]] = {}
        flickr: dict[int, list[int]] = {}
        digests: list[tuple[bytes, int]] = []
        for number, (owner, facts) in enumerate(pictures):
            self._owners.append(owner)
            if facts.coco_id != NO_ID:
                coco.setdefault(facts.coco_id, []).append(number)
            if facts.flickr_id != NO_ID:
                flickr.setdefault(facts.flickr_id, []).append(number)
            if facts.sha256:
                digests.append((facts.sha256, number))
        digests.sort()
        self._numbers: Mapping[Evidence, Numbers] = {
            "coco_id": Numbers(coco.items()),
            "flickr_id": Numbers(flickr.items()),
        }
        self.digests = b"".join(digest for digest, _ in digests)
        """Digests of all pictures whose bytes are known, sorted, one behind the other."""
        self._by_bytes = array("q", (number for _, number in digests))

    def ids_of(self, facts: Facts) -> tuple[Leak, ...]:
        """The ids by which a picture is an evaluation picture; () where it is none."""
        found: list[Leak] = []
        if facts.coco_id != NO_ID and self._numbers["coco_id"].of(facts.coco_id):
            found.append(("coco_id", str(facts.coco_id)))
        if facts.flickr_id != NO_ID and self._numbers["flickr_id"].of(facts.flickr_id):
            found.append(("flickr_id", str(facts.flickr_id)))
        return tuple(found)

    def owners(self, evidence: Evidence, value: str) -> Iterator[Owner]:
        """The evaluation pictures that have an id, or a digest in hex."""
        if evidence != "bytes":
            numbers = self._numbers[evidence].of(int(value))
            yield from (self._owners[number] for number in numbers)
            return
        digest = _raw(value)
        place = _place(self.digests, digest)
        while place >= 0 and self._digest(place) == digest:
            yield self._owners[self._by_bytes[place]]
            place += 1

    def _digest(self, place: int) -> bytes:
        return self.digests[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES]
