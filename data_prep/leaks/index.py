"""Evaluation pictures by what they can be known by: a few bytes each, looked up by halving.

Half of Visual Genome has COCO ids, so nearly every picture is looked up, and a
quarter of a million evaluation pictures have to stay small in memory.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vle_bench.data_prep.leaks.evidence import NO_ID, Evidence, Facts, Leak

DIGEST_BYTES = 32


class Owner(NamedTuple):
    """An evaluation picture: the rule that names it, by its place, and its id there."""

    rule: int
    id: str


class Numbers:
    """Numbers and who has them; a number may have several owners.

    >>> Numbers(array("q", [7, 5, 7]), array("q", [3, 2, 1])).of(7)
    [1, 3]
    """

    def __init__(self, keys: array[int], owners: array[int]) -> None:
        order = np.lexsort((np.array(owners), np.array(keys)))
        self._keys = _in_order(keys, order)
        self._owners = _in_order(owners, order)

    def of(self, key: int) -> list[int]:
        """The owners of a number, ascending; [] where nobody has it."""
        place = bisect_left(self._keys, key)
        found: list[int] = []
        while place < len(self._keys) and self._keys[place] == key:
            found.append(self._owners[place])
            place += 1
        return found


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
        self._rules = array("H")
        self._ids: list[str] = []
        numbers: dict[Evidence, tuple[array[int], array[int]]] = {
            "coco_id": (array("q"), array("q")),
            "flickr_id": (array("q"), array("q")),
        }
        digests, by_bytes = bytearray(), array("q")
        for number, (owner, facts) in enumerate(pictures):
            self._rules.append(owner.rule)
            self._ids.append(owner.id)
            for (keys, owners), value in zip(
                numbers.values(), (facts.coco_id, facts.flickr_id), strict=True
            ):
                if value != NO_ID:
                    keys.append(value)
                    owners.append(number)
            if facts.sha256:
                digests += facts.sha256
                by_bytes.append(number)
        self._numbers = {kind: Numbers(*pair) for kind, pair in numbers.items()}
        words = np.frombuffer(bytes(digests), dtype=">u8").reshape(-1, DIGEST_BYTES // 8)
        order = np.lexsort(words.T[::-1])
        self.digests = words[order].tobytes()
        """Digests of all pictures whose bytes are known, sorted, one behind the other."""
        self._by_bytes = _in_order(by_bytes, order)

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
            yield from map(self._owner, self._numbers[evidence].of(int(value)))
            return
        digest = _raw(value)
        place = _place(self.digests, digest)
        while place >= 0 and self._digest(place) == digest:
            yield self._owner(self._by_bytes[place])
            place += 1

    def _owner(self, number: int) -> Owner:
        return Owner(self._rules[number], self._ids[number])

    def _digest(self, place: int) -> bytes:
        return self.digests[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES]


def _in_order(values: array[int], order: npt.NDArray[np.int64]) -> array[int]:
    ordered = array(values.typecode)
    ordered.frombytes(np.array(values)[order].tobytes())
    return ordered
