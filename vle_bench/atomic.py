"""Write aside, then rename: a file under its final name is always whole.

The temporary name begins with a dot and ends in `.tmp`, in the same folder, so
the rename never crosses a file system. A killed run may leave such a file
behind; nothing ever reads it, and the next writer of the same name replaces it.
A file that several processes may write at once is written under a name of each
one's own: under one name, the second would cut off what the first renames. What
those left that were killed, the next writer of the file removes. A pipe or a device
has no bytes to be whole and is written to: a rename would put a file in its
place, and root, who may do that to `/dev/null`, breaks the whole machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from vle_bench.errors import MachineProblem, machine_errors
from vle_bench.file_lock import locked

_PIECE = 1 << 20

# Their links lead to open files, pipes and terminals; whoever names one means what it leads to.
_SYSTEMS = frozenset(map(Path, ("/dev", "/dev/fd", "/proc/self/fd")))


def temporary_name(path: Path) -> Path:
    """Where the bytes of `path` are written before they are whole."""
    return path.with_name(f".{path.name}.tmp")


def _own_name(path: Path) -> Path:
    """The temporary name of this process, on whatever machine of a shared disk it runs.

    Those of processes of this machine that are no more are removed: each would stay for ever.
    """
    import socket

    begin = f".{path.name}.{socket.gethostname()}-"
    with suppress(OSError):
        for other in path.parent.iterdir():
            number = other.name.removeprefix(begin).removesuffix(".tmp")
            if other.name == f"{begin}{number}.tmp" and not _is_alive(number):
                other.unlink()
    return path.with_name(f"{begin}{os.getpid()}.tmp")


def _is_alive(number: str) -> bool:
    """Whether a process of that number runs, as far as can be told."""
    if os.name != "posix" or not number.isdecimal():  # elsewhere no signal is a signal too
        return True
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (OverflowError, OSError):  # somebody else's
        return True
    return True


def is_stream(path: Path) -> bool:
    """Whether `path` is a pipe, a device, or a name of the system's such as `/dev/stdout`."""
    return path.exists() and (not path.is_file() or path.absolute().parent in _SYSTEMS)


def make_folder(path: Path) -> Path:
    """Creates `path` with its parents; a regular file in the way is a `MachineProblem`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise in_the_way(path) from error
    except OSError as error:
        raise MachineProblem(f"{path}: {error.strerror}. Choose a writable place.") from error
    return path


def in_the_way(path: Path) -> MachineProblem:
    """What is said of a folder that cannot be, because it or a parent of it is something else."""
    for one in (path, *path.parents):
        if one.is_symlink() and not one.exists():  # a disk that is not mounted, as a rule
            return MachineProblem(
                f"{path}: cannot be a folder, {one} is a link to {one.readlink()}, which is not "
                "there. Mount or make it, or choose another output."
            )
    return MachineProblem(
        f"{path}: cannot be a folder, a regular file stands in its way. Choose another output."
    )


@contextmanager
def replacing(path: Path, *, unless_same: bool = False, shared: bool = False) -> Iterator[BinaryIO]:
    """A binary file that becomes `path` when the block ends well, and vanishes when it does not.

    Where `path` is a pipe or a device, the bytes go to it as they are written.

    Args:
        path: The final name.
        unless_same: Leaves a file alone, mtime and all, that holds the same bytes already.
        shared: Other processes may write this very file at the same time (the jobs of an array):
            each writes aside under a name of its own, and the last one done wins.

    Raises:
        MachineProblem: the disk is full, the folder is not writable, and so on.
    """
    make_folder(path.parent)
    if path.is_dir():
        raise MachineProblem(
            f"{path}: a folder stands where a file belongs. Choose another output."
        )
    if is_stream(path):
        with machine_errors(path), path.open("wb") as stream:
            yield stream
        return
    aside = _own_name(path) if shared else temporary_name(path)
    whole = False
    try:
        with machine_errors(path):
            with aside.open("wb") as stream:
                yield stream
                stream.flush()
                if unless_same and _same_bytes(path, aside):
                    return
                os.fsync(stream.fileno())
            aside.replace(path)
        whole = True
    finally:
        if not whole:
            with suppress(OSError):
                aside.unlink()
    _sync_folder(path.parent)


def write_bytes(path: Path, data: bytes, *, shared: bool = False) -> None:
    """Writes `data` to `path` whole or not at all; `shared` as in `replacing`."""
    with replacing(path, shared=shared) as stream:
        stream.write(data)


def write_text(path: Path, text: str) -> None:
    """Writes `text` as UTF-8 to `path` whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_together(
    files: Mapping[Path, bytes], *, shared: bool = False, seal: Path | None = None
) -> None:
    """Writes all of `files`, or none where one of them cannot be; the last is renamed last.

    Args:
        files: What becomes of each path, in the order of the renames.
        shared: Other processes may write these very files at the same time, as in `replacing`.
        seal: The file that says the others belong together. It is taken away before the first
            rename: a run killed between two renames leaves no seal, never one of other files.
    """
    with ExitStack() as stack:
        for path, data in reversed(list(files.items())):
            stream = stack.enter_context(replacing(path, shared=shared))
            stream.write(data)
            stream.flush()  # a full disk is met here, before the first rename
        if seal is not None:
            seal.unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Waits until no other process is in such a block of `folder`; the lock leaves no file behind.

    It goes with the process, however that ends. Windows and some file systems lock no folder:
    there the block is entered at once.
    """
    with machine_errors(folder):
        handle = os.open(folder, os.O_RDONLY) if os.name == "posix" else None
    try:
        if handle is not None:
            with suppress(OSError):  # NFS
                if not locked(handle):
                    from vle_bench.console import say

                    say(f"{folder}: another run is writing there. Waiting for it to end.")
                    locked(handle, wait=True)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def holds(path: Path, data: bytes) -> bool:
    """Whether `path` is a file of exactly these bytes."""
    try:
        return path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError as error:
        raise MachineProblem(f"{path}: {error.strerror}.") from error


def write_if_changed(path: Path, data: bytes, *, shared: bool = False) -> bool:
    """Like `write_bytes`, but a file that already holds `data` keeps its mtime.

    Returns whether anything was written.
    """
    if holds(path, data):
        return False
    write_bytes(path, data, shared=shared)
    return True


def _same_bytes(path: Path, other: Path) -> bool:
    """Whether both are files of the same bytes."""
    if not path.is_file() or path.stat().st_size != other.stat().st_size:
        return False
    with path.open("rb") as left, other.open("rb") as right:
        while piece := left.read(_PIECE):
            if piece != right.read(len(piece)):
                return False
    return True


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself durable; file systems that cannot are left alone."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
