"""Did the owner of a picture say that it is not for training?

`X-Robots-Tag: noai` and `noimageai` are directives for everybody, unless a robot's
name stands before them: `X-Robots-Tag: otherbot: noai` is for that one alone. The
header may stand several times, and a name covers what follows it in its line. Dates
hold commas and colons, and directives are also found parted by spaces or semicolons
or in quotes: a no that can be read is a no.
Directives: https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HEADER = "x-robots-tag"
OUR_NAME = "vle-bench"
DIRECTIVES = frozenset({"noai", "noimageai"})

_WITH_VALUES = frozenset(
    {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
)
_EVERYBODY = frozenset({"", "*", OUR_NAME})
_NAME = re.compile(r"\S+")
"""A robot's name is one word; what stands before the first colon of a time is several."""
_PARTED = re.compile(r"[\s;\"']+")


def opted_out(values: Iterable[str]) -> str:
    """The directive by which the owner declined; "" where none of the header's lines does.

    >>> opted_out(["noindex, NoAI"]), opted_out(["otherbot: noai"]), opted_out(["all"])
    ('noai', '', '')
    >>> opted_out(["otherbot: noindex", "vle-bench: noimageai"])
    'noimageai'
    """
    for line in values:
        robot = ""
        for part in line.lower().split(","):
            name, _, rest = part.partition(":")
            told = name.strip()
            if rest and told not in _WITH_VALUES and _NAME.fullmatch(told):
                robot, part = told, rest
            if robot in _EVERYBODY:
                for directive in _PARTED.split(part):
                    if directive in DIRECTIVES:
                        return directive
    return ""
