"""Ids already met, in little memory: as from a Python set."""

from __future__ import annotations

import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.data_prep.id_set import IdSet, NumberedTexts

NUMBERS = st.integers(-5, 30) | st.integers(0, 200_000) | st.integers(-(2**70), 2**70)
TEXTS = st.sampled_from(["07", "-0", "+7", "\u0667", "x", ""])
BATCHES = st.lists(st.lists(NUMBERS | NUMBERS.map(str) | TEXTS, max_size=30), max_size=6)


@settings(max_examples=150, deadline=None)
@given(BATCHES)
def test_it_says_what_a_set_of_texts_says(batches):
    ids, known = IdSet(), set()
    for batch in batches:
        assert ids.has(batch) == [str(one) in known for one in batch]
        new = []
        for one in map(str, batch):
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


NUMBERED = st.builds(
    "{}{}".format,
    st.sampled_from(["", "train-", "val-0", "\u0663"]),
    st.integers(0, 40) | st.integers(0, 10**10) | st.sampled_from(["", "007", "\u0664"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(NUMBERED, max_size=60))
def test_texts_with_numbers_are_told_apart_as_by_a_set(texts):
    met, known = NumberedTexts(), set()
    for text in texts:
        assert met.add(text) == (text not in known)
        known.add(text)


def test_numbered_texts_take_a_bit_each_and_never_more_than_a_set():
    met = NumberedTexts()
    assert all(met.add(f"train-{number}") for number in range(400_000))
    assert not met.add("train-399999")
    assert sys.getsizeof(met._bits["train-"]) < 60_000
    assert not met._others
    strange = NumberedTexts()
    assert all(strange.add(f"{number}-999999999") for number in range(1000))
    assert len(strange._others) == 1000
