"""One golden case: a folder with inputs, a request, and what must come out.

`case.toml` names the task and its options (paths relative to the folder);
`expected.json` holds the metrics and item scores that must come out. A leaderboard
case holds stored results and the rendered tables, which must match as bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from vle_bench.atomic import write_if_changed
from vle_bench.canonical import pretty_json_bytes
from vle_bench.catalog.files import user_file
from vle_bench.catalog.strict_toml import read_toml
from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.eval.gate.difference import Difference
from vle_bench.eval.requests import ScoringRequest
from vle_bench.eval.scored import Scored
from vle_bench.eval.tasks import load_task
from vle_bench.inputs import open_source, read_json
from vle_bench.results import Metric

DESCRIPTION = "case.toml"
TOLERANCE = 1e-9
_VARIANT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PATH_FIELDS = frozenset(
    {
        "annotations", "questions", "vocabulary", "texts", "scores", "image_ids", "text_ids",
        "image_features", "text_features", "data",
    }
)  # fmt: skip


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
    """Every folder below `root` (itself included) with a `case.toml`, sorted.

    Raises:
        DataProblem: `root` is absent or holds none.
    """
    if not root.is_dir():
        raise DataProblem(f"{root}: no such folder of golden cases.")
    cases = sorted(path.parent for path in root.rglob(DESCRIPTION))
    if not cases:
        raise DataProblem(f"{root}: no {DESCRIPTION} below it. Name a folder of golden cases.")
    return cases


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
    try:
        task = load_task(task_name)
        request = _request(folder, options, task.request_type)
        return _expectation_of(task.score(request))
    except UsageProblem as problem:
        # What is wrong usage on a command line is a fault of the file here.
        raise DataProblem(f"{folder / DESCRIPTION}: {problem}") from problem


def differences(folder: Path, name: str, case: CaseFile) -> Iterator[Difference]:
    """What moved between what is expected and a run of today."""
    for run in runs_of(case):
        label = f"{name} {run.name}".strip()
        found = observe(folder, case.task, run.options)
        path = folder / run.file_name
        if not path.is_file():
            yield Difference(label, run.file_name, "absent", f"{len(found.metrics)} metrics")
            continue
        source = open_source(path, "an expectation")
        stored = read_json(source, Expectation, "what a run of the gate expects")
        yield from _metric_differences(label, stored.metrics, found.metrics)
        if stored.items is not None and found.items is not None:
            yield from _item_differences(label, stored.items, found.items)
        if stored.protocol not in {None, found.protocol}:
            yield Difference(label, "protocol", str(stored.protocol), str(found.protocol))
        if stored.notes is not None and stored.notes != found.notes:
            yield Difference(label, "notes", _joined(stored.notes), _joined(found.notes))


def update(folder: Path, case: CaseFile) -> None:
    """Writes what the scorer finds today as the expectation."""
    for run in runs_of(case):
        found = observe(folder, case.task, run.options)
        write_if_changed(folder / run.file_name, pretty_json_bytes(found))


def _request(
    folder: Path, options: Mapping[str, Any], kind: type[ScoringRequest]
) -> ScoringRequest:
    """The request that the options name, with every path inside the case's folder."""
    written = {key.replace("-", "_"): value for key, value in options.items()}
    if isinstance(written.get("predictions"), str):
        written["predictions"] = [written["predictions"]]
    try:
        asked = msgspec.convert(written, kind)
    except msgspec.ValidationError as error:
        raise DataProblem(f"{folder / DESCRIPTION}: options: {error}.") from error
    named = {field: getattr(asked, field, "") for field in _PATH_FIELDS}
    placed: dict[str, Any] = {field: _inside(folder, path) for field, path in named.items() if path}
    placed["predictions"] = tuple(
        ",".join(_inside(folder, part) for part in path.split(",")) for path in asked.predictions
    )
    return msgspec.structs.replace(asked, **placed)


def _inside(folder: Path, relative: str) -> str:
    path = folder / relative
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DataProblem(f"{folder / DESCRIPTION}: {relative} leaves the case's folder.")
    return str(path)


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
        if old is None or new is None:
            yield Difference(case, name, _number(old), _number(new))
            continue
        for part in ("value", "n", "low", "high"):
            label = name if part == "value" else f"{name}.{part}"
            before, after = getattr(old, part), getattr(new, part)
            if not _equal(before, after):
                yield Difference(case, label, _digits(before), _digits(after))


def _item_differences(
    case: str, stored: Mapping[str, float], found: Mapping[str, float]
) -> Iterator[Difference]:
    for name in dict.fromkeys([*stored, *found]):
        before, after = stored.get(name), found.get(name)
        if not _equal(before, after):
            yield Difference(case, f"item {name}", _digits(before), _digits(after))


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= TOLERANCE


def _joined(notes: tuple[str, ...] | None) -> str:
    return "; ".join(notes or ())


def _number(metric: Metric | None) -> str:
    return "absent" if metric is None else _digits(metric.value)


def _digits(value: float | None) -> str:
    return "absent" if value is None else repr(value)
