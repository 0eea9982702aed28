"""What a number of items can tell: standard errors, and the least difference they would show.

The variance of scores between 0 and 1 is at most that of right and wrong answers
with the same mean, so what follows from n and the score alone errs on the
careful side; that items of one picture go together errs on the other.
"""

from __future__ import annotations

import math
from statistics import NormalDist

LEVEL = 0.05
POWER = 0.8
_REACH = NormalDist().inv_cdf(1 - LEVEL / 2) + NormalDist().inv_cdf(POWER)


def standard_error(share: float, n: int) -> float:
    """Standard error of a share among `n` independent items; 0 where all or none are right.

    >>> standard_error(0.5, 100)
    0.05
    """
    if n < 1 or not 0 <= share <= 1:
        raise ValueError(f"{share} of {n} items is no share")
    return math.sqrt(share * (1 - share) / n)


def detectable(error: float) -> float:
    """The difference that is found with 80 % power at the 5 % level, two-sided.

    Args:
        error: Standard error of the difference, in any unit; the answer has the same.

    >>> round(detectable(standard_error(0.7, 214_354)), 5)
    0.00277
    """
    return _REACH * error


def two_sided(difference: float, error: float) -> float:
    """Two-sided p of a difference under the normal law.

    >>> round(two_sided(1.959964, 1.0), 6), two_sided(0.0, 0.0)
    (0.05, 1.0)
    """
    if difference == 0:
        return 1.0
    if error <= 0:
        raise ValueError("a difference without any error has no p")
    least = 5e-324
    return max(math.erfc(abs(difference) / error / math.sqrt(2)), least)
