"""What a stored number was made from, and what of it is no longer the same.

A stamp is written where a number is, and only there: a change that moved nothing
leaves it as it was, so "since" reaches back to the moment the number was stored.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import msgspec

from vle_bench import __version__
from vle_bench.canonical import json_bytes, sha256_bytes, sha256_file

_MOST_NAMED = 8
_ENVIRONMENT = ("numpy", "msgspec")
_KNOWN = {"manifests/normalization/vqa_contractions.tsv": "contraction table"}


class GateStamp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Inputs, code and machine behind a stored number.

    Attributes:
        package: Our version.
        environment: Versions of Python and of what computes, and the kind of machine.
        inputs: sha256 of each file by its name in the case's folder, or as the pin names it.
        code: First digits of the sha256 of each source and table, by its name in the repository.
    """

    package: str = ""
    environment: Mapping[str, str] = {}
    inputs: Mapping[str, str] = {}
    code: Mapping[str, str] = {}


def stamp_of(*, inputs: Mapping[str, str], code: Mapping[str, str]) -> GateStamp:
    """A stamp of this process."""
    libraries = {name: version(name) for name in _ENVIRONMENT}
    return GateStamp(
        package=__version__,
        environment={
            "python": platform.python_version(), "machine": platform.machine(), **libraries
        },
        inputs=dict(sorted(inputs.items())),
        code=dict(sorted(code.items())),
    )  # fmt: skip


def since(stored: GateStamp | None, now: GateStamp, *, roles: Mapping[str, str]) -> tuple[str, ...]:
    """What differs between a stored stamp and today's, nearest to the number first.

    Args:
        stored: The stamp beside the number; None where none was stored.
        now: Today's.
        roles: What each input is: "predictions", "references", "vocabulary", ...

    >>> old = GateStamp(inputs={"p.json": "1"}, code={"eval/vqa/accuracy.py": "2"})
    >>> since(old, GateStamp(inputs={"p.json": "1"}, code={"eval/vqa/accuracy.py": "3"}), roles={})
    ('eval/vqa/accuracy.py changed',)
    """
    if stored is None:
        return ("nothing is recorded: no stamp was stored with the number",)
    inputs = [
        f"{_subject(name, roles.get(name, ''))} {how}"
        for name, how in _changes(stored.inputs, now.inputs)
    ]
    nearest = sorted(_changes(stored.code, now.code), key=lambda change: _distance(change[0]))
    code = [f"{_subject(name, _KNOWN.get(name, ''))} {how}" for name, how in nearest]
    found = [*inputs, *_named(code)]
    if stored.package != now.package:
        found.append(f"package {stored.package} -> {now.package}")
    if found:
        return tuple(found)
    around = [
        f"{name} {stored.environment.get(name, 'absent')} -> {now.environment.get(name, 'absent')}"
        for name, _ in _changes(stored.environment, now.environment)
    ]
    if around:
        return (f"nothing recorded changed: environment ({', '.join(around)})",)
    return ("nothing recorded changed: neither input, code, data nor environment",)


def digest_of(path: Path) -> str:
    """sha256 of a file; of a folder, that of its files' names and digests."""
    if not path.is_dir():
        return sha256_file(path)
    return sha256_bytes(json_bytes(digests_below(path)))


def digests_below(folder: Path, *, leave_out: frozenset[str] = frozenset()) -> dict[str, str]:
    """sha256 of every file below `folder` but those named, by its path from there.

    Hidden files are none of ours: a writer that was killed leaves one.
    """
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.name.startswith(".") and name not in leave_out:
            found[name] = sha256_file(path)
    return found


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        (name, "changed" if name in old and name in new else "is gone" if name in old else "is new")
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _named(changes: list[str]) -> list[str]:
    more = len(changes) - _MOST_NAMED
    return [*changes[:_MOST_NAMED], f"{more} more files of code or data"] if more > 0 else changes


def _distance(name: str) -> tuple[int, str]:
    """Tables and scorers first, then what they share, then the foundation."""
    if name.startswith("manifests/normalization/"):
        return 0, name
    depth = name.count("/")
    if name.startswith("eval/"):
        return (1 if depth > 1 else 2), name
    return (4 if name.startswith("manifests/datasets/") else 3), name


def _subject(name: str, role: str) -> str:
    return f"{role} ({name})" if role else name
