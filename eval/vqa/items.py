"""The item table of a VQA score: one row a question, enough to see why it scored as it did."""

from __future__ import annotations

from typing import Any

from vle_bench.eval.vqa.accuracy import ItemScores
from vle_bench.eval.vqa.gold import Given
from vle_bench.eval.vqa.references import References


def item_table(references: References, given: Given, items: ItemScores) -> dict[str, Any]:
    """Columns of `items.parquet`.

    Args:
        references: What was scored against; its order is the table's.
        given: The answers.
        items: What they earned; questions that do not count have no row.

    Returns:
        id, image_id, group (answer type), question_type, prediction (null where missing), score
        (0 to 1), matches (annotators who agree), unanimous, missing; question where it is known.
    """
    gold, rows = references.gold, items.rows.tolist()
    answers = given.column()
    table: dict[str, Any] = {
        "id": [gold.ids[row] for row in rows],
        "image_id": [gold.images[row] for row in rows],
        "group": [gold.answer_types[row] for row in rows],
        "question_type": [gold.question_types[row] for row in rows],
        "prediction": [answers[row] for row in rows],
        "score": items.scores,
        "matches": items.matches,
        "unanimous": items.unanimous,
        "missing": given.missing[items.rows],
    }
    if references.questions:
        table["question"] = [references.questions[row] for row in rows]
    return table
