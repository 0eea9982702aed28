"""An explanation for a terminal."""

from __future__ import annotations

from typing import Any

from vle_bench.eval.explain.question import QuestionExplanation
from vle_bench.eval.explain.stored import Explanation, StoredItem
from vle_bench.eval.show import shown
from vle_bench.tables import Column, Table, one_line, to_text

_SAME = "="
_MOST_VALUES = 10
"""Values of a list that are shown; scores of patches are hundreds."""


def explanation_text(explanation: Explanation) -> str:
    """Tables: for VQA the readings and the terms of each protocol, else the stored row."""
    head = one_line(f"{explanation.task}, {explanation.model}: {explanation.id}") + "\n"
    parts = [_question_text(question) for question in explanation.questions]
    if not parts:
        parts = [_item_text(item) for item in explanation.items]
    return "\n".join([head, *parts, *(f"note: {one_line(note)}\n" for note in explanation.notes)])


def _question_text(question: QuestionExplanation) -> str:
    return _readings(question) + "\n" + _terms(question)


def _readings(question: QuestionExplanation) -> str:
    names = [step.name for step in question.texts[-1].steps]
    if len(question.texts[0].steps) > len(names):
        names = [step.name for step in question.texts[0].steps]
    rows = []
    for text in question.texts:
        before, cells = text.written, dict.fromkeys(names, "-")
        for step in text.steps:
            cells[step.name] = _SAME if step.text == before else repr(step.text)
            before = step.text
        who = "prediction" if text.side == "prediction" else f"{text.times} x"
        rows.append((who, repr(text.written), *cells.values(), repr(text.read)))
    title = f"protocol {question.protocol}"
    if question.question:
        title += f": {question.question}"
    kind = "unanimous" if question.unanimous else "not unanimous"
    notes = (f"Annotators are {kind}. {_SAME}: the step changes nothing.",)
    columns = map(Column, ("who", "written", *names, "compared as"))
    return to_text(Table(tuple(columns), tuple(rows), title=title, footnotes=notes))


def _terms(question: QuestionExplanation) -> str:
    rows = tuple(
        (
            str(number),
            repr(term.answer),
            repr(term.read),
            "yes" if term.agrees else "no",
            str(term.others),
            "-" if term.term is None else f"{term.term:.4f}",
        )
        for number, term in enumerate(question.terms, 1)
    )
    columns = (
        Column("annotator", number=True),
        Column("answer"),
        Column("compared as"),
        Column("agrees"),
        Column("others who agree", number=True),
        Column("term", number=True),
    )
    return to_text(Table(columns, rows, footnotes=(_sum(question),)))


def _sum(question: QuestionExplanation) -> str:
    if question.score is None:
        return "No answer is in the vocabulary: the question is left out."
    missing = "No prediction. " if question.prediction is None else ""
    return f"{missing}{question.matches} agree; score {shown(question.score)} = {question.rule}."


def _item_text(item: StoredItem) -> str:
    rows = [("asked", item.question)] if item.question else []
    rows += [(name, _value(value)) for name, value in item.columns.items()]
    for name, value in (item.prediction or {}).items():
        rows.append((f"predicted {name}", _value(value)))
    for name, (place, times) in item.picks.items():
        tied = f", tied with {times - 1} more: the first counts" if times > 1 else ""
        rows.append((f"pick of {name}", f"{place}{tied}"))
    rows.extend(("right", one) for one in item.right)
    if item.prediction is None:
        rows.append(("predicted", "nothing stored under this id"))
    rank, above = item.columns.get("rank"), _above(item)
    if rank is not None and above:
        rows.append(("stands above", ", ".join(above)))
    return to_text(Table((Column("what"), Column("value")), tuple(rows)))


def _above(item: StoredItem) -> list[str]:
    """What a stored list ranks before the first right one, as far as the list goes."""
    rank = item.columns.get("rank")
    lists = [value for value in (item.prediction or {}).values() if isinstance(value, list)]
    if not isinstance(rank, int | float) or len(lists) != 1 or item.picks:
        return []
    return [str(one) for one in lists[0][: max(int(rank), 0)]]


def _value(value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    shown_values = ", ".join(map(str, value[:_MOST_VALUES]))
    more = len(value) - _MOST_VALUES
    return f"{shown_values}, ... and {more:,} more" if more > 0 else shown_values
