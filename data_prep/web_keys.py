"""Addresses by number: the first 16 hex digits of their sha1, and where each stands in a list."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]


def url_key(url: str) -> int:
    """The first 16 hex digits of the sha1 of an address, as a number.

    >>> f"{url_key('http://example.org/a.jpg'):016x}"
    '565a97a5a6549777'
    """
    # A name of a file may be no UTF-8; addresses always are.
    data = url.encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha1(data, usedforsecurity=False).digest()[:8])


def sorted_keys(texts: Iterable[str]) -> Keys:
    """`url_key` of every text, ascending; eight bytes each at any moment."""
    keys: Keys = np.frombuffer(array("Q", map(url_key, texts)), dtype=np.uint64)
    keys.sort()
    return keys


class LookUp(NamedTuple):
    """Places of addresses by their keys, sorted."""

    keys: Keys
    places: npt.NDArray[np.int32]

    @classmethod
    def of(cls, keys: Keys) -> Self:
        """The places of keys in an array of them, no two the same."""
        if np.all(keys[1:] > keys[:-1]):  # as CC3M's are: no copy of millions
            return cls(keys, np.arange(len(keys), dtype=np.int32))
        order = np.argsort(keys).astype(np.int32)
        return cls(keys[order], order)

    def place(self, key: int) -> int:
        """The place of an address, -1 where it is not in the list."""
        at = int(np.searchsorted(self.keys, np.uint64(key)))
        return int(self.places[at]) if at < len(self.keys) and self.keys[at] == key else -1
