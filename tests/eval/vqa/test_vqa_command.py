"""`vle-eval vqa` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pyarrow.parquet as pq
import pytest
from vqa_world import annotation_file, prediction_file, question, write

from vle_bench.eval.requests import VqaRequest
from vle_bench.eval.vqa.protocols import PROTOCOLS, SOFT_LABEL
from vle_bench.eval.vqa.task import TASK


@pytest.fixture
def vqa(vle_eval, world: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(world)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")

    def call(*more: object, annotations: str = "a.json", predictions: str = "p.json"):
        return vle_eval(
            "vqa", "--annotations", annotations, "--predictions", predictions,
            "--resamples", 100, *more,
        )  # fmt: skip

    return call


def test_a_table_goes_to_stdout_with_its_signature(vqa):
    ran = vqa("--dataset", "tiny")
    assert ran.code == 0
    assert ran.out.startswith("vqa, tiny valtiny: p (protocol official)\n")
    assert "accuracy[yes/no]    0.00" in ran.out
    assert "vqa|data:tiny|split:valtiny|n:4|protocol:official|loo:id|missing:error" in ran.out
    assert ran.err == ""


@pytest.mark.parametrize(
    ("protocol", "expected"), [("official", 62.5), ("always", 87.5), ("simple", 200 / 3)]
)
def test_the_protocol_decides_the_score(protocol, expected, vqa):
    assert vqa("--protocol", protocol, "--json").values["accuracy"] == pytest.approx(expected)


def test_labels_that_nothing_would_read_are_refused(vqa):
    ran = vqa("--labels", "normalised")
    assert (ran.code, "--labels is about --protocol soft-label" in ran.err) == (2, True)


def test_the_item_table_says_why(vqa, world):
    vqa("--out", "out", "--missing", "zero")
    table = pq.read_table(world / "out" / "items.parquet").to_pydict()
    assert table["id"] == ["1000", "1001", "2000", "3000"]
    assert table["image_id"] == ["1", "1", "2", "3"]
    assert table["group"] == ["yes/no", "number", "other", "other"]
    assert table["question_type"] == ["is the", "how", "what is", "what is"]
    assert table["prediction"] == ["Yes", "Two", "red", "Cat."]
    assert table["score"] == pytest.approx([0, 1, 0.6, 0.9])
    assert table["matches"] == [0, 7, 2, 3]
    assert table["unanimous"] == [True, False, False, False]
    assert table["missing"] == [False] * 4


def test_a_missing_answer_is_null_in_the_table_and_absent_from_the_predictions(vqa, world):
    prediction_file(world / "p.json", {2000: "red", 1000: ""})
    vqa("--out", "out", "--missing", "zero")
    table = pq.read_table(world / "out" / "items.parquet").to_pydict()
    assert table["prediction"] == ["", None, "red", None]
    assert table["missing"] == [False, True, False, True]
    assert (world / "out" / "predictions.jsonl").read_text() == (
        '{"answer":"","question_id":1000}\n{"answer":"red","question_id":2000}\n'
    )


def test_ids_that_are_no_plain_numbers_stay_texts(vqa, world):
    annotation_file(world / "a.json", [question("001000", ["x"]), question(2000, ["x"])])
    prediction_file(world / "p.json", {"001000": "x", "2000": "x"})
    vqa("--out", "out")
    assert (world / "out" / "predictions.jsonl").read_text() == (
        '{"answer":"x","question_id":"001000"}\n{"answer":"x","question_id":"2000"}\n'
    )
    annotation_file(world / "a.json", [question("q1", ["x"], image_id=1)])
    prediction_file(world / "p.json", {"q1": "x"})
    vqa("--out", "out")
    assert (world / "out" / "predictions.jsonl").read_text() == (
        '{"answer":"x","question_id":"q1"}\n'
    )
    long = "9" * 30
    annotation_file(world / "a.json", [question(long, ["x"], image_id=1)])
    prediction_file(world / "p.json", {long: "x"})
    vqa("--out", "out")
    assert json.loads((world / "out" / "predictions.jsonl").read_text())["question_id"] == long


def test_a_second_run_leaves_the_store_untouched(vqa, world):
    vqa("--results", "results")
    folder = world / "results" / "vqa" / "vqav2" / "valtiny" / "p"
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    assert {path.name for path in before} == {"result.json", "items.parquet", "predictions.jsonl"}
    write(world / "p.json", json.loads((world / "p.json").read_text()))
    vqa("--results", "results")
    after = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    assert after == before


def test_the_order_of_the_predictions_file_changes_nothing(vqa, world):
    first = vqa("--json").document
    rows = json.loads((world / "p.json").read_text())
    write(world / "p.json", rows[::-1])
    second = vqa("--json").document
    assert first["stamp"].pop("inputs") != second["stamp"].pop("inputs")
    assert first == second


@pytest.mark.parametrize("model", ["", "baseline:oracle", "baseline:annotator"])
def test_a_stored_result_can_be_scored_again(model, vqa, vle_eval, world):
    write(world / "v.json", ["yes", "red", "2", "dog"])
    source = ["--model", model] if model else ["--predictions", "p.json"]
    ran = vle_eval(
        "vqa", "--annotations", "a.json", "--vocabulary", "v.json", "--resamples", 50, "--json",
        "--out", "out", *source,
    )  # fmt: skip
    stored = msgspec.convert(ran.document["request"], VqaRequest)
    again = TASK.score(TASK.again(stored, str(world / "out")))
    assert {name: metric.value for name, metric in again.metrics.items()} == ran.values
    assert again.protocol == ran.document["protocol"]
    assert again.prediction_lines == (world / "out" / "predictions.jsonl").read_bytes()


def test_all_protocols_in_one_table_with_the_questions_that_change(vqa):
    ran = vqa("--all-protocols")
    assert "more with --json" not in ran.out
    lines = ran.out.splitlines()
    assert lines[0] == "vqa, vqav2 valtiny: p, every protocol"
    table = {line.split()[0]: line.split()[1:] for line in lines[4:9]}
    assert table == {
        "official": ["62.50", "0.00", "100.00", "75.00", "4", "0", "0"],
        "always": ["87.50", "100.00", "100.00", "75.00", "4", "1", "0"],
        "lavis": ["70.00", "100.00", "90.00", "45.00", "4", "1", "2"],
        "simple": ["66.67", "0.00", "100.00", "83.33", "4", "2", "0"],
        "mmf": ["87.50", "100.00", "100.00", "75.00", "4", "1", "0"],
    }
    assert "Questions whose score changes: 4" in lines
    first = lines.index("Questions whose score changes: 4") + 4
    changed = [line.split() for line in lines[first : first + 4]]
    assert [row[:7] for row in changed] == [
        ["1000", "'Yes'", "0.00", "100.00", "100.00", "0.00", "100.00"],
        ["3000", "'Cat.'", "90.00", "90.00", "30.00", "100.00", "90.00"],
        ["1001", "'Two'", "100.00", "100.00", "90.00", "100.00", "100.00"],
        ["2000", "'red'", "60.00", "60.00", "60.00", "66.67", "60.00"],
    ]
    assert changed[2][7:] == ["4", "x", "'two',", "3", "x", "'2',", "3", "x", "'3'"]


def test_all_protocols_as_json_hold_every_change_and_every_result(vqa, world):
    write(world / "v.json", ["red", "2"])
    document = vqa(
        "--all-protocols", "--json", "--vocabulary", "v.json", "--protocol", "always"
    ).document
    assert document["schema"] == "vle-bench/vqa-protocols/1"
    assert document["base"] == "always"
    assert [result["protocol"] for result in document["results"]] == [*PROTOCOLS, SOFT_LABEL]
    assert all(result["signature"].startswith("vqa|data:vqav2|") for result in document["results"])
    assert document["shifts"]["official"] == [0, 1]
    change = {entry["question_id"]: entry for entry in document["changed"]}["1000"]
    assert change["prediction"] == "Yes"
    assert change["answers"] == ["yes"] * 10
    assert change["scores"] == {
        "official": 0.0, "always": 100.0, "lavis": 100.0, "simple": 0.0, "mmf": 100.0,
        "soft-label": None,
    }  # fmt: skip
    # A question that a protocol leaves out counts by what the others make of it.
    order = [entry["question_id"] for entry in document["changed"]]
    assert order == ["1000", "1001", "3000", "2000"]
    alone = vqa("--json", "--protocol", "lavis").document
    among = document["results"][2]
    assert among["metrics"] == alone["metrics"]


def test_a_question_that_all_protocols_agree_on_is_no_change(vqa, world):
    annotation_file(world / "a.json", [question(1000, ["cat"] * 4), question(2000, ["dog"] * 5)])
    prediction_file(world / "p.json", {1000: "cat", 2000: "horse"})
    assert vqa("--all-protocols", "--json").document["changed"] == []


def test_long_lists_of_changes_are_cut_in_the_table(vqa, world):
    made = [question(1000 * n, [f"w{k}" for k in range(10)]) for n in range(1, 31)]
    annotation_file(world / "a.json", made)
    prediction_file(world / "p.json", {entry["question_id"]: "w3" for entry in made})
    ran = vqa("--all-protocols")
    assert "Questions whose score changes: 30" in ran.out
    assert "10 more with --json." in ran.out
    assert "1 x 'w3', ..." in ran.out
    prediction_file(world / "p.json", {1000: "w3" * 40})
    ran = vqa("--all-protocols", "--missing", "zero")
    assert "..." not in ran.out.split("Questions whose score changes")[1]


def test_all_protocols_of_a_missing_answer_say_so(vqa, world):
    write(world / "v.json", ["dog"])
    prediction_file(world / "p.json", {3000: "Cat."})
    ran = vqa("--all-protocols", "--missing", "zero", "--vocabulary", "v.json")
    assert "(missing)" in ran.out


def test_all_protocols_store_nothing(vqa):
    ran = vqa("--all-protocols", "--out", "out")
    assert ran.code == 2
    assert ran.err == "--all-protocols stores nothing. Leave --results and --out out.\n"


def test_every_protocol_of_a_request_has_its_rule():
    named = get_args(get_type_hints(VqaRequest)["protocol"])
    assert set(named) == {*PROTOCOLS, SOFT_LABEL}


def test_help_needs_neither_numpy_nor_a_scorer():
    code = (
        "import sys\n"
        "from vle_bench.console import exit_code\n"
        "from vle_bench.eval.cli import group\n"
        "assert exit_code(group, 'vle-eval', ['vqa', '--help']) == 0\n"
        "heavy = {'numpy', 'pyarrow', 'pandas', 'torch', 'vle_bench.eval.vqa.task'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "--all-protocols" in ran.stdout


def test_stored_results_of_a_split_are_scored_afresh(vqa, vle_eval, world):
    assert vqa("--results", "results").code == 0
    before = json.loads((world / "results/vqa/vqav2/valtiny/p/result.json").read_text())
    ran = vle_eval("vqa", "--split", "valtiny", "--json")
    assert ran.code == 0, ran.err
    (fresh,) = json.loads(ran.out)["results"]
    assert fresh["metrics"] == before["metrics"]
    assert fresh["signature"] == before["signature"]
    ran = vle_eval("vqa", "--split", "val")
    assert ran.code == 3
    assert "no stored result of vqa on any dataset, val." in ran.err
