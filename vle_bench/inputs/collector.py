"""Reading a big file without the garbage collector looking over one's shoulder.

A parse makes millions of objects and none of them is garbage, yet the collector
walks over all of them again and again: half of the time of a big parse. It is
stopped for the parse alone and started again in any case.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collector() -> Iterator[None]:
    """Stops the cyclic garbage collector inside the block; nested blocks are fine.

    >>> with no_collector():
    ...     gc.isenabled()
    False
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
