"""Random access to prepared pictures: one LMDB store for each split, read in any process.

Three tables: `pictures` and `records` hold the original bytes and `KEY.json` by
key, `order` holds the keys by their place in the shards (eight bytes, big end
first). LMDB maps the file and trusts it: a cut file would end the process, not
raise an error. So `about.json` beside it says how many bytes it has, which is
looked at whenever it is opened, and its sha256, for `verify`.
An open map may not be carried through a fork, and LMDB opens a file only once in
a process; both are seen to here, so that the workers of a data loader just read.
Source: http://www.lmdb.tech/doc/ (Caveats)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import index
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self, SupportsIndex, TypeVar
from weakref import WeakValueDictionary

from vle_bench.canonical import sha256_bytes, sha256_file
from vle_bench.errors import DataProblem, machine_errors, needs_file
from vle_bench.inputs import decode_json, open_source, read_json
from vle_bench.records import Record, Sample

S = TypeVar("S", bound=Sample)
_Get = Callable[[bytes, bytes], bytes | None]

SCHEMA = "vle-bench/picture-store/1"
ABOUT, DATA = "about.json", "data.mdb"
PICTURES, RECORDS, ORDER = b"pictures", b"records", b"order"
TABLES = (PICTURES, RECORDS, ORDER)

PLACE_BYTES = 8
_REMEDY = "Make it again: vle-prep export DIR --format lmdb-pictures."


class StoreFacts(Record, frozen=True, kw_only=True):
    """`about.json`: what a store is, and how to know that it is whole."""

    schema: str
    dataset: str
    split: str
    sample: bool
    """Whether it was made of the sample world."""
    samples: int
    bytes: int
    """Size of `data.mdb`."""
    sha256: str
    """Digest of `data.mdb`."""


class Stored(NamedTuple):
    """One sample as it lies in the store."""

    key: str
    picture: bytes
    """The original bytes."""
    record: bytes
    """`KEY.json`."""

    def read(self, kind: type[S]) -> S:
        """The record as `kind`, e.g. `VqaSample`; `DataProblem` where it is none."""
        return decode_json(self.record, kind, self.key, "the sample's record")


class PictureStore:
    """The samples of one split by place or by key; safe in threads, forked and spawned workers.

    It has a length and items, which is all that a map-style `torch.utils.data.Dataset` is.

    Args:
        folder: A folder that `vle-prep export --format lmdb-pictures` made, e.g. `coco/train`.
        check: Compare every picture that is read with the sha256 in its record.

    Raises:
        DataProblem: No store there, or one that was cut off or is damaged.
    """

    def __init__(self, folder: Path | str, *, check: bool = False) -> None:
        self.folder = Path(folder).absolute()
        self.facts = _facts(self.folder)
        self._check = check
        self._opened = _Opened.of(self.folder)
        self._opened.tables(self.facts.bytes)
        self._opened.needs_current()

    def __len__(self) -> int:
        return self.facts.samples

    def __getitem__(self, place: SupportsIndex) -> Stored:
        """The sample at `place` in the order of the shards; negative counts from the end.

        Any whole number will do: samplers and subsets hand on those of NumPy and torch as they are.
        """
        at = index(place)
        at += len(self) if at < 0 else 0
        if not 0 <= at < len(self):
            raise IndexError(place)
        with self._reading() as get:
            return self._stored(get, get(ORDER, at.to_bytes(PLACE_BYTES, "big")))

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        with self._reading() as get:
            return get(RECORDS, key.encode()) is not None

    def __iter__(self) -> Iterator[Stored]:
        return (self[place] for place in range(len(self)))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_opened"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._opened = _Opened.of(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the file back; stores of the same folder in this process open it again on use."""
        self._opened.close()

    def sample(self, key: str) -> Stored:
        """The sample of that key; `DataProblem` where there is none."""
        if key not in self:
            raise DataProblem(f"{self.folder}: no sample {key} in it. Check the key.")
        with self._reading() as get:
            return self._stored(get, key.encode())

    def keys(self) -> Iterator[str]:
        """All keys in the order of the shards."""
        for place in range(len(self)):
            with self._reading() as get:
                yield self._there(get(ORDER, place.to_bytes(PLACE_BYTES, "big"))).decode()

    def verify(self) -> None:
        """Reads the whole file once and compares its digest; do it once after every copying.

        Raises:
            DataProblem: One bit is not as it was written.
        """
        found = sha256_file(self.folder / DATA)
        if found != self.facts.sha256:
            raise DataProblem(
                f"{self.folder / DATA}: its sha256 is {found}, {ABOUT} says {self.facts.sha256}. "
                f"{_REMEDY}"
            )

    def _stored(self, get: _Get, key: bytes | None) -> Stored:
        name = self._there(key)
        picture, record = self._there(get(PICTURES, name)), self._there(get(RECORDS, name))
        found = Stored(name.decode(), picture, record)
        if self._check:
            expected = found.read(Sample).image.sha256
            if sha256_bytes(picture) != expected:
                raise DataProblem(
                    f"{self.folder}: {found.key}: the picture is not the one of its record "
                    f"(sha256 {expected}). {_REMEDY}"
                )
        return found

    def _there(self, value: bytes | None) -> bytes:
        if value is None:
            raise DataProblem(
                f"{self.folder}: holds fewer samples than the {len(self):,} of {ABOUT}. {_REMEDY}"
            )
        return value

    @contextmanager
    def _reading(self) -> Iterator[_Get]:
        """Looks into the tables, all at the same moment of the file."""
        import lmdb

        environment, tables = self._opened.tables(self.facts.bytes)
        try:
            with environment.begin() as transaction:
                yield lambda table, key: transaction.get(key, db=tables[table])
        except lmdb.Error as error:
            raise DataProblem(f"{self.folder}: damaged ({error}). {_REMEDY}") from error


