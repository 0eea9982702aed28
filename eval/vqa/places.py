"""Where each question stands in the references, for ids that come in any order.

Official ids are numbers, and predictions come shuffled: two hundred thousand
look-ups of texts all over memory take longer than to parse the file, a binary
search of numbers a tenth of that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vle_bench.eval.vqa.gold import Ints
from vle_bench.identity import Identity

_MOST_DIGITS = 18
"""Numbers of so many digits always fit into 64 bits."""
_POWERS = np.array([10**digits for digits in range(1, _MOST_DIGITS + 1)], dtype=np.int64)


class Places:
    """The place of each id; a number and its digits are one id, `007` is another.

    Args:
        ids: As texts, all different.

    >>> Places(["12", "7"]).of([7, "12"]).tolist()
    [1, 0]
    """

    def __init__(self, ids: Sequence[str]) -> None:
        numbers = plain_numbers(ids)
        self._named = None if numbers is not None else dict(zip(ids, range(len(ids)), strict=True))
        plain = np.zeros(0, dtype=np.int64) if numbers is None else numbers
        self._order = np.argsort(plain)
        self._sorted = plain[self._order]

    def of(self, asked: Sequence[Identity]) -> Ints:
        """The place of every id that is asked for.

        Raises:
            KeyError: One of them is foreign.
        """
        if self._named is not None:
            found = map(self._named.__getitem__, map(str, asked))
            return np.fromiter(found, dtype=np.int64, count=len(asked))
        numbers = _numbers(asked)
        at = np.searchsorted(self._sorted, numbers)
        if at.max(initial=0) == len(self._sorted) or (self._sorted[at] != numbers).any():
            raise KeyError("a foreign id")
        return self._order[at]


def plain_numbers(ids: Sequence[str]) -> Ints | None:
    """The numbers that ids are; None where one of them is no plain number.

    >>> plain_numbers(["42", "0"]).tolist(), plain_numbers(["042"]), plain_numbers(["-1"])
    ([42, 0], None, None)
    """
    together = "".join(ids)
    if not (together.isascii() and together.isdigit()):
        return None
    digits = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
    if not 1 <= digits.min() <= digits.max() <= _MOST_DIGITS:
        return None
    numbers = np.fromiter(map(int, ids), dtype=np.int64, count=len(ids))
    # A zero in front makes an id longer than its number.
    plain = np.searchsorted(_POWERS, numbers, side="right") + 1
    return numbers if (plain == digits).all() else None


def _numbers(asked: Sequence[Identity]) -> Ints:
    """Ids as numbers; KeyError where one is no plain number, and so no id of the references."""
    if set(map(type, asked)) <= {int}:
        try:
            return np.fromiter(asked, dtype=np.int64, count=len(asked))
        except OverflowError as error:
            raise KeyError(str(error)) from error
    numbers = plain_numbers(list(map(str, asked)))
    if numbers is None:
        raise KeyError("an id that is no plain number")
    return numbers
