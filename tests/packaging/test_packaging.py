"""The four guards of the import root, and the promises of the package as a whole."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {
    "vle_bench": "vle_bench",
    "data_prep": "vle_bench/data_prep",
    "eval": "vle_bench/eval",
    "manifests": "vle_bench/manifests",
}
DATA_ENDINGS = {".toml", ".json", ".jsonl", ".csv", ".tsv", ".txt", ".md", ".npy", ".parquet"}


def source_files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@pytest.fixture(scope="session")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in a wheel built from a copy of the tree."""
    copy = tmp_path_factory.mktemp("tree")
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                target = copy / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder)]
    if _has_setuptools():
        command.append("--no-build-isolation")
    done = subprocess.run([*command, str(copy)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def _has_setuptools() -> bool:
    from importlib.util import find_spec

    return find_spec("setuptools") is not None and find_spec("wheel") is not None


def test_the_wheel_holds_every_module_of_the_tree_and_no_other(wheel_names: set[str]):
    expected = {
        f"{target}/{path.relative_to(ROOT / room).as_posix()}"
        for room, target in ROOMS.items()
        for path in source_files(room)
    }
    assert {name for name in wheel_names if name.endswith(".py")} == expected


def test_the_wheel_holds_every_manifest(wheel_names: set[str]):
    expected = {
        f"vle_bench/manifests/{path.relative_to(ROOT / 'manifests').as_posix()}"
        for path in (ROOT / "manifests").rglob("*")
        if path.suffix in DATA_ENDINGS
    }
    assert expected <= wheel_names
    assert "vle_bench/py.typed" in wheel_names


def test_nothing_is_installed_outside_the_import_root(wheel_names: set[str]):
    tops = {name.split("/")[0] for name in wheel_names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"vle_bench"}


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("data_prep", ("vle_bench.eval",)),
        ("eval", ("vle_bench.data_prep",)),
        ("vle_bench", ("vle_bench.eval", "vle_bench.data_prep")),
    ],
)
def test_rooms_are_entered_only_as_the_architecture_allows(room: str, forbidden: tuple[str, ...]):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in source_files(room)
        for name in imported(path)
        if name.startswith(forbidden)
    ]
    assert wrong == []


def test_manifests_hold_no_code_beyond_the_package_marker():
    assert [path.name for path in source_files("manifests")] == ["__init__.py"]


def test_scripts_of_pages_stay_small():
    scripts = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.js"))]
    assert len(scripts) > 5
    assert [path for path in scripts if len(path.read_text("utf-8").splitlines()) > 400] == []


def test_files_and_functions_stay_small():
    problems = []
    for room in ROOMS:
        for path in source_files(room):
            text = path.read_text(encoding="utf-8")
            if len(text.splitlines()) > 400:
                problems.append(f"{path.relative_to(ROOT)}: over 400 lines")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                    length = node.end_lineno - node.lineno + 1
                    if length > 60:
                        problems.append(f"{path.relative_to(ROOT)}:{node.name}: {length} lines")
    assert problems == []


HEAVY = ("torch", "transformers", "pandas", "webdataset", "pyarrow", "PIL", "datasets")


@pytest.mark.parametrize("program", ["vle_bench.eval.cli", "vle_bench.data_prep.cli"])
def test_help_imports_nothing_heavy(program: str):
    code = (
        f"import sys; from {program} import group; from vle_bench.console import exit_code;"
        f"code = exit_code(group, 'x', ['--help']);"
        f"print(code, sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/")
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr


def test_the_bare_folders_are_not_importable_from_elsewhere(tmp_path: Path):
    code = "import importlib.util as u; print(u.find_spec('eval'), u.find_spec('data_prep'))"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.stdout.strip() == "None None", done.stderr


def test_every_sub_package_is_listed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = settings["tool"]["setuptools"]["packages"]
    found = {
        f"{target}/{marker.parent.relative_to(ROOT / room).as_posix()}".removesuffix("/.")
        for room, target in ROOMS.items()
        for marker in (ROOT / room).rglob("__init__.py")
    }
    assert sorted(listed) == sorted(name.replace("/", ".") for name in found)
    assert listed == sorted(listed)
