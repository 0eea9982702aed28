"""What must hold for any questions and answers."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vqa_world import question

from vle_bench.eval.vqa.accuracy import ItemScores, score_items
from vle_bench.eval.vqa.gold import Annotation, given_answers, gold_of
from vle_bench.eval.vqa.metrics import accuracy_metrics
from vle_bench.eval.vqa.protocols import (
    PROTOCOLS,
    Hits,
    Protocol,
    leave_one_out,
    soft_label,
    soft_steps,
    thirds,
)

VOCABULARY = ("yes", "cat", "2", "")
ALL = [*PROTOCOLS.values(), soft_label(VOCABULARY, "raw"), soft_label(VOCABULARY, "normalised")]
TEXTS = st.sampled_from(["yes", "Yes", "no", "cat", "the cat", "2", "two", "", "1,0", "x-y", "10"])
QUESTIONS = st.lists(
    st.tuples(st.lists(TEXTS, min_size=1, max_size=11), st.one_of(st.none(), TEXTS)),
    min_size=1,
    max_size=8,
)
protocols = pytest.mark.parametrize("protocol", ALL, ids=lambda protocol: protocol.name)
quick = settings(max_examples=40, deadline=None)


def scored(
    rows: list[tuple[list[str], str | None]], protocol: Protocol, order: list[int] | None = None
) -> dict[int, float]:
    """Score by question, of questions given in `order`."""
    places = order if order is not None else list(range(len(rows)))
    made = [question(1000 + place, rows[place][0]) for place in places]
    gold = gold_of(msgspec.convert(made, list[Annotation]), "here")
    items = score_items(gold, given_answers([rows[place][1] for place in places]), protocol)
    kept = [places[row] for row in items.rows.tolist()]
    return dict(zip(kept, items.scores.tolist(), strict=True))


@protocols
@quick
@given(data=st.data(), rows=QUESTIONS)
def test_the_order_of_questions_moves_no_score(protocol, data, rows):
    order = data.draw(st.permutations(range(len(rows))))
    assert scored(rows, protocol, list(order)) == scored(rows, protocol)


@protocols
@quick
@given(data=st.data(), rows=QUESTIONS)
def test_the_order_of_annotators_moves_no_score(protocol, data, rows):
    shuffled = [(data.draw(st.permutations(answers)), given) for answers, given in rows]
    first, second = scored(rows, protocol), scored(shuffled, protocol)
    assert first.keys() == second.keys()
    assert np.allclose(list(first.values()), list(second.values()), rtol=0, atol=1e-12)


@protocols
@quick
@given(rows=QUESTIONS)
def test_a_right_answer_never_scores_lower_than_a_wrong_one(protocol, rows):
    wrong = scored([(answers, "surely not that") for answers, _ in rows], protocol)
    missing = scored([(answers, None) for answers, _ in rows], protocol)
    right = scored([(answers, answers[0]) for answers, _ in rows], protocol)
    assert wrong == missing == dict.fromkeys(wrong, 0.0)
    assert all(right[row] >= wrong[row] for row in wrong)


@protocols
@quick
@given(rows=QUESTIONS)
def test_scores_lie_between_nothing_and_all(protocol, rows):
    assert all(0 <= score <= 1 for score in scored(rows, protocol).values())


@quick
@given(flags=st.lists(st.booleans(), min_size=1, max_size=12), data=st.data())
@pytest.mark.parametrize("credit", [leave_one_out, thirds, soft_steps])
def test_one_more_annotator_who_agrees_never_costs_anything(credit, flags, data):
    place = data.draw(st.integers(0, len(flags) - 1))
    more = [*flags[:place], True, *flags[place + 1 :]]
    starts = np.array([0, len(flags)])
    few, many = (float(credit(Hits(np.array(row), starts))[0]) for row in (flags, more))
    assert few <= many + 1e-12


@quick
@given(rows=QUESTIONS)
def test_without_capitals_and_marks_all_normalising_protocols_agree(rows):
    plain = [(["cat" if answer else "dog" for answer in answers], "cat") for answers, _ in rows]
    assert scored(plain, PROTOCOLS["official"]) == scored(plain, PROTOCOLS["always"])
    assert scored(plain, PROTOCOLS["official"]) == scored(plain, PROTOCOLS["lavis"])


@quick
@given(
    types=st.lists(st.sampled_from(["yes/no", "number", "other", "odd", ""]), min_size=1),
    data=st.data(),
)
def test_overall_is_the_weighted_mean_of_the_answer_types(types, data):
    scores = data.draw(
        st.lists(st.sampled_from([0, 0.3, 0.6, 0.9, 1.0]), min_size=len(types), max_size=len(types))
    )
    made: list[dict[str, Any]] = [
        question(1000 * place, ["x"], answer_type=name) for place, name in enumerate(types, 1)
    ]
    gold = gold_of(msgspec.convert(made, list[Annotation]), "here")
    items = ItemScores(
        rows=np.arange(len(types)),
        scores=np.array(scores),
        matches=np.zeros(len(types), dtype=np.int64),
        unanimous=np.zeros(len(types), dtype=np.bool_),
        left_out=0,
    )
    metrics = accuracy_metrics(gold, items, resamples=0, seed=0, question_types=False)
    overall = metrics.pop("accuracy")
    if not any(types):
        assert metrics == {}
        return
    assert sum(metric.n for metric in metrics.values()) == overall.n == len(types)
    weighted = sum(metric.value * metric.n for metric in metrics.values()) / overall.n
    assert abs(weighted - overall.value) < 1e-9
