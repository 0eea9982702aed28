"""Kinds of VCR questions: found from the question alone, and together they are the total."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.eval.vcr.kinds import MOST_LIKELIHOODS, breakdowns, unstated_notes
from vle_bench.eval.vcr.predictions import VcrPredictions
from vle_bench.eval.vcr.question import objects_named, question_word
from vle_bench.eval.vcr.references import VcrItem
from vle_bench.eval.vcr.score import METRICS, metrics_of, score_items


@pytest.mark.parametrize(
    ("question", "word"),
    [
        (["Why", "is", [0], "here", "?"], "why"),
        (["WHO", "?"], "who"),
        (["Whose", "hat", "is", "it", "?"], "who"),
        (["At", "what", "do", "they", "look", "?"], "what"),
        (["And", "then", ",", "why", "?"], "other"),
        ([[0], "and", "how", "many", "?"], "how"),
        (["Is", [0], "sad", "?"], "other"),
        ("What's up?", "what"),
        ("", ""),
        ([], ""),
        (None, ""),
        ({"why": 1}, ""),
    ],
)
def test_the_question_word_is_the_first_among_three_tokens(question: Any, word: str) -> None:
    assert question_word(question) == word


@pytest.mark.parametrize(
    ("question", "count"),
    [
        (["Why", "?"], 0),
        (["Are", [0, 1], "or", [1], "here", "?"], 2),
        (["Is", 3, "here", "?"], 1),
        (["Is", [[3], "x", True], "here", "?"], 0),
        ("Is [0] here?", -1),
        ([], -1),
        (None, -1),
    ],
)
def test_an_object_named_twice_counts_once(question: Any, count: int) -> None:
    assert objects_named(question) == count


def item(at: int, **stated: Any) -> VcrItem:
    return VcrItem(f"val-{at}", f"p{at // 2}", at % 4, at % 3, **stated)


def metrics(items: list[VcrItem], seed: int = 0, resamples: int = 0):
    draw = np.random.default_rng(seed)
    scores = draw.random((2, len(items), 4))
    predictions = VcrPredictions(scores[0], scores[1], np.ones(len(items), dtype=np.bool_))
    return metrics_of(
        score_items(predictions, items),
        items,
        resamples=resamples,
        seed=seed,
        parted=breakdowns(items),
    )


stated = st.fixed_dictionaries(
    {},
    optional={
        "likelihood": st.sampled_from(["", "likely", "possible", "a[b]"]),
        "objects_named": st.integers(-1, 6),
        "question_word": st.sampled_from(["", "why", "what", "other"]),
    },
)


@given(st.lists(stated, min_size=1, max_size=30), st.integers(0, 9))
def test_kinds_add_up_to_the_items_that_state_them(kinds: list[dict[str, Any]], seed: int) -> None:
    items = [item(at, **kind) for at, kind in enumerate(kinds)]
    found = metrics(items, seed)
    for name in ("answer_likelihood", "objects", "question_word"):
        for metric in METRICS:
            parts = [one for key, one in found.items() if key.startswith(f"{metric}[{name}=")]
            unstated = sum(one.unstated for one in breakdowns(items) if one.name == name)
            if not parts:
                continue
            assert sum(part.n for part in parts) == len(items) - unstated
            if not unstated:
                mean = sum(part.value * part.n for part in parts) / len(items)
                assert mean == pytest.approx(found[metric].value)
    assert all(key.count("[") <= 1 for key in found)


def test_two_kinds_that_swap_leave_the_total_and_move_the_kinds() -> None:
    words = ["why", "why", "who", "who"]
    items = [VcrItem(f"v{at}", f"p{at}", 0, 0, question_word=word) for at, word in enumerate(words)]
    right, wrong = [1.0, 0, 0, 0], [0, 1.0, 0, 0]

    def q2a(rows: list[list[float]]) -> dict[str, float]:
        given = VcrPredictions(np.array(rows), np.array(rows), np.ones(4, dtype=np.bool_))
        found = metrics_of(
            score_items(given, items), items, resamples=0, seed=0, parted=breakdowns(items)
        )
        return {key: one.value for key, one in found.items() if key.split("[")[0] == "q2a"}

    assert q2a([right, right, wrong, wrong]) == {
        "q2a": 50.0, "q2a[question_word=why]": 100.0, "q2a[question_word=who]": 0.0,
    }  # fmt: skip
    assert q2a([wrong, wrong, right, right]) == {
        "q2a": 50.0, "q2a[question_word=why]": 0.0, "q2a[question_word=who]": 100.0,
    }  # fmt: skip


def test_kinds_leave_the_interval_of_the_total_alone() -> None:
    plain = metrics([item(at) for at in range(40)], resamples=300)
    parted = metrics([item(at, likelihood="ab"[at % 2]) for at in range(40)], resamples=300)
    assert {name: parted[name] for name in METRICS} == plain
    assert parted["q2a[answer_likelihood=a]"].n == 20
    assert parted["q2a[answer_likelihood=a]"].low is not None


def test_what_is_not_stated_has_no_key_and_is_counted() -> None:
    items = [item(0, question_word="why"), item(1)]
    assert set(metrics(items)) == {*METRICS, *(f"{name}[question_word=why]" for name in METRICS)}
    assert unstated_notes(breakdowns(items), 2) == (
        "1 of 2 items state nothing of question_word and are in no part of it.",
    )


def test_a_likelihood_that_is_free_text_is_no_kind() -> None:
    items = [item(at, likelihood=f"text {at}") for at in range(MOST_LIKELIHOODS + 1)]
    assert set(metrics(items)) == set(METRICS)


def test_many_objects_share_a_part() -> None:
    items = [item(at, objects_named=at) for at in range(6)]
    (breakdown,) = breakdowns(items)
    assert [(value, len(rows)) for value, rows in breakdown.parts] == [
        ("0", 1), ("1", 1), ("2", 1), ("3+", 3),
    ]  # fmt: skip


def test_kinds_of_a_file_stand_in_the_document_and_on_demand_in_a_table(
    vle_eval, world: Path
) -> None:
    lines = [json.loads(line) for line in (world / "val.jsonl").read_text().splitlines()]
    for line, word, likelihood in zip(
        lines, ["Why", "Who", "Is", "Why"], ["likely", "possible", "likely", 7], strict=True
    ):
        line |= {"question": [word, [0], "?"], "answer_likelihood": likelihood}
    (world / "kinds.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    asked = ("vcr", "--annotations", world / "kinds.jsonl", "--predictions", world / "p.jsonl")
    ran = vle_eval(*asked, "--resamples", 50, "--json")
    assert ran.values["q2a[question_word=why]"] == 50.0
    assert ran.values["qa2r[question_word=other]"] == 100.0
    assert ran.document["metrics"]["q2a[answer_likelihood=likely]"]["n"] == 2
    assert "1 of 4 items state nothing of answer_likelihood" in ran.err
    short = vle_eval(*asked, "--resamples", 0).out
    assert "question_word" not in short
    table = vle_eval(*asked, "--resamples", 0, "--kinds").out
    assert table.startswith(short)
    afresh = vle_eval("vcr", "--split", "val", "--kinds", "--results", world)
    assert afresh.code == 2
    assert "--kinds" in afresh.err
    rows = [line.split() for line in table.removeprefix(short).splitlines()]
    assert ["question_word", "why", "50.00", "-", "100.00", "-", "50.00", "-", "2"] in rows
