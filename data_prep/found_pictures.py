"""Where millions of pictures of the web are, in some twenty bytes each.

A list of addresses may have three million pictures, and as Python objects they
would take a gigabyte: columns say of each in which folder or tar it is, and it
becomes a `PictureFile` when it is asked for.
"""

from __future__ import annotations

import os
import struct
from abc import abstractmethod
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

from vle_bench.data_prep.parquet_cells import ParquetCell
from vle_bench.data_prep.sources import PictureFile
from vle_bench.data_prep.tar_files import TarSlice
from vle_bench.data_prep.web_reasons import REASONS, reason_code
from vle_bench.errors import machine_errors
from vle_bench.scratch import scratch_file, write_whole

ENDINGS = ("jpg", "jpeg", "png", "webp")
"""Of pictures that are named by a number."""

_BLOCK = 512
_LENGTH = struct.Struct("<I")
_MOST_HELD = 1 << 16
"""Bytes of names that wait to be written."""
_MOST_OF_FOUR_BYTES = (1 << 32) - 1


class _Kept(NamedTuple):
    """A folder, tar or table that holds pictures.

    Attributes:
        path: The file or folder.
        is_tar: Whether it is a tar.
        width: Digits of a picture's name.
        names: The names in a plain folder.
        cell_bytes: What a picture takes in a table, about; 0 for anything else.
    """

    path: Path
    is_tar: bool
    width: int
    names: Names | None
    cell_bytes: int


class Names:
    """Names of files on disk, each known by a number.

    >>> names = Names()
    >>> numbers = [names.add(name) for name in ("b.jpg", "a/é.png")]
    >>> [names[number] for number in reversed(numbers)]
    ['a/é.png', 'b.jpg']
    """

    def __init__(self) -> None:
        self._file = scratch_file()
        self._held = bytearray()
        self._written = 0

    def add(self, name: str) -> int:
        """Takes a name; returns its number.

        Raises:
            MachineProblem: The disk refuses.
        """
        number = self._written + len(self._held)
        data = name.encode("utf-8", "surrogateescape")
        self._held += _LENGTH.pack(len(data)) + data
        if len(self._held) >= _MOST_HELD:
            write_whole(self._file, self._held)
            self._written, self._held = self._written + len(self._held), bytearray()
        return number

    def __getitem__(self, number: int) -> str:
        begin = number + _LENGTH.size
        (size,) = _LENGTH.unpack(self._read(number, _LENGTH.size))
        return self._read(begin, size).decode("utf-8", "surrogateescape")

    def _read(self, begin: int, size: int) -> bytes:
        if begin >= self._written:
            at = begin - self._written
            return bytes(self._held[at : at + size])
        with machine_errors("scratch file"):
            return os.pread(self._file.fileno(), size, begin)


class Pictures(Sequence[PictureFile]):
    """Pictures that are made one by one, when they are asked for."""

    @overload
    def __getitem__(self, index: int) -> PictureFile: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[PictureFile]: ...
    def __getitem__(self, index: int | slice) -> PictureFile | Sequence[PictureFile]:
        if isinstance(index, slice):
            return [self._at(place) for place in range(*index.indices(len(self)))]
        return self._at(index)

    @abstractmethod
    def _at(self, place: int) -> PictureFile:
        """The picture of one place."""


class FoundPictures(Pictures):
    """Pictures in the order of a list of addresses, some twenty bytes each.

    Args:
        count: How many addresses there are.
    """

    def __init__(self, count: int) -> None:
        self._kept: list[_Kept] = []
        self._where = np.full(count, -1, dtype=np.int32)
        # Of four bytes each until one is larger: img2dataset counts from zero.
        self._number: npt.NDArray[np.uint32] | npt.NDArray[np.int64] = np.zeros(count, np.uint32)
        self._ending = np.zeros(count, dtype=np.int8)
        self._block = np.zeros(count, dtype=np.uint32)
        self._length = np.zeros(count, dtype=np.uint32)
        self._failed = np.zeros(count, dtype=np.int8)
        self._promised = array("i")
        self.warnings: list[str] = []
        """Sentences for people, of what was there and could not be used."""

    @property
    def there(self) -> npt.NDArray[np.bool_]:
        """For each address whether its picture was found."""
        return self._where >= 0

    def has(self, place: int) -> bool:
        """Whether the picture of an address was found."""
        return bool(self._where[place] >= 0)

    def reason(self, place: int) -> str:
        """Why the picture of an address could not be downloaded; "" where nothing says it."""
        code = int(self._failed[place])
        return REASONS[code - 1] if code else ""

    def fail(self, place: int, reason: str) -> None:
        """Notes why a download failed; the last that is told counts."""
        self._failed[place] = reason_code(reason)

    def promise(self, place: int) -> None:
        """Notes an address whose picture is said to be there, and is not where it should be."""
        self._promised.append(place)

    def absent(self) -> int:
        """How many of the promised pictures were not found anywhere."""
        return len({place for place in self._promised if not self.has(place)})

    def keep(
        self,
        path: Path,
        *,
        is_tar: bool,
        width: int = 0,
        names: Names | None = None,
        cell_bytes: int = 0,
    ) -> int:
        """Notes a tar, folder or table; returns its number."""
        self._kept.append(_Kept(path, is_tar, width, names, cell_bytes))
        return len(self._kept) - 1

    def number_in(self, place: int, where: int) -> tuple[int, int] | None:
        """Ending and number of the picture of an address, if it is in that folder."""
        if self._where[place] != where:
            return None
        return int(self._ending[place]), int(self._number[place])

    def drop(self, place: int) -> None:
        """Forgets the picture of an address."""
        self._where[place] = -1

    def put(self, place: int, where: int, number: int, **known: int) -> None:
        """Notes the picture of an address, unless it has one.

        Members of a tar begin at blocks; one that is too long for its column is too large for a
        picture anyway. Of a picture in a table, its row group and row stand in their place.
        """
        if self._where[place] < 0:
            if number > _MOST_OF_FOUR_BYTES:
                self._number = self._number.astype(np.int64, copy=False)
            self._where[place], self._number[place] = where, number
            self._ending[place] = known.get("ending", 0)
            self._block[place] = known.get("group", known.get("offset", 0) // _BLOCK)
            self._length[place] = known.get("row", min(known.get("length", 0), _MOST_OF_FOUR_BYTES))

    def __len__(self) -> int:
        return len(self._where)

    def _at(self, place: int) -> PictureFile:
        kept = self._kept[self._where[place]]
        number = int(self._number[place])
        if kept.names is not None:
            name = kept.names[number]
        else:
            name = f"{number:0{kept.width}d}.{ENDINGS[self._ending[place]]}"
        block, length = int(self._block[place]), int(self._length[place])
        if kept.cell_bytes:
            column = ENDINGS[self._ending[place]]
            cell = ParquetCell(column, block, length, kept.cell_bytes)
            return PictureFile(name, str(kept.path), cell)
        if not kept.is_tar:
            return PictureFile(name, str(kept.path / name))
        member = TarSlice(block * _BLOCK, length)
        return PictureFile(name, str(kept.path), member)


class ChosenPictures(Pictures):
    """Some of the pictures that were found, in an order of their own.

    Args:
        found: All of them.
        places: Which of them.
    """

    def __init__(self, found: FoundPictures, places: Sequence[int]) -> None:
        self._found = found
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def _at(self, place: int) -> PictureFile:
        return self._found[self._places[place]]
