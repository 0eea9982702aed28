"""Rows gathered by picture: the one place that holds what many files say of each.

Sources come in their own order, samples leave in the order of pictures; between
the two, every row has to wait somewhere. Rows wait as JSON, two megabytes in
memory and the rest in sorted runs in an unnamed file, from which pictures are
read back in blocks. Asking in ascending order reads every block once; any other
order is right too, and slower.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import IO, Any, Final, Generic, NamedTuple, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.errors import machine_errors
from vle_bench.inputs.collector import no_collector
from vle_bench.scratch import scratch_file

T = TypeVar("T")

MOST_BYTES_HELD: Final = 2 << 20
"""Rows kept in memory before a run is written."""

BLOCK_BYTES: Final = 1 << 19
"""Rows read back at once, about."""

_OBJECT_BYTES: Final = 64
"""What a text takes in memory beside its bytes."""

_ENCODER = msgspec.json.Encoder()
_INT64 = np.iinfo(np.int64)
_Places = npt.NDArray[np.int64]


class _Run(NamedTuple):
    """One sorted run: its rows' bytes, then their images, then where each ends.

    Attributes:
        begin: Where it begins in the file.
        size: Bytes of its rows.
        rows: How many rows.
        step: One row in so many is marked.
        images: The image of each marked row.
        before: How many bytes of rows stand before each marked row.
    """

    begin: int
    size: int
    rows: int
    step: int
    images: _Places
    before: _Places


class Joined(Generic[T]):
    """Rows gathered by image, in the order in which they were added.

    Args:
        kind: The msgspec type of a row. Without it, rows are of the class of the first one, or
            tuples of plain values.
        most_bytes: Rows kept in memory.
    """

    def __init__(self, kind: Any = None, *, most_bytes: int = MOST_BYTES_HELD) -> None:
        self._kind = kind
        self._most_bytes = most_bytes
        self._decoder: msgspec.json.Decoder[list[T]] | None = None
        self._images = array("q")
        self._texts: list[bytes] = []
        self._held = 0
        self._runs: list[_Run] = []
        self._file: IO[bytes] | None = None
        self._end = 0
        self._bounds: list[int] | None = None
        """Where each block but the first begins; None while rows are being added."""
        self._block = -1
        self._found: dict[int, list[T]] = {}

    def add(self, image: int, row: T) -> None:
        """Adds one row of an image.

        Raises:
            TypeError: A first row of plain containers that need a kind.
            MachineProblem: The disk refuses.
        """
        if self._decoder is None:
            self._kind = self._kind or _kind_of(row)
            many: Any = list[self._kind]  # type: ignore[name-defined]  # a runtime type
            self._decoder = msgspec.json.Decoder(many)
        text = _ENCODER.encode(row)
        self._images.append(image)
        self._texts.append(text)
        self._held += len(text) + _OBJECT_BYTES
        self._bounds = None
        if self._held >= self._most_bytes:
            self._spill()

    def of(self, image: int) -> Sequence[T]:
        """The rows of an image, () where there are none. They are not the caller's to change."""
        if self._bounds is None:
            if self._runs and self._texts:
                self._spill()
            self._bounds = self._planned()
            self._block = -1
        block = bisect_right(self._bounds, image)
        if block != self._block:
            self._found = self._read(block)
            self._block = block
        rows = self._found.get(image)
        return () if rows is None else rows

    def _spill(self) -> None:
        """Writes what is held as one more run."""
        images = np.array(self._images, dtype=np.int64)
        order = np.argsort(images, kind="stable")
        texts = [self._texts[place] for place in order.tolist()]
        images = images[order]
        # Each row ends with its comma, so that any stretch of rows is one list to the decoder.
        ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1)
        if self._file is None:
            self._file = scratch_file()
        begin = self._end
        for part in (b",".join(texts), b",", images.tobytes(), ends.tobytes()):
            self._write(part)
        step = max(1, len(texts) // 256)
        before = np.concatenate(([0], ends))[:-1:step]
        # Copies: a view would hold the sixteen bytes of every row.
        marks = (images[::step].copy(), before.copy())
        self._runs.append(_Run(begin, int(ends[-1]), len(texts), step, *marks))
        self._images, self._texts, self._held = array("q"), [], 0

    def _write(self, part: bytes) -> None:
        assert self._file is not None
        with machine_errors("scratch file"):
            view = memoryview(part)
            while view:
                written = self._file.write(view)
                self._end += written
                view = view[written:]

    def _planned(self) -> list[int]:
        """Images at which blocks begin, so that each holds about as many bytes."""
        if not self._runs:
            return []
        images = np.concatenate([run.images for run in self._runs])
        sizes = np.concatenate([np.diff(run.before, append=run.size) for run in self._runs])
        order = np.argsort(images, kind="stable")
        numbers = np.cumsum(sizes[order]) // BLOCK_BYTES
        return sorted(set(images[order][1:][np.diff(numbers) > 0].tolist()))

    def _read(self, block: int) -> dict[int, list[T]]:
        """The rows of the images of one block, in the order in which they were added."""
        assert self._bounds is not None
        found: dict[int, list[T]] = {}
        if not self._runs:
            self._gather(self._images, b",".join(self._texts), found)
            return found
        first = self._bounds[block - 1] if block > 0 else _INT64.min
        behind = self._bounds[block] if block < len(self._bounds) else _INT64.max
        for run in self._runs:
            images, text = self._stretch(run, first, behind)
            self._gather(images, text, found)
        return found

    def _gather(self, images: Sequence[int], text: bytes, found: dict[int, list[T]]) -> None:
        if self._decoder is None or not len(images):
            return
        with no_collector():
            rows = self._decoder.decode(b"[%b]" % text)
            for image, row in zip(images, rows, strict=True):
                found.setdefault(image, []).append(row)

    def _stretch(self, run: _Run, first: int, behind: int) -> tuple[list[int], bytes]:
        """Images and rows of a run from image `first` up to, not including, image `behind`."""
        low = int(np.searchsorted(run.images, first)) - 1
        high = int(np.searchsorted(run.images, behind))
        begin, end = max(low, 0) * run.step, min(high * run.step, run.rows)
        if begin >= end:
            return [], b""
        # One row more to the left: its end is where the first one begins.
        left = max(begin - 1, 0)
        images = self._numbers(run.begin + run.size, left, end)
        ends = self._numbers(run.begin + run.size + 8 * run.rows, left, end)
        start = max(int(np.searchsorted(images, first)), begin - left)
        stop = int(np.searchsorted(images, behind))
        if start >= stop:
            return [], b""
        base = int(ends[start - 1]) if start else 0
        text = self._bytes(run.begin + base, int(ends[stop - 1]) - base - 1)
        numbers: list[int] = images[start:stop].tolist()
        return numbers, text

    def _numbers(self, begin: int, first: int, behind: int) -> _Places:
        return np.frombuffer(self._bytes(begin + 8 * first, 8 * (behind - first)), dtype=np.int64)

    def _bytes(self, begin: int, count: int) -> bytes:
        assert self._file is not None
        with machine_errors("scratch file"):
            return os.pread(self._file.fileno(), count, begin)


def _kind_of(row: Any) -> Any:
    """The type by which rows like this one are read back.

    Raises:
        TypeError: A row of plain containers, whose parts need a type of their own.
    """
    if type(row) not in (tuple, list, dict):
        return type(row)
    plain = (int, str, float, bool)
    if type(row) is tuple and all(type(part) in plain for part in row):
        return tuple[tuple(type(part) for part in row)]  # type: ignore[misc]  # a runtime type
    raise TypeError(f"rows of {type(row).__name__} need a kind: Joined(kind)")
