"""Which bytes and which code made a result."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from vle_bench import __version__
from vle_bench.errors import UsageProblem
from vle_bench.results.document import Stamp

EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"

_FORM = "%Y-%m-%dT%H:%M:%SZ"
_LAST_SECOND = 253_402_300_799
"""The end of the year 9999, the last that has a date."""
_MOST_DIGITS = 12
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


def make_stamp(inputs: Mapping[str, str]) -> Stamp:
    """A stamp of now.

    Args:
        inputs: Name of each input file (not its path) and the sha256 of its bytes.
    """
    return Stamp(
        inputs=dict(sorted(inputs.items())),
        package=__version__,
        git=_commit_of_this_code(),
        created=_moment(),
    )


def _moment() -> str:
    """Now, or the moment that reproducible builds ask for, in UTC."""
    named = os.environ.get(EPOCH_VARIABLE)
    if named is None:
        return datetime.now(UTC).strftime(_FORM)
    whole = named.isascii() and named.isdigit() and len(named) <= _MOST_DIGITS
    if not whole or int(named) > _LAST_SECOND:
        raise UsageProblem(
            f"{EPOCH_VARIABLE} is {named!r}, a number of seconds since 1970 was expected."
        )
    return datetime.fromtimestamp(int(named), UTC).strftime(_FORM)


def _commit_of_this_code() -> str:
    """The commit of the checkout that this file belongs to; "" where it is installed."""
    top = Path(__file__).resolve().parents[2]
    if not (top / ".git").exists():
        return ""
    return _commit_in(top / ".git") or _commit_by_git(top)


def _commit_in(folder: Path) -> str:
    """The commit that a plain repository is at; "" where only git can tell, as in a worktree."""
    # To start git takes longer than all the rest of a stamp.
    try:
        head = (folder / "HEAD").read_text("ascii").strip()
        name = head.removeprefix("ref: ")
        found = head if name == head else (folder / name).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return found if _COMMIT.fullmatch(found) else ""


def _commit_by_git(top: Path) -> str:
    import subprocess

    command = ["git", "-C", str(top), "rev-parse", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603  # a fixed command on our own folder
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""
