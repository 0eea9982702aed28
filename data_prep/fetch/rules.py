"""How we behave towards other people's servers, in one record.

Every limit has a default that a site's owner could be told without blushing;
docs/design/012-fetch.md says why each is what it is.
"""

from __future__ import annotations

import random
from importlib.metadata import PackageNotFoundError, metadata

import msgspec

from vle_bench.errors import MachineProblem

DISTRIBUTION = "vle-bench"


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one call of `vle-prep fetch`; seconds and bytes."""

    concurrency: int = 64
    """Requests under way, over all hosts."""
    per_host: int = 4
    """Requests under way at one host."""
    delay: float = 0.05
    """From the start of a request to the next one at the same host."""
    attempts: int = 3
    """How often a transient failure is tried in one call."""
    first_wait: float = 1.0
    """Bound of the wait before the second attempt; it doubles from attempt to attempt."""
    longest_wait: float = 60.0
    longest_retry_after: float = 120.0
    """A host that asks for more patience is left until the next call."""
    connect_seconds: float = 10.0
    """For the name, the connection and its encryption, each."""
    silence_seconds: float = 20.0
    """Without a byte."""
    picture_seconds: float = 60.0
    """For all of one picture, however it trickles."""
    least_rate: float = 1024.0
    """Bytes a second that an archive must bring over a span of `rate_seconds`."""
    rate_seconds: float = 60.0
    most_hops: int = 5
    """Redirects in a row."""
    most_picture_bytes: int = 50 << 20
    most_pixels: int = 89_478_485
    """Above it Pillow warns of a decompression bomb."""
    least_side: int = 32
    """Pixels; what is smaller is a counter or a placeholder."""
    allow_private: bool = False
    ignore_opt_out: bool = False
    seed: int = 0

    def wait_before(self, attempt: int, key: str) -> float:
        """Seconds to wait before an attempt, from the second one on (attempt 1).

        Anything from nothing to a bound that doubles (full jitter), drawn from the seed, the key
        and the attempt alone, so that the order of arrivals plays no part.

        >>> rules = Rules(first_wait=2.0, longest_wait=5.0)
        >>> rules.wait_before(1, "a") == rules.wait_before(1, "a") <= 2.0
        True
        >>> all(rules.wait_before(9, str(n)) <= 5.0 for n in range(99))
        True
        """
        bound = min(self.longest_wait, self.first_wait * 2.0 ** (min(attempt, 32) - 1))
        return random.Random(f"{self.seed}:{key}:{attempt}").uniform(0.0, bound)


def user_agent() -> str:
    """Our name and version, and the project's page where the package names one.

    >>> user_agent().startswith("vle-bench/")
    True
    """
    try:
        told = metadata(DISTRIBUTION)
    except PackageNotFoundError:
        return f"{DISTRIBUTION}/unknown"
    pages = [line.partition(",")[2].strip() for line in told.get_all("Project-URL") or []]
    page = next((f" (+{page})" for page in pages if page), "")
    return f"{DISTRIBUTION}/{told['Version']}{page}"


def needs_httpx() -> None:
    """Says what to install where the extra is absent.

    Raises:
        MachineProblem: httpx or httpcore is not installed.
    """
    try:
        import httpcore
        import httpx
    except ImportError as error:
        raise MachineProblem(
            f"vle-prep fetch needs {error.name}, which is not installed: "
            f"pip install '{DISTRIBUTION}[fetch]'"
        ) from error
    del httpcore, httpx
