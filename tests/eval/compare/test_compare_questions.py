import json

import msgspec
import pytest

from vle_bench.errors import UsageProblem
from vle_bench.eval.compare import Drawing, contrast_with_first, read_run
from vle_bench.eval.compare.figures import against_published
from vle_bench.eval.compare.report import comparison_text
from vle_bench.eval.compare.terms import terms_of

FEW = Drawing(resamples=300, seed=0)
TYPES = ("yes/no", "number", "other")


@pytest.fixture
def answered(vle_eval, tmp_path):
    """Thirty questions, three types, ten pictures; `b` is better on numbers, worse on others."""
    questions = [
        {
            "question_id": 1000 * (at // 3) + at,
            "image_id": at // 3,
            "question_type": "how many" if at % 3 == 1 else "",
            "answer_type": TYPES[at % 3],
            "answers": [{"answer": "one", "answer_id": number} for number in range(1, 8)]
            + [{"answer": "two", "answer_id": number} for number in range(8, 11)],
        }
        for at in range(30)
    ]
    annotations = tmp_path / "val.json"
    annotations.write_text(json.dumps({"data_subtype": "valx", "annotations": questions}))
    right = {
        "a": {at for at in range(30) if at % 2},
        "b": {at for at in range(30) if at % 3 == 1} | {at for at in range(30) if at % 6 == 3},
    }
    folders = []
    for name, known in right.items():
        given = [
            {"question_id": one["question_id"], "answer": "one" if at in known else "three"}
            for at, one in enumerate(questions)
        ]
        (tmp_path / f"{name}.json").write_text(json.dumps(given))
        folders.append(tmp_path / "runs" / name)
        done = vle_eval(
            "vqa", "--annotations", annotations, "--predictions", tmp_path / f"{name}.json",
            "--dataset", "vqav2", "--resamples", 0, "--out", folders[-1],
        )  # fmt: skip
        assert done.code == 0, done.err
    return folders


def test_every_accuracy_is_made_from_its_items(answered):
    runs = [read_run(folder) for folder in answered]
    names = list(runs[0].document.metrics)
    assert "accuracy[question_type=unstated]" in names
    for one in contrast_with_first(runs, names, FEW):
        stored = [run.document.metrics[one.metric] for run in runs]
        assert one.difference == pytest.approx(stored[1].value - stored[0].value)
        assert one.n == stored[0].n
    with pytest.raises(UsageProblem, match="no metric"):
        terms_of(runs[0], "accuracy[colour]")


def test_what_moved_is_shown_by_type_of_question(vle_eval, answered):
    done = vle_eval("compare", *answered, "--json", "--resamples", 50)
    (contrast,) = done.document["contrasts"]
    moved = {one["kind"]: one for one in contrast["moved"]}
    assert set(moved) == {*TYPES, "question_type=how many", "question_type=unstated"}
    assert (moved["number"]["higher"], moved["number"]["lower"]) == (5, 0)
    assert (moved["other"]["higher"], moved["other"]["lower"]) == (0, 5)
    changes = [abs(one["second"] - one["first"]) * one["n"] for one in contrast["moved"]]
    assert changes == sorted(changes, reverse=True)
    text = vle_eval("compare", *answered, "--resamples", 50).out
    assert "What moved in accuracy: b" in text
    assert "question_type=how many" in text


def test_a_figure_without_known_n_is_tested_as_exact_alone(answered):
    run = read_run(answered[0])
    tests = against_published(run, "ViLT-B/32 200k", "accuracy[number]")
    assert all(one.n_published is None and one.p_both is None for one in tests)
    assert all(one.p_exact is not None for one in tests)
    # Of a part of val nobody counted the questions.
    found = {one.split: one for one in against_published(run, "OFA-large beam", "accuracy")}
    assert (found["val-part"].n_published, found["val-part"].p_both) == (None, None)
    (whole,) = {one.n_published for one in against_published(run, "VLE-large", "accuracy")}
    assert whole == 107_394


@pytest.mark.parametrize(("difference", "marked"), [(0.04, True), (-0.06, False)])
def test_a_difference_within_rounding_is_marked(answered, difference, marked):
    run = read_run(answered[0])
    (test, *_) = against_published(run, "VLE-large", "accuracy")
    assert test.printed_to == 0.05
    near = msgspec.structs.replace(test, difference=difference)
    text = comparison_text([run], (), [near], FEW)
    assert ("within what rounding hides" in text) is marked


def test_runs_that_answer_all_alike_have_no_test(vle_eval, answered, tmp_path):
    """Every picture is right in the same share: no error, no p, no power, and no crash."""
    annotations = json.loads((tmp_path / "val.json").read_text())["annotations"]
    given = [{"question_id": one["question_id"], "answer": "one"} for one in annotations]
    (tmp_path / "c.json").write_text(json.dumps(given))
    folder = tmp_path / "runs" / "c"
    vle_eval(
        "vqa", "--annotations", tmp_path / "val.json", "--predictions", tmp_path / "c.json",
        "--dataset", "vqav2", "--resamples", 0, "--out", folder,
    )  # fmt: skip
    done = vle_eval("compare", folder, "--published", "VLE-large", "--json")
    (figure,) = [one for one in done.document["published"] if one["value"] == "79.3"]
    assert (figure["p_exact"], figure["detectable"]) == (None, None)
    assert figure["p_both"] is not None
