"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A busy machine is no failure, and a submission is judged on the same examples every time; at
# home, examples stay random and find what nobody thought of.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

REFERENCE_VARIABLE = "VLE_BENCH_REFERENCE"


TOGETHER = ("test_prep_ray.py",)
"""Files whose tests share something that takes long to start."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Parallel processes take test by test, but the tests of some files together.

    xdist's own `--dist loadgroup` does nothing under pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if file.endswith(TOGETHER) else nodeid

    return Together(config, log)


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
