"""Benchmarks: `python -m bench prep`, `eval`, `tables`, `annotations`, `memory`, `page`.

`prep` and `eval` hold the contests of preparation and of scoring and keep their
results; `tables` prints those that keep none; `page` makes the page of kept results
anew. `--only NAME` holds one contest, and prints its figures like any other.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from bench import annotations as json_files
from bench import memory, preparing, scoring
from bench.contest import Contest, hold
from bench.machine import describe
from bench.stored import programs, read_all, store, write_page, write_summary
from vle_bench.tables import to_text

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"
_TABLES = ("bench.overlap", "bench.exports")


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Ratios against peers and floors, within one run. Without a command: all of them."""
    if context.invoked_subcommand is None:
        context.invoke(prep)
        context.invoke(evaluation)
        context.invoke(tables)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that both kinds of contests have."""
    for option in (
        click.option("--results", type=click.Path(path_type=Path),
                     help="Where results are kept; bench/results unless they are quick."),
        click.option("--only", multiple=True, help="Contests by the beginning of their names."),
        click.option("--folder", type=click.Path(path_type=Path), help="A folder on the disk."),
        click.option("--quick", is_flag=True, help="Small, one round: that everything runs."),
    ):  # fmt: skip
        command = option(command)
    return command


@main.command()
@_options
def prep(
    quick: bool = False,
    folder: Path | None = None,
    only: tuple[str, ...] = (),
    results: Path | None = None,
) -> None:
    """Packing, verifying, reading, zips and annotations, ours beside others."""
    size = preparing.QUICK if quick else preparing.FULL
    kept = results if quick else results or RESULTS
    contests = preparing.contests(size, only, _scratch, folder)
    _hold(contests, rounds=size.rounds, only=only, kept=kept)


@main.command("eval")
@_options
def evaluation(
    quick: bool = False,
    folder: Path | None = None,
    only: tuple[str, ...] = (),
    results: Path | None = None,
) -> None:
    """VQA, VCR, retrieval, intervals, grounding and the page, ours beside others."""
    size = scoring.QUICK if quick else scoring.FULL
    kept = results if quick else results or RESULTS
    contests = scoring.contests(size, only, lambda: _scratch(folder))
    _hold(contests, rounds=size.rounds, only=only, kept=kept)


def _hold(
    contests: Iterable[Contest], *, rounds: int, only: tuple[str, ...], kept: Path | None
) -> None:
    machine = describe()
    for contest in contests:
        if only and not contest.name.startswith(only):
            continue
        outcome = hold(contest, rounds=rounds)
        if kept is not None:
            store(kept, outcome, machine)
        click.echo(to_text(programs(outcome, machine)))
        for goal in outcome.goals:
            word = "met" if goal.met else "NOT MET"
            click.echo(f"  {goal.what}: {goal.found:.2f}, bound {goal.bound:g}, {word}")
        click.echo()
    if kept == RESULTS:
        write_summary(README, read_all(kept))


@main.command()
def tables() -> None:
    """Benchmarks that print a table and keep nothing."""
    for name in _TABLES:
        subprocess.run([sys.executable, "-m", name], check=True)


@main.command()
def page() -> None:
    """The page of kept results, and the ratios in the README, from their files."""
    write_page(RESULTS)
    write_summary(README, read_all(RESULTS))


main.add_command(json_files.main, "annotations")
main.add_command(memory.main, "memory")


@contextmanager
def _scratch(disk: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vle-bench-", dir=disk) as place:
        yield Path(place)


if __name__ == "__main__":
    main()
