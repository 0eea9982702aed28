"""Rows that wait on disk come back as from a list in memory, and in an order nobody can move."""

from __future__ import annotations

import errno
import gc
import resource
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.data_prep.books import Books, skipped_order
from vle_bench.data_prep.spool import NumberedRows, SortedRows
from vle_bench.errors import MachineProblem
from vle_bench.scratch import scratch_in
from vle_bench.shards.index import KINDS, SkippedRow


class Pair(NamedTuple):
    key: int
    text: str


PAIRS = st.builds(Pair, st.integers(-3, 3), st.text(max_size=5))


@settings(max_examples=150, deadline=None)
@given(st.lists(PAIRS, max_size=60), st.integers(0, 9), st.integers(1, 5))
def test_sorted_rows_are_those_of_a_stable_sort(pairs: list[Pair], most: int, block: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vle_bench.data_prep.spool._BLOCK_ROWS", block)
        rows = SortedRows(Pair, lambda pair: pair.key, most_rows=most)
        rows.extend(pairs)
        expected = sorted(pairs, key=lambda pair: pair.key)
        assert list(rows) == list(rows) == expected
        assert len(rows) == len(pairs)
        rows.add(Pair(0, "late"))
        expected = sorted([*pairs, Pair(0, "late")], key=lambda pair: pair.key)
        assert list(rows) == expected


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.integers(0, 40), st.lists(PAIRS, max_size=4)), st.randoms())
def test_numbered_rows_leave_in_the_order_of_shards(shards: dict[int, list[Pair]], random):
    rows = NumberedRows(Pair)
    for number in random.sample(sorted(shards), len(shards)):
        rows.add(number, shards[number])
    expected = [pair for number in sorted(shards) for pair in shards[number]]
    assert list(rows) == list(rows) == expected
    assert len(rows) == len(expected)


def test_books_count_reasons_and_sort_what_was_left_out():
    books = Books("val")
    for number in (10, 9, 10):
        books.read["box"] += 1
        books.skip("box", str(number), f"i{number}", "duplicate id")
    books.read["image"] += 1
    books.skip("image", "x", "x", "picture absent")
    assert [row.id for row in books.skipped] == ["x", "9", "10", "10"]
    assert list(books.skipped) == sorted(books.skipped, key=skipped_order)
    closed = books.closed(books.read - books.read)
    assert closed["box"].skipped == {"duplicate id": 3}
    assert {kind for kind in KINDS if closed[kind].skipped} == {"box", "image"}


def test_what_was_left_out_takes_no_memory(tmp_path: Path):
    def fill(count: int) -> None:
        books = Books("train")
        with scratch_in(tmp_path):
            for number in range(count, 0, -1):
                books.skip("image", str(number), str(number), "picture not downloaded")
        assert sum(1 for _ in books.skipped) == count

    fill(40_000)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fill(200_000)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (after - before) / 1024 < 12  # 200,000 rows as tuples take 60 MB
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_the_machine_s_refusal(tmp_path: Path, monkeypatch):
    class Full:
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    rows = SortedRows(SkippedRow, skipped_order, most_rows=1)
    rows.add(SkippedRow("val", "image", "1", "1", "picture absent"))
    with scratch_in(tmp_path), pytest.raises(MachineProblem, match="No space left"):
        rows.add(SkippedRow("val", "image", "2", "2", "picture absent"))
