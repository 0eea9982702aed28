"""Which files can move a task's numbers: the code that it imports, and the tables that code reads.

The list is read off the `import` lines, never off what happens to be loaded, so it
is the same in every process and cannot forget a module that somebody adds. A
changed comment counts as a change: the list names suspects, not culprits.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, resolve_name
from types import MappingProxyType

from vle_bench.canonical import sha256_bytes
from vle_bench.catalog.files import packaged_files
from vle_bench.eval.tasks import load_task

OURS = "vle_bench"
SHORT = 16
"""Hex digits of a file's digest: enough to see a change, short enough to be read."""

_TABLES = MappingProxyType(
    {
        "vle_bench.catalog.contractions": "normalization",
        "vle_bench.catalog.datasets": "datasets",
        "vle_bench.catalog.labels": "labels",
        "vle_bench.catalog.metrics": "metrics",
        "vle_bench.catalog.published": "published",
        "vle_bench.catalog.words": "labels",
    }
)
"""The folder of `manifests/` that each of these modules reads."""
_BOARD = "vle_bench.eval.leaderboard"
_ENDINGS = (".toml", ".tsv")
_ROOMS = ("eval", "data_prep")
"""Rooms whose folders lie beside `vle_bench/` in the repository."""


def task_code(task: str) -> dict[str, str]:
    """Digest of every file behind a task's numbers, by its name in the repository.

    Args:
        task: As `vle-eval` names it.

    Raises:
        UsageProblem: There is no such task.
    """
    module = type(load_task(task)).__module__
    # Predictors are reached by a name in a registry, not by an import.
    return dict(_digests((module, f"{module.rpartition('.')[0]}.predictors")))


def board_code() -> dict[str, str]:
    """Digest of every file behind the rendered tables, by its name in the repository."""
    return dict(_digests((f"{_BOARD}.board", f"{_BOARD}.render")))


def repository_name(module: str, *, package: bool = False) -> str:
    """Where a module's source lies in the repository.

    >>> repository_name("vle_bench.eval.vqa.accuracy"), repository_name("vle_bench.answers")
    ('eval/vqa/accuracy.py', 'vle_bench/answers.py')
    """
    parts = module.split(".")
    if parts[0] == OURS and len(parts) > 1 and parts[1] in _ROOMS:
        parts = parts[1:]
    return "/".join(parts) + ("/__init__.py" if package else ".py")


@cache
def _digests(roots: tuple[str, ...]) -> MappingProxyType[str, str]:
    modules = _closure(roots, prefixes=(OURS, roots[0].partition(".")[0]))
    found = {
        repository_name(name, package=source.package): _short(source.data)
        for name, source in modules.items()
    }
    folders = {folder for name, folder in _TABLES.items() if name in modules}
    for folder in folders:
        for ending in _ENDINGS:
            for file in packaged_files(folder, ending):
                found[file.place] = _short(file.handle.read_bytes())
    return MappingProxyType(dict(sorted(found.items())))


class _Source:
    """One module's bytes, and whether it is a package."""

    def __init__(self, data: bytes, *, package: bool) -> None:
        self.data = data
        self.package = package


def _closure(roots: Iterable[str], *, prefixes: tuple[str, ...]) -> dict[str, _Source]:
    """Every module that `roots` import, directly or not, below one of `prefixes`."""
    found: dict[str, _Source] = {}
    waiting = sorted(set(roots), reverse=True)
    while waiting:
        name = waiting.pop()
        if name in found or name.partition(".")[0] not in prefixes:
            continue
        source = _source(name)
        if source is None:
            continue
        found[name] = source
        package = name if source.package else name.rpartition(".")[0]
        waiting += _imported(source.data, package)
    return found


def _imported(data: bytes, package: str) -> Iterator[str]:
    """The names of what a source imports; of `from a import b` both `a` and `a.b`."""
    for node in ast.walk(ast.parse(data)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _source(name: str) -> _Source | None:
    spec = _spec(name)
    read = getattr(spec.loader, "get_data", None) if spec else None
    if spec is None or read is None or not (spec.origin or "").endswith(".py"):
        return None
    return _Source(read(spec.origin), package=spec.submodule_search_locations is not None)


def _spec(name: str) -> ModuleSpec | None:
    try:
        return find_spec(name)
    except ModuleNotFoundError:  # `a.b` where `b` is a function of the module `a`
        return None


def _short(data: bytes) -> str:
    return sha256_bytes(data)[:SHORT]
