"""Ctrl-C while processes start and end: it counts once, and never tears a lock.

A terminal sends the signal to every process of its group, and `timeout` and
impatient people send it twice. Engines keep both away from their workers. What
else the command line treats as Ctrl-C (`vle_bench.console`: the SIGTERM of a
scheduler, a terminal that closes) is kept as one with it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any] | int | None
"""What `signal.getsignal` returns."""

Handlers = Mapping[int, Handler]
"""What handled each signal."""

_OTHERS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
_INTERRUPTS = [signal.SIGINT, *_OTHERS]
_came = False


def interrupt_once() -> Handlers:
    """From now on only the first Ctrl-C counts; returns what handled it before.

    The second would tear the locks that the first is just giving back.
    """
    global _came  # noqa: PLW0603  # signals are the whole process's
    if threading.current_thread() is not threading.main_thread():
        return {}
    _came = False
    # Somebody else's own way with a signal stays.
    ours = [one for one in _INTERRUPTS if signal.getsignal(one) is signal.default_int_handler]

    def once(number: int, frame: FrameType | None) -> None:
        global _came  # noqa: PLW0603
        del number, frame
        _came = True
        for one in ours:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    return {one: signal.signal(one, once) for one in ours}


def interrupted() -> bool:
    """Whether the one that counts came, since `interrupt_once`.

    Python swallows an exception that a signal raises within a finaliser or a callback of C code;
    whoever works for long asks here too.
    """
    return _came


def restore(before: Handlers) -> None:
    """Ends what `interrupt_once` began."""
    for number, handler in before.items():
        signal.signal(number, handler)


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Ctrl-C reaches every process of the terminal; a worker that starts must not be torn by it.

    The mask is inherited by processes started meanwhile. The parent gets the signal afterwards.
    The other signals are what workers are ended by, so no mask is made for them: they are noted.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    noted: list[int] = []
    handled = {one: _note_instead(one, noted) for one in _OTHERS if _is_handled(one)}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        restore(handled)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number in noted[:1]:
            signal.raise_signal(number)


def _is_handled(number: int) -> bool:
    """Whether a signal raises something here, rather than end the process or do nothing."""
    here = threading.current_thread() is threading.main_thread()
    return here and callable(signal.getsignal(number))


def _note_instead(number: int, noted: list[int]) -> Handler:
    return signal.signal(number, lambda number, _: noted.append(number))