class _Opened:
    """The open file of one folder, shared by all stores of it in this process."""

    _known: ClassVar[WeakValueDictionary[Path, _Opened]] = WeakValueDictionary()

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._process = self._inode = -1
        self._environment: Any = None
        self._tables: dict[bytes, Any] = {}

    @classmethod
    def of(cls, folder: Path) -> _Opened:
        place = folder.resolve()
        return cls._known.setdefault(place, cls(place))

    def tables(self, size: int) -> tuple[Any, dict[bytes, Any]]:
        """The environment and its tables, opened in this very process.

        Args:
            size: Bytes that the file must have.
        """
        if self._process != os.getpid():
            with self._lock:
                if self._process != os.getpid():
                    self._open(size)
        return self._environment, self._tables

    def needs_current(self) -> None:
        """Raises `DataProblem` where another file has taken the place of the open one."""
        if (self._folder / DATA).stat().st_ino != self._inode:
            raise DataProblem(
                f"{self._folder}: was made again since this process opened it. Close the store "
                "that was opened before first."
            )

    def close(self) -> None:
        with self._lock:
            if self._environment is not None:
                self._environment.close()
            self._environment, self._tables, self._process = None, {}, -1

    def _open(self, size: int) -> None:
        import lmdb

        if self._environment is not None:
            # The parent's, inherited by a fork. Only this process's copy of the map is undone.
            self._environment.close()
            self._environment = None
        path = needs_file(self._folder / DATA, "the pictures of a store")
        try:
            with machine_errors(path):
                found = path.stat()
                if found.st_size != size:
                    raise DataProblem(
                        f"{path}: {found.st_size:,} bytes, {ABOUT} says {size:,}. {_REMEDY}"
                    )
                environment = lmdb.open(
                    str(self._folder),
                    readonly=True,
                    create=False,
                    lock=False,
                    readahead=False,
                    max_dbs=len(TABLES),
                )
            self._environment = environment
            self._tables = {name: environment.open_db(name, create=False) for name in TABLES}
        except lmdb.Error as error:
            raise DataProblem(f"{path}: no readable picture store ({error}). {_REMEDY}") from error
        self._inode, self._process = found.st_ino, os.getpid()


def _facts(folder: Path) -> StoreFacts:
    about = folder / ABOUT
    below = sorted(one.parent for depth in ("*", "*/*") for one in folder.glob(f"{depth}/{ABOUT}"))
    if below and not about.exists():
        stores = ", ".join(one.relative_to(folder).as_posix() for one in below)
        raise DataProblem(
            f"{folder}: a picture store expected, found a folder of them: {stores}. Open one, "
            f"e.g. {below[0]}."
        )
    needs_file(about, "a picture store")
    facts = read_json(open_source(about, "a picture store"), StoreFacts, "what an export writes")
    if facts.schema != SCHEMA:
        raise DataProblem(f"{about}: schema {facts.schema!r}, {SCHEMA!r} was expected. {_REMEDY}")
    return facts
