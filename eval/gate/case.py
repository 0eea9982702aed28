"""One golden case: a folder with inputs, a request, and what must come out.

`case.toml` names the task and its request (paths relative to the folder);
`expected.json` holds metrics and item scores of a scoring case. A leaderboard
case holds stored results and the rendered tables, which must match as bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from vle_bench.atomic import write_bytes
from vle_bench.canonical import pretty_json_bytes
from vle_bench.catalog.files import user_file
from vle_bench.catalog.strict_toml import read_toml
from vle_bench.errors import DataProblem
from vle_bench.eval.gate.difference import Difference
from vle_bench.eval.scored import Scored
from vle_bench.eval.tasks import load_task
from vle_bench.inputs import open_source, read_json
from vle_bench.results import Metric

DESCRIPTION = "case.toml"
EXPECTED = "expected.json"
TOLERANCE = 1e-9
_PATH_FIELDS = (
    "annotations",
    "questions",
    "vocabulary",
    "texts",
    "scores",
    "image_ids",
    "text_ids",
    "image_features",
    "text_features",
    "data",
)


class CaseFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`case.toml`."""

    task: str
    about: str
    request: Mapping[str, Any] = {}
    form: Literal["scores", "tables"] = "scores"


class Expectation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`expected.json` of a scoring case."""

    metrics: dict[str, Metric]
    items: dict[str, float]
    """Score of each item under "<group> <id>"; two swapped groups leave the total unmoved."""
    protocol: str
    notes: tuple[str, ...] = ()


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
    """Reads `case.toml` strictly."""
    return read_toml(user_file(folder / DESCRIPTION), CaseFile).record


def observe(folder: Path, case: CaseFile) -> Expectation:
    """Runs the case's scorer on the case's files."""
    task = load_task(case.task)
    request = msgspec.convert(_placed(case.request, folder), task.request_type)
    return _expectation_of(task.score(request))


def differences(folder: Path, name: str, case: CaseFile) -> Iterator[Difference]:
    """What moved between `expected.json` and a run of today."""
    path = folder / EXPECTED
    found = observe(folder, case)
    if not path.is_file():
        yield Difference(name, EXPECTED, "absent", f"{len(found.metrics)} metrics")
        return
    stored = read_json(open_source(path, "an expectation"), Expectation, f"a gate's {EXPECTED}")
    yield from _metric_differences(name, stored.metrics, found.metrics)
    yield from _item_differences(name, stored.items, found.items)
    if stored.protocol != found.protocol:
        yield Difference(name, "protocol", stored.protocol, found.protocol)
    if stored.notes != found.notes:
        yield Difference(name, "notes", "; ".join(stored.notes), "; ".join(found.notes))


def update(folder: Path, case: CaseFile) -> None:
    """Writes what the scorer finds today as the expectation."""
    write_bytes(folder / EXPECTED, pretty_json_bytes(observe(folder, case)))


def _placed(request: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The request with its paths inside the case's folder; a path that leaves it is refused."""
    placed = dict(request)
    for field in _PATH_FIELDS:
        if placed.get(field):
            placed[field] = _inside(folder, str(placed[field]))
    placed["predictions"] = [
        ",".join(_inside(folder, part) for part in str(path).split(","))
        for path in placed.get("predictions", [])
    ]
    return placed


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


def _number(metric: Metric | None) -> str:
    return "absent" if metric is None else _digits(metric.value)


def _digits(value: float | None) -> str:
    return "absent" if value is None else repr(value)
