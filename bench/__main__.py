"""Benchmarks: `python -m bench prep`, `tables`, `annotations`, `memory`, `page`.

`prep` holds the contests of data preparation and keeps their results; `tables`
prints those that keep none; `page` makes the page of kept results anew.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from bench import annotations as json_files
from bench import memory, readers, writers
from bench.contest import Contest, hold
from bench.machine import describe
from bench.stored import programs, read_all, store, write_page, write_summary
from vle_bench.tables import to_text

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"
MEMORY_DISK = Path("/dev/shm")  # noqa: S108  # folders in it get names of their own
_TABLES = ("bench.vqa", "bench.vcr", "bench.overlap", "bench.exports", "bench.board")


class Size(NamedTuple):
    """How much is measured, and how often."""

    pictures: int
    rounds: int
    annotations: float


FULL = Size(pictures=1000, rounds=7, annotations=1.0)
QUICK = Size(pictures=40, rounds=3, annotations=0.002)


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Ratios against peers and floors, within one run. Without a command: all of them."""
    if context.invoked_subcommand is None:
        context.invoke(prep)
        context.invoke(tables)


@main.command()
@click.option("--quick", is_flag=True, help="Small and three rounds: that everything runs.")
@click.option("--folder", type=click.Path(path_type=Path), help="A folder on the disk to measure.")
@click.option("--only", multiple=True, help="Contests by the beginning of their names.")
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    help="Where results are kept; bench/results unless they are quick.",
)
def prep(
    quick: bool = False,
    folder: Path | None = None,
    only: tuple[str, ...] = (),
    results: Path | None = None,
) -> None:
    """Packing, verifying, reading, zips and annotations, ours beside others."""
    size = QUICK if quick else FULL
    machine = describe()
    kept = results if quick else results or RESULTS
    for contest in _contests(size, folder, only):
        if only and not contest.name.startswith(only):
            continue
        outcome = hold(contest, rounds=size.rounds)
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


def _contests(size: Size, folder: Path | None, only: tuple[str, ...]) -> Iterator[Contest]:
    """One after the other, each with its input there as long as it is held."""
    for disk in (MEMORY_DISK, folder):
        if _wanted(only, "packing") and (disk is None or disk.is_dir()):
            with _scratch(disk) as place:
                yield writers.contest(place, size.pictures)
    memory = MEMORY_DISK if MEMORY_DISK.is_dir() else folder
    if _wanted(only, "verify", "reading", "zip"):
        with _scratch(memory) as place:
            yield from readers.contests(place, size.pictures)
    if _wanted(only, "coco-json", "vg-json"):
        with _scratch(folder) as place:
            yield from json_files.contests(place, size.annotations)


def _wanted(only: tuple[str, ...], *names: str) -> bool:
    """Whether any contest of that kind is asked for; drawing its input takes a while."""
    return not only or any(name.startswith(one[: len(name)]) for name in names for one in only)


@contextmanager
def _scratch(disk: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vle-bench-", dir=disk) as place:
        yield Path(place)


if __name__ == "__main__":
    main()
