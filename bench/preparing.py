"""The contests of preparation, each with its input there as long as it is held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from bench import annotations, readers, writers
from bench.contest import Contest

MEMORY_DISK = Path("/dev/shm")  # noqa: S108  # folders in it get names of their own

Scratch = Callable[[Path | None], AbstractContextManager[Path]]


class Size(NamedTuple):
    """Pictures, rounds, and how many times the real annotations."""

    pictures: int
    rounds: int
    annotations: float


_READ_AGAIN = 4
"""What is read is larger than what is packed: reading is quicker, and `cat` takes a millisecond
to start."""

FULL = Size(pictures=1000, rounds=7, annotations=1.0)
QUICK = Size(pictures=40, rounds=1, annotations=0.002)


def contests(
    size: Size, only: tuple[str, ...], scratch: Scratch, folder: Path | None
) -> Iterator[Contest]:
    """Those that are asked for, one after the other.

    Args:
        size: How much is measured.
        only: Beginnings of names; () for all.
        scratch: Makes a place on a disk, by default that of temporary files.
        folder: The disk to measure.
    """
    for disk in (MEMORY_DISK, folder):
        if _wanted(only, "packing") and (disk is None or disk.is_dir()):
            with scratch(disk) as place:
                yield writers.contest(place, size.pictures)
    if _wanted(only, "verify", "reading", "zip"):
        with scratch(MEMORY_DISK if MEMORY_DISK.is_dir() else folder) as place:
            yield from readers.contests(place, _READ_AGAIN * size.pictures)
    if _wanted(only, "coco-json", "vg-json"):
        with scratch(folder) as place:
            yield from annotations.contests(place, size.annotations)


def _wanted(only: tuple[str, ...], *names: str) -> bool:
    """Whether any contest of that kind is asked for; drawing its input takes a while.

    The disk stands at the end of a name ("packing-ext4"), and is not known before it is there.
    """
    return not only or any(name.startswith(one[: len(name)]) for name in names for one in only)
