"""Locks of open files: who holds one, who shares one, and what happens where there are none."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from vle_bench.file_lock import locked

pytest.importorskip("fcntl")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_a_lock_has_one_holder_and_goes_with_its_file(path: Path):
    with path.open("ab") as one, path.open("ab") as other:
        assert locked(one)
        assert not locked(other)
        assert not locked(other, shared=True)
        one.close()
        assert locked(other)


def test_a_shared_lock_has_many_holders_and_none_of_its_own(path: Path):
    with path.open("ab") as one, path.open("ab") as other, path.open("ab") as third:
        assert locked(one, shared=True)
        assert locked(other, shared=True, wait=True)
        assert not locked(third)


def test_a_folder_is_locked_by_its_handle(tmp_path: Path):
    one, other = (os.open(tmp_path, os.O_RDONLY) for _ in range(2))
    try:
        assert locked(one)
        assert not locked(other)
    finally:
        os.close(one)
        os.close(other)


def test_where_the_system_has_no_such_locks_everybody_holds_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with path.open("ab") as one, path.open("ab") as other:
        assert locked(one)
        assert locked(other)
