"""Work on tiles in threads, each with a BLAS of one thread.

A matrix product over a tile is too small to be worth sharing, and threads that
each call a BLAS with threads of its own get in each other's way. Nothing that
is computed here may depend on who does what: sums are of whole numbers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Job = TypeVar("Job")


def in_threads(jobs: Sequence[Job], work: Callable[[Job], None], *, threads: int = 0) -> None:
    """Calls `work` on every job; the first error of any thread is raised.

    Args:
        jobs: What to do; they may be done in any order.
        work: Does one; safe to be called by several threads.
        threads: How many; 0 for as many as there are cores for this process.
    """
    count = min(threads or _cores(), len(jobs))
    with _libraries().limit(limits=1, user_api="blas"):
        if count <= 1:
            for job in jobs:
                work(job)
            return
        with ThreadPoolExecutor(count) as pool:
            # Listing the results raises the first error; jobs not begun are dropped then.
            list(pool.map(work, jobs))


@cache
def _libraries() -> ThreadpoolController:
    """Those with threads of their own. To look for them takes milliseconds, a small tile less."""
    return ThreadpoolController()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
