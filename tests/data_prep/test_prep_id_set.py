"""Ids already met, in little memory: as from a Python set."""

from __future__ import annotations

import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.data_prep.id_set import IdSet

NUMBERS = st.integers(-5, 30) | st.integers(0, 200_000) | st.integers(-(2**70), 2**70)
BATCHES = st.lists(st.lists(NUMBERS | st.sampled_from(["7", "x", ""]), max_size=30), max_size=6)


@settings(max_examples=150, deadline=None)
@given(BATCHES)
def test_it_says_what_a_set_says(batches):
    ids, known = IdSet(), set()
    for batch in batches:
        assert ids.has(batch) == [one in known for one in batch]
        new = []
        for one in batch:
            new.append(one not in known)
            known.add(one)
        assert ids.add(batch) == new
        assert ids.has(batch) == [True] * len(batch)


def test_a_page_that_fills_becomes_a_bitmap_and_forgets_nothing():
    ids = IdSet()
    for start in range(0, 140_000, 1000):
        assert all(ids.add(range(start, start + 2000, 2)) if start % 2000 == 0 else [True])
    assert ids.has(range(140_000)) == [number % 2 == 0 for number in range(140_000)]
    assert not any(ids.add(range(0, 140_000, 2)))


def test_a_million_ids_that_stand_close_take_a_quarter_of_a_megabyte():
    ids = IdSet()
    for start in range(10**12, 10**12 + 10**6, 10_000):
        ids.add(range(start, start + 10_000))
    assert sum(map(sys.getsizeof, ids._pages.values())) < 250_000
