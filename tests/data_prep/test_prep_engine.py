"""Local processes: every task once, errors told, a killed worker named, nobody left behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from ctypes import c_bool
from pathlib import Path

import pytest

from vle_bench.data_prep.engines import local
from vle_bench.data_prep.engines.local import LocalEngine, stop_if_asked
from vle_bench.errors import DataProblem, MachineProblem


def square(number: int) -> int:
    return number * number


def refuse(number: int) -> int:
    raise DataProblem(f"task {number} is wrong")


def killed(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def process(number: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def note(path: Path) -> int:
    with path.open("ab") as stream:
        stream.write(b"x")
    time.sleep(0.05)
    return 1


def until_stopped(folder: Path) -> int:
    """Notes in `folder` that it has begun, and how it ended; too late counts as not stopped."""
    mine = folder / str(os.getpid())
    mine.write_text("begun")
    until = time.monotonic() + 60
    try:
        while time.monotonic() < until:
            stop_if_asked()
            time.sleep(0.001)
    except KeyboardInterrupt:
        mine.write_text("stopped")
    return 0


def once_begun(folder: Path) -> int:
    """Returns when another task has begun there."""
    until = time.monotonic() + 60
    while time.monotonic() < until and not any(path.stat().st_size for path in folder.iterdir()):
        time.sleep(0.001)
    return 1


def one_of_two(task: tuple[bool, Path]) -> int:
    waits, folder = task
    return once_begun(folder) if waits else until_stopped(folder)


@pytest.mark.parametrize("workers", [1, 3])
def test_every_task_has_one_outcome(workers: int):
    with LocalEngine(workers) as engine:
        for _ in range(2):
            assert sorted(engine.map(square, range(20), total=20)) == [n * n for n in range(20)]


def test_one_worker_or_one_task_needs_no_other_process():
    with LocalEngine(1) as engine:
        assert set(engine.map(process, range(3), total=3)) == {os.getpid()}
    with LocalEngine(4) as engine:
        assert list(engine.map(process, [0], total=1)) == [os.getpid()]


def test_processes_serve_several_calls():
    with LocalEngine(2) as engine:
        first = set(engine.map(process, range(8), total=8))
        second = set(engine.map(process, range(8), total=8))
    assert os.getpid() not in first | second
    assert len(first | second) <= 2


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_task_raises_arrives_as_it_is(workers: int):
    with pytest.raises(DataProblem, match="is wrong"), LocalEngine(workers) as engine:
        list(engine.map(refuse, range(3), total=3))


def test_a_killed_worker_is_the_machine_s_refusal():
    with pytest.raises(MachineProblem, match="fewer --workers"), LocalEngine(2) as engine:
        list(engine.map(killed, range(3), total=3))


def test_tasks_are_taken_little_by_little():
    taken = 0

    def tasks():
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    with LocalEngine(2) as engine:
        outcomes = engine.map(square, tasks(), total=100)
        next(outcomes)
        assert taken < 10
        assert len(list(outcomes)) == 99


def test_an_error_stops_tasks_that_have_not_begun(tmp_path: Path):
    path = tmp_path / "begun"
    with suppress(RuntimeError), LocalEngine(2) as engine:
        for _ in engine.map(note, [path] * 100, total=100):
            raise RuntimeError
    assert path.stat().st_size < 10


def test_a_task_under_way_is_told_to_stop_and_its_end_is_waited_for(tmp_path: Path):
    with suppress(KeyboardInterrupt), LocalEngine(2) as engine:
        assert next(engine.map(one_of_two, [(False, tmp_path), (True, tmp_path)], total=2)) == 1
        assert [path.read_text() for path in tmp_path.iterdir()] == ["begun"]
        raise KeyboardInterrupt
    assert [path.read_text() for path in tmp_path.iterdir()] == ["stopped"]


def test_the_word_that_stops_workers_has_no_lock_to_take_along(monkeypatch: pytest.MonkeyPatch):
    """A worker killed while it looked would keep a lock, and the parent wait for it for ever."""
    given: list[object] = []
    monkeypatch.setattr(local, "ProcessPoolExecutor", lambda *parts: given.append(parts[-1]))
    engine = LocalEngine(2)
    engine._started()
    assert [type(flag) for (flag,) in given] == [c_bool]


class Swallows:
    """Python drops whatever is raised within a finaliser."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_python_swallowed_is_met_at_the_next_look(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with LocalEngine(1):
            swallowed = Swallows()
            del swallowed
            with pytest.raises(KeyboardInterrupt):
                stop_if_asked()
        with LocalEngine(1):
            stop_if_asked()  # that was of another run
    finally:
        signal.signal(signal.SIGINT, before)
