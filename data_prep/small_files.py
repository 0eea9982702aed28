"""A folder of many small files, one for each picture, unpacked or in its official zip.

Sixty thousand digests would drown a report, so a folder has one: the sha256 over
names and digests of the files that were asked for, in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from vle_bench.canonical import sha256_bytes
from vle_bench.catalog.datasets import DatasetManifest
from vle_bench.data_prep.archives import DamagedMember, ZipMember, read_member, read_table
from vle_bench.data_prep.sources import RawTree
from vle_bench.errors import DataProblem, machine_errors

MOST_BYTES = 4 << 20


class SmallFiles:
    """The files of one folder below RAW.

    Args:
        raw: The user's raw folder.
        manifest: The dataset's manifest; it must name the folder among the needs.
        folder: The folder, with its slash.

    Attributes:
        name: Where it was found below RAW, "" where it is nowhere.
        source: What the books call it: `name`, and the folder inside where it is packed.
    """

    def __init__(self, raw: RawTree, manifest: DatasetManifest, folder: str) -> None:
        need = next(need for need in manifest.needs if need.path == folder)
        self.name = raw.state(manifest, need).found
        self._place = raw.root / self.name
        packed = bool(self.name) and self._place.is_file()
        self.source = f"{self.name}!{folder.rstrip('/')}" if packed else self.name
        self._digest = hashlib.sha256()
        self._members: dict[str, ZipMember] = {}
        if packed:
            self._members = {
                PurePosixPath(member.name).name: member
                for member in read_table(self._place)
                if PurePosixPath(member.name).parent.name == folder.rstrip("/")
            }

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The files of those names that are there, with their bytes, in the order given.

        Raises:
            DataProblem: One is damaged in its zip, or far too large for what it should be.
        """
        for name in names:
            data = self._read(name) if self.name else None
            if data is not None:
                self._digest.update(f"{name} {sha256_bytes(data)}\n".encode())
                yield name, data

    @property
    def sha256(self) -> str:
        """Digest over all that was read so far."""
        return self._digest.hexdigest()

    def _read(self, name: str) -> bytes | None:
        if self._place.is_file():
            return self._unpacked(self._members[name]) if name in self._members else None
        path = self._place / name
        if not path.is_file():
            return None
        with machine_errors(path), path.open("rb") as stream:
            return _bounded(stream.read(MOST_BYTES + 1), path)

    def _unpacked(self, member: ZipMember) -> bytes:
        try:
            return read_member(member, most_bytes=MOST_BYTES)
        except DamagedMember as error:
            raise DataProblem(f"{member.place}: {error}. Fetch the archive again.") from error


def _bounded(data: bytes, path: Path) -> bytes:
    if len(data) > MOST_BYTES:
        raise DataProblem(
            f"{path}: larger than {MOST_BYTES:,} bytes, which no official file of its kind is. "
            "Fetch it again."
        )
    return data
