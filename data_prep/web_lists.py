"""Datasets whose pictures are addresses of the web, and their lists.

Whoever downloads the pictures needs the list alone, before any of it can be prepared.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

from vle_bench.data_prep.sources import RawTree
from vle_bench.data_prep.web_rows import Rows


class WebList(NamedTuple):
    """A list of addresses: its rows, each time anew and the same, and its digest."""

    rows: Rows
    sha256: str


@runtime_checkable
class WebListed(Protocol):
    """A dataset whose pictures are to be downloaded one by one."""

    def web_list(self, raw: RawTree, split: str) -> WebList | None:
        """The list of a split; None where RAW has none."""
