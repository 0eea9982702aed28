"""Is it a folder or a URL? Paths know nothing of URLs: `Path("s3://a/b")` is `s3:/a/b`.

`file://` is a folder of this machine and is used as one.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from vle_bench.canonical import sha256_bytes
from vle_bench.errors import UsageProblem, refuse_circle

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_ONE_SLASH = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(?!/)")
_CACHE = "XDG_CACHE_HOME"


def is_url(text: str) -> bool:
    """Whether `text` names a place in a remote store.

    >>> is_url("s3://bucket/shards"), is_url("data/shards"), is_url("file:///data")
    (True, False, False)
    """
    match = _URL.match(text)
    return match is not None and match[0].lower() != "file://"


def as_path(text: str) -> Path:
    """The folder of this machine that `text` names, as a path or by `file://`.

    Raises:
        UsageProblem: An empty text, a URL with one slash, a `file://` URL of another machine, or a
            relative one.
        DataProblem: Its links lead round in a circle.

    >>> as_path("file:///data/shards").as_posix()
    '/data/shards'
    """
    if not text:  # the current folder, to Python; an unset variable, to who typed it
        raise UsageProblem("A place is empty. Is the variable set?")
    if _ONE_SLASH.match(text) and not Path(text).exists():
        raise UsageProblem(
            f"{text}: would be a folder on this machine. A URL has two slashes, ://."
        )
    if not text.lower().startswith("file://"):
        refuse_circle(Path(text))
        return Path(text)
    parts = urlsplit(text)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise UsageProblem(f"{text}: a folder of this machine is written file:///folder.")
    return Path(unquote(parts.path))


def normal(url: str) -> str:
    """The URL in the one form in which it is used.

    Raises:
        UsageProblem: It names no bucket or folder, or goes upwards.

    >>> normal("s3://bucket/shards/")
    's3://bucket/shards'
    """
    scheme, _, rest = url.partition("://")
    rest = rest.rstrip("/")
    parts = rest.strip("/").split("/")
    if not rest.strip("/") or ".." in parts or "" in parts[1:]:
        raise UsageProblem(f"{url}: give a bucket and a folder in it, such as s3://bucket/shards.")
    return f"{scheme.lower()}://{rest}"


def stage_for(url: str, stage: Path | None) -> Path:
    """The folder of this machine in which what goes to `url` is made.

    The same at every run, so that the next one finds what a killed one left and removes it.

    Args:
        url: The output.
        stage: A folder that the user chose; none for the cache folder of the user.
    """
    cache = Path(os.environ.get(_CACHE) or "~/.cache").expanduser()
    return (stage or cache / "vle-bench" / "stage") / sha256_bytes(url.encode())[:16]
