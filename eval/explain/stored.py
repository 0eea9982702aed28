"""One item of a stored result: its row, its prediction, and for VQA the whole way to its score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from vle_bench.errors import DataProblem
from vle_bench.eval.compare.runs import StoredRun, read_run
from vle_bench.eval.explain.question import QuestionExplanation, explain_question
from vle_bench.eval.facts.item import Facts
from vle_bench.eval.facts.read import facts_of
from vle_bench.eval.matching import named
from vle_bench.eval.requests import VqaRequest
from vle_bench.eval.vqa.changes import all_protocols
from vle_bench.eval.vqa.task import TASK, Run, protocol_of
from vle_bench.eval.vqa.task import read_run as read_vqa
from vle_bench.identity import id_order
from vle_bench.inputs import open_source, read_json_lines
from vle_bench.results.store import DOCUMENT, PREDICTIONS

SCHEMA = "vle-bench/explanation/1"
_MOST_IDS = 5
_SHOWN_DIGEST = 12
_SAME = 1e-9
_ID_KEYS = ("question_id", "annot_id", "text_id", "image_id", "key", "id")
_DETECTION = "grounding-detection"
_TWO_KEYS = {
    "grounding": ("key", "query_id"),
    "grounding-mpc": ("key", "box_id"),
    "grounding-itm": ("image_id", "text_id"),
}
"""Tasks whose items are named by two keys of a line, with a space between them."""


class StoredItem(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the item table, and the line of the predictions that it was made from.

    Attributes:
        columns: The row, by column.
        prediction: The line; None where the predictions have none of this id. Of a class of
            detections, how many results there are.
        picks: For each list of numbers in the line: the first maximum and how many share it.
        question: What was asked, in words; "" where the references say none.
        right: What is right, as predictions name it, with its words.
    """

    columns: dict[str, Any]
    prediction: dict[str, Any] | None
    picks: dict[str, tuple[int, int]]
    question: str = ""
    right: tuple[str, ...] = ()


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What `vle-eval explain --json` prints.

    Attributes:
        schema: Name and version of this form.
        task: The result's task.
        model: The result's model.
        protocol: The result's protocol.
        id: The item.
        items: Its rows; in retrieval an id may ask in both directions.
        questions: For VQA, one explanation a protocol.
        notes: What a reader must know.
    """

    schema: str = SCHEMA
    task: str
    model: str
    protocol: str
    id: str
    items: tuple[StoredItem, ...]
    questions: tuple[QuestionExplanation, ...] = ()
    notes: tuple[str, ...] = ()


def explain(place: Path, one: str, *, every_protocol: bool = False) -> Explanation:
    """Explains one item of a stored result.

    Args:
        place: A leaf folder of the store, or the `result.json` in it.
        one: The item's id.
        every_protocol: For VQA, explain it under every protocol.

    Raises:
        DataProblem: No such result or item, or references that are not those it was scored on.
    """
    stored = read_run(place)
    folder = place.parent if place.name == DOCUMENT else place
    document = stored.document
    rows = [at for at, (_, name) in enumerate(stored.keys) if name == one]
    questions: tuple[QuestionExplanation, ...] = ()
    notes: list[str] = []
    if document.task == TASK.name:
        run = _vqa_run(stored, folder)
        questions = _questions(run, one, stored, every_protocol=every_protocol)
        notes.extend(_moved(stored, rows, questions[0]))
        items = tuple(_item(stored, at, folder, one) for at in rows)
    elif not rows:
        raise _unknown(one, [name for _, name in stored.keys], str(folder))
    else:
        facts = facts_of(document)
        notes.extend([facts.note] if facts.note else [])
        items = tuple(_with_facts(_item(stored, at, folder, one), facts) for at in rows)
    return Explanation(
        task=document.task,
        model=document.model,
        protocol=document.protocol,
        id=one,
        items=items,
        questions=questions,
        notes=tuple(notes),
    )


def _vqa_run(stored: StoredRun, folder: Path) -> Run:
    document = stored.document
    try:
        asked = msgspec.convert(document.request, VqaRequest)
    except msgspec.ValidationError as error:
        raise DataProblem(
            f"{folder}: its request cannot be read ({error}). Score the run again."
        ) from error
    run = read_vqa(TASK.again(asked, str(folder)))
    now, then = run.references.facts.sha256, document.references.sha256
    if now != then:
        raise DataProblem(
            f"{document.references.path}: not the references that {folder} was scored on "
            f"(sha256 {then[:_SHOWN_DIGEST]}, now {now[:_SHOWN_DIGEST]}). "
            "Bring them back, or score the run again."
        )
    return run


def _questions(
    run: Run, one: str, stored: StoredRun, *, every_protocol: bool
) -> tuple[QuestionExplanation, ...]:
    ids = run.references.gold.ids
    if one not in ids:
        raise _unknown(one, ids, stored.place)
    first = protocol_of(run.request, run.vocabulary)
    others = [other for other in all_protocols(run) if other.name != first.name]
    asked = [first, *(others if every_protocol else ())]
    row = ids.index(one)
    return tuple(explain_question(run, row, protocol) for protocol in asked)


def _moved(stored: StoredRun, rows: list[int], found: QuestionExplanation) -> list[str]:
    """Where today's score is not the stored one."""
    if not rows or found.score is None:
        return []
    before = 100 * float(stored.numbers("score")[rows[0]])
    if abs(before - found.score) <= _SAME:
        return []
    return [f"Stored as {before:.2f}; today's code finds {found.score:.2f}."]


def _item(stored: StoredRun, row: int, folder: Path, one: str) -> StoredItem:
    columns = {name: values[row] for name, values in stored.columns.items()}
    line = _line(folder / PREDICTIONS, one, stored.document.task, str(columns.get("direction", "")))
    return StoredItem(columns=columns, prediction=line, picks=_picks(line or {}))


def _with_facts(item: StoredItem, facts: Facts) -> StoredItem:
    one, group = str(item.columns.get("id", "")), str(item.columns.get("group", ""))
    right = tuple(facts.right(one, group))
    return msgspec.structs.replace(item, question=facts.question(one, group), right=right)


def _line(path: Path, one: str, task: str, direction: str) -> dict[str, Any] | None:
    """The line about an id; of two directions, the one that asks for pictures or for texts."""
    ways = {"i2t": ("image_id",), "t2i": ("text_id",)}
    source = open_source(path, "predictions")
    lines = read_json_lines(source, dict[str, Any], "stored predictions")
    if task == _DETECTION:
        return {"results": sum(str(line.get("category_id")) == one for _, line in lines)}
    for _, line in lines:
        keys = _TWO_KEYS.get(task) or next(
            ((key,) for key in ways.get(direction, _ID_KEYS) if key in line), ()
        )
        if " ".join(str(line.get(key)) for key in keys) == one:
            return line
    return None


def _picks(line: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """The first maximum of each list of scores and how many choices share it."""
    found = {}
    for key, values in line.items():
        if isinstance(values, list) and values and all(isinstance(one, float) for one in values):
            best = max(values)
            found[key] = (values.index(best), values.count(best))
    return found


def _unknown(one: str, ids: list[str], place: str) -> DataProblem:
    """Names the ids that look most like the one asked for, else the first."""
    from difflib import get_close_matches

    near = get_close_matches(one, ids[:100_000], n=_MOST_IDS) or sorted(ids, key=id_order)
    return DataProblem(
        f"{place}: no item {one!r} among {len(ids):,}. There are: {named(near[:_MOST_IDS])}."
    )
