"""Work that goes on in a thread while something else is done.

Digests of big files let other threads run, so beside a parse they cost nothing
where there are two cores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from vle_bench.errors import VleBenchError


@contextmanager
def aside(work: Callable[[], object]) -> Iterator[None]:
    """Does `work` while the block runs, and waits for its end.

    Args:
        work: Keeps its own result. What it meets on the disk or in the data is not raised here:
            it meets that again, and is heard, when it is asked for the result.

    >>> found = []
    >>> with aside(lambda: found.append(1)):
    ...     pass
    >>> found
    [1]
    """

    def run() -> None:
        with suppress(OSError, VleBenchError):
            work()

    thread = Thread(target=run, name="aside")
    thread.start()
    try:
        yield
    finally:
        thread.join()
