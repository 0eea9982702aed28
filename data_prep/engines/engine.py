"""What every engine is, and which there are; other distributions add theirs by entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Protocol, Self, TypeVar

from vle_bench.registry import Registry

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


class Engine(Protocol):
    """Runs independent tasks; a context manager. Made with the number of workers.

    However its block is left, no task runs any more afterwards.
    """

    def __enter__(self) -> Self:
        """Gets ready."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends every task that still runs."""

    def map(
        self, work: Callable[[Task], Outcome], tasks: Iterable[Task], *, total: int
    ) -> Iterator[Outcome]:
        """The outcome of each task, in the order in which they are done.

        Args:
            work: A function of a module (other processes import it).
            tasks: Consumed little by little.
            total: How many tasks there are.

        Raises:
            MachineProblem: A worker was killed, or cannot be reached.
            VleBenchError: Whatever a task raised.
        """


ENGINES = Registry(
    "engine",
    {
        "local": "vle_bench.data_prep.engines.local:LocalEngine",
        "ray": "vle_bench.data_prep.engines.ray:RayEngine",
    },
    group="vle_bench.engines",
)
