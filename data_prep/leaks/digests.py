"""Digests of evaluation pictures, taken once and kept beside the journal.

Test2015 alone is 13 GB, and four corpora ask for the same pictures. A digest is
kept with the size and mtime that its picture had (in a zip: with its CRC) and is
taken again where either is another, so what is kept changes no verdict. A
store that cannot be read is made anew.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vle_bench.atomic import write_bytes
from vle_bench.console import counted
from vle_bench.data_prep.archives import ZipMember
from vle_bench.data_prep.parquet_cells import ParquetCell
from vle_bench.data_prep.picture import BadPicture, Mark, mark_of, read_picture
from vle_bench.data_prep.sources import PictureFile

_BATCH = 64
"""Pictures that a thread reads between two looks at the clock."""

_Table = dict[str, npt.NDArray[Any]]


def picture_digests(
    pictures: Sequence[PictureFile], *, root: Path, store: Path, what: str, workers: int
) -> list[bytes]:
    """The sha256 of each picture, b"" for one that cannot be read.

    Args:
        pictures: The pictures.
        root: The folder below which they lie; what is kept does not depend on where that is.
        store: File that keeps the digests from run to run.
        what: The pictures in a word, for the progress bar.
        workers: Threads; hashing lets others run meanwhile.

    Raises:
        MachineProblem: A picture cannot be read for another reason than its content, or the
            store cannot be written.
    """
    keys = np.array([_key(picture, root) for picture in pictures], dtype=np.uint64)
    marks = [mark_of(picture) for picture in pictures]
    digests = _kept(store, keys, marks)
    missing = [place for place, digest in enumerate(digests) if digest is None]
    if missing:
        batches = [missing[at : at + _BATCH] for at in range(0, len(missing), _BATCH)]
        with counted(len(batches), what) as step:
            for batch, found in _hashed(pictures, batches, workers):
                for place, digest in zip(batch, found, strict=True):
                    digests[place] = digest
                step()
        _keep(store, keys, marks, digests)
    return [digest or b"" for digest in digests]


def _hashed(
    pictures: Sequence[PictureFile], batches: Sequence[Sequence[int]], workers: int
) -> Iterator[tuple[Sequence[int], list[bytes]]]:
    """Each batch with its digests, in order; few are under way at once."""
    if workers < 2 or len(batches) < 2:
        for batch in batches:
            yield batch, _digests(pictures, batch)
        return
    with ThreadPoolExecutor(workers) as pool:
        running: deque[tuple[Sequence[int], Future[list[bytes]]]] = deque()
        for batch in batches:
            running.append((batch, pool.submit(_digests, pictures, batch)))
            if len(running) > 2 * workers:
                oldest, future = running.popleft()
                yield oldest, future.result()
        while running:
            oldest, future = running.popleft()
            yield oldest, future.result()


def _digests(pictures: Sequence[PictureFile], batch: Sequence[int]) -> list[bytes]:
    return [_digest(pictures[place]) for place in batch]


def _digest(picture: PictureFile) -> bytes:
    try:
        return hashlib.sha256(read_picture(picture)).digest()
    except BadPicture:
        return b""


def _key(picture: PictureFile, root: Path) -> int:
    """A number for a picture's place below the raw folder."""
    path = Path(picture.path)
    place = path.relative_to(root).as_posix() if path.is_relative_to(root) else picture.path
    if isinstance(picture.member, ZipMember):
        place = f"{place}!{picture.member.name}"
    elif isinstance(picture.member, ParquetCell):
        place = f"{place}!{picture.member.group}!{picture.member.row}"
    elif picture.member is not None:
        place = f"{place}!{picture.member.offset}"
    return int.from_bytes(hashlib.sha256(place.encode("utf-8", "surrogateescape")).digest()[:8])


def _kept(store: Path, keys: npt.NDArray[np.uint64], marks: Sequence[Mark]) -> list[bytes | None]:
    """The digest that is kept of each picture, None where it must be taken."""
    found: list[bytes | None] = [None] * len(keys)
    table = _load(store)
    if table is None or not len(table["keys"]):
        return found
    places = np.minimum(np.searchsorted(table["keys"], keys), len(table["keys"]) - 1)
    looks = np.array(marks, dtype=np.int64).reshape(-1, 2)
    same = (table["keys"][places] == keys) & (table["marks"][places] == looks).all(axis=1)
    for place in np.flatnonzero(same).tolist():
        digest: bytes = table["digests"][places[place]].tobytes()
        found[place] = digest if any(digest) else b""
    return found


def _load(store: Path) -> _Table | None:
    try:
        # A zip of plain arrays, each with its CRC: a flipped bit is an error here, and one in the
        # zip's own fields may ask for a password or a format of tomorrow (RuntimeError).
        with np.load(store, allow_pickle=False) as archive:
            table: _Table = {name: archive[name] for name in ("keys", "marks", "digests")}
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return None
    count = len(table["keys"])
    shapes = {"keys": (count,), "marks": (count, 2), "digests": (count, 32)}
    kinds = {"keys": np.uint64, "marks": np.int64, "digests": np.uint8}
    fits = all(
        table[name].shape == shape and table[name].dtype == kinds[name]
        for name, shape in shapes.items()
    )
    return table if fits else None


def _keep(
    store: Path,
    keys: npt.NDArray[np.uint64],
    marks: Sequence[Mark],
    digests: Sequence[bytes | None],
) -> None:
    order = np.argsort(keys, kind="stable")
    blob = b"".join((digest or b"").ljust(32, b"\0") for digest in digests)
    stream = io.BytesIO()
    np.savez(
        stream,
        keys=keys[order],
        marks=np.array(marks, dtype=np.int64).reshape(-1, 2)[order],
        digests=np.frombuffer(blob, dtype=np.uint8).reshape(-1, 32)[order],
    )
    # Jobs of an array, and runs of several corpora, take the same digests at the same time.
    write_bytes(store, stream.getvalue(), shared=True)
