"""Independent tasks over local processes, with no orphans and no half-made work.

Workers are spawned, not forked: a fork copies the locks of threads it knows
nothing of. They leave Ctrl-C to the parent, which tells them to stop between
two samples, and they die at once when the parent does, so that a killed run and
the next one never write the same file.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from ctypes import c_bool
from itertools import islice
from multiprocessing import connection
from types import TracebackType
from typing import Protocol, Self, TypeVar

from vle_bench.data_prep.engines.interrupts import (
    Handlers,
    interrupt_once,
    interrupted,
    interrupts_held_back,
    restore,
)
from vle_bench.errors import MachineProblem

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

_QUEUED_PER_WORKER = 2
"""Tasks held ready: enough to keep workers busy, few enough to keep memory small."""


class _Flag(Protocol):
    """A word of shared memory.

    An `Event` has a lock, which a worker that is killed while it looks takes with it: the others,
    and the parent that wants them to stop, would wait for it for ever.
    """

    value: bool


_stop: _Flag | None = None


class LocalEngine:
    """Runs tasks in processes of this machine; a context manager.

    Processes are started by the first call that has use for them, and serve all later ones.

    Args:
        workers: Processes; with 1, everything happens in this one. 0 for all cores there are.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None
        self._stop: _Flag | None = None
        self._interrupt: Handlers = {}

    def __enter__(self) -> Self:
        self._interrupt = interrupt_once()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Ctrl-C in here would leave workers behind, who wait for tasks for ever.
        with interrupts_held_back():
            if self._stop is not None and error is not None:
                self._stop.value = True
            if self._pool is not None:
                self._pool.shutdown(wait=True, cancel_futures=True)
        restore(self._interrupt)

    def map(
        self, work: Callable[[Task], Outcome], tasks: Iterable[Task], *, total: int
    ) -> Iterator[Outcome]:
        """The outcome of each task, in the order in which they are done.

        Args:
            work: A function of a module (other processes import it).
            tasks: Consumed little by little.
            total: How many tasks there are.

        Raises:
            MachineProblem: A worker was killed, most often for want of memory.
            VleBenchError: Whatever a task raised.
        """
        if self._workers == 1 or total < 2:  # one task needs no company
            yield from map(work, tasks)
            return
        try:
            yield from _drain(
                self._started(), work, iter(tasks), self._workers * _QUEUED_PER_WORKER
            )
        except BrokenProcessPool as error:
            raise MachineProblem(
                "A worker process was killed, probably for want of memory. Run the same command "
                "again with fewer --workers: finished shards are kept."
            ) from error

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._stop = context.RawValue(c_bool, False)
            self._pool = ProcessPoolExecutor(self._workers, context, _begin, (self._stop,))
        return self._pool


def stop_if_asked() -> None:
    """Raises KeyboardInterrupt where the run was interrupted: here, or in the worker's parent."""
    if interrupted() or (_stop is not None and _stop.value):
        raise KeyboardInterrupt


def _drain(
    pool: ProcessPoolExecutor,
    work: Callable[[Task], Outcome],
    tasks: Iterator[Task],
    most: int,
) -> Iterator[Outcome]:
    running: set[Future[Outcome]] = set()
    while True:
        for task in islice(tasks, most - len(running)):
            with interrupts_held_back():
                running.add(pool.submit(work, task))
        if not running:
            return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()


def _begin(stop: _Flag) -> None:
    """First thing in a worker."""
    global _stop  # noqa: PLW0603  # one flag per process is what it is
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
