"""Results as files: one JSON per contest, and a page of tables made from whatever is there.

The page, and the few ratios in the project's own README, say nothing that the
files do not, so they can be made again at any time. A contest that is held again
replaces its own file alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from bench.contest import Measured, Outcome, Reached
from bench.machine import Machine
from vle_bench.atomic import write_if_changed, write_text
from vle_bench.canonical import pretty_json_bytes
from vle_bench.tables import Column, Table, to_markdown

PAGE = "README.md"
BEGIN, END = "<!-- bench: made by `python -m bench page` -->\n", "<!-- /bench -->\n"
_HEAD = """# What was measured

Made by `python -m bench page` from the JSON files beside it; `make bench-prep` and
`make bench-eval` hold the contests anew. Programs run in turn, each time in a fresh process.
Medians, and the ratio of medians to the floor within one run, beside it the lowest and the highest
ratio of a round. Ratios carry over to other machines much better than seconds; those of programs
that wait for memory beside ones that compute (scipy's bootstrap and ours) do not. The load is that
of the last minute, colleagues included.
"""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A result as it is kept."""

    schema: Literal["vle-bench/bench/1"] = "vle-bench/bench/1"
    outcome: Outcome
    machine: Machine


def store(folder: Path, outcome: Outcome, machine: Machine) -> None:
    """Keeps an outcome as `<name>.json`, and makes the page anew."""
    kept = Stored(outcome=outcome, machine=machine)
    write_if_changed(folder / f"{outcome.name}.json", pretty_json_bytes(kept))
    write_page(folder)


def write_page(folder: Path) -> None:
    """Makes the page from the results that are there."""
    write_text(folder / PAGE, page(read_all(folder)))


def write_summary(readme: Path, stored: list[Stored]) -> None:
    """Puts the ratios between the two marks of the project's README."""
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    write_text(readme, f"{before}{BEGIN}{summary(stored)}{END}{after}")


def summary(stored: list[Stored]) -> str:
    """Goals and ratios as a Markdown table."""
    columns = (Column("what"), Column("where"), Column("found", number=True), Column("hoped for"))
    rows = tuple(
        (goal.what, one.outcome.name, _figure(goal), _bound(goal))
        for one in stored
        for goal in one.outcome.goals
    )
    return to_markdown(Table(columns, rows))


_UNITS = {"memory": " MB", "own memory": " MB", "seconds": " s"}
_OF = {"speed": "the speed", "time": "the time", "processor": "the processor time"}
_OF |= {"memory": "the memory", "own memory": "the own memory"}


def _figure(goal: Reached) -> str:
    if goal.against:
        return f"{goal.found:,.2f}x"
    return f"{goal.found:.{0 if 'memory' in goal.kind else 2}f}{_UNITS[goal.kind]}"


def _bound(goal: Reached) -> str:
    word = "at least" if goal.kind == "speed" else "at most"
    if goal.against:
        return f"{word} {goal.bound:,g}x {_OF[goal.kind]}"
    return f"{word} {goal.bound:g}{_UNITS[goal.kind]}"


def read_all(folder: Path) -> list[Stored]:
    """Every result that is kept, by name."""
    paths = sorted(folder.glob("*.json"))
    return [msgspec.json.decode(path.read_bytes(), type=Stored) for path in paths]


def page(stored: list[Stored]) -> str:
    """The results as Markdown."""
    parts = [_HEAD]
    goals = [(one.outcome, goal) for one in stored for goal in one.outcome.goals]
    if goals:
        parts.append(to_markdown(_goals(goals)))
    parts += [to_markdown(programs(one.outcome, one.machine)) for one in stored]
    return "\n".join(parts)


def programs(outcome: Outcome, machine: Machine) -> Table:
    """What one contest gave, as a table."""
    columns = (
        Column("program"),
        Column(f"x {outcome.floor}", number=True),
        Column("[rounds]", number=True),
        Column("wall s", number=True),
        Column("processor s", number=True),
        Column("RSS MB", number=True),
        *([Column("own MB", number=True)] if _own(outcome) else ()),
    )
    notes = (outcome.given, _circumstances(outcome), _made_on(machine))
    rows = tuple(_row(found, own=_own(outcome)) for found in outcome.programs)
    return Table(columns, rows, outcome.title, notes)


def _own(outcome: Outcome) -> bool:
    """Whether memory without the pages of files was looked at."""
    return any(found.own_mb is not None for found in outcome.programs)


def _row(found: Measured, *, own: bool) -> tuple[str, ...]:
    return (
        found.name,
        f"{found.ratio:.2f}",
        f"{found.low:.2f}-{found.high:.2f}",
        f"{found.wall_s:.3f}",
        f"{found.processor_s:.3f}",
        f"{found.rss_mb:,.0f}",
        *([f"{found.own_mb or 0.0:,.0f}"] if own else ()),
    )


def _circumstances(outcome: Outcome) -> str:
    return (
        f"{outcome.counted}, {outcome.rounds} rounds, load {outcome.load.before:.1f} before and "
        f"{outcome.load.after:.1f} after"
    )


def _made_on(machine: Machine) -> str:
    packages = ", ".join(f"{name} {found}" for name, found in sorted(machine.packages.items()))
    return (
        f"{machine.processor}, {machine.cores} cores, {machine.memory_gb:.0f} GB, "
        f"{machine.system}, Python {machine.python}, {packages}; "
        f"commit {machine.commit or 'unknown'}"
    )


def _goals(goals: list[tuple[Outcome, Reached]]) -> Table:
    columns = (
        Column("goal"),
        Column("contest"),
        Column("at"),
        Column("bound", number=True),
        Column("found", number=True),
        Column("met"),
    )
    rows = tuple(
        (
            goal.what,
            outcome.name,
            "least" if goal.kind == "speed" else "most",
            f"{goal.bound:g}",
            f"{goal.found:.2f}",
            "yes" if goal.met else "no",
        )
        for outcome, goal in goals
    )
    return Table(columns, rows, "Goals")
