"""Rendered tables of a golden store: they must come out byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from vle_bench.errors import DataProblem
from vle_bench.eval.gate.case import DESCRIPTION, restamped, stamps_of
from vle_bench.eval.gate.code import board_code
from vle_bench.eval.gate.difference import Checked, Difference
from vle_bench.eval.gate.stamp import since
from vle_bench.eval.leaderboard.board import groups_of
from vle_bench.eval.leaderboard.render import FORMATS
from vle_bench.results import stored_results

STORE = "results"
_MOST_LINE = 60


def render(folder: Path) -> dict[str, bytes]:
    """File name and bytes of every form of the case's leaderboard.

    Raises:
        DataProblem: There is no stored result to render.
    """
    documents = [found.document for found in stored_results(folder / STORE)]
    if not documents:
        raise DataProblem(f"{folder / STORE}: no stored result to render. Give the case some.")
    groups = groups_of(documents)
    return {f"leaderboard.{form}": write(groups).encode("utf-8") for form, write in FORMATS.items()}


def check_tables(folder: Path, name: str, *, restamp: bool = False) -> Checked:
    """The first line that differs in each table, and what changed since it was written.

    Raises:
        DataProblem: There is no stored result to render, or one is broken.
    """
    tables = render(folder)
    moved = tuple(_differences(folder, name, tables))
    if not moved:
        stamp = restamped(folder, board_code()) if restamp else {}
        return Checked(kind="tables", name=name, writes=stamp)
    stale = {row.metric.partition(":")[0] for row in moved}
    writes = {folder / one: data for one, data in tables.items() if one in stale}
    stored, now, stamped = stamps_of(folder, writes, board_code())
    roles = {DESCRIPTION: "request", **dict.fromkeys(tables, "rendered table")}
    roles |= {one: "stored result" for one in now.inputs if one.startswith(f"{STORE}/")}
    return Checked(
        kind="tables",
        name=name,
        differences=moved,
        since=since(stored, now, roles=roles),
        writes=stamped,
    )


def _differences(folder: Path, name: str, tables: Mapping[str, bytes]) -> Iterator[Difference]:
    for file_name, found in tables.items():
        path = folder / file_name
        if not path.is_file():
            yield Difference(name, file_name, "absent", f"{len(found)} bytes")
            continue
        stored = path.read_bytes()
        if stored != found:
            yield _first_difference(name, file_name, stored, found)


def _first_difference(case: str, file_name: str, stored: bytes, found: bytes) -> Difference:
    old, new = stored.decode("utf-8", "replace").splitlines(), found.decode("utf-8").splitlines()
    for number, (before, after) in enumerate(zip(old, new, strict=False), 1):
        if before != after:
            return Difference(case, f"{file_name}:{number}", *_around(before, after))
    return Difference(case, file_name, f"{len(old)} lines", f"{len(new)} lines")


def _around(before: str, after: str) -> tuple[str, str]:
    """Both lines from shortly before the place where they part."""
    same = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b),
        min(len(before), len(after)),
    )
    start = max(same - _MOST_LINE // 3, 0)
    return before[start : start + _MOST_LINE], after[start : start + _MOST_LINE]
