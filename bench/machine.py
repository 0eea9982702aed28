"""What the numbers were made on, without the name of a host or a folder.

A shared machine is never quiet, so the load before and after stands beside
every result: ratios bear it, as far as the programs bear it alike.
"""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

_PACKAGES = (
    "duckdb", "faiss-cpu", "isal", "lmdb", "msgspec", "numpy", "pandas", "pyarrow", "pycocotools",
    "ranx", "scikit-learn", "scipy", "torch", "torchmetrics", "webdataset",
)  # fmt: skip
_GIGABYTE = 1e9


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Programs that wanted a processor over the last minute, before a contest and after it."""

    before: float
    after: float


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The machine, as far as it explains a ratio."""

    processor: str
    cores: int
    memory_gb: float
    system: str
    python: str
    packages: dict[str, str]
    commit: str
    """Of the code that ran; `+` behind it where files differed from it."""


def describe() -> Machine:
    """This machine and this code."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else _cores(),
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIGABYTE, 1),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        packages={name: found for name in _PACKAGES if (found := _version(name))},
        commit=_commit(),
    )


def load() -> float:
    """The load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def settle() -> None:
    """Waits until the disk has what was written to it."""
    os.sync()


def file_system(folder: Path) -> str:
    """The kind of file system that a folder lies on, such as `ext4`; "" where nothing tells.

    >>> isinstance(file_system(Path.cwd()), str)
    True
    """
    mounts = Path("/proc/self/mounts")
    if not mounts.is_file():
        return ""
    place = folder.resolve()
    kinds = {
        Path(fields[1]): fields[2]
        for line in mounts.read_text().splitlines()
        if (fields := line.split())
    }
    return next((kinds[one] for one in (place, *place.parents) if one in kinds), "")


def _cores() -> int:
    return os.cpu_count() or 1


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _commit() -> str:
    def git(*words: str) -> str:
        here = Path(__file__).parent
        done = subprocess.run(
            ["git", "-C", here, *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    head = git("rev-parse", "--short=12", "HEAD")
    # Results are written by the benchmarks themselves and change no figure.
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":!/bench/results")
    return f"{head}+" if head and changed else head
