"""One golden case: a folder with inputs, a request, and what must come out.

`case.toml` names the task and its options (paths relative to the folder);
`expected.json` holds the metrics and item scores that must come out, `stamp.json`
what they were made from. A leaderboard case holds stored results and the rendered
tables, which must match as bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from vle_bench.canonical import pretty_json_bytes, sha256_bytes
from vle_bench.catalog.files import user_file
from vle_bench.catalog.strict_toml import read_toml
from vle_bench.errors import DataProblem
from vle_bench.eval.gate.asked import named_files, score_options
from vle_bench.eval.gate.code import task_code
from vle_bench.eval.gate.difference import Checked, Difference, metric_difference, value_of
from vle_bench.eval.gate.stamp import GateStamp, digests_below, since, stamp_of
from vle_bench.eval.scored import Scored
from vle_bench.inputs import open_source, read_json
from vle_bench.results import Metric

DESCRIPTION = "case.toml"
STAMP = "stamp.json"
_VARIANT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class CaseFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`case.toml`.

    Attributes:
        task: The task, as `vle-eval` names it.
        about: What the case is for.
        form: `scores`, or `tables` for a store whose rendered leaderboard must not change.
        options: The options of `vle-eval <task>`, without the leading dashes.
        variants: Further options, each giving a run of its own with an expectation of its own.
    """

    task: str = ""
    about: str = ""
    form: Literal["scores", "tables"] = "scores"
    options: Mapping[str, Any] = {}
    variants: Mapping[str, Mapping[str, Any]] = {}


class Run(NamedTuple):
    """One scoring of a case: its name, its expectation's file and its options."""

    name: str
    file_name: str
    options: Mapping[str, Any]


class Expectation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`expected.json` of a run."""

    metrics: dict[str, Metric]
    items: dict[str, float] | None = None
    """Score of each item under "<group> <id>"; two swapped groups leave the total unmoved."""
    protocol: str | None = None
    notes: tuple[str, ...] | None = None


def find_cases(root: Path) -> list[Path]:
    """Every folder below `root` (itself included) with a `case.toml`, sorted."""
    return sorted(path.parent for path in root.rglob(DESCRIPTION))


def read_case(folder: Path) -> CaseFile:
    """Reads `case.toml` strictly.

    Raises:
        DataProblem: Broken, of other keys, without a task, or a variant that names no file.
    """
    case = read_toml(user_file(folder / DESCRIPTION), CaseFile).record
    if case.form == "scores" and not case.task:
        raise DataProblem(f'{folder / DESCRIPTION}: names no task. Add one, such as task = "vqa".')
    for name in case.variants:
        if not _VARIANT_NAME.fullmatch(name):
            raise DataProblem(
                f"{folder / DESCRIPTION}: variant {name!r} becomes a part of a file's name. "
                "Use letters, digits, dots and hyphens."
            )
    return case


def runs_of(case: CaseFile) -> list[Run]:
    """The runs of a case: one, or one for each variant."""
    if not case.variants:
        return [Run("", "expected.json", case.options)]
    return [
        Run(name, f"expected.{name}.json", {**case.options, **options})
        for name, options in case.variants.items()
    ]


def observe(folder: Path, task_name: str, options: Mapping[str, Any]) -> Expectation:
    """Runs a scorer on the case's files.

    Raises:
        DataProblem: The case asks for what no scorer does, or its files are wrong.
    """

    def inside(relative: str) -> str:
        path = folder / relative
        if not path.resolve().is_relative_to(folder.resolve()):
            raise DataProblem(
                f"{folder / DESCRIPTION}: {relative} leaves the case's folder. "
                "Put the file into the folder and name it from there."
            )
        return str(path)

    where = str(folder / DESCRIPTION)
    return _expectation_of(score_options(task_name, options, place=inside, where=where))


def check_scores(folder: Path, name: str, case: CaseFile, *, restamp: bool = False) -> Checked:
    """What moved between what is expected and the runs of today, and why.

    Args:
        folder: The case.
        name: How tables call it.
        case: Its `case.toml`.
        restamp: Whether a case that stands still gets a stamp of today.

    Raises:
        DataProblem: The case, one of its files or an expectation cannot be used.
    """
    moved: list[Difference] = []
    roles = {DESCRIPTION: "request"}
    writes: dict[Path, bytes] = {}
    for run in runs_of(case):
        found = observe(folder, case.task, run.options)
        roles |= named_files(case.task, run.options, where=str(folder / DESCRIPTION))
        roles[run.file_name] = "expectation"
        differences = list(
            _differences(folder / run.file_name, f"{name} {run.name}".strip(), found)
        )
        if differences:
            writes[folder / run.file_name] = pretty_json_bytes(found)
        moved += differences
    if not moved:
        writes = restamped(folder, task_code(case.task)) if restamp else {}
        return Checked(kind="case", name=name, writes=writes)
    stored, now, stamped = stamps_of(folder, writes, task_code(case.task))
    return Checked(
        kind="case",
        name=name,
        differences=tuple(moved),
        since=since(stored, now, roles=roles),
        writes=stamped,
    )


def stamps_of(
    folder: Path, writes: Mapping[Path, bytes], code: Mapping[str, str]
) -> tuple[GateStamp | None, GateStamp, dict[Path, bytes]]:
    """The stored stamp, today's, and `writes` with the stamp that goes with them."""
    path = folder / STAMP
    stored = (
        read_json(open_source(path, "a stamp"), GateStamp, "the stamp of a case")
        if path.is_file()
        else None
    )
    inputs = digests_below(folder, leave_out=frozenset({STAMP}))
    written = {place.relative_to(folder).as_posix(): sha256_bytes(data)
               for place, data in writes.items()}  # fmt: skip
    stamp = stamp_of(inputs=inputs | written, code=code)
    return (
        stored,
        stamp_of(inputs=inputs, code=code),
        {**writes, path: pretty_json_bytes(stamp)},
    )


