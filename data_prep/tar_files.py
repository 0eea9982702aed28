"""Members of other people's tar files, found by their headers and read by a seek.

Such a tar may have been cut by a killed download: members that are whole are
used, the rest is not there.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vle_bench.errors import machine_errors


class TarSlice(NamedTuple):
    """Where the bytes of a member stand in their tar file."""

    offset: int
    length: int


def tar_members(path: Path) -> Iterator[tuple[str, TarSlice]]:
    """Name and place of each whole regular file in an uncompressed tar, in order."""
    with machine_errors(path):
        there = path.stat().st_size
        try:
            with tarfile.open(path, "r:") as archive:
                while (member := archive.next()) is not None:
                    # Else it keeps a kilobyte of each to its end.
                    archive.members.clear()  # type: ignore[attr-defined]  # typeshed lacks it
                    whole = member.offset_data + member.size <= there
                    if member.isreg() and not member.issparse() and whole:
                        yield member.name, TarSlice(member.offset_data, member.size)
        except tarfile.TarError:
            return


def read_slice(path: str, place: TarSlice) -> bytes:
    """The bytes of a member.

    Raises:
        MachineProblem: The tar cannot be read.
    """
    with machine_errors(path), Path(path).open("rb", buffering=0) as stream:
        stream.seek(place.offset)
        return stream.read(place.length)
