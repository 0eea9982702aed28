"""Why an item scored as it did, in a sentence or two, from its row alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from vle_bench.eval.leaderboard.page.item_sets import Run
from vle_bench.eval.requests import DEFAULT_THRESHOLD


def why(run: Run, place: int) -> str:
    """How an item came to its value; "" where its columns do not say."""
    columns = run.columns
    if _at(columns, "missing", place) is True:
        return "No prediction: it scores 0 (--missing zero)."
    matches = _at(columns, "matches", place)
    if isinstance(matches, int):
        gave = "1 annotator gave" if matches == 1 else f"{matches} annotators gave"
        return f"{gave} this answer, as protocol {run.document.protocol} reads it."
    halves = [_at(columns, name, place) for name in ("q2a", "qa2r")]
    if None not in halves:
        words = ["right" if half else "wrong" for half in halves]
        return f"Answer {words[0]}, reason {words[1]}; it counts only if both are right."
    if run.by_rank:
        rank = _at(columns, "rank", place)
        if rank is None:
            return "No right one within the list that was given."
        return f"The best right one stands at rank {rank + 1:g} of its gallery."
    told = _GROUNDING.get(run.document.task)
    return told(run, place) if told else ""


def _patches(run: Run, place: int) -> str:
    precision, pointing, iou, related = (
        _at(run.columns, name, place) for name in ("patch_ap", "pointing", "patch_iou", "related")
    )
    if None in (precision, pointing, iou, related):
        return ""
    if not run.columns["prediction"][place]:
        return "No prediction: it scores 0 (--missing zero)."
    shown = "the only patch that shows" if related == 1 else f"the {related} patches that show"
    where = "beside" if not pointing else "at" if related == 1 else "at one of"
    return (
        f"Points {where} {shown} it. Average precision {100 * precision:.1f}; "
        f"IoU {100 * iou:.1f} of what scores {_threshold(run):g} or more."
    )


def _classes(run: Run, place: int) -> str:
    first, five = (_at(run.columns, name, place) for name in ("mpc_top1", "mpc_top5"))
    if None in (first, five):
        return ""
    right = run.columns["group"][place]
    if not run.columns["prediction"][place]:
        return "No prediction: it scores 0 (--missing zero)."
    if first:
        return "The first guess is right."
    return f"The class is {right}: {'a later one of' if five else 'none of'} the five guesses."


def _pairs(run: Run, place: int) -> str:
    called = "above" if _taken_for_match(run, place) else "not above"
    taken = "a match" if called == "above" else "none"
    truth = "they belong together" if run.columns["group"][place] == "matched" else "they do not"
    return f"Its score is {called} {_threshold(run):g}, so it counts as {taken}; {truth}."


def _taken_for_match(run: Run, place: int) -> bool:
    right, matched = run.columns["score"][place] == 1, run.columns["group"][place] == "matched"
    return bool(right == matched)


def _detected(run: Run, place: int) -> str:
    del run, place
    return "Average precision of this class over all pictures."


def _threshold(run: Run) -> float:
    given = run.document.request.get("threshold", DEFAULT_THRESHOLD)
    return float(given) if isinstance(given, int | float) else DEFAULT_THRESHOLD


def _at(columns: Mapping[str, list[Any]], name: str, place: int) -> Any:
    column = columns.get(name)
    return None if column is None else column[place]


_GROUNDING: Mapping[str, Callable[[Run, int], str]] = MappingProxyType(
    {
        "grounding": _patches,
        "grounding-mpc": _classes,
        "grounding-itm": _pairs,
        "grounding-detection": _detected,
    }
)
