"""Kills a preparation at its n-th change of the disk, for every n, and looks what is left.

A fresh process reads `TRIALS` (JSON, first argument): which raw folder, which request, from which
tree to begin. It forks a child per trial; the child counts every opening for writing, write, fsync,
rename, removal and new folder, and kills itself with SIGKILL at the n-th: before it, or, of a
write, when half of the bytes are on their way; or it is killed at a random moment, with its
workers. Then the same request runs undisturbed. Nothing is
preloaded and no environment is needed: the patches are made in the child after the fork.
Writes {"points": how many there are, "tried": n..., "kinds": {...}, "wrong": [sentences]}.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.repair import repair
from vle_bench.data_prep.run import Request, prepare

_MOST_NAMED = 5


class Fault:
    """Counts changes of the disk and ends the process at the n-th."""

    def __init__(self, at: int, log: int) -> None:
        self._at = at
        self._log = log
        self._count = 0

    def step(self, kind: str, first: Callable[[], None] | None = None) -> None:
        self._count += 1
        os.write(self._log, f"{kind}\n".encode())
        if self._count == self._at:
            if first is not None:
                first()
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        plain_open, plain_fsync = pathlib.Path.open, os.fsync

        def opened(path: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
            if "w" not in mode and "a" not in mode:
                return plain_open(path, mode, *rest, **more)
            self.step("open")
            return Stream(plain_open(path, mode, *rest, **more), self)

        def fsync(handle: int) -> None:
            self.step("fsync")
            plain_fsync(handle)

        pathlib.Path.open = opened
        os.fsync = fsync
        for name in ("replace", "unlink", "mkdir"):
            setattr(pathlib.Path, name, self._before(name, getattr(pathlib.Path, name)))

    def _before(self, kind: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def patched(path: Path, *rest: Any, **more: Any) -> Any:
            self.step(kind)
            return plain(path, *rest, **more)

        return patched


class Stream:
    """A file whose writes count; the fatal one puts half of its bytes on the disk."""

    def __init__(self, inner: Any, fault: Fault) -> None:
        self._inner = inner
        self._fault = fault

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._inner.close()

    def write(self, data: bytes) -> int:
        def half() -> None:
            self._inner.write(data[: len(data) // 2])
            self._inner.flush()

        self._fault.step("write", half)
        return self._inner.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def tree(out: Path) -> dict[str, bytes]:
    """Every file below the output, temporary ones and the journal too, but not locks and logs."""
    found: dict[str, bytes] = {}
    for path in out.rglob("*"):
        if path.is_file() and path.name not in ("lock", "runs.jsonl"):
            with suppress(FileNotFoundError):  # a worker of a killed run was just ending
                found[path.relative_to(out).as_posix()] = path.read_bytes()
    return found


def in_child(work: Callable[[], None], kill_after: float | None = None) -> int:
    """The wait status of a forked child that did `work`, or was killed after so many seconds."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


class Trials:
    """One kind of command, tried at many points."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._raw = Path(plan["raw"])
        self._place = Path(plan["place"])
        self._begin = Path(plan["begin"]) if plan["begin"] else None
        self._before = tree(self._begin) if self._begin else {}
        self._command = plan["command"]
        self._dataset = plan["dataset"]
        self._workers = plan["workers"]
        self._per_shard = plan["samples_per_shard"]
        self.wrong: list[str] = []
        self.kinds: dict[str, int] = {}

    def run(self, out: Path) -> None:
        if self._command == "repair":
            repair(out / self._dataset, self._raw)
            return
        settings = Parameters(samples_per_shard=self._per_shard)
        prepare(
            Request(
                dataset=self._dataset,
                raw=self._raw,
                out=out,
                parameters=settings,
                workers=self._workers,
            )
        )

    def steps(self, at: int, out: Path) -> tuple[int, list[str]]:
        """Runs until the `at`-th step; the wait status and the kinds of the steps."""
        shutil.rmtree(out, ignore_errors=True)
        if self._begin:
            shutil.copytree(self._begin, out)
        log = self._place / "steps"
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

        def disturbed() -> None:
            Fault(at, handle).install()
            self.run(out)

        status = in_child(disturbed)
        os.close(handle)
        return status, log.read_text().split()

    def undisturbed(self) -> tuple[dict[str, bytes], list[str]]:
        """The tree at the end of a run that nothing happens to, and the kinds of its steps."""
        status, kinds = self.steps(0, self._place / "whole")
        assert status == 0, status
        return tree(self._place / "whole"), kinds

    def all(self, every: int, first: int) -> dict[str, Any]:
        """Kills at every `every`-th step."""
        whole, kinds = self.undisturbed()
        points = range(1 + first, len(kinds) + 1, every)
        for at in points:
            self.trial(at, whole)
        return self.told(points=len(kinds), tried=len(points))

    def at_moments(self, count: int) -> dict[str, Any]:
        """Kills at moments drawn from as long as an undisturbed run takes, workers and all."""
        began = time.monotonic()
        whole, _ = self.undisturbed()
        longest = time.monotonic() - began
        draw = random.Random(count)
        out = self._place / "out"
        for _ in range(count):
            shutil.rmtree(out, ignore_errors=True)
            moment = draw.uniform(0.0, longest)
            in_child(lambda: self.run(out), kill_after=moment)
            self.look(f"after {moment:.3f} s", out, whole)
        return self.told(points=0, tried=count)

    def told(self, *, points: int, tried: int) -> dict[str, Any]:
        return {"points": points, "tried": tried, "kinds": self.kinds, "wrong": self.wrong}

    def trial(self, at: int, whole: dict[str, bytes]) -> None:
        out = self._place / "out"
        status, kinds = self.steps(at, out)
        where = f"point {at} ({kinds[-1]})"
        self.kinds[kinds[-1]] = self.kinds.get(kinds[-1], 0) + 1
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            self.wrong.append(f"{where}: was not killed")
        self.look(where, out, whole)

    def look(self, where: str, out: Path, whole: dict[str, bytes]) -> None:
        """Nothing torn under a final name, and the same command makes the same tree."""
        for name, data in tree(out).items():
            if Path(name).name.endswith(".tmp"):
                continue
            if data not in (whole.get(name), self._before.get(name)):
                self.wrong.append(f"{where}: {name} is torn under its final name")
        if in_child(lambda: self.run(out)) != 0:
            self.wrong.append(f"{where}: the same command failed afterwards")
            return
        now = tree(out)
        other = sorted(name for name in {*now, *whole} if now.get(name) != whole.get(name))
        if other:
            told = ", ".join(other[:_MOST_NAMED])
            self.wrong.append(f"{where}: not as an undisturbed run leaves them: {told}")


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    trials = Trials(asked)
    moments = asked["moments"]
    done = trials.at_moments(moments) if moments else trials.all(asked["every"], asked["first"])
    sys.stdout.write(json.dumps(done))
