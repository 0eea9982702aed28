"""Places of questions: a search of numbers finds what a dictionary of texts finds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vle_bench.eval.vqa.places import Places, plain_numbers

NUMBERS = st.integers(0, 10**20)
SMALL = st.integers(0, 120)
NAMES = st.one_of(
    SMALL.map(str),
    NUMBERS.map(str),
    SMALL.map("{:03d}".format),
    st.sampled_from(["x", "-1", "+7", "٣", "²", "1_0"]),
)
PLAIN = st.lists(SMALL, min_size=1, max_size=30, unique=True).map(lambda ids: [*map(str, ids)])
ASKED = st.lists(st.one_of(SMALL, NUMBERS, st.integers(-3, 3), NAMES), max_size=8)


def by_name(ids: list[str], asked: list[Any]) -> list[int] | None:
    """The same by the rule itself: ids are compared as texts."""
    found = [ids.index(str(one)) if str(one) in ids else None for one in asked]
    return None if None in found else [place for place in found if place is not None]


def searched(ids: list[str], asked: list[Any]) -> list[int] | None:
    try:
        return Places(ids).of(asked).tolist()
    except KeyError:
        return None


@given(
    st.lists(SMALL, min_size=1, max_size=30, unique=True).map(lambda ids: [*map(str, ids)]), ASKED
)
@example(["7"], ["07"])
@example(["7"], [7, "7", 7])
@example(["5"], [10**30])
@example(["5"], [-5])
@example(["5"], [])
def test_numbers_are_found_as_their_texts_are(ids: list[str], asked: list[Any]) -> None:
    assert searched(ids, asked) == by_name(ids, asked)


@given(st.lists(NAMES, max_size=12, unique=True), ASKED)
@example([], [])
@example([], ["1"])
def test_ids_of_any_kind_are_found_by_their_texts(ids: list[str], asked: list[Any]) -> None:
    assert searched(ids, asked) == by_name(ids, asked)


@given(st.lists(NUMBERS, min_size=1, max_size=20, unique=True), st.randoms())
def test_all_of_them_are_found_in_any_order(numbers: list[int], random: Any) -> None:
    ids = [*map(str, numbers)]
    shuffled = random.sample(numbers, len(numbers))
    assert Places(ids).of(shuffled).tolist() == [numbers.index(one) for one in shuffled]


@given(st.lists(st.integers(0, 10**18 - 1), min_size=1))
def test_plain_numbers_are_those_that_are_written_the_same_again(numbers: list[int]) -> None:
    found = plain_numbers([*map(str, numbers)])
    assert found is not None
    assert found.tolist() == numbers


@pytest.mark.parametrize(
    "odd", ["", "00", "01", "-1", "+1", " 1", "1_0", "٣", "²", "1e3", "9" * 19]
)
def test_what_is_written_otherwise_is_no_plain_number(odd: str) -> None:
    assert plain_numbers([odd]) is None
    assert plain_numbers(["12", odd, "3"]) is None
