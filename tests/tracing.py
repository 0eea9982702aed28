"""Coverage's tracer, taken off work that tells it nothing.

While it is on, Python itself runs half as fast, in files that are not measured too. Tests start it
again where code of ours is called.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Tracer = Callable[[FrameType, str, Any], Any]


@contextmanager
def untraced() -> Iterator[None]:
    """Until the end, lines of this thread do not count as run by a test."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)


@contextmanager
def untraced_threads() -> Iterator[None]:
    """Threads that begin before the end are not measured."""
    tracer = threading.gettrace()
    threading.settrace(None)  # type: ignore[arg-type]
    try:
        yield
    finally:
        threading.settrace(tracer)  # type: ignore[arg-type]


def traced(function: Callable[..., Any], tracer: Tracer) -> Callable[..., Any]:
    """The function, measured where its caller is not."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        before = sys.gettrace()
        sys.settrace(tracer)
        try:
            return function(*arguments, **named)
        finally:
            sys.settrace(before)

    return call
