"""The gate opens when nothing moved, and closes with a table of what did."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vle_bench.console import exit_code
from vle_bench.eval.cli import group
from vle_bench.eval.gate.difference import Difference, difference_table

GOLDEN = Path(__file__).resolve().parents[3] / "manifests" / "golden"


def check(*arguments: object) -> int:
    return exit_code(group, "vle-eval", ["check", *map(str, arguments)])


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A copy of the golden VCR case, whose gate is open."""
    return Path(shutil.copytree(GOLDEN / "vcr", tmp_path / "vcr"))


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A copy of the golden tables."""
    return Path(shutil.copytree(GOLDEN / "tables", tmp_path / "tables"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_what_ships_with_the_package_passes(capsys):
    assert check() == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "The gate is open: nothing moved.\n"


def test_every_golden_case_has_its_expectation():
    for description in GOLDEN.rglob("case.toml"):
        found = [path for path in description.parent.iterdir() if path.name != "case.toml"]
        assert any(path.name.startswith(("expected", "leaderboard")) for path in found)


def test_a_moved_score_closes_the_gate_with_case_metric_stored_and_found(case, capsys):
    path = case / "expected.csv.json"
    document = json.loads(path.read_text())
    document["metrics"]["q2a"]["value"] += 1e-6
    path.write_text(json.dumps(document))
    assert check(case) == 1
    captured = capsys.readouterr()
    (row,) = [line for line in captured.out.splitlines() if line.startswith("vcr csv")]
    assert row.split()[2:] == ["q2a", "66.66666766666667", "66.66666666666667"]
    assert "1 difference." in captured.err


def test_a_difference_below_the_tolerance_is_none(case):
    path = case / "expected.csv.json"
    document = json.loads(path.read_text())
    document["metrics"]["q2a"]["value"] += 1e-10
    path.write_text(json.dumps(document))
    assert check(case) == 0


def test_two_swapped_items_are_seen_though_the_total_stands_still(case, capsys):
    edit(case / "predictions.jsonl", "[0.7, 0.1, 0.1, 0.1]", "[0.1, 0.7, 0.1, 0.1]")
    edit(case / "predictions.jsonl", "[0.4, 0.3, 0.2, 0.1]", "[0.1, 0.2, 0.3, 0.4]")
    assert check(case) == 1
    moved = [line.split()[2:] for line in capsys.readouterr().out.splitlines()]
    assert ["item", "val-0", "1.0", "0.0"] in moved
    assert ["item", "val-2", "0.0", "1.0"] in moved
    assert not any(row[0] in {"q2a", "qa2r", "q2ar"} for row in moved if row)


def test_update_shows_the_change_and_writes_it(case, capsys):
    edit(case / "val.jsonl", '"answer_label": 0', '"answer_label": 1')
    assert check(case) == 1
    assert check("--update", case) == 0
    captured = capsys.readouterr()
    assert "q2a" in captured.out
    assert "Written:" in captured.err
    assert check(case) == 0


def test_without_update_nothing_is_written(case):
    (case / "expected.csv.json").unlink()
    before = sorted(path.name for path in case.iterdir())
    assert check(case) == 1
    assert sorted(path.name for path in case.iterdir()) == before


def test_a_stale_table_is_seen_at_its_first_line(tables, capsys):
    edit(tables / "leaderboard.md", "62.01", "62.10")
    assert check(tables) == 1
    shown = capsys.readouterr().out
    assert "leaderboard.md:" in shown
    assert "62.10" in shown
    assert "62.01" in shown
    assert check(tables, "--update") == 0
    assert check(tables) == 0


def test_a_cut_table_and_an_absent_one_are_seen(tables, capsys):
    path = tables / "leaderboard.csv"
    path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:-1]) + "\n",
                    encoding="utf-8")  # fmt: skip
    (tables / "leaderboard.json").unlink()
    assert check(tables) == 1
    shown = capsys.readouterr().out
    assert "leaderboard.csv" in shown
    assert "absent" in shown


def test_a_published_row_that_contradicts_itself_closes_the_gate(monkeypatch, capsys):
    problem = "published/coco.toml:7: R@5 87.7 exceeds R@10 92.8"
    monkeypatch.setattr("vle_bench.eval.gate.run.consistency_problems", lambda _rows: [problem])
    assert check() == 1
    assert problem in capsys.readouterr().err


def test_a_missing_or_misspelt_case_is_a_problem_of_the_data(case, tmp_path, capsys):
    assert check(tmp_path / "absent") == 3
    (tmp_path / "empty").mkdir()
    assert check(tmp_path / "empty") == 3
    edit(case / "case.toml", "about", "abuot")
    assert check(case) == 3
    assert "case.toml:" in capsys.readouterr().err


def test_options_that_no_scorer_knows_are_named(case, capsys):
    edit(case / "case.toml", "resamples", "resample")
    assert check(case) == 3
    assert "resample" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('task = "vcr"', 'task = "vcrr"', "case.toml: vcrr: no such task. Known: vqa, vcr"),
        ('task = "vcr"', "", "case.toml: names no task."),
        (
            'predictions = ["leaderboard.csv"]',
            "predictions = 3",
            "options: predictions: expected an array, found 3",
        ),
        (
            'predictions = ["leaderboard.csv"]',
            "predictions = [3]",
            "options: predictions[0]: expected str, found 3",
        ),
        (
            'annotations = "val.jsonl"',
            "annotations = 3",
            "options: annotations: expected str, found 3",
        ),
        ('predictions = ["leaderboard.csv"]', "", "case.toml: Nothing to score."),
        ("[variants.csv]", '[variants."../csv"]', "variant '../csv' becomes a part of a file's"),
    ],
)
def test_a_case_that_asks_for_nonsense_is_named_with_its_file(case, capsys, old, new, told):
    edit(case / "case.toml", old, new)
    assert check(case) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err
    assert check(case, "--update") == 3


def test_tables_of_nothing_are_no_golden_tables(tables, capsys):
    shutil.rmtree(tables / "results")
    assert check(tables, "--update") == 3
    assert "no stored result to render" in capsys.readouterr().err


def test_a_case_cannot_read_outside_its_folder(case, capsys):
    edit(case / "case.toml", '"val.jsonl"', '"../../etc/passwd"')
    assert check(case) == 3
    assert "leaves the case's folder" in capsys.readouterr().err


def test_one_case_without_variants_needs_one_expectation(case):
    text = (case / "case.toml").read_text(encoding="utf-8")
    single = text.split("[variants")[0] + 'predictions = "predictions.jsonl"\n'
    (case / "case.toml").write_text(single, encoding="utf-8")
    assert check(case) == 1
    assert check(case, "--update") == 0
    assert (case / "expected.json").is_file()
    assert check(case) == 0


def test_hundreds_of_differences_are_counted_not_poured_out():
    rows = [Difference("case", f"item {n}", "0.0", "1.0") for n in range(100)]
    assert len(difference_table(rows).splitlines()) == 44
    assert "... and 60 more." in difference_table(rows)
