"""Every benchmark of preparation runs, and its result is kept whole. No time is judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.contest import Contest, Goal, Program, hold
from bench.machine import describe
from bench.stored import BEGIN, END, PAGE, page, read_all, store, summary

ROOT = Path(__file__).parents[2]


def test_every_contest_keeps_a_result_of_every_program_and_goal_and_of_no_place(tmp_path: Path):
    kept = tmp_path / "results"
    kept.mkdir()
    command = [sys.executable, "-m", "bench", "prep", "--quick"]
    command += ["--folder", str(tmp_path), "--results", str(kept)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    assert {path.name for path in tmp_path.iterdir()} == {"results"}
    stored = read_all(kept)
    found = {one.outcome.name: one.outcome for one in stored}
    assert {"verify", "reading", "zip", "coco-json", "vg-json"} <= found.keys()
    assert any(name.startswith("packing-") for name in found)
    for outcome in found.values():
        assert outcome.floor in {one.name for one in outcome.programs}
        for one in outcome.programs:
            assert one.wall_s > 0
            assert one.rss_mb > 1
            assert one.low <= one.high
    told = (kept / PAGE).read_text()
    for one in stored:
        assert one.outcome.title in told
        assert one.machine.python in told
        assert all(goal.what in told for goal in one.outcome.goals)
    for path in kept.iterdir():
        for place in (str(ROOT), str(kept), "/tmp", "/dev/shm"):
            assert place not in path.read_text(), path.name


def test_the_page_in_the_repository_is_made_from_its_files():
    kept = ROOT / "bench" / "results"
    assert (kept / PAGE).read_text(encoding="utf-8") == page(read_all(kept))


def test_the_ratios_of_the_readme_are_those_that_were_kept():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    kept = text.partition(BEGIN)[2].partition(END)[0]
    assert kept == summary(read_all(ROOT / "bench" / "results"))


def sleeping(name: str, seconds: float, megabytes: float) -> Program:
    cost = json.dumps([seconds, seconds, megabytes])
    return Program(name, (sys.executable, "-c", f"print('{cost}')"))


def outcome_of(tmp_path: Path, *goals: Goal):
    programs = (sleeping("ours", 2.0, 50), sleeping("other", 6.0, 200))
    contest = Contest("toy", "A toy", "nothing", tmp_path, programs, "other", goals)
    return hold(contest, rounds=3)


def test_ratios_are_to_the_floor_and_goals_say_which_way_they_point(tmp_path: Path):
    outcome = outcome_of(
        tmp_path,
        Goal("three times as fast", "ours", "other", "speed", 3.0),
        Goal("a third of the time", "ours", "other", "time", 0.3),
        Goal("a quarter of the memory", "ours", "other", "memory", 0.25),
        Goal("megabytes", "ours", "", "memory", 49.0),
    )
    assert [one.ratio for one in outcome.programs] == [pytest.approx(1 / 3, abs=1e-3), 1.0]
    assert [(round(goal.found, 3), goal.met) for goal in outcome.goals] == [
        (3.0, True),
        (0.333, False),
        (0.25, True),
        (50.0, False),
    ]


def test_a_program_that_fails_ends_the_contest_with_its_own_words(tmp_path: Path):
    broken = Program("ours", (sys.executable, "-c", "raise SystemExit('no such thing')"))
    contest = Contest("toy", "A toy", "nothing", tmp_path, (broken,), "ours")
    with pytest.raises(RuntimeError, match="no such thing"):
        hold(contest, rounds=1)
    assert list(tmp_path.iterdir()) == []


def test_a_contest_held_again_replaces_its_own_file_alone(tmp_path: Path):
    kept = tmp_path / "results"
    kept.mkdir()
    outcome = outcome_of(tmp_path)
    store(kept, outcome, describe())
    store(kept, outcome_of(tmp_path, Goal("x", "ours", "other", "speed", 1.0)), describe())
    assert [one.outcome.name for one in read_all(kept)] == ["toy"]
    assert len(read_all(kept)[0].outcome.goals) == 1
