"""Where a piece of JSON may be cut: after a whole record, judged by depth and quotes.

Only brackets, quotes and backslashes are looked at, all of a window at once in
NumPy. Text such as `}, {` inside a string or a nested list cuts nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_QUOTE, _BACKSLASH, _COMMA = b'"\\,'
_OPEN, _CLOSE = b"{}"
# "[" and "{", and "]" and "}", differ in this bit alone.
_CURLED = 0x20

_LONGEST_GUESS = 64

Places = npt.NDArray[np.int64]


class Cut(NamedTuple):
    """What is known of a window that begins inside a list, before a record.

    Attributes:
        at: Place of the last comma between two records, -1 where there is none.
        end: Place of the bracket that closes the list, -1 where it is not in the window.
    """

    at: int
    end: int


def find_cut(window: bytes) -> Cut:
    """Looks for the end of the list, else for the last comma between its records.

    >>> find_cut(b'{"a": "}, {"}, {"b": [1, 2]}, {"c"')
    Cut(at=28, end=-1)
    >>> find_cut(b'1, 2], "next": [3]')
    Cut(at=-1, end=4)
    """
    quotes, brackets, steps = _structure(window)
    depth = np.cumsum(steps)
    below = np.flatnonzero(depth < 0)
    if below.size:
        return Cut(-1, int(brackets[below[0]]))
    # Commas between records stand behind a bracket that closes one, or before the first bracket;
    # of sound JSON, the last two such gaps always hold one.
    closed = [-1, *np.flatnonzero(depth == 0)[-2:].tolist()]
    for last in reversed(closed):
        begin = int(brackets[last]) + 1 if last >= 0 else 0
        stop = int(brackets[last + 1]) if last + 1 < len(brackets) else len(window)
        comma = _last_comma(window, quotes, begin, stop)
        if comma >= 0:
            return Cut(comma, -1)
    return Cut(-1, -1)


def between_records(text: bytes) -> bytes:
    """What stands between two records, up to the first name of the second; b"" where unsure.

    The text begins inside a list, before a record. Where records hold lists of objects, a bare
    `},` is a bad guess at their end; with the name it is a good one, and need be no more.

    >>> between_records(b'{"id": 1, "x": [{"a": 1}, {"a": 2}]}, {"id": 2, "x"')
    b'}, {"id"'
    """
    cut = find_cut(text).at
    end = text.find(b":", cut, cut + _LONGEST_GUESS)
    return text[cut - 1 : end] if cut > 0 and end > 0 and text[cut - 1 : cut] == b"}" else b""


def end_of_value(window: bytes) -> int:
    """Place behind the object or list at the start of the window; -1 where it goes on.

    >>> end_of_value(b'{"a": "}"} , 1')
    10
    """
    _, brackets, steps = _structure(window)
    whole = np.flatnonzero(np.cumsum(steps) == 0)
    return int(brackets[whole[0]]) + 1 if whole.size else -1


def _structure(window: bytes) -> tuple[Places, Places, npt.NDArray[np.int8]]:
    """Places of quotes, of brackets outside strings, and +1 or -1 for each of those."""
    codes = np.frombuffer(window, dtype=np.uint8)
    quotes = _unescaped(window, codes, np.flatnonzero(codes == _QUOTE))
    curled = codes | _CURLED
    brackets = np.flatnonzero((curled == _OPEN) | (curled == _CLOSE))
    outside = np.searchsorted(quotes, brackets) % 2 == 0
    brackets = brackets[outside]
    return quotes, brackets, np.where(curled[brackets] == _OPEN, 1, -1).astype(np.int8)


def _unescaped(window: bytes, codes: npt.NDArray[np.uint8], quotes: Places) -> Places:
    """The quotes that begin or end a string: an even number of backslashes stands before them."""
    if b"\\" not in window or not quotes.size:
        return quotes
    suspects = (quotes > 0) & (codes[quotes - 1] == _BACKSLASH)
    backslashes = np.flatnonzero(codes == _BACKSLASH)
    starts = backslashes[np.diff(backslashes, prepend=-2) != 1]
    run = np.searchsorted(starts, quotes[suspects]) - 1
    escaped = np.zeros(len(quotes), dtype=bool)
    escaped[suspects] = (quotes[suspects] - starts[run]) % 2 == 1
    return quotes[~escaped]


def _last_comma(window: bytes, quotes: Places, begin: int, stop: int) -> int:
    """The last comma outside strings where there are no brackets."""
    codes = np.frombuffer(window, dtype=np.uint8)[begin:stop]
    commas = np.flatnonzero(codes == _COMMA) + begin
    commas = commas[np.searchsorted(quotes, commas) % 2 == 0]
    return int(commas[-1]) if commas.size else -1
