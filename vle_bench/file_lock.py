"""Locks of open files and folders: they belong to the process and go with it, however it ends."""

from __future__ import annotations

from typing import IO, Any


def locked(stream: IO[Any] | int, *, shared: bool = False, wait: bool = False) -> bool:
    """Takes the lock of an open file, unless another process holds it.

    Args:
        stream: Holds the lock as long as it is open; a file, or the handle of a folder.
        shared: Whether others may hold it too, if they share it as well.
        wait: Whether to wait until it is free; for locks that nobody holds for long.

    Returns:
        Whether it is ours. On Windows, which has no such lock, always: two programs that write
        one place at once are the user's care there.

    Raises:
        OSError: The file system has no locks.
    """
    try:
        import fcntl
    except ImportError:
        return True
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(stream, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
