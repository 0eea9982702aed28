"""A folder of many small files, one for each picture, unpacked or in its official zip.

Sixty thousand digests would drown a report, so a folder has one: the sha256 over
names and digests of the files that were asked for, in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from vle_bench.canonical import sha256_bytes
from vle_bench.catalog.datasets import DatasetManifest
from vle_bench.data_prep.named_files import NamedFiles, read_small
from vle_bench.data_prep.sources import PictureFile, RawTree

MOST_BYTES = 4 << 20


class SmallFiles:
    """The files of one folder below RAW.

    Args:
        raw: The user's raw folder.
        manifest: The dataset's manifest; it must name the folder among the needs.
        folder: The folder, with its slash.
        most_bytes: What no such file exceeds.

    Attributes:
        source: What the books call it, "" where it is nowhere: its path below RAW, behind that of
            its zip where it is packed.
    """

    def __init__(
        self,
        raw: RawTree,
        manifest: DatasetManifest,
        folder: str,
        *,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        need = next(need for need in manifest.needs if need.path == folder)
        found = raw.state(manifest, need).found
        packed = bool(found) and (raw.root / found).is_file()
        self.source = f"{found}!{folder.rstrip('/')}" if packed else found
        self._files = NamedFiles(raw, manifest.name, folder)
        self._most_bytes = most_bytes
        self._digest = hashlib.sha256()

    def find(self, path: str) -> PictureFile | None:
        """A file of the folder that is no small one: a picture beside them."""
        return self._files.find(path)

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The files of those names that are there, with their bytes, in the order given.

        One that is damaged in its zip, or far too large for what it should be, is as if empty:
        whoever has to understand it says that it cannot.
        """
        for name in names:
            file = self._files.find(name)
            if file is not None:
                data = read_small(file, most_bytes=self._most_bytes) or b""
                self._digest.update(f"{name} {sha256_bytes(data)}\n".encode())
                yield name, data

    @property
    def sha256(self) -> str:
        """Digest over all that was read so far."""
        return self._digest.hexdigest()
