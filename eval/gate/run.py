"""Everything the gate looks at, in order: cases, pins, published rows.

A case that cannot be read stops no other: it is told with the rest, and where one
is broken nothing at all is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple

from vle_bench.atomic import write_together
from vle_bench.catalog.files import packaged_files
from vle_bench.catalog.published import FOLDER as PUBLISHED
from vle_bench.catalog.published import consistency_problems, read_published
from vle_bench.errors import DataProblem
from vle_bench.eval.gate.case import DESCRIPTION, check_scores, find_cases, read_case
from vle_bench.eval.gate.difference import Checked, Difference, Kind
from vle_bench.eval.gate.pin import check_pin
from vle_bench.eval.gate.pin_file import ENDING, FOLDER, find_pins
from vle_bench.eval.gate.tables import check_tables

GOLDEN = "golden"


class Subject(NamedTuple):
    """One thing to check."""

    kind: Kind
    name: str
    check: Callable[..., Checked]


def check_all(
    folders: Sequence[Path], *, files_in: Path | None, write: bool, restamp: bool = False
) -> list[Checked]:
    """Checks every case and pin below `folders`, and the published rows.

    Args:
        folders: Folders of cases and pins, or single pins; none for what ships with the package.
        files_in: Where files lie that are not beside their pin.
        write: Whether to replace what is stored by what came out.
        restamp: Whether what stands still gets a stamp of today.

    Raises:
        DataProblem: A folder is absent or holds nothing to check.
        MachineProblem: A file cannot be written; those of its case then stay as they were.
    """
    with ExitStack() as stack:
        if folders:
            subjects = [one for place in folders for one in _subjects(place, files_in)]
        else:
            shelf = stack.enter_context(as_file(files("vle_bench.manifests")))
            subjects = [
                *_cases(shelf / GOLDEN, shelf / GOLDEN), *_pins(shelf / FOLDER, shelf, files_in)
            ]  # fmt: skip
        checks = [_checked(subject, restamp=restamp) for subject in subjects]
        if not any(check.broken for check in checks):
            for check in checks:
                if write or check.status == "passed":
                    write_together(check.writes)
    return [*checks, *check_published()]


def check_published() -> Iterator[Checked]:
    """Each file of published rows, and the rows in it that contradict each other."""
    problems = consistency_problems(read_published())
    names = [file.place for file in packaged_files(PUBLISHED, ENDING)]
    by_file: dict[str, list[Difference]] = {name: [] for name in names}
    for problem in problems:
        place, _, what = problem.partition(": ")
        name = place.rpartition(":")[0] or place
        row = Difference(place, "consistency", what, "contradicts the rule")
        by_file.setdefault(name, []).append(row)
    for name, rows in by_file.items():
        yield Checked(kind="published", name=name, differences=tuple(rows))


def _subjects(place: Path, files_in: Path | None) -> list[Subject]:
    if place.is_file() and place.suffix == ENDING and place.name != DESCRIPTION:
        return [_pin(place, place.stem, files_in)]
    if not place.is_dir():
        raise DataProblem(f"{place}: no such folder of golden cases or pins. Check the path.")
    found = [*_cases(place, place), *_pins(place, place, files_in)]
    if not found:
        raise DataProblem(
            f"{place}: no {DESCRIPTION} and no {FOLDER}/*{ENDING} below it. "
            "Name a folder of golden cases, or a pin."
        )
    return found


def _cases(root: Path, top: Path) -> list[Subject]:
    return [
        Subject("case", _name(folder, top), partial(_check_case, folder, _name(folder, top)))
        for folder in find_cases(root)
    ]


def _pins(root: Path, top: Path, files_in: Path | None) -> list[Subject]:
    return [_pin(path, _name(path.with_suffix(""), top), files_in) for path in find_pins(root)]


def _pin(path: Path, name: str, files_in: Path | None) -> Subject:
    return Subject("pin", name, partial(check_pin, path, name, files=files_in))


def _name(path: Path, top: Path) -> str:
    return path.relative_to(top).as_posix() if path != top else top.resolve().name


def _check_case(folder: Path, name: str, *, restamp: bool) -> Checked:
    case = read_case(folder)
    if case.form == "tables":
        return check_tables(folder, name, restamp=restamp)
    return check_scores(folder, name, case, restamp=restamp)


def _checked(subject: Subject, *, restamp: bool) -> Checked:
    try:
        return subject.check(restamp=restamp)
    except DataProblem as problem:
        return Checked(kind=subject.kind, name=subject.name, reason=str(problem), broken=True)
