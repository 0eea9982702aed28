"""Independent tasks over Ray: the cores of this machine, or of the cluster RAY_ADDRESS names.

Ray runs a task again when its process or its machine was lost. That changes no
byte, because a shard is whole under its name or not there; so the engine only
has to see to it that nothing is left running when a run ends. Ray itself ends
the workers of a driver it no longer hears of, but takes seconds to notice; on
the driver's own machine workers watch it and go at once.

`ray.init` and its options: https://docs.ray.io/en/latest/ray-core/api/doc/ray.init.html
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from itertools import islice
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from vle_bench.data_prep.engines.interrupts import (
    Handlers,
    interrupt_once,
    interrupts_held_back,
    restore,
)
from vle_bench.errors import MachineProblem, UsageProblem, VleBenchError

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

ADDRESS = "RAY_ADDRESS"

_QUEUED_PER_WORKER = 2
_TRIES_AGAIN = 3
_STORE_BYTES = 512 << 20
"""Of Ray's object store: a task is a few MB of drafts, and only few wait there."""
_PATIENCE_S = 10.0
"""How long tasks under way may still take when a run ends early, before they are ended."""
_KNOCK_S = 10.0

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing of ours goes to the network
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a warning on machines without accelerators
}


class _Driver(NamedTuple):
    """The process that asked, so that workers beside it can see it end."""

    host: str
    pid: int


class _Answer(NamedTuple):
    """What became of a task: its outcome, or the problem it told."""

    outcome: Any
    problem: VleBenchError | None


class RayEngine:
    """Runs tasks on Ray; a context manager.

    Where RAY_ADDRESS names a cluster it is used, and left running; else Ray is started here, by
    the first call that has use for it, and ended with the block.

    Args:
        workers: Tasks at the same time, one core each; 0 for all cores there are.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._ray = _imported()
        self._ours = False
        self._running: set[Any] = set()
        self._interrupt: Handlers = {}
        self._streams = ExitStack()

    def __enter__(self) -> Self:
        self._interrupt = interrupt_once()
        # What Ray has to say of lost workers it prints; our stdout holds what was asked for only.
        self._streams.enter_context(redirect_stdout(sys.stderr))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with interrupts_held_back():
            if self._running:
                _end(self._ray, self._running)
            if self._ours:
                self._ray.shutdown()
            self._streams.close()
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
            MachineProblem: A task's process was lost again and again, or Ray cannot be reached.
            VleBenchError: Whatever a task raised.
        """
        if total == 0:
            yield from map(work, tasks)
            return
        self._start()
        errors = self._ray.exceptions
        try:
            yield from self._drain(work, iter(tasks))
        except errors.RayTaskError as error:
            raise error.cause from error
        except errors.RayError as error:
            raise MachineProblem(
                f"Ray lost a task {_TRIES_AGAIN + 1} times ({type(error).__name__}), probably for "
                "want of memory. Run the same command again with fewer --workers: finished shards "
                "are kept."
            ) from error

    def _drain(self, work: Callable[[Task], Outcome], tasks: Iterator[Task]) -> Iterator[Outcome]:
        ray = self._ray
        call = ray.remote(num_cpus=1, max_retries=_TRIES_AGAIN)(_attempt)
        driver = _Driver(socket.gethostname(), os.getpid())
        most = self._workers * _QUEUED_PER_WORKER
        while True:
            for task in islice(tasks, most - len(self._running)):
                with interrupts_held_back():
                    self._running.add(call.remote(work, task, driver))
            if not self._running:
                return
            done, _ = ray.wait(list(self._running), num_returns=1)
            for one in done:
                answer: _Answer = ray.get(one)
                self._running.discard(one)
                if answer.problem is not None:
                    raise answer.problem
                yield answer.outcome

    def _start(self) -> None:
        """Reaches Ray, or starts it; one that runs in this process already is used."""
        if not self._ray.is_initialized():
            address = os.environ.get(ADDRESS, "")
            with _own_sigterm():
                if address in ("", "local"):
                    _start_here(self._ray, self._workers)
                else:
                    _reach(self._ray, address)
            self._ours = True
        if not self._workers:
            self._workers = max(1, int(self._ray.cluster_resources().get("CPU", 1)))


def _imported() -> Any:
    os.environ.update({name: value for name, value in _QUIET.items() if name not in os.environ})
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise UsageProblem(
            "--engine ray needs Ray, which is not installed: pip install 'vle-bench[ray]', or "
            "leave --engine out."
        ) from error


def _start_here(ray: Any, workers: int) -> None:
    try:
        with interrupts_held_back():
            ray.init(
                address="local",
                num_cpus=workers or os.cpu_count() or 1,
                num_gpus=0,
                include_dashboard=False,
                object_store_memory=_STORE_BYTES,
                log_to_driver=False,
                logging_level="ERROR",
            )
    except (ConnectionError, ValueError, RuntimeError, TimeoutError, OSError) as error:
        raise MachineProblem(f"Ray could not be started here: {error}.") from error


def _reach(ray: Any, address: str) -> None:
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MachineProblem(
            f"{ADDRESS}={address}: no Ray cluster answers there ({reason}). Start one with "
            f"`ray start --head`, or unset {ADDRESS} to use the cores of this machine."
        ) from error


def _knock(address: str) -> None:
    """Ray itself would wait for minutes where nobody listens."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_S).close()


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Ray makes of SIGTERM an exit with code 15; our own way with it stays."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(ray: Any, running: set[Any]) -> None:
    """Waits for the tasks under way, so that nothing is written after this; then ends the rest.

    Tasks are not asked to stop: Ray 2 aborts the driver's process where `ray.cancel` meets a task
    that is just done ("Tried to complete task that was not pending").
    """
    _, left = ray.wait(list(running), num_returns=len(running), timeout=_PATIENCE_S)
    for one in left:
        with suppress(ray.exceptions.RayError, ValueError):
            ray.cancel(one, force=True)
    running.clear()


_watched: set[_Driver] = set()


def _attempt(work: Callable[[Any], Any], task: Any, driver: _Driver) -> _Answer:
    """Runs in a worker. Problems travel as values: Ray would wrap them into a class of its own."""
    _watch(driver)
    try:
        return _Answer(work(task), None)
    except VleBenchError as problem:
        return _Answer(None, problem)


def _watch(driver: _Driver) -> None:
    """On the driver's machine, this process ends at once when the driver does."""
    if driver in _watched or driver.host != socket.gethostname():
        return
    _watched.add(driver)
    try:
        handle = os.pidfd_open(driver.pid)
    except (AttributeError, OSError):  # no such call here, or another container's process
        return

    def wait() -> None:
        select.select([handle], [], [])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
