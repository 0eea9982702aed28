"""Ranked lists in Chinese-CLIP's form: ten candidates for each query, best first.

The keys show the direction: {"text_id", "image_ids"} is t2i, {"image_id",
"text_ids"} is i2t. One file may hold both. Chinese-CLIP's own program ignores
queries it does not know and lets the last duplicate win; here both stop the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vle_bench.canonical import json_bytes
from vle_bench.errors import DataProblem, Problems
from vle_bench.eval.matching import Matching, named
from vle_bench.eval.requests import MissingRule
from vle_bench.eval.retrieval.features import FOREIGN_ADVICE
from vle_bench.eval.retrieval.gold import DIRECTIONS, NONE, Direction, Gold, Ints
from vle_bench.eval.retrieval.outcome import Outcome, outcome_of_lists
from vle_bench.eval.retrieval.ranking import DEPTH
from vle_bench.identity import id_text
from vle_bench.inputs import open_source, read_rows

LIST_KEYS: Mapping[Direction, tuple[str, str]] = {
    "i2t": ("image_id", "text_ids"),
    "t2i": ("text_id", "image_ids"),
}
"""How a list names who asks and what it found."""
_EXPECTED = 'ranked lists: {"text_id", "image_ids": [10]} or {"image_id", "text_ids": [10]} a line'


class ReadLists(NamedTuple):
    """One outcome for each direction that was found, and the digests of the files by role."""

    outcomes: tuple[Outcome, ...]
    inputs: dict[str, str]


class _ForeignIdsError(ValueError):
    """A list names what the references do not hold."""


class _List(NamedTuple):
    """One row: where it stands, who asks, and the candidates."""

    place: str
    query: str
    candidates: tuple[str, ...]


def read_lists(
    names: Sequence[str],
    gold: Gold,
    *,
    missing: MissingRule,
    galleries: Mapping[Direction, Ints] | None = None,
) -> ReadLists:
    """Reads ranked lists of one or both directions.

    Args:
        names: The files.
        gold: The references.
        missing: `error`, or `zero` to let queries without list pass (they miss).
        galleries: How many candidates each query has, where that is not the whole gallery.

    Raises:
        DataProblem: Broken rows, lists that are not ten different known ids, queries that are
            missing, foreign or twice there.
    """
    lists: dict[Direction, dict[str, list[_List]]] = {}
    inputs: dict[str, str] = {}
    for at, name in enumerate(names, 1):
        source = open_source(Path(name), "ranked lists")
        inputs["predictions" if len(names) == 1 else f"predictions[{at}]"] = source.sha256
        problems = Problems()
        for place, values in read_rows(source, _EXPECTED):
            try:
                direction, row = _row(place, values)
                lists.setdefault(direction, {}).setdefault(str(source.path), []).append(row)
            except ValueError as error:
                problems.add(f"{place}: {error}")
        problems.raise_if_any(advice=f"Expected {_EXPECTED}.")
    outcomes = tuple(
        _outcome(lists[direction], gold, direction, missing, _depths(gold, direction, galleries))
        for direction in DIRECTIONS
        if direction in lists
    )
    if not outcomes:
        raise DataProblem(f"{named(names)}: no ranked list in it. Expected {_EXPECTED}.")
    return ReadLists(outcomes, inputs)


def list_lines(outcomes: Sequence[Outcome], gold: Gold) -> bytes:
    """The normal form: one list a line, directions one after the other, absent queries left out."""
    lines: list[bytes] = []
    for outcome in outcomes:
        queries, gallery = gold.ids(outcome.direction)
        query_key, list_key = LIST_KEYS[outcome.direction]
        for at in np.flatnonzero(outcome.present).tolist():
            found = [gallery[one] for one in outcome.top[at].tolist() if one != NONE]
            lines.append(json_bytes({query_key: queries[at], list_key: found}) + b"\n")
    return b"".join(lines)


def _row(place: str, values: Mapping[str, Any]) -> tuple[Direction, _List]:
    fitting = [name for name in DIRECTIONS if all(key in values for key in LIST_KEYS[name])]
    if len(fitting) != 1:
        raise ValueError(f"the keys {named(values) or '(none)'} show no direction")
    query_key, list_key = LIST_KEYS[fitting[0]]
    candidates = values[list_key]
    if not isinstance(candidates, list):
        raise ValueError(f"{list_key} is {candidates!r}, a list was expected")  # noqa: TRY004  # caught with the place
    ids = tuple(id_text(candidate) for candidate in candidates)
    return fitting[0], _List(place, id_text(values[query_key]), ids)


def _outcome(
    files: Mapping[str, Sequence[_List]],
    gold: Gold,
    direction: Direction,
    missing: MissingRule,
    depths: Mapping[str, int],
) -> Outcome:
    queries, gallery = gold.ids(direction)
    query_key, list_key = LIST_KEYS[direction]
    place_of = {name: at for at, name in enumerate(gallery)}
    top = np.full((len(queries), DEPTH), NONE, dtype=np.int64)
    matching = Matching(queries, what=query_key, file=" and ".join(files))
    problems = Problems()
    advice = f"Expected {_EXPECTED}."
    silent = set(gold.image_ids[gold.captioned :]) if direction == "i2t" else set()
    for rows in files.values():
        for row in rows:
            if row.query in silent:
                continue  # named by --image-ids: part of the gallery, but nothing to score
            try:
                found = _positions(row.candidates, place_of, list_key, depths.get(row.query, DEPTH))
            except ValueError as error:
                problems.add(f"{row.place}: {error}")
                if isinstance(error, _ForeignIdsError):
                    advice = FOREIGN_ADVICE[list_key.removesuffix("s")]
                continue
            at = matching.place(row.query, row.place)
            if at is not None:
                top[at, : len(found)] = found
    problems.raise_if_any(advice=advice)
    matching.check(missing=missing)
    return outcome_of_lists(top, gold, direction, present=top[:, 0] != NONE)


def _depths(
    gold: Gold, direction: Direction, galleries: Mapping[Direction, Ints] | None
) -> dict[str, int]:
    """How long the list of each query must be."""
    queries, gallery = gold.ids(direction)
    if galleries is None:
        return dict.fromkeys(queries, min(DEPTH, len(gallery)))
    sizes = np.minimum(galleries[direction], DEPTH).tolist()
    return dict(zip(queries, sizes, strict=True))


def _positions(
    candidates: Sequence[str], place_of: Mapping[str, int], key: str, depth: int
) -> Ints:
    if len(candidates) != depth or len(set(candidates)) != depth:
        raise ValueError(
            f"{key} holds {len(candidates)} ids, {len(set(candidates))} of them different; "
            f"exactly {depth} different ones were expected"
        )
    foreign = [name for name in candidates if name not in place_of]
    if foreign:
        raise _ForeignIdsError(f"{key} holds ids that the references do not: {named(foreign)}")
    return np.array([place_of[name] for name in candidates], dtype=np.int64)
