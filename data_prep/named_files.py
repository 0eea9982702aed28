"""Raw files that are known by their path and not by a number: VCR's stills, pictures of the web.

The paths come out of annotation files, so they are somebody else's text: one
that climbs out of its folder finds nothing. Folders are listed once each, zips
read where they lie.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path, PurePosixPath

from vle_bench.data_prep.archives import DamagedMember, ZipMember, read_member
from vle_bench.data_prep.entries import is_file
from vle_bench.data_prep.sources import PictureFile, RawTree
from vle_bench.errors import machine_errors


class NamedFiles:
    """The files below one folder of the manifest, unpacked or in the official zip.

    Args:
        raw: The user's raw folder.
        dataset: Whose raw folder holds them.
        folder: As in the manifest, with its slash (`vcr1images/`).
    """

    def __init__(self, raw: RawTree, dataset: str, folder: str) -> None:
        self._raw = raw
        self._dataset = dataset
        self._folder = folder
        self._roots = raw.folders(dataset, folder)
        self._listed: dict[Path, frozenset[str]] = {}

    def find(self, path: str) -> PictureFile | None:
        """The file at `path` below the folder; None where there is none, or it would lie outside.

        A file that is unpacked wins over the zip's.
        """
        plain = PurePosixPath(path)
        if not path or plain.is_absolute() or ".." in plain.parts or "\0" in path:
            return None
        for root in self._roots:
            folder = root / plain.parent
            if plain.name in self._names_in(folder):
                return PictureFile(path, str(folder / plain.name))
        member = self._members.get(plain.as_posix())
        return PictureFile(path, member.archive, member) if member else None

    @cached_property
    def _members(self) -> dict[str, ZipMember]:
        """The zip's files by their path below the folder, once something is missing there.

        Where nothing in the zip lies in such a folder, somebody packed what is in it, without it.
        """
        found: dict[str, ZipMember] = {}
        bare: dict[str, ZipMember] = {}
        for member in self._raw.members(self._dataset, self._folder):
            path = _inside(member.name, self._folder.rstrip("/"))
            if path:
                found.setdefault(path, member)
            elif not found:
                bare.setdefault(PurePosixPath(member.name).as_posix(), member)
        return found or bare

    def _names_in(self, folder: Path) -> frozenset[str]:
        if folder not in self._listed:
            self._listed[folder] = _listing(folder)
        return self._listed[folder]


def read_small(file: PictureFile, *, most_bytes: int) -> bytes | None:
    """The bytes of a small file; None where it is larger than that, or damaged in its zip.

    Raises:
        MachineProblem: The file cannot be read.
    """
    if isinstance(file.member, ZipMember):
        try:
            return read_member(file.member, most_bytes=most_bytes)
        except DamagedMember:
            return None
    with machine_errors(file.path), Path(file.path).open("rb") as stream:
        data = stream.read(most_bytes + 1)
    return data if len(data) <= most_bytes else None


def _inside(name: str, folder: str) -> str:
    """The path below the folder, "" for a member that is not in it.

    >>> _inside("vcr1images/a/b@0.jpg", "vcr1images"), _inside("x.txt", "vcr1images")
    ('a/b@0.jpg', '')
    """
    parts = PurePosixPath(name).parts
    return "/".join(parts[parts.index(folder) + 1 :]) if folder in parts[:-1] else ""


def _listing(folder: Path) -> frozenset[str]:
    if not folder.is_dir():
        return frozenset()
    with machine_errors(folder), os.scandir(folder) as entries:
        return frozenset(entry.name for entry in entries if is_file(entry))
