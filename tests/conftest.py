"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings
from tracing import traced, untraced

# A busy machine is no failure, and a submission is judged on the same examples every time; at
# home, examples stay random and find what nobody thought of.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# A suite that a shell starts in the background begins with Ctrl-C ignored, and so would every
# program that it starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REFERENCE_VARIABLE = "VLE_BENCH_REFERENCE"

LONGEST_FIRST = (
    "tests/packaging/test_readme.py",
    "tests/data_prep/test_prep_ray.py",
    "tests/bench/test_bench_prep.py",
)
"""Files that take longest; one that began last would keep one process busy, and the other idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with the files that take longest."""

    def place(item: pytest.Item) -> int:
        file = item.nodeid.partition("::")[0]
        return LONGEST_FIRST.index(file) if file in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=place)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Coverage sees each example of a property run, but not hypothesis choose it."""
    tracer = sys.gettrace()
    handle = getattr(pyfuncitem.obj, "hypothesis", None)
    if tracer is None or handle is None:
        return (yield)
    plain = handle.inner_test
    handle.inner_test = traced(plain, tracer)
    try:
        with untraced():
            return (yield)
    finally:
        handle.inner_test = plain


def _reference_shelf() -> Path | None:
    named = os.environ.get(REFERENCE_VARIABLE, "")
    return Path(named).resolve() if named and Path(named).is_dir() else None


@pytest.fixture
def reference() -> Path:
    """The reference shelf of real files and recorded scores; skips where it is absent."""
    shelf = _reference_shelf()
    if shelf is None:
        pytest.skip(f"{REFERENCE_VARIABLE} names no reference shelf")
    return shelf


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many tests were skipped for want of the shelf, or of a browser."""
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if REFERENCE_VARIABLE in str(report.longrepr)
    ]
    shelf = _reference_shelf()
    if shelf is not None:
        terminalreporter.write_line(f"reference shelf: {REFERENCE_VARIABLE} is set, used")
    else:
        terminalreporter.write_line(
            f"reference shelf: {REFERENCE_VARIABLE} names none; {len(skipped)} tests skipped"
        )
    unseen = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if "no browser:" in str(report.longrepr)
    ]
    if unseen:
        terminalreporter.write_line(
            f"NO BROWSER: {len(unseen)} tests of pages skipped; install chromium, then "
            "make test-browser"
        )
