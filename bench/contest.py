"""Programs that do the same thing, side by side in fresh processes, and what was hoped of ours.

They run in turn (A B A B), because a machine's load drifts; what is compared is
the ratio of medians within one contest, never a time from another day. A program
tells its own work, imports left out, or is measured as a whole process.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from bench.machine import Load, load, settle
from bench.peaks import Together
from bench.processes import Cost, cost_of

TARGET = "{target}"
"""Stands in a command for a new folder, removed after each run."""


Kind = Literal["speed", "time", "processor", "memory", "own memory", "seconds"]


class Program(NamedTuple):
    """A name for tables, a command, and whether it prints the cost of its work as JSON."""

    name: str
    command: tuple[str, ...]
    tells: bool = True


class Goal(NamedTuple):
    """What ours should reach.

    Attributes:
        what: In a sentence.
        ours: Name of our program.
        against: Name of the other one; "" where a figure of ours stands alone.
        kind: `speed`: the other's time over ours; `time` and `processor`: ours over the other's;
            `memory`: RSS of ours in MB, or over the other's; `own memory`: that of no file;
            `seconds`: ours as they are.
        bound: The least for a speed, the most otherwise.
    """

    what: str
    ours: str
    against: str
    kind: Kind
    bound: float


class Contest(NamedTuple):
    """Programs over the same input; `floor` names the one that the others are divided by.

    `own` says that the programs' memory is also counted without the pages of files.
    """

    name: str
    title: str
    given: str
    place: Path
    programs: tuple[Program, ...]
    floor: str
    goals: tuple[Goal, ...] = ()
    most_rounds: int = 1000
    own: bool = False


class Measured(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The medians of a program; `low` and `high` bound its ratio to the floor, round by round."""

    name: str
    wall_s: float
    processor_s: float
    rss_mb: float
    ratio: float
    low: float
    high: float
    own_mb: float | None = None


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """A goal and what was found."""

    what: str
    ours: str
    against: str
    kind: Kind
    bound: float
    found: float
    met: bool


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a contest gave."""

    name: str
    title: str
    given: str
    counted: str
    rounds: int
    floor: str
    programs: tuple[Measured, ...]
    goals: tuple[Reached, ...]
    load: Load


def hold(contest: Contest, *, rounds: int) -> Outcome:
    """Runs every program of a contest in turn, round after round.

    Raises:
        RuntimeError: A program failed.
    """
    rounds = min(rounds, contest.most_rounds)
    before = load()
    costs: dict[str, list[Cost]] = {program.name: [] for program in contest.programs}
    for _ in range(rounds):
        for program in contest.programs:
            costs[program.name].append(_cost(program, contest.place, own=contest.own))
    medians = {name: _median(found) for name, found in costs.items()}
    tells = {program.tells for program in contest.programs}
    return Outcome(
        name=contest.name,
        title=contest.title,
        given=contest.given,
        counted="work without imports" if tells == {True} else "whole processes",
        rounds=rounds,
        floor=contest.floor,
        programs=tuple(_measured(name, costs, medians, contest.floor) for name in medians),
        goals=tuple(_reached(goal, medians) for goal in contest.goals if _known(goal, medians)),
        load=Load(before=before, after=load()),
    )


def _cost(program: Program, place: Path, *, own: bool) -> Cost:
    target = Path(tempfile.mkdtemp(prefix=".target-", dir=place))
    command = [str(target) if part == TARGET else part for part in program.command]
    # What an earlier program left to the disk is not this one's work.
    settle()
    try:
        return _told(command, own=own) if program.tells else cost_of(command)
    finally:
        shutil.rmtree(target)


def _told(command: Sequence[str], *, own: bool) -> Cost:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        # Watched from here: looks of its own would be work of the program.
        watch = Together(process.pid, own=True) if own else None
        told, wrong = process.communicate()
        peak = watch.stop() if watch else 0.0
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: {wrong.decode(errors='replace')}")
    return msgspec.json.decode(told, type=Cost)._replace(own_mb=peak)


def _median(found: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.median(column) for column in zip(*found, strict=True)))


def _measured(
    name: str, costs: dict[str, list[Cost]], medians: dict[str, Cost], floor: str
) -> Measured:
    pairs = zip(costs[name], costs[floor], strict=True)
    ratios = [mine.wall / other.wall for mine, other in pairs]
    mine = medians[name]
    return Measured(
        name=name,
        wall_s=round(mine.wall, 4),
        processor_s=round(mine.processor, 4),
        rss_mb=round(mine.rss_mb, 1),
        ratio=round(mine.wall / medians[floor].wall, 3),
        low=round(min(ratios), 3),
        high=round(max(ratios), 3),
        own_mb=round(mine.own_mb, 1) or None,
    )


def _known(goal: Goal, medians: dict[str, Cost]) -> bool:
    """Whether the system told what the goal is about; own memory is told by Linux alone."""
    return goal.kind != "own memory" or medians[goal.ours].own_mb > 0


def _reached(goal: Goal, medians: dict[str, Cost]) -> Reached:
    found = _found(goal, medians[goal.ours], medians[goal.against] if goal.against else None)
    met = found >= goal.bound if goal.kind == "speed" else found <= goal.bound
    return Reached(
        what=goal.what,
        ours=goal.ours,
        against=goal.against,
        kind=goal.kind,
        bound=goal.bound,
        found=round(found, 3),
        met=met,
    )


def _found(goal: Goal, ours: Cost, other: Cost | None) -> float:
    if goal.kind == "memory":
        return ours.rss_mb / other.rss_mb if other else ours.rss_mb
    if goal.kind == "own memory":
        return ours.own_mb / other.own_mb if other else ours.own_mb
    if goal.kind == "seconds":
        return ours.wall
    if other is None:
        raise ValueError(f"{goal.what}: a {goal.kind} is a ratio, name the other program")
    if goal.kind == "processor":
        return ours.processor / other.processor
    return other.wall / ours.wall if goal.kind == "speed" else ours.wall / other.wall