def restamped(folder: Path, code: Mapping[str, str]) -> dict[Path, bytes]:
    """The stamp of a case that stands still; nothing where the stored one is of today."""
    stored, now, stamped = stamps_of(folder, {}, code)
    return {} if stored == now else stamped


def _differences(path: Path, label: str, found: Expectation) -> Iterator[Difference]:
    if not path.is_file():
        yield Difference(label, path.name, "absent", f"{len(found.metrics)} metrics")
        return
    source = open_source(path, "an expectation")
    stored = read_json(source, Expectation, "what a run of the gate expects")
    yield from _metric_differences(label, stored.metrics, found.metrics)
    if stored.items is not None and found.items is not None:
        yield from _item_differences(label, stored.items, found.items)
    if stored.protocol not in {None, found.protocol}:
        yield Difference(label, "protocol", str(stored.protocol), str(found.protocol))
    if stored.notes is not None and stored.notes != found.notes:
        yield Difference(label, "notes", _joined(stored.notes), _joined(found.notes))


def _expectation_of(scored: Scored) -> Expectation:
    groups, ids, scores = (scored.items[name] for name in ("group", "id", "score"))
    items = {
        f"{group} {identity}".strip(): float(score)
        for group, identity, score in zip(groups, ids, scores, strict=True)
    }
    return Expectation(
        metrics=dict(scored.metrics), items=items, protocol=scored.protocol, notes=scored.notes
    )


def _metric_differences(
    case: str, stored: Mapping[str, Metric], found: Mapping[str, Metric]
) -> Iterator[Difference]:
    for name in dict.fromkeys([*stored, *found]):
        old, new = stored.get(name), found.get(name)
        rows = [metric_difference(case, name, (value_of(old), value_of(new)))]
        if old is not None and new is not None:
            rows += [
                metric_difference(case, f"{name}.{part}", (getattr(old, part), getattr(new, part)))
                for part in ("n", "low", "high")
            ]
        yield from filter(None, rows)


def _item_differences(
    case: str, stored: Mapping[str, float], found: Mapping[str, float]
) -> Iterator[Difference]:
    for name in dict.fromkeys([*stored, *found]):
        row = metric_difference(case, f"item {name}", (stored.get(name), found.get(name)))
        if row is not None:
            yield row


def _joined(notes: tuple[str, ...] | None) -> str:
    return "; ".join(notes or ())
