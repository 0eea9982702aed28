"""Why a picture of the web is not there: the classes in which failed downloads are counted.

The same words stand in the table that `vle-prep fetch` leaves, in the books of `run` and on the
card. img2dataset keeps the sentence of whatever failed; the sentences change with Python's
version and the system, so they are recognised by what they have in common.
Its sentences: https://github.com/rom1504/img2dataset (downloader.py, resizer.py)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

DNS = "download: dns"
TIMEOUT = "download: timeout"
CONNECTION = "download: connection"
STATUS_4XX = "download: 4xx"
STATUS_5XX = "download: 5xx"
OTHER_STATUS = "download: other status"
REDIRECTS = "download: redirects"
TRUNCATED = "download: truncated"
WRONG_TYPE = "download: wrong type"
TOO_SMALL = "download: too small"
TOO_LARGE = "download: too large"
OPTED_OUT = "download: opted out"
PRIVATE = "download: private address"
BAD_ADDRESS = "download: bad address"
OTHER = "download: other"

REASONS: tuple[str, ...] = (
    DNS,
    TIMEOUT,
    CONNECTION,
    STATUS_4XX,
    STATUS_5XX,
    OTHER_STATUS,
    REDIRECTS,
    TRUNCATED,
    WRONG_TYPE,
    TOO_SMALL,
    TOO_LARGE,
    OPTED_OUT,
    PRIVATE,
    BAD_ADDRESS,
    OTHER,
)
"""Every class; where one is kept as a number, it is its place here plus one."""

SUCCESS: Literal["success"] = "success"
"""The status of what was got, in img2dataset's tables and ours."""

# The first that fits counts: a timeout while connecting is a timeout.
_SENTENCES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(pattern, re.IGNORECASE))
    for reason, pattern in (
        (OPTED_OUT, r"x-robots-tag|disallowed by"),
        (STATUS_4XX, r"\bhttp error 4[0-9]{2}\b"),
        (STATUS_5XX, r"\bhttp error 5[0-9]{2}\b"),
        (REDIRECTS, r"\bhttp error 30[0-9]\b.*(?:loop|redirect)|too many redirects"),
        (OTHER_STATUS, r"\bhttp error [0-9]{3}\b"),
        (DNS, r"name or service not known|name resolution|no address associated"),
        (DNS, r"nodename nor servname|getaddrinfo failed|\bidna\b|label (?:empty|too long)"),
        (TIMEOUT, r"timed? ?out"),
        (TRUNCATED, r"incompleteread|content ?too ?short|retrieval incomplete"),
        (CONNECTION, r"\bssl\b|certificate|connection|unreachable|no route to host"),
        (CONNECTION, r"remote end closed|broken pipe|badstatusline|eof occurred"),
        (
            BAD_ADDRESS,
            r"unknown url type|no host given|invalid url|control characters|nonnumeric port",
        ),
        (TOO_SMALL, r"too small"),
        (TOO_LARGE, r"too large"),
        (WRONG_TYPE, r"decod|cannot identify|not an image|unsupported"),
    )
)


def reason_of(message: str) -> str:
    """The class of a failed download, by the sentence that was kept of it.

    >>> reason_of("HTTP Error 404: Not Found"), reason_of("<urlopen error timed out>")
    ('download: 4xx', 'download: timeout')
    >>> reason_of("something new"), reason_of("download: dns")
    ('download: other', 'download: dns')
    """
    if message in REASONS:
        return message
    return next((reason for reason, pattern in _SENTENCES if pattern.search(message)), OTHER)


def reason_code(reason: str) -> int:
    """A class as a number from 1; 0 is left for pictures of which nothing was said.

    >>> reason_code("download: dns"), reason_code("download: timeout")
    (1, 2)
    """
    return REASONS.index(reason) + 1


def told(reasons: Iterable[tuple[str, int]]) -> str:
    """Reasons and how often each was met, the most frequent first, in a sentence's words.

    >>> told([("download: dns", 2), ("download: 4xx", 40)])
    '40 4xx, 2 dns'
    """
    ordered = sorted(reasons, key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count:,} {reason.removeprefix('download: ')}" for reason, count in ordered)
