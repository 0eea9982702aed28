"""The part that values share, against fractions."""

from __future__ import annotations

from fractions import Fraction
from math import lcm

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.statistics.units import parts_of_one

FRACTIONS = st.fractions(min_value=0, max_value=30, max_denominator=30)


@given(st.lists(FRACTIONS, min_size=1, max_size=4))
def test_the_least_common_denominator_is_found(values: list[Fraction]) -> None:
    expected = lcm(*(value.denominator for value in values))
    found = parts_of_one([float(value) for value in values], largest=1000)
    if expected <= 10_000:
        assert found == expected
    else:
        assert found == 1e9 or found < expected


@given(st.lists(FRACTIONS, min_size=1, max_size=6), st.randoms())
def test_neither_order_nor_repeats_nor_signs_matter(values, random) -> None:
    given = [float(value) for value in values]
    turned = [-value for value in given + given[:1]]
    random.shuffle(turned)
    assert parts_of_one(turned, largest=9) == parts_of_one(given, largest=9)


def test_nothing_and_zeros_are_whole() -> None:
    assert parts_of_one([], largest=0) == 1
    assert parts_of_one([0.0, 0.0], largest=0) == 1


@pytest.mark.parametrize(
    ("value", "parts"), [(1 / 7560, 7560), (1 / 10_000, 1e4), (1 / 10_001, 1e9)]
)
def test_ten_thousandths_are_the_smallest_parts(value: float, parts: float) -> None:
    assert parts_of_one([value], largest=1) == parts


def test_nine_decimals_tell_values_apart() -> None:
    assert parts_of_one([0.333333333], largest=1) == 3
    assert parts_of_one([1 / 3 + 0.4e-9], largest=1) == 3
    assert parts_of_one([1 / 3 + 0.6e-9], largest=1) == 1e9


def test_last_bits_of_large_sums_do_not_count() -> None:
    value = np.nextafter(1e7 + 1 / 3, np.inf)
    assert abs(value - 1e7 - 1 / 3) > 0.5e-9
    assert parts_of_one([value], largest=1e8) == 3


@pytest.mark.parametrize(
    ("largest", "parts"),
    [(9e6, 1e9), (1e7, 1e8), (1e12, 1e3), (2.0**53, 1), (1e17, 0.01), (1e30, 1e-15)],
)
def test_parts_are_coarser_where_their_sums_would_not_be_exact(largest, parts) -> None:
    assert parts_of_one([np.pi], largest=largest) == pytest.approx(parts)
    assert parts_of_one([np.pi], largest=largest) * largest <= 2**53
