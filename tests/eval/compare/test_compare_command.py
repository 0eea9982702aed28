import json

import pytest

from vle_bench.catalog.published import load_published
from vle_bench.errors import DataProblem
from vle_bench.eval.compare import against_published
from vle_bench.statistics.power import detectable, standard_error, two_sided


def test_the_command_shows_every_figure_and_says_how_it_was_made(vle_eval, two_runs):
    first, second = two_runs
    done = vle_eval("compare", first.place, second.place, "--metric", "q2a", "--resamples", 500)
    assert done.code == 0, done.err
    for words in ("+6.67", "95 % interval", "p (Holm)", "p McNemar", "500 draws, seed 0",
                  "takes items as independent", "80 % power"):  # fmt: skip
        assert words in done.out
    # All items of VCR are of one kind here, and one kind is no table.
    assert "What moved" not in done.out


def test_few_pictures_bound_p_whatever_the_number_of_draws(vle_eval, tmp_path):
    """Three pictures can be exchanged in eight ways, so a p of 0.0001 is out of reach."""
    items = [
        {"annot_id": f"val-{at}", "img_id": f"p{at // 2}", "answer_label": 0, "rationale_label": 1}
        for at in range(6)
    ]

    def lines(name, rows):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    references = lines("few.jsonl", items)
    for name, answer in (("a", [1, 0, 0, 0]), ("b", [0, 0, 0, 1])):
        rows = [
            {"annot_id": item["annot_id"], "q2a": answer, "qa2r": [0, 1, 0, 0]} for item in items
        ]
        mine = lines(f"{name}.jsonl", rows)
        done = vle_eval("vcr", "--annotations", references, "--predictions", mine,
                        "--resamples", 0, "--out", tmp_path / name)  # fmt: skip
        assert done.code == 0, done.err
    call = ("compare", tmp_path / "a", tmp_path / "b", "--metric", "q2a")
    (contrast,) = json.loads(vle_eval(*call, "--json").out)["contrasts"]
    assert contrast["p"] == pytest.approx(0.25, abs=0.03)
    told = vle_eval(*call).out
    assert "with 3 pictures the least it can be is 0.25." in told
    assert "for 1 test of this table" in told


def test_json_holds_the_same_figures_and_is_the_same_twice(vle_eval, two_runs):
    first, second = two_runs
    arguments = ("compare", first.place, second.place, "--json", "--resamples", 99, "--seed", 5)
    one, two = vle_eval(*arguments), vle_eval(*arguments)
    assert one.out == two.out
    document = json.loads(one.out)
    assert document["schema"] == "vle-bench/compare/1"
    assert (document["resamples"], document["seed"]) == (99, 5)
    (contrast,) = document["contrasts"]
    assert contrast["metric"] == "q2ar"
    assert 0.01 <= contrast["p"] <= 1
    assert [run["model"] for run in document["runs"]] == ["a", "b"]


def test_other_references_end_with_exit_3_and_their_name(vle_eval, store, references, tmp_path):
    other = tmp_path / "other.jsonl"
    other.write_text(references.read_text().replace('"answer_label": 0', '"answer_label": 1'))
    one = store("a", [True] * 60)
    two = store("b", [True] * 60, against=other)
    done = vle_eval("compare", one, two)
    assert done.code == 3
    assert "references (sha256)" in done.err


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        ((), 2, "One run alone"),
        (("--published-n", 5), 2, "Name its MODEL"),
        (("nowhere",), 3, "nowhere"),
        (("--published", "no such model"), 3, "There are those of"),
        (("--published", "R2C", "--metric", "f1"), 3, "No published f1"),
    ],
)
def test_wrong_calls_are_told(vle_eval, two_runs, more, code, message):
    if "--published-n" in more:
        more = (*more, two_runs[1].place)
    done = vle_eval("compare", two_runs[0].place, *more)
    assert (done.code, message in done.err) == (code, True), done.err


def test_a_published_figure_is_tested_and_its_reasons_are_shown(vle_eval, two_runs):
    done = vle_eval("compare", two_runs[0].place, "--published", "r2c")
    assert done.code == 0, done.err
    assert "R2C" in done.out
    assert "ours is 60 of 26,534 questions" in done.out
    assert "nothing about the two models" in done.out
    assert "from an exact figure" in done.out


def test_figures_have_the_numbers_of_their_closed_forms(two_runs):
    first, _ = two_runs
    tests = against_published(first, "r2c", "q2ar")
    rows = [row for row in load_published() if row.model == "R2C" and row.metric == "q2ar"]
    assert sorted(one.value for one in tests) == sorted(row.value for row in rows)
    for one in tests:
        assert one.difference == pytest.approx(50.0 - float(one.value))
        assert one.p_exact == two_sided(one.difference, one.standard_error)
        assert one.p_exact <= one.p_both
        assert one.detectable == detectable(one.standard_error)
        assert not one.comparable
    assert {one.split: one.n_published for one in tests}["val"] == 26534


def test_the_number_behind_a_figure_can_be_given(two_runs):
    few = against_published(two_runs[0], "R2C", "q2ar", n_published=20)
    many = against_published(two_runs[0], "R2C", "q2ar", n_published=10**9)
    for one, other in zip(few, many, strict=True):
        assert one.p_both > other.p_both
        assert other.p_both == pytest.approx(other.p_exact, abs=1e-4)


def test_a_model_that_nobody_published_is_told_with_those_there_are(two_runs):
    with pytest.raises(DataProblem, match="No published q2ar of 'GPT-9' on vcr"):
        against_published(two_runs[0], "GPT-9", "q2ar")


@pytest.mark.parametrize(("right", "noted"), [(30, True), (60, False)])
def test_a_scorer_says_what_its_n_can_tell(vle_eval, references, tmp_path, right, noted):
    rows = [
        {"annot_id": f"val-{at}", "q2a": [float(at < right), 0.5, 0, 0], "qa2r": [0, 1, 0, 0]}
        for at in range(60)
    ]
    predictions = tmp_path / "p.jsonl"
    predictions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = vle_eval("vcr", "--annotations", references, "--predictions", predictions)
    assert done.code == 0, done.err
    least = detectable(100 * standard_error(0.5, 60))
    line = f"q2a: 60 independent items show differences of {least:.2f} or more"
    assert (line in done.out) is noted
