"""`vle-eval check`: the gate that CI calls."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import click

from vle_bench.catalog.published import consistency_problems, read_published
from vle_bench.console import PLACE, amount, say
from vle_bench.errors import GateFailed
from vle_bench.eval.gate import case as scoring
from vle_bench.eval.gate import tables
from vle_bench.eval.gate.difference import Difference, difference_table


@click.command(name="check")
@click.argument("folders", nargs=-1, type=PLACE, metavar="[DIR]...")
@click.option("--update", "write", is_flag=True, help="Write what comes out today, and show it.")
def command(folders: tuple[Path, ...], write: bool) -> None:
    """Runs golden cases (default: those in manifests/golden) and checks the published rows."""
    if folders:
        moved = [row for folder in folders for row in check_folder(folder, write=write)]
    else:
        with as_file(files("vle_bench.manifests") / "golden") as golden:
            moved = list(check_folder(golden, write=write))
    published = consistency_problems(read_published())
    for problem in published:
        say(problem)
    if moved:
        click.echo(difference_table(moved), nl=False)
    if published or (moved and not write):
        counted = len(moved) + len(published)
        raise GateFailed(
            f"The gate is closed: {_differences(counted)}. "
            "If that is wanted, say why in CHANGELOG.md under Scores and run with --update."
        )
    say(f"Written: {_differences(len(moved))}." if moved else "The gate is open: nothing moved.")


def check_folder(root: Path, *, write: bool) -> Iterator[Difference]:
    """Differences of every case below `root`; with `write` the stored files follow.

    Args:
        root: A folder of cases.
        write: Whether to replace what is stored.
    """
    for folder in scoring.find_cases(root):
        name = str(folder.relative_to(root)) if folder != root else root.name
        case = scoring.read_case(folder)
        if case.form == "tables":
            found = list(tables.differences(folder, name))
        else:
            found = list(scoring.differences(folder, name, case))
        if write and found:
            _update(folder, case)
        yield from found


def _differences(count: int) -> str:
    return amount(count, "difference")


def _update(folder: Path, case: scoring.CaseFile) -> None:
    if case.form == "tables":
        tables.update(folder)
    else:
        scoring.update(folder, case)
