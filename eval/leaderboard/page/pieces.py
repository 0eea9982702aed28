"""What lies beside the page: each piece is a script of one call, loaded when it is looked at.

A page opened from a disk may not fetch, but it may load scripts; so a piece is
`vlePiece("set0-3", {...});`. Items lie in pieces of 2,000 as columns; the codes
of all of them are one line of text in the run's first piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from vle_bench.eval.facts.item import Facts
from vle_bench.eval.facts.read import facts_of
from vle_bench.eval.leaderboard.page.item_sets import ItemSet, Run, packed
from vle_bench.eval.leaderboard.page.picks import (
    Picks,
    chosen,
    most_different,
    picks_of,
    tickets,
)
from vle_bench.eval.leaderboard.page.pictures import place_of, thumbnails
from vle_bench.eval.leaderboard.page.tables import run_facts
from vle_bench.eval.leaderboard.page.why import why
from vle_bench.pages.markup import safe_json
from vle_bench.results import ResultDocument

ITEMS_A_PIECE = 2_000
PICTURES_A_PIECE = 48
PICKS = 48
"""How many of the worst, of the best and of the sample are laid out with their pictures."""

Piece = tuple[str, Any]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How single items are shown.

    Attributes:
        data: Root of the shards that pictures come from; None for each result's own.
        seed: Of the sample, and of the choice among equals.
        most_items: How many items the page holds at all; None for all of them.
    """

    data: Path | None = None
    seed: int = 0
    most_items: int | None = None


def script_of(piece: Piece) -> bytes:
    """The piece as a script."""
    name, value = piece
    return b"vlePiece(" + safe_json(name) + b"," + safe_json(value) + b");\n"


def run_pieces(documents: Sequence[ResultDocument]) -> Iterator[Piece]:
    """Notes and breakdowns of each run, items or not."""
    for number, document in enumerate(documents):
        yield f"run{number}", run_facts(document)


def set_pieces(number: int, items: ItemSet, options: Options) -> Iterator[Piece]:
    """Everything of one set; the first piece tells what the others are.

    Args:
        number: Of the set.
        items: Its runs.
        options: How to show them.
    """
    first = items.first
    drawn = tickets(first.columns["id"], first.columns["group"], options.seed)
    picks = [picks_of(run, drawn, PICKS) for run in items.runs]
    places = list(range(len(first)))
    if options.most_items is not None and options.most_items < len(first):
        places = chosen(items, drawn, picks=picks, budget=options.most_items)
    facts = facts_of(first.document)
    shown_picks = [_among(pick, places) for pick in picks]
    pictures = _pictures(items, picks, options, frozenset(places))
    yield (
        f"set{number}",
        _head(items, places, facts, pictures) | {"picks": [pick._asdict() for pick in shown_picks]},
    )
    for at, shown in enumerate(pictures):
        yield f"set{number}-p{at}", shown
    for at in range(0, len(places), ITEMS_A_PIECE):
        part = places[at : at + ITEMS_A_PIECE]
        name = f"set{number}-{at // ITEMS_A_PIECE}"
        yield name, _shared(first, facts, part)
        for place, run in enumerate(items.runs):
            yield f"{name}-{place}", _given(run, facts, part)


def _head(
    items: ItemSet, places: Sequence[int], facts: Facts, pictures: Sequence[Sequence[Sequence[str]]]
) -> dict[str, Any]:
    groups = sorted(set(items.first.columns["group"]), key=str)
    number = {group: code for code, group in enumerate(groups)}
    codes = np.array([number[items.first.columns["group"][place]] for place in places], np.int64)
    return {
        "count": len(places),
        "total": len(items.first),
        "task": items.first.document.task,
        "note": facts.note,
        "groups": groups,
        "group": packed(codes, len(groups)),
        "pictures": [[name for name, _ in part] for part in pictures],
        "runs": [
            {
                "run": run.number,
                "values": list(run.values),
                "codes": packed(run.codes[list(places)], len(run.values)),
                "rank": run.by_rank,
            }
            for run in items.runs
        ],
    }


def _shared(run: Run, facts: Facts, places: Sequence[int]) -> dict[str, Any]:
    """Columns that all runs of a set share."""
    columns = run.columns
    names = [columns["id"][place] for place in places]
    keys = [(columns["id"][place], columns["group"][place]) for place in places]
    asked = columns.get("question", columns.get("text"))
    questions = (
        [facts.question(*key) for key in keys]
        if asked is None
        else [asked[place] or "" for place in places]
    )
    marks = [facts.marks(*key) for key in keys]
    return {
        "id": names,
        "image": [columns["image_id"][place] for place in places],
        "question": questions if any(questions) else [],
        "gold": [facts.gold(*key) for key in keys] if type(facts) is not Facts else [],
        "marks": marks if any(marks) else [],
    }


def _given(run: Run, facts: Facts, places: Sequence[int]) -> dict[str, Any]:
    """Columns of one run; a reason is told once a piece, however often it holds."""
    told = [why(run, place) for place in places]
    reasons = list(dict.fromkeys(told))
    number = {reason: code for code, reason in enumerate(reasons)}
    predictions = [run.columns["prediction"][place] for place in places]
    groups = [run.columns["group"][place] for place in places]
    words = [
        facts.words(text or "", group) for text, group in zip(predictions, groups, strict=True)
    ]
    named = zip((run.columns["id"][place] for place in places), predictions, strict=True)
    spots = [facts.spot(name, text or "") for name, text in named]
    return {
        "spots": spots if any(spots) else [],
        "prediction": predictions,
        "words": words if any(words) else [],
        "reasons": reasons,
        "why": [number[reason] for reason in told],
    }


def _among(picks: Picks, places: Sequence[int]) -> Picks:
    """The picks as places among the items that the page holds."""
    if len(places) == (places[-1] + 1 if places else 0):
        return picks
    at: Mapping[int, int] = {place: number for number, place in enumerate(places)}
    return Picks(*([at[place] for place in pick if place in at] for pick in picks))


def _pictures(
    items: ItemSet, picks: Sequence[Picks], options: Options, there: frozenset[int]
) -> list[list[list[str]]]:
    """Id and data URI of the pictures of all picks and of what differs most, in parts."""
    document = items.first.document
    data = options.data or Path(str(document.request.get("data") or "."))
    place = place_of(document, data)
    if place is None:
        return []
    wanted = [at for pick in picks for kind in pick for at in kind]
    for other in items.runs[1:]:
        wanted += most_different(items.first, other, PICKS)
    images = items.first.columns["image_id"]
    names = list(dict.fromkeys(images[at] for at in wanted if at in there))
    found = [list(pair) for pair in thumbnails(place, names)]
    return [found[at : at + PICTURES_A_PIECE] for at in range(0, len(found), PICTURES_A_PIECE)]
