r"""What is wrong with text that is no JSON, in words that help.

msgspec takes the quote behind half a surrogate pair (`"\ud83d"`: an emoji that was
cut in two) for the pair's other half, and then says that the input was truncated.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

_BYTE = re.compile(r" *\(byte ([0-9]+)\)")
_PAIRS = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""A backslash that stands for itself, a whole pair, or half of one."""


class Malformed(NamedTuple):
    """What is wrong, at which byte (-1: not known), and what may be behind it ("")."""

    what: str
    at: int = -1
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.what}{f' (byte {self.at})' if self.at >= 0 else ''}{self.hint}"


def malformed(error: msgspec.DecodeError, data: bytes) -> Malformed:
    r"""What msgspec's error means.

    Args:
        error: What it raised, and no `ValidationError`.
        data: The text that it was given.

    >>> text = rb'["\ud83d\ude00", "\\ud83d", "\ud83d"]'
    >>> try:
    ...     msgspec.json.decode(text)
    ... except msgspec.DecodeError as error:
    ...     print(malformed(error, text))
    half of a surrogate pair (\ud83d), which is no letter (byte 29)
    """
    text = str(error)
    if "truncated" in text or "surrogate" in text:
        half = next((found for found in _PAIRS.finditer(data) if found["half"]), None)
        if half is not None:
            told = half["half"].decode("ascii")
            return Malformed(f"half of a surrogate pair ({told}), which is no letter", half.start())
    if "truncated" in text:
        return Malformed("the JSON ends in the middle (truncated file?)")
    found = _BYTE.search(text)
    if found is None:
        return Malformed(text)
    at = int(found[1])
    around = data[max(at - 9, 0) : at + 9]
    not_json = b"NaN" in around or b"Infinity" in around
    hint = "; NaN and Infinity are not JSON, and no score" if not_json else ""
    return Malformed(text[: found.start()], at, hint)
