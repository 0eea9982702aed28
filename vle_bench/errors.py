"""What can go wrong, and the exit code each kind of wrong has.

A problem is told in one to ten lines: where, what was found, what was
expected, what to do. The command line prints it and nothing else; a traceback
is a bug of ours.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

EXIT_OK = 0
EXIT_GATE = 1
EXIT_USAGE = 2
EXIT_DATA = 3
EXIT_MACHINE = 4
EXIT_INTERRUPTED = 130

MOST_PROBLEMS = 10
"""How many problems of one kind are shown before the rest is only counted."""


class VleBenchError(Exception):
    """Base of every error a user can cause or cure. `exit_code` is the process's."""

    exit_code = EXIT_DATA


class GateFailed(VleBenchError):
    """A gate or a verification found something wrong: exit 1."""

    exit_code = EXIT_GATE


class UsageProblem(VleBenchError):
    """The options do not fit together: exit 2."""

    exit_code = EXIT_USAGE


class DataProblem(VleBenchError):
    """Data is missing, malformed or inconsistent: exit 3."""

    exit_code = EXIT_DATA


class EmptyFile(DataProblem):
    """A file with nothing in it: what a download leaves that ended before it began."""


class MachineProblem(VleBenchError):
    """The machine refused (disk full, permission, memory): exit 4."""

    exit_code = EXIT_MACHINE


class Problems:
    """Collects problems so that a user sees up to ten at once, not one at a time.

    >>> problems = Problems("2 of 3 rows are wrong")
    >>> problems.add("p.jsonl:1: no answer")
    >>> len(problems)
    1
    """

    def __init__(self, headline: str = "", *, most: int = MOST_PROBLEMS) -> None:
        self.headline = headline
        self._most = most
        self._shown: list[str] = []
        self._count = 0

    def add(self, problem: str) -> None:
        """Notes one problem; only the first ten are kept as text."""
        self._count += 1
        if len(self._shown) < self._most:
            self._shown.append(problem)

    def extend(self, problems: Iterable[str]) -> None:
        """Notes each of `problems`."""
        for problem in problems:
            self.add(problem)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return iter(self._shown)

    def text(self, *, advice: str = "") -> str:
        """At most ten lines in all: the headline, the problems, how many more, what to do."""
        frame = bool(self.headline) + bool(advice)
        room = self._most - frame
        shown = self._shown[:room]
        if self._count > len(shown):
            shown = shown[: room - 1]
            shown.append(f"... and {self._count - len(shown)} more.")
        return "\n".join(line for line in (self.headline, *shown, advice) if line)

    def raise_if_any(self, *, advice: str = "", kind: type[VleBenchError] = DataProblem) -> None:
        """Raises `kind` with the collected text, if there is any."""
        if self._count:
            raise kind(self.text(advice=advice))


def needs_file(path: Path, what: str) -> Path:
    """Returns `path` if it is a readable regular file, else raises `DataProblem`."""
    if path.is_file():
        return path
    found = "nothing there"
    if path.exists():
        found = "a folder" if path.is_dir() else "a pipe or a device"
    raise DataProblem(f"{path}: {what} expected, found {found}. Check the path.")


def refuse_circle(path: Path) -> None:
    """Raises `DataProblem` for a path whose links lead back to where they began."""
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise DataProblem(_circle(path)) from error


@contextmanager
def machine_errors(where: Path | str) -> Iterator[None]:
    """Turns the operating system's refusals into sentences; `FileNotFoundError` is data missing."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataProblem(f"{error.filename or where}: no such file or folder.") from error
    except MemoryError as error:
        raise MachineProblem(f"{where}: out of memory.") from error
    except OSError as error:
        place = error.filename or where
        if error.errno == errno.ELOOP:
            raise DataProblem(_circle(place)) from error
        reason = error.strerror or str(error)
        raise MachineProblem(f"{place}: {reason}. Free space or check permissions.") from error


def _circle(place: Path | str) -> str:
    return f"{place}: links lead round in a circle, and to no file or folder. Make the link anew."
