"""Bars over bytes: on a terminal, for large files, gone at the end."""

from __future__ import annotations

import hashlib
import sys
import threading
import time

import pytest

from vle_bench.bars import LEAST_BYTES, ByteBar, sha256_watched

LONGER_THAN_A_DRAWING = 0.12


@pytest.fixture
def look(monkeypatch):
    """Makes stderr a terminal, once the test has begun."""
    return lambda: monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


def test_a_bar_tells_what_is_read_and_how_fast(look, capsys):
    look()
    threads = threading.active_count()
    bar = ByteBar(2 * LEAST_BYTES, "reading objects.json")
    bar.reach(1)
    time.sleep(LONGER_THAN_A_DRAWING)
    bar.reach(LEAST_BYTES)
    assert threading.active_count() == threads
    bar.close()
    shown = capsys.readouterr().err
    assert "reading objects.json:  50%" in shown
    assert "8.39M/16.8M" in shown
    assert "B/s]" in shown


def test_a_bar_follows_a_reader_who_goes_back_and_never_passes_the_end(look, capsys):
    look()
    bar = ByteBar(LEAST_BYTES, "x")
    for at in (LEAST_BYTES // 2, LEAST_BYTES // 4):
        bar.reach(at)
        time.sleep(LONGER_THAN_A_DRAWING)
    bar.reach(LEAST_BYTES // 2)
    bar.reach(LEAST_BYTES + 4096)
    first = capsys.readouterr().err
    assert "x:  25%" in first
    assert "x: 100%" in first
    assert first.endswith("\r")
    bar.reach(LEAST_BYTES // 10)
    bar.close()
    assert "x:   0%" in capsys.readouterr().err


def test_what_is_read_in_a_moment_has_no_bar(look, capsys):
    look()
    ByteBar(LEAST_BYTES - 1, "x").reach(10)
    assert capsys.readouterr().err == ""


def test_nobody_looks_at_a_file(capsys):
    bar = ByteBar(LEAST_BYTES, "x")
    bar.reach(10)
    bar.close()
    assert capsys.readouterr().err == ""


def test_a_digest_is_watched_and_that_of_the_whole_file(look, capsys, tmp_path):
    path = tmp_path / "data.mdb"
    path.write_bytes(bytes(range(256)) * (LEAST_BYTES // 256) + b"end")
    look()
    assert sha256_watched(path, "hashing") == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "hashing:" in capsys.readouterr().err
