"""A set of ids that stays small: two bytes an id, an eighth of a byte where they stand close.

Official files number annotations nearly without gaps, and millions of Python
integers in a set take a hundred bytes each. Numbers are kept by their upper 48
bits in pages, each a sorted list of its lower 16 bits or, once that is the
larger, a bitmap. Ids that are text, or numbers beyond 64 bits, are few.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vle_bench.identity import Identity

_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_PAGE_BITS = 16
_LIST_MOST = 4096
"""Ids of a page up to which a list of two bytes each is smaller than a bitmap."""
_MOST_BIT_DIGITS = 9
_FIRST_ROOM = 1 << 16
_TEXT_BYTES = 64
"""What a short text takes in a set; so much room for bits comes with each."""
_INT64 = np.iinfo(np.int64)

_Flags = npt.NDArray[np.bool_]
_Lows = npt.NDArray[np.uint16]


class IdSet:
    """Ids already met. A number and the text of its digits are one id, here as everywhere.

    >>> ids = IdSet()
    >>> ids.add([7, "7", "07"]), ids.add([7, 8]), ids.has(["8", 9])
    ([True, False, True], [False, True], [True, False])
    """

    def __init__(self) -> None:
        self._pages: dict[int, npt.NDArray[Any]] = {}
        self._others: set[str] = set()

    def add(self, ids: Sequence[Identity]) -> list[bool]:
        """Adds ids; says of each whether it was new, also among these."""
        if all(map(_is_plain, ids)):
            return self._numbers(ids, add=True)
        return [self._add_one(_plain(identity)) for identity in ids]

    def has(self, ids: Sequence[Identity]) -> list[bool]:
        """Says of each id whether it was added before."""
        if all(map(_is_plain, ids)):
            return self._numbers(ids, add=False)
        return [
            one in self._others if isinstance(one, str) else self._numbers([one], add=False)[0]
            for one in map(_plain, ids)
        ]

    def _add_one(self, identity: Identity) -> bool:
        if not isinstance(identity, str):
            return self._numbers([identity], add=True)[0]
        new = identity not in self._others
        self._others.add(identity)
        return new

    def _numbers(self, ids: Sequence[Identity], *, add: bool) -> list[bool]:
        """With `add`, which ids are new; else which are known."""
        if not ids:
            return []
        numbers = np.array(ids, dtype=np.int64)
        found = np.zeros(len(numbers), dtype=bool)
        order = np.argsort(numbers, kind="stable")
        ordered = numbers[order]
        first = np.diff(ordered, prepend=_INT64.min) != 0
        first[:1] = True
        pages = ordered >> _PAGE_BITS
        starts = np.flatnonzero(np.diff(pages, prepend=_INT64.min) != 0).tolist()
        for start, stop in zip(starts, [*starts[1:], len(ordered)], strict=True):
            page = int(pages[start])
            lows = (ordered[start:stop] & ((1 << _PAGE_BITS) - 1)).astype(np.uint16)
            known = self._known(page, lows)
            if add:
                found[order[start:stop]] = first[start:stop] & ~known
                self._keep(page, lows[first[start:stop] & ~known])
            else:
                found[order[start:stop]] = known
        flags: list[bool] = found.tolist()
        return flags

    def _known(self, page: int, lows: _Lows) -> _Flags:
        kept = self._pages.get(page)
        if kept is None:
            return np.zeros(len(lows), dtype=bool)
        if kept.dtype == np.uint8:
            return np.asarray((kept[lows >> 3] >> (lows & 7)) & 1 == 1)
        places = np.minimum(np.searchsorted(kept, lows), len(kept) - 1)
        return np.asarray(kept[places] == lows)

    def _keep(self, page: int, lows: _Lows) -> None:
        """Adds numbers, sorted and none of them known, to a page."""
        if not len(lows):
            return
        kept = self._pages.get(page)
        if kept is not None and kept.dtype == np.uint8:
            np.bitwise_or.at(kept, lows >> 3, _bits(lows))
            return
        merged = lows if kept is None else np.sort(np.concatenate((kept, lows)), kind="stable")
        if len(merged) > _LIST_MOST:
            bitmap = np.zeros(1 << (_PAGE_BITS - 3), dtype=np.uint8)
            np.bitwise_or.at(bitmap, merged >> 3, _bits(merged))
            merged = bitmap
        self._pages[page] = merged


class NumberedTexts:
    """Texts already met, nearly all of which are a word and a number ("train-17").

    Of such a text one bit is kept. A text that is not so, or whose bit would take more room than
    the texts met so far, is kept whole.

    >>> met = NumberedTexts()
    >>> [met.add(text) for text in ("train-17", "train-17", "train-017", "17", "train-")]
    [True, False, True, True, True]
    """

    def __init__(self) -> None:
        self._bits: dict[str, bytearray] = {}
        self._others: set[str] = set()
        self._room = _FIRST_ROOM

    def add(self, text: str) -> bool:
        """Adds a text; says whether it was new."""
        self._room += _TEXT_BYTES
        stem = text.rstrip("0123456789")
        digits = text[len(stem) :]
        plain = 0 < len(digits) <= _MOST_BIT_DIGITS and (digits[0] != "0" or digits == "0")
        if text in self._others or not plain:
            new = text not in self._others
            self._others.add(text)
            return new
        byte, bit = divmod(int(digits), 8)
        bits = self._bits.get(stem, bytearray())
        more = byte + 1 - len(bits)
        if more > self._room:
            self._others.add(text)
            return True
        if more > 0:
            self._room -= more
            bits.extend(bytes(more))
            self._bits[stem] = bits
        new = not bits[byte] >> bit & 1
        bits[byte] |= 1 << bit
        return new


def _bits(lows: _Lows) -> npt.NDArray[np.uint8]:
    return np.asarray(np.left_shift(1, lows & 7), dtype=np.uint8)


def _is_plain(identity: Identity) -> bool:
    return isinstance(identity, int) and _INT64.min < identity <= _INT64.max


def _plain(identity: Identity) -> Identity:
    """The number of 64 bits that an id is, or is written as; else its text."""
    if isinstance(identity, str) and _NUMBER.fullmatch(identity):
        identity = int(identity)
    return identity if _is_plain(identity) else str(identity)
