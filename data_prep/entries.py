"""What a folder lists: a link counts as what it leads to, and as nothing where it leads nowhere.

A link that leads back to itself is as good as one to a disk that is gone, but the
system calls only the latter absent.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable


def is_file(entry: os.DirEntry[str]) -> bool:
    """Whether a file is there, or a link to one."""
    return _leads(entry.is_file)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether a folder is there, or a link to one."""
    return _leads(entry.is_dir)


def _leads(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return False
