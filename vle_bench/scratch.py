"""Unnamed files for what does not fit into memory.

They have no name in any folder from the moment they are open, so a killed run
leaves none behind. They lie on the disk of the output where a run says so: the
system's folder for temporary files is often memory in disguise.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import IO

from vle_bench.errors import machine_errors

_PREFIX = ".scratch-"
_FOLDER: ContextVar[Path | None] = ContextVar("scratch folder", default=None)


@contextmanager
def scratch_in(folder: Path) -> Iterator[None]:
    """Scratch files made inside the block lie on the disk of `folder`, which must exist."""
    token = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(token)


def scratch_file() -> IO[bytes]:
    """A new file, empty, unbuffered, gone with its last reference.

    Raises:
        MachineProblem: The disk refuses.
    """
    folder = _FOLDER.get()
    with machine_errors(folder or tempfile.gettempdir()):
        return tempfile.TemporaryFile(buffering=0, dir=folder, prefix=_PREFIX)


def write_whole(stream: IO[bytes], data: bytes | bytearray) -> None:
    """Writes all of `data` to a scratch file, which by itself may take a part of it only.

    Raises:
        MachineProblem: The disk refuses.
    """
    with machine_errors("scratch file"):
        view = memoryview(data)
        while view:
            view = view[stream.write(view) :]


def remove_scratch(folder: Path) -> None:
    """Removes what a killed run left where the system can make no file without a name."""
    for path in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            path.unlink()
