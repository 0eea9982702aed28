"""LMDB stores: made as large as their data, in the order given, the same bytes again.

The common recipe asks for a terabyte of address space and reopens an old store
without emptying it, so that entries of an earlier build survive. Here a store is
always new, without a lock file, and its map grows only where the estimate was short.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vle_bench.errors import DataProblem, MachineProblem, machine_errors

PAGE = 4096
_LEAST_MAP = 1 << 20
_BATCH_BYTES = 8 << 20
_BATCH_ENTRIES = 5000
_BATCHES_OPEN = 8

Entry = tuple[bytes, bytes]
TableEntry = tuple[bytes, bytes, bytes]


def room_for(sizes: Iterable[int]) -> int:
    """Bytes of map for values of these sizes: whole pages each, a page beside, a tenth on top.

    >>> room_for([100, 5000]) % PAGE, room_for([10 << 20]) > 11 << 20
    (0, True)
    """
    pages = sum(-(-size // PAGE) + 1 for size in sizes)
    return max(_LEAST_MAP, (pages + pages // 10) * PAGE)


def write_store(path: Path, entries: Iterable[Entry], *, map_size: int) -> None:
    """Writes a new store.

    Args:
        path: Its folder, which must not be there.
        entries: Keys and values; every key once.
        map_size: Bytes of address space to begin with; doubled where they are too few.

    Raises:
        DataProblem: A key comes twice.
        MachineProblem: The disk refuses.
    """
    write_tables(path, ((b"", *entry) for entry in entries), tables=(), map_size=map_size)


def write_tables(
    path: Path, entries: Iterable[TableEntry], *, tables: Sequence[bytes], map_size: int
) -> None:
    """Like `write_store`, for a store of named tables.

    Args:
        path: Its folder, which must not be there.
        entries: Table, key and value; every key once in its table.
        tables: Their names; the table `b""` is always there.
        map_size: Bytes of address space to begin with; doubled where they are too few.

    Raises:
        DataProblem: A key comes twice.
        MachineProblem: The disk refuses.
    """
    import lmdb

    path.mkdir(parents=True)
    batches = _batches(entries)
    batch, begun = next(batches, None), False
    try:
        # Pages that were looked at stay mapped, and their neighbours with them, until the store is
        # closed: so it is, now and then, and memory does not grow with it.
        while batch is not None or not begun:
            begun = True
            # Whoever exports brings all files to the disk at the end, so no batch waits for it.
            with lmdb.open(
                str(path), map_size=map_size, lock=False, sync=False, max_dbs=len(tables)
            ) as store:
                places = {b"": None} | {name: store.open_db(name) for name in tables}
                for _ in range(_BATCHES_OPEN):
                    if batch is None:
                        break
                    while not _put(store, batch, places):
                        map_size *= 2
                        store.set_mapsize(map_size)
                    batch = next(batches, None)
    except lmdb.Error as error:
        raise MachineProblem(f"{path}: {_reason(path, error)}.") from error


def read_store(path: Path) -> Iterator[Entry]:
    """All keys and values, in the order of the keys; nothing of a value is interpreted.

    Raises:
        DataProblem: No store there, or a damaged one.
    """
    import lmdb

    try:
        with (
            lmdb.open(str(path), readonly=True, create=False, lock=False, readahead=False) as store,
            store.begin() as transaction,
        ):
            yield from transaction.cursor()
    except lmdb.Error as error:
        raise DataProblem(f"{path}: no readable LMDB store ({error}). Export it again.") from error


def _reason(path: Path, error: Exception) -> str:
    """What the machine refused. LMDB calls a disk that takes a part of a batch an I/O error."""
    with machine_errors(path):
        free = shutil.disk_usage(path).free
    if free < _BATCH_BYTES:
        return f"the disk is full ({free:,} bytes free). Free space or choose another --out"
    return f"{error}. Check the disk or choose another --out"


def _put(store: Any, batch: list[TableEntry], places: Mapping[bytes, Any]) -> bool:
    """Writes a batch whole, or returns False where the map is too small for it."""
    import lmdb

    try:
        with store.begin(write=True) as transaction:
            for table, key, value in batch:
                if not transaction.put(key, value, overwrite=False, db=places[table]):
                    raise DataProblem(f"{store.path()}: the key {key!r} comes twice.")
    except lmdb.MapFullError:
        return False
    return True


def _batches(entries: Iterable[TableEntry]) -> Iterator[list[TableEntry]]:
    batch: list[TableEntry] = []
    held = 0
    for entry in entries:
        batch.append(entry)
        held += len(entry[-1])
        if len(batch) >= _BATCH_ENTRIES or held >= _BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
