"""The addresses of a list, each once, and which of them are still to be asked.

An address is numbered by its first row, so its shard and its name there follow from
the list alone. Memory is a few dozen bytes an address; the texts are read from the
list again and again, in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vle_bench.data_prep import web_reasons as reasons
from vle_bench.data_prep.fetch.rules import Rules
from vle_bench.data_prep.fetch.shelf import ROWS_PER_SHARD, Listed, Shelf
from vle_bench.data_prep.fetch.table import Decision
from vle_bench.data_prep.web_keys import url_key
from vle_bench.data_prep.web_pictures import find_pictures
from vle_bench.data_prep.web_reasons import SUCCESS
from vle_bench.data_prep.web_rows import Rows, address_keys
from vle_bench.errors import DataProblem


class Addresses:
    """The addresses of one list.

    Args:
        rows: Walks through the list; called several times, the same rows each time.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        keys, first = np.unique(address_keys(rows()), return_index=True)
        order = np.argsort(first, kind="stable")
        self._first: npt.NDArray[np.int64] = first[order]
        self.keys = keys[order]

    def __len__(self) -> int:
        return len(self.keys)

    def listed(self) -> Iterator[Listed]:
        """Every address with its number, in order."""
        wanted = iter(self._first.tolist())
        number, row_wanted = 0, next(wanted, -1)
        for place, row in enumerate(self._rows()):
            if place == row_wanted:
                yield Listed(number, row.url)
                number, row_wanted = number + 1, next(wanted, -1)

    def shards(self) -> Iterator[tuple[int, list[Listed]]]:
        """The addresses by shard."""
        listed = self.listed()
        number = 0
        while rows := list(islice(listed, ROWS_PER_SHARD)):
            yield number, rows
            number += 1

    def open_ones(
        self, folder: Path, shelf: Shelf, rules: Rules
    ) -> tuple[npt.NDArray[np.bool_], int]:
        """For each address whether it is still to be asked; and how many pictures are there.

        Args:
            folder: The dataset's raw folder, where pictures of other tools may lie too.
            shelf: What earlier calls left.
            rules: Whether refusals by them hold still.

        Raises:
            DataProblem: What earlier calls left is of another list.
        """
        found = find_pictures([folder], self.keys, self.listed)
        there = found.there.copy()
        closed = there.copy()
        for shard in range(-(-len(self) // ROWS_PER_SHARD)):
            for number in shelf.loose(shard):
                there[number] = closed[number] = True
            for number, decision in shelf.decisions(shard).items():
                self._expect_listed(number, decision, shelf.folder)
                if not closed[number]:
                    closed[number] = _holds(decision, rules)
        return ~closed, int(there.sum())

    def _expect_listed(self, number: int, decision: Decision, folder: Path) -> None:
        """The folder's own word may be gone, or of another list than its shards."""
        if number >= len(self) or url_key(decision.url) != int(self.keys[number]):
            raise DataProblem(
                f"{folder}: address {number:,} was {decision.url} when its pictures were fetched, "
                f"and is another in the list now. Put the old list back, or move {folder} away."
            )


def _holds(decision: Decision, rules: Rules) -> bool:
    """Whether a failure is for good under these rules."""
    if decision.status in ("", SUCCESS) or not decision.final:
        return False  # a success whose picture is gone is asked again
    lifted = {
        reasons.OPTED_OUT: rules.ignore_opt_out,
        reasons.PRIVATE: rules.allow_private,
    }
    return not lifted.get(decision.error_message, False)
