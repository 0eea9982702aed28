"""Ids: an integer and its digit string are the same id.

Official files disagree on the type (42 here, "42" there), so ids are compared
as text everywhere. Booleans are integers to Python but never ids, and a float
is not an id either: 42.0 may have been 42 or a rounded neighbour.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec

Identity = int | str
"""An id as official files write it."""
GivenIdentity = int | Annotated[str, msgspec.Meta(min_length=1)]
"""An id that has to be there: whoever reads a file with it refuses an empty text."""

_MOST_DIGITS = 18
_DIGITS = re.compile(r"-?(0|[1-9][0-9]{0,3999})")
"""Python refuses to read a number of more than 4,300 digits; a longer id is a text."""


def id_text(value: Any) -> str:
    """The one text of an id.

    Raises:
        ValueError: The value can be no id (a bool, a float, null, a list, "").

    >>> id_text(42) == id_text("42") == "42"
    True
    """
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{value!r} is no id: an integer or a non-empty text was expected")


def id_order(text: str) -> tuple[int, int, str]:
    """Sorting key: numbers by value first, then other text.

    >>> sorted(["b", "10", "9"], key=id_order)
    ['9', '10', 'b']
    """
    if _DIGITS.fullmatch(text):
        return (0, int(text), "")
    return (1, 0, text)


def number_of(identity: Identity) -> int | None:
    """The number an id is, also where it is written as text; None for other text.

    More than 18 digits are no number here: every number fits into 64 bits.

    >>> number_of("000042"), number_of(42), number_of("x")
    (42, 42, None)
    """
    if isinstance(identity, int):
        return identity if 0 <= identity < 10**_MOST_DIGITS else None
    plain = identity.isascii() and identity.isdigit() and len(identity) <= _MOST_DIGITS
    return int(identity) if plain else None
