"""Did the owner of a picture say that it is not for training?

`X-Robots-Tag: noai` and `noimageai` are directives for everybody, unless a robot's
name stands before them: `X-Robots-Tag: otherbot: noai` is for that one alone. The
header may stand several times, and a name covers what follows it in its line.
Directives: https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag
"""

from __future__ import annotations

from collections.abc import Iterable

HEADER = "x-robots-tag"
OUR_NAME = "vle-bench"
DIRECTIVES = frozenset({"noai", "noimageai"})

_WITH_VALUES = frozenset(
    {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
)
_EVERYBODY = frozenset({"", "*", OUR_NAME})


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
            name, colon, rest = part.partition(":")
            directive = part.strip()
            if colon and name.strip() not in _WITH_VALUES:
                robot, directive = name.strip(), rest.strip()
            if directive in DIRECTIVES and robot in _EVERYBODY:
                return directive
    return ""
