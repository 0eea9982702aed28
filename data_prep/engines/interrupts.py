"""Ctrl-C while processes start and end: it counts once, and never tears a lock.

A terminal sends the signal to every process of its group, and `timeout` and
impatient people send it twice. Engines keep both away from their workers.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any] | int | None
"""What `signal.getsignal` returns."""


def interrupt_once() -> Handler:
    """From now on only the first Ctrl-C counts; returns what handled it before.

    The second would tear the locks that the first is just giving back.
    """
    if threading.current_thread() is not threading.main_thread():
        return None

    def once(number: int, frame: FrameType | None) -> None:
        del number, frame
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        return None  # somebody else's own way with Ctrl-C stays
    signal.signal(signal.SIGINT, once)
    return before


def restore(before: Handler) -> None:
    """Ends what `interrupt_once` began."""
    if before is not None:
        signal.signal(signal.SIGINT, before)


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Ctrl-C reaches every process of the terminal; a worker that starts must not be torn by it.

    The mask is inherited by processes started meanwhile. The parent gets the signal afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
