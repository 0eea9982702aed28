"""Who writes to a remote output now: leases that end by themselves, since no lock does.

Each run puts an object of its own name and looks at the others; two that begin
at once see each other and both step back. A run freshens its lease while it
lives. One that was killed leaves it behind: on its own machine the next run
sees by a lock file that nobody holds it, elsewhere it counts as left behind
when it was not freshened for fifteen minutes of the store's own clock.
"""

from __future__ import annotations

import os
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, Self

from vle_bench.atomic import make_folder
from vle_bench.canonical import json_bytes
from vle_bench.data_prep.journal import FOLDER, Slice
from vle_bench.data_prep.remote.store import Store
from vle_bench.errors import MachineProblem, VleBenchError, machine_errors
from vle_bench.file_lock import locked

LEASES = "lease"
"""The folder of leases in a dataset's journal."""

LEFT_BEHIND = timedelta(minutes=15)
_FRESHEN_S = 120.0

_HOLDER = "holder"
_LOOK = "lock.lease-look"
_NAME = re.compile(
    r"(?P<kind>run|slice-(?P<part>[0-9]+)-of-(?P<of>[0-9]+))\.(?P<holder>[0-9a-f]{32})\.json"
)


class Lease(NamedTuple):
    """A whole run (None) or one slice, by the stage of some machine.

    >>> Lease(Slice(0, 8), "aa").beside(Lease(Slice(1, 8), "bb"))
    True
    >>> Lease(Slice(0, 8), "aa").beside(Lease(None, "bb"))
    False
    """

    part: Slice | None
    holder: str

    @classmethod
    def named(cls, file_name: str) -> Self | None:
        """The lease of that file name, or None where it is none."""
        match = _NAME.fullmatch(file_name)
        if match is None:
            return None
        whole = match["kind"] == "run"
        return cls(None if whole else Slice(int(match["part"]), int(match["of"])), match["holder"])

    @property
    def kind(self) -> str:
        """`run`, or which slice."""
        return kind_of(self.part)

    @property
    def file_name(self) -> str:
        """Its name in the folder of leases."""
        return f"{self.kind}.{self.holder}.json"

    def beside(self, other: Lease) -> bool:
        """Whether both may write at the same time: different slices of the same cut."""
        mine, theirs = self.part, other.part
        return mine is not None and theirs is not None and mine.of == theirs.of and mine != theirs


def kind_of(part: Slice | None) -> str:
    """The name of a whole run, or of a slice.

    >>> kind_of(None), kind_of(Slice(3, 8))
    ('run', 'slice-3-of-8')
    """
    return f"slice-{part.part}-of-{part.of}" if part else "run"


@contextmanager
def leased(store: Store, stage: Path, dataset: str, part: Slice | None = None) -> Iterator[None]:
    """Holds the lease of a dataset's remote output, or of one slice of it.

    Raises:
        MachineProblem: Another run holds one that does not go with ours.
    """
    here = make_folder(stage / FOLDER / dataset)
    mine = Lease(part, _holder(here))
    folder = f"{FOLDER}/{dataset}/{LEASES}"
    with ExitStack() as stack:
        with machine_errors(here), _nobody_looks(here):
            stream = stack.enter_context((here / _lock_name(mine)).open("ab"))
            ours = locked(stream)
        if not ours:
            raise _taken(store, dataset, mine)
        place = f"{folder}/{mine.file_name}"
        store.write(place, json_bytes({"schema": "vle-bench/lease/1", "pid": os.getpid()}))
        try:
            _look_round(store, here, dataset, mine)
            with _kept_fresh(store, place):
                yield
        finally:
            with suppress(VleBenchError):  # it ends by itself
                store.remove(place)


def _look_round(store: Store, here: Path, dataset: str, mine: Lease) -> None:
    """Removes leases that were left behind; raises where one that lives stands in the way."""
    folder = f"{FOLDER}/{dataset}/{LEASES}"
    now = store.modified(f"{folder}/{mine.file_name}")
    for file in sorted(store.names(folder)):
        other = Lease.named(file)
        if other is None or other == mine:
            continue
        if other.holder == mine.holder:
            left = _removed_unless_held(store, f"{folder}/{file}", here / _lock_name(other))
        else:
            then = store.modified(f"{folder}/{file}")
            left = then is None or (now is not None and now - then > LEFT_BEHIND)
            if left:
                store.remove(f"{folder}/{file}")
        if not left and not mine.beside(other):
            raise _taken(store, dataset, other)


def _taken(store: Store, dataset: str, other: Lease) -> MachineProblem:
    return MachineProblem(
        f"{store.url}/{dataset}: another vle-prep run is writing there ({other.kind}). Wait for "
        f"it, or choose another --out. If it was killed on another machine, wait "
        f"{LEFT_BEHIND.seconds // 60} minutes, or remove {FOLDER}/{dataset}/{LEASES}/."
    )


@contextmanager
def _kept_fresh(store: Store, place: str) -> Iterator[None]:
    over = threading.Event()

    def freshen() -> None:
        while not over.wait(_FRESHEN_S):
            with suppress(VleBenchError):  # the run itself will meet what is wrong
                store.write(place, json_bytes({"schema": "vle-bench/lease/1", "pid": os.getpid()}))

    thread = threading.Thread(target=freshen, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _holder(folder: Path) -> str:
    """A name for this stage, drawn once."""
    path = folder / _HOLDER
    with machine_errors(path):
        with suppress(FileExistsError), path.open("x") as stream:
            stream.write(uuid.uuid4().hex)
        text = path.read_text()
        if re.fullmatch("[0-9a-f]{32}", text) is None:  # killed while it was drawn
            path.unlink()
            return _holder(folder)
    return text


def _lock_name(lease: Lease) -> str:
    return f"lock.lease-{lease.kind}"


def _removed_unless_held(store: Store, name: str, lock: Path) -> bool:
    """Removes a lease of this machine that nobody holds; says whether it did."""
    with machine_errors(lock), _nobody_looks(lock.parent), lock.open("ab") as stream:
        left = locked(stream)
        if left:
            store.remove(name)
    return left


@contextmanager
def _nobody_looks(folder: Path) -> Iterator[None]:
    """Waits until no other run of this machine looks round.

    A lock can be looked at only by taking it: of an array that is begun again at once, one job
    would find there the hand of another that looks, or lose the lease that it has just written.
    """
    with (folder / _LOOK).open("ab") as look:
        locked(look, wait=True)
        yield
