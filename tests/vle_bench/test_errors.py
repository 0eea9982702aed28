import os
from pathlib import Path

import pytest

from vle_bench.errors import (
    DataProblem,
    GateFailed,
    MachineProblem,
    Problems,
    UsageProblem,
    machine_errors,
    needs_file,
)


def test_each_kind_of_problem_has_its_exit_code():
    codes = [kind.exit_code for kind in (GateFailed, UsageProblem, DataProblem, MachineProblem)]
    assert codes == [1, 2, 3, 4]


def test_a_hundred_problems_are_told_in_ten_lines_and_none_is_forgotten():
    problems = Problems("100 rows are wrong:")
    problems.extend(f"p.jsonl:{line}: no answer" for line in range(1, 101))
    lines = problems.text(advice="Correct them.").splitlines()
    assert len(lines) == 10
    assert lines[0] == "100 rows are wrong:"
    assert lines[1] == "p.jsonl:1: no answer"
    assert lines[-2] == "... and 93 more."
    assert lines[-1] == "Correct them."


def test_exactly_as_many_problems_as_fit_are_all_shown():
    problems = Problems()
    problems.extend(str(number) for number in range(10))
    assert problems.text().splitlines() == [str(number) for number in range(10)]


def test_no_problem_raises_nothing():
    Problems("nothing").raise_if_any()


def test_the_kind_of_error_is_the_callers_choice():
    problems = Problems()
    problems.add("it moved")
    with pytest.raises(GateFailed, match="it moved"):
        problems.raise_if_any(kind=GateFailed)


def test_a_missing_file_is_a_problem_of_the_data(tmp_path: Path):
    with pytest.raises(DataProblem, match="found nothing there"):
        needs_file(tmp_path / "absent", "predictions")
    with pytest.raises(DataProblem, match="found a folder"):
        needs_file(tmp_path, "predictions")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_is_not_a_file_of_the_data(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataProblem, match="found a pipe or a device"):
        needs_file(tmp_path / "pipe", "predictions")


def test_the_machines_refusals_are_told_apart_from_missing_data(tmp_path: Path):
    with pytest.raises(DataProblem, match="no such file"), machine_errors("here"):
        (tmp_path / "absent").read_bytes()
    with pytest.raises(MachineProblem, match="No space left"), machine_errors("here"):
        raise OSError(28, "No space left on device")
    with pytest.raises(MachineProblem, match="out of memory"), machine_errors("here"):
        raise MemoryError
