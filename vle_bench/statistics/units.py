"""Fractions as whole numbers of a common part, so that sums of them are exact.

Item scores are thirds, tenths or halves, and a sum of such floats differs in its
last bits with the order of its terms: two sums that are equal on paper no longer
are, and a tie with the data is lost. Counted in the largest part that all values
are multiples of, every sum is a whole number. Values that have no such part (an
average precision) are counted in billionths, or in coarser parts where sums
would else be too large for a float to hold every whole number.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DECIMALS = 9
"""To so many decimals values are told apart."""

_MOST_PARTS = 10_000
"""Ten annotators or fewer give thirds of tenths, ninths and so on: at most 7,560ths together."""
_HALF_A_STEP = 0.5 * 10.0**-DECIMALS
_LAST_BITS = 8 * float(np.finfo(np.float64).eps)
"""What a few sums may have lost of a large value, relative to it."""
_LARGEST = float(1 << 53)
"""Up to here a float holds every whole number."""


def parts_of_one(values: npt.ArrayLike, *, largest: float) -> float:
    """How many parts one is cut into so that every value is a whole number of them.

    Args:
        values: Each distinct value once, or more often.
        largest: The largest sum, without signs, that will be made of them.

    >>> parts_of_one([1.0, 4.0], largest=5), parts_of_one([0.1 + 0.2, 1.0], largest=2)
    (1.0, 10.0)
    >>> parts_of_one([1 / 3, 0.5], largest=9), parts_of_one([0.1234567891], largest=9)
    (6.0, 1000000000.0)
    """
    given = np.asarray(values, dtype=np.float64).ravel()
    lost = _HALF_A_STEP + _LAST_BITS * np.abs(given)
    room = _LARGEST / max(largest, 1.0)
    candidates = np.arange(1, int(min(_MOST_PARTS, room)) + 1, dtype=np.float64)
    while len(candidates):
        parts = candidates[0]
        unfit = np.flatnonzero(_off(given * parts) > lost * parts)
        if not len(unfit):
            return float(parts)
        first = unfit[0]
        candidates = candidates[_off(given[first] * candidates) <= lost[first] * candidates]
    return float(10.0 ** min(DECIMALS, np.floor(np.log10(room))))


def _off(values: Floats) -> Floats:
    """How far each value is from a whole number."""
    return np.abs(values - np.rint(values))
