"""Every doctest of the package, run on the installed modules."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import vle_bench


def module_names() -> list[str]:
    found = pkgutil.walk_packages(vle_bench.__path__, "vle_bench.")
    rooms = [
        name
        for room in ("vle_bench.eval", "vle_bench.data_prep")
        for name in _below(importlib.import_module(room))
    ]
    return sorted({module.name for module in found} | set(rooms))


def _below(package) -> list[str]:
    return [
        module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]


@pytest.mark.parametrize("name", module_names())
def test_examples_in_docstrings_hold(name: str):
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0


def test_doctests_are_found_in_all_rooms():
    names = module_names()
    for room in ("vle_bench.eval.", "vle_bench.data_prep.", "vle_bench.catalog."):
        assert any(name.startswith(room) for name in names)
