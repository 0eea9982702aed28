"""The README as a stranger follows it: the demo, then every command it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_HERE = ("make ", "source ")
"""Lines that set up what the tests run in already."""


def run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        # A commit between two demos is a change of the code, which the second would record.
        env={
            **os.environ,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "GIT_DIR": os.devnull,
            **environment,
        },
    )


def make_demo(folder: Path) -> subprocess.CompletedProcess[str]:
    installed = ("--old-file=.venv/.base", f"BIN={BIN}")
    return run(["make", f"--file={ROOT / 'Makefile'}", *installed, "demo"], folder)


def test_make_help_lists_every_target_that_says_what_it_does(tmp_path: Path):
    makefile = ROOT / "Makefile"
    told = run(
        ["make", "--no-print-directory", f"--file={makefile}", "help"], tmp_path
    ).stdout.splitlines()
    targets = re.findall(r"^(\S+):.* ## ", makefile.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(line.split()[0] for line in told) == sorted(targets)
    assert "prep-cc3m" in targets


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder in which the demo ran, and what it printed."""
    folder = tmp_path_factory.mktemp("stranger")
    return folder, make_demo(folder)


def kept(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Time and bytes of every file that a second demo must leave alone; its log is a log."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and ".vle-prep" not in path.parts
    }


def test_the_demo_ends_with_a_leaderboard_of_the_sample_world(demo):
    folder, done = demo
    assert done.returncode == 0, done.stderr
    assert "### vqa: vqav2 val, protocol official, sample world, not real data" in done.stdout
    assert done.stderr.splitlines()[-1] == "Leaderboard in results/leaderboard.md."
    assert "baseline:oracle" in (folder / "results/leaderboard.md").read_text(encoding="utf-8")


def test_a_second_demo_leaves_every_file_alone(demo):
    folder, _ = demo
    before = kept(folder)
    assert len(before) > 100
    done = make_demo(folder)
    assert done.returncode == 0, done.stderr
    assert kept(folder) == before


def test_every_command_of_the_readme_runs_after_the_demo(demo):
    folder, _ = demo
    blocks = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    lines = [line for block in blocks for line in block.splitlines()]
    script = [line for line in lines if not line.startswith(NOT_HERE)]
    assert sum(line.startswith("vle-") for line in script) >= 10
    done = run(["bash", "-euxc", "\n".join(script)], folder)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Traceback" not in done.stderr


def python_block(named: str) -> str:
    """The example that names it."""
    blocks = re.findall(
        r"^```python\n(.*?)^```$",
        (ROOT / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    (example,) = (block for block in blocks if named in block)
    return example


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ("mpc_targets", "assert len(hidden.masked) == 576, hidden"),
        ("WebDataset", "found = next(iter(samples)); one = found['record']; found['image'].load()"),
    ],
)
def test_the_readmes_examples_run_on_the_demos_shards(demo, named: str, shown: str):
    folder, _ = demo
    example = python_block(named)
    done = run([sys.executable, "-c", f"{example}\n{shown}\nprint(one.key)\n"], folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("vqav2-")


def test_the_ranks_of_the_readmes_loader_make_the_same_number_of_steps(demo):
    pytest.importorskip("torch", reason="the loader is torch's")
    folder, _ = demo
    call = "vle-prep run vqav2 --raw data/sample/raw --out many --samples-per-shard 9 --split train"
    assert run(call.split(), folder).returncode == 0
    tars = len(list((folder / "many/vqav2/train").glob("*.tar")))
    code = f"{python_block('WebDataset')}\n{python_block('with_epoch')}\n"
    code = code.replace("data/sample/shards", "many").replace(
        "-000000.tar", f"-{{000000..{tars - 1:06d}}}.tar"
    )
    shown = "\nprint([len(list(batches)) for _ in range(2)], {len(one) for one in batches})"
    bare = "\nprint(sum(1 for _ in samples))"
    steps, own = [], []
    for rank in "01":
        ranks = {"RANK": rank, "WORLD_SIZE": "2"}
        done = run([sys.executable, "-c", code + shown], folder, **ranks)
        assert done.returncode == 0, done.stderr
        steps.append(done.stdout)
        done = run([sys.executable, "-c", code.partition("WORKERS = ")[0] + bare], folder, **ranks)
        own.append(int(done.stdout))
    assert steps[0] == steps[1]
    assert own[0] != own[1]  # so they would wait for each other without it
