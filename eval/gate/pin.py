"""A pinned score: which files, under which rule, gave which numbers, how exactly.

A pin differs from a golden case in that its files may be large, elsewhere and
absent. They are known by their sha256: another file of the same name is told
as such before its score is. Numbers by question type or kind are pinned like
any other, since a total stands still while two groups swap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path, PurePosixPath

import msgspec

from vle_bench.catalog.metrics import metrics
from vle_bench.errors import DataProblem
from vle_bench.eval.gate.asked import named_files, score_options
from vle_bench.eval.gate.code import task_code
from vle_bench.eval.gate.difference import (
    TOLERANCE,
    Checked,
    Difference,
    metric_difference,
    value_of,
)
from vle_bench.eval.gate.pin_file import Pin, Pinned, is_digest, pin_bytes, read_pin
from vle_bench.eval.gate.stamp import GateStamp, digest_of, since, stamp_of
from vle_bench.results import Metric

_SHOWN = 16


def check_pin(
    path: Path, name: str, *, files: Path | None = None, restamp: bool = False
) -> Checked:
    """What moved since a score was pinned, and why.

    Args:
        path: The pin.
        name: How tables call it.
        files: Where files lie that are not beside the pin.
        restamp: Whether a pin that stands still gets a stamp of today.

    Raises:
        DataProblem: The pin is broken, or its files are although they are those that were pinned.
    """
    pin = read_pin(path)
    roles = named_files(pin.task, pin.options, where=str(path))
    places = {written: _find(path, written, files) for written in roles}
    absent = [written for written, place in places.items() if place is None]
    if absent:
        reason = f"{', '.join(absent)}: neither beside the pin nor below --files"
        wrong = tuple(_contradictions(name, pin))
        return Checked(kind="pin", name=name, differences=wrong, reason=reason)
    found = {written: digest_of(place) for written, place in places.items() if place is not None}
    moved = [*_contradictions(name, pin), *_moved_files(name, pin, found, roles)]
    try:
        scored = score_options(
            pin.task, pin.options, place=lambda one: str(places.get(one) or path.parent / one),
            where=str(path),
        )  # fmt: skip
    except DataProblem as problem:
        if not moved:
            raise
        changed = since(_stored(pin), _stamp(pin, found), roles=roles)
        return Checked(
            kind="pin", name=name, differences=tuple(moved), since=changed, reason=str(problem),
            broken=True,
        )  # fmt: skip
    moved += _moved_metrics(name, pin, scored.metrics)
    if not moved and not restamp:
        return Checked(kind="pin", name=name)
    now = _stamp(pin, found)
    if not moved:
        fresh = msgspec.structs.replace(pin, stamp=msgspec.structs.replace(now, inputs={}))
        writes = {} if now == _stored(pin) else {path: pin_bytes(path, fresh)}
        return Checked(kind="pin", name=name, writes=writes)
    updated = msgspec.structs.replace(
        pin,
        files=found,
        metrics=_followed(pin, scored.metrics),
        stamp=msgspec.structs.replace(now, inputs={}),
    )
    return Checked(
        kind="pin",
        name=name,
        differences=tuple(moved),
        since=since(_stored(pin), now, roles=roles),
        writes={path: pin_bytes(path, updated)},
    )


def _find(pin: Path, written: str, files: Path | None) -> Path | None:
    """Where a file lies: beside the pin or in a neighbour of its folder, else below `files`.

    Raises:
        DataProblem: The name leads out of both.
    """
    room = pin.parent.resolve().parent
    beside = (pin.parent / written).resolve()
    inside = beside.is_relative_to(room)
    if inside and beside.exists():
        return beside
    below = not (PurePosixPath(written).is_absolute() or ".." in PurePosixPath(written).parts)
    if not (inside or below):
        raise DataProblem(
            f"{pin}: {written} leaves the folder that the pins lie in. "
            "Name files below it, or below the folder given as --files."
        )
    named = files / written if files is not None and below else None
    return named if named is not None and named.exists() else None


def _stamp(pin: Pin, found: Mapping[str, str]) -> GateStamp:
    return stamp_of(inputs=found, code=task_code(pin.task))


def _stored(pin: Pin) -> GateStamp | None:
    """The pin's stamp with the files among its inputs."""
    return pin.stamp and msgspec.structs.replace(pin.stamp, inputs=pin.files)


def _moved_files(
    name: str, pin: Pin, found: Mapping[str, str], roles: Mapping[str, str]
) -> Iterator[Difference]:
    for written in dict.fromkeys([*found, *pin.files]):
        old, new = pin.files.get(written, "absent"), found.get(written, "not asked for")
        if old != new:
            label = f"{roles.get(written, 'file')} {written}"
            yield Difference(name, label, _short(old), _short(new))


def _moved_metrics(name: str, pin: Pin, found: Mapping[str, Metric]) -> Iterator[Difference]:
    if not pin.metrics:
        yield Difference(name, "metrics", "none pinned", f"{len(found)} metrics")
    for metric, pinned in pin.metrics.items():
        new = found.get(metric)
        tolerance = pin.tolerance if pinned.tolerance is None else pinned.tolerance
        rows = [metric_difference(name, metric, (pinned.value, value_of(new)), tolerance=tolerance)]
        if pinned.n is not None and new is not None:
            rows.append(metric_difference(name, f"{metric}.n", (pinned.n, new.n)))
        yield from filter(None, rows)


def _contradictions(name: str, pin: Pin) -> Iterator[Difference]:
    """Pinned numbers that cannot be true together, by the rules that published rows obey."""
    parts = sorted({key[key.index("[") :] if "[" in key else "" for key in pin.metrics})
    for chain in metrics().rising:
        for part in parts:
            present = [key + part for key in chain if key + part in pin.metrics]
            for lower, higher in pairwise(present):
                low, high = pin.metrics[lower].value, pin.metrics[higher].value
                if low > high + TOLERANCE:
                    yield Difference(
                        name, f"{lower} <= {higher}", f"{low!r} > {high!r}", "cannot be"
                    )


def _followed(pin: Pin, found: Mapping[str, Metric]) -> dict[str, Pinned]:
    """What is pinned, with today's numbers; all there is where nothing was pinned yet."""
    wanted = [name for name in pin.metrics or found if name in found]
    return {
        name: Pinned(
            value=found[name].value,
            n=found[name].n,
            tolerance=pin.metrics[name].tolerance if name in pin.metrics else None,
        )
        for name in wanted
    }


def _short(digest: str) -> str:
    return digest[:_SHOWN] if is_digest(digest) else digest
