"""Predictions meet references: which ids are missing, twice there, or nobody's.

The official loaders forgive: the last duplicate wins, ids they do not know are
dropped. Both have hidden broken runs, so each kind is a sentence of its own
here, naming up to ten ids, and stops the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from vle_bench.errors import MOST_PROBLEMS, DataProblem

_LONGEST = 80
"""Characters of an id that a message shows."""


def named(ids: Iterable[str], *, most: int = MOST_PROBLEMS) -> str:
    """Up to ten ids as text, and how many more there are; one with a line break stays in its line.

    >>> named(["a", "b", "c"], most=2)
    'a, b, ... and 1 more'
    """
    rest = iter(ids)
    shown = [one if one.isprintable() else repr(one) for one in islice(rest, most)]
    more = sum(1 for _ in rest)
    return ", ".join(shown) + (f", ... and {more:,} more" if more else "")


class Matching:
    """Where each prediction row belongs among the references.

    Args:
        ids: The ids of the references, in order, all different.
        what: What an id is called in the file: `annot_id`.
        file: The predictions file, for messages.
        advice: What to do about foreign ids.
    """

    def __init__(
        self,
        ids: Sequence[str],
        *,
        what: str,
        file: str,
        advice: str = "Predict for the references given, and nothing else.",
    ) -> None:
        self._index: Mapping[str, int] = {name: at for at, name in enumerate(ids)}
        self._ids = ids
        self._what = what
        self._file = file
        self._advice = advice
        self._first: dict[int, str] = {}
        self._twice: list[str] = []
        self._foreign: list[str] = []
        self._alike: tuple[str, str] | None = None

    def place(self, name: str, place: str) -> int | None:
        """The reference's position; None (and a note) for a duplicate or a foreign id.

        Args:
            name: The id of a prediction.
            place: Where it stands, as the reader says it ("p.csv:7").
        """
        at = self._index.get(name)
        if at is None:
            self._foreign.append(f"{_clipped(name)} ({self._short(place)})")
            self._alike = self._alike or self._alike_to(name)
            return None
        if at in self._first:
            places = f"{self._short(self._first[at])} and {self._short(place)}"
            self._twice.append(f"{_clipped(name)} ({places})")
            return None
        self._first[at] = place
        return at

    @property
    def missing(self) -> list[str]:
        """Ids of references that no prediction named."""
        return [name for at, name in enumerate(self._ids) if at not in self._first]

    def check(self, *, missing: str) -> None:
        """Stops the run over what does not match.

        Args:
            missing: `error` stops over missing predictions as well, `zero` lets them pass, `whole`
                stops where no option could let them pass.

        Raises:
            DataProblem: Duplicates, foreign ids, or missing ones; up to ten ids of each kind.
        """
        lines = list(self._sentences(missing=missing))
        if lines:
            raise DataProblem("\n".join(lines))

    def _sentences(self, *, missing: str) -> Iterator[str]:
        what, file = self._what, self._file
        if self._twice:
            yield (
                f"{file}: {len(self._twice):,} {what} more than once: {named(self._twice)}. "
                "Keep one prediction each."
            )
        if self._foreign:
            yield (
                f"{file}: {len(self._foreign):,} {what} not among the references: "
                f"{named(self._foreign)}. {self._advice}"
            )
            if self._alike:
                given, meant = self._alike
                yield (
                    f"{file}: ids are compared as they are written: {given!r} is not {meant!r}. "
                    "Write them as whole numbers or as the references have them."
                )
        absent = [] if missing == "zero" else self.missing
        if absent:
            names = named(map(_clipped, absent))
            how, advice = (
                ("absent", "Each must be there.")
                if missing == "whole"
                else (
                    "without prediction",
                    "Predict them, or count them as wrong with --missing zero.",
                )
            )
            yield f"{file}: {len(absent):,} of {len(self._ids):,} {what} {how}: {names}. {advice}"

    def _alike_to(self, name: str) -> tuple[str, str] | None:
        """A foreign id and the reference that it seems to mean: a spreadsheet's 42.0 or 0042."""
        plain = name.strip().removesuffix(".0")
        for meant in (plain, plain.lstrip("0")):
            if meant in self._index and len(name) <= _LONGEST:
                return name, meant
        return None

    def _short(self, place: str) -> str:
        """The place within the file, whose name the sentence has said already."""
        within = place.removeprefix(self._file).lstrip(": ")
        return f"line {within}" if within.isdigit() else within


def unique_ids(
    ids: Iterable[tuple[str, str]],
    *,
    what: str,
    file: str,
    advice: str = "References must have one row each.",
) -> None:
    """Refuses references that name an id twice.

    Args:
        ids: Place and id of each reference.
        what: What an id is called.
        file: The file, for the message.
        advice: What to do about it.

    Raises:
        DataProblem: Up to ten ids that stand twice, with both places.
    """
    first: dict[str, str] = {}
    twice: list[str] = []
    for place, name in ids:
        if name in first:
            twice.append(f"{_clipped(name)} ({first[name]} and {place})")
        first.setdefault(name, place)
    if twice:
        raise DataProblem(f"{file}: {len(twice):,} {what} more than once: {named(twice)}. {advice}")


def _clipped(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}..."
