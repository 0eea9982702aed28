"""`vle-eval check`: the gate that CI calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vle_bench.atomic import write_bytes
from vle_bench.console import PLACE, amount, say
from vle_bench.errors import DataProblem, GateFailed, Problems

if TYPE_CHECKING:
    from vle_bench.eval.gate.difference import Checked


@click.command(name="check")
@click.argument("folders", nargs=-1, type=PLACE, metavar="[DIR]...")
@click.option("--update", "write", is_flag=True, help="Write what comes out today, and show it.")
@click.option("--restamp", is_flag=True, help="Where nothing moved: remember today's code.")
@click.option(
    "--files", "files_in", type=PLACE, metavar="DIR", help="Where files lie that pins name."
)
@click.option("--strict", is_flag=True, help="Fail where a pin's files are absent.")
@click.option("--junit", type=PLACE, metavar="FILE", help="Write JUnit XML as well.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    folders: tuple[Path, ...],
    write: bool,
    restamp: bool,
    files_in: Path | None,
    strict: bool,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Runs golden cases, pinned scores and rendered tables, and checks the published rows.

    A DIR holds cases (folders with a case.toml) and pins (pins/*.toml), or is one pin itself; by
    default those that ship with the package.
    """
    from vle_bench.eval.gate.reports import check_bytes, junit_bytes
    from vle_bench.eval.gate.run import check_all

    if files_in is not None and not files_in.is_dir():
        raise DataProblem(f"{files_in}: no such folder. --files names where pinned files lie.")
    checks = check_all(folders, files_in=files_in, write=write, restamp=restamp)
    fault = _fault(checks, write=write, strict=strict)
    written = write and not any(check.broken for check in checks)
    if junit is not None:
        write_bytes(junit, junit_bytes(checks, strict=strict))
    if as_json:
        document = check_bytes(checks, open_gate=fault is None, written=written)
        click.echo(document.decode("utf-8"), nl=False)
    else:
        _show(checks)
    _tell_unchecked(checks)
    if fault is not None:
        raise fault
    moved = _moved(checks)  # all of it written, else there is a fault
    stamps = sum(bool(check.writes) for check in checks if check.status == "passed")
    if stamps:
        say(f"Stamped anew: {amount(stamps, 'check')}.")
    say(f"Written: {_differences(moved)}." if moved else _all_well(checks))


def _fault(
    checks: Sequence[Checked], *, write: bool, strict: bool
) -> DataProblem | GateFailed | None:
    """Why the gate is closed, if it is."""
    broken = Problems()
    broken.extend(check.reason for check in checks if check.broken)
    if len(broken) == 1:
        return DataProblem(next(iter(broken)))
    if broken:
        return DataProblem(broken.text(advice="Correct them, then check again."))
    # Nobody but their author mends published rows and pins whose files are not here.
    counted = _moved(check for check in checks if not (write and check.writes))
    unchecked = _unchecked(checks) if strict else []
    if not counted and not unchecked:
        return None
    found = [_differences(counted)] if counted else []
    found += [f"{amount(len(unchecked), 'pin')} not checked (--strict)"] if unchecked else []
    if not counted:
        advice = "Give the folder of their files: --files DIR."
    elif write:
        advice = "--update does not write these. Correct them, or name their files: --files DIR."
    else:
        advice = "If that is wanted, say why in CHANGELOG.md under Scores and run with --update."
    return GateFailed(f"The gate is closed: {', '.join(found)}. {advice}")


def _show(checks: Sequence[Checked]) -> None:
    from vle_bench.eval.gate.difference import difference_table, since_table

    rows = [row for check in checks for row in check.differences if check.kind != "published"]
    for check in checks:
        if check.kind == "published":
            for row in check.differences:
                say(f"{row.case}: {row.stored}")
    if rows:
        click.echo(difference_table(rows), nl=False)
        if changed := since_table(checks):
            click.echo(f"\n{changed}", nl=False)


def _tell_unchecked(checks: Sequence[Checked]) -> None:
    absent = Problems()
    absent.extend(f"not checked: {check.name}: {check.reason}." for check in _unchecked(checks))
    if absent:
        say(absent.text())


def _unchecked(checks: Sequence[Checked]) -> list[Checked]:
    return [check for check in checks if check.status == "not checked"]


def _moved(checks: Iterable[Checked]) -> int:
    return sum(len(check.differences) for check in checks)


def _all_well(checks: Sequence[Checked]) -> str:
    unchecked = len(_unchecked(checks))
    absent = f" {amount(unchecked, 'pin')} could not be checked." if unchecked else ""
    return f"The gate is open: nothing moved.{absent}"


def _differences(count: int) -> str:
    return amount(count, "difference")
