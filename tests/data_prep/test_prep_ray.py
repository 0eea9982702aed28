"""A real Ray: the same bytes, errors as they are, lost workers made good, nobody left behind.

One Ray serves all of these tests: it takes seconds to start. `make test` keeps the tests
of a file in one process.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from engine_tasks import divide, killed_always, killed_once, note, process, refuse, square
from s3_server import S3Server

from vle_bench.console import exit_code
from vle_bench.data_prep.cli import group
from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.engines import ray as ray_engine
from vle_bench.data_prep.engines.ray import RayEngine
from vle_bench.data_prep.run import Request, prepare
from vle_bench.errors import DataProblem, MachineProblem


@pytest.fixture(scope="session")
def cluster(server: S3Server) -> Iterator[str]:
    """The address of the Ray of this session, which runs in this process's name."""
    ray = pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        patch.syspath_prepend(str(Path(__file__).parent))
        for name, value in ray_engine._QUIET.items():
            patch.setenv(name, value)
        handler = signal.getsignal(signal.SIGTERM)
        ray.init(
            address="local",
            num_cpus=2,
            num_gpus=0,
            include_dashboard=False,
            object_store_memory=128 << 20,
            log_to_driver=False,
            logging_level="ERROR",
            runtime_env={
                "env_vars": server.environment | {"PYTHONPATH": str(Path(__file__).parent)}
            },
        )
        signal.signal(signal.SIGTERM, handler)
        yield ray.get_runtime_context().gcs_address
        ray.shutdown()


def tree(out: Path) -> dict[str, bytes]:
    folder = out / "vqav2"
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def made(raw: Path, out: Path, engine: str, *, workers: int = 2, **more) -> dict[str, bytes]:
    settings = Parameters(samples_per_shard=2, min_answer_count=2)
    request = Request(
        dataset="vqav2",
        raw=raw,
        out=out,
        parameters=settings,
        workers=workers,
        engine=engine,
        **more,
    )
    prepare(request)
    return tree(out)


def command(raw: Path, out: Path, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "vle_bench.data_prep.cli", "run", "vqav2"),
        *("--raw", str(raw), "--out", str(out), "--samples-per-shard", "2"),
        *("--engine", "ray", *more),
    ]


def test_the_tree_is_the_same_to_the_byte(small, cluster, tmp_path: Path):
    small.picture("train", 12, b"<html>")
    raw = small.write()
    expected = made(raw, tmp_path / "local", "local", workers=1)
    assert made(raw, tmp_path / "two", "ray") == expected
    assert made(raw, tmp_path / "all", "ray", workers=0) == expected
    stamps = {p: p.stat().st_mtime_ns for p in (tmp_path / "two").rglob("*.tar")}
    assert made(raw, tmp_path / "two", "ray") == expected
    assert stamps == {p: p.stat().st_mtime_ns for p in (tmp_path / "two").rglob("*.tar")}


def test_slices_over_ray_join_to_the_same_tree(small, cluster, tmp_path: Path):
    raw, out = small.write(), tmp_path / "sliced"
    tail = ["--samples-per-shard", "2", "--engine", "ray"]
    for part in ("0/2", "1/2"):
        args = ["run", "vqav2", "--raw", str(raw), "--out", str(out), "--slice", part, *tail]
        assert exit_code(group, "vle-prep", args) == 0
    args = ["run", "vqav2", "--raw", str(raw), "--out", str(out), "--finish", *tail]
    assert exit_code(group, "vle-prep", args) == 0
    prepare(
        Request(
            dataset="vqav2",
            raw=raw,
            out=tmp_path / "whole",
            parameters=Parameters(samples_per_shard=2),
        )
    )
    assert tree(out) == tree(tmp_path / "whole")


def test_workers_of_ray_send_shards_to_a_store(small, cluster, server, bucket, tmp_path: Path):
    raw = small.write()
    args = ["run", "vqav2", "--raw", str(raw), "--samples-per-shard", "2"]
    remote = [*args, "--out", f"s3://{bucket}/out", "--engine", "ray"]
    assert exit_code(group, "vle-prep", remote) == 0
    assert exit_code(group, "vle-prep", [*args, "--out", str(tmp_path / "local")]) == 0
    assert server.objects(bucket, "out/vqav2/") == tree(tmp_path / "local")


def test_tasks_run_elsewhere_and_every_one_has_one_outcome(cluster):
    with RayEngine(2) as engine:
        for _ in range(2):
            assert sorted(engine.map(square, range(20), total=20)) == [n * n for n in range(20)]
        assert os.getpid() not in set(engine.map(process, range(6), total=6))
        assert list(engine.map(square, [], total=0)) == []


def test_what_a_task_raises_arrives_as_it_is(cluster):
    with pytest.raises(DataProblem, match="is wrong"), RayEngine(2) as engine:
        list(engine.map(refuse, range(3), total=3))
    with pytest.raises(ZeroDivisionError), RayEngine(2) as engine:
        list(engine.map(divide, range(3), total=3))


def test_a_task_whose_worker_is_killed_runs_again(cluster, tmp_path: Path):
    with RayEngine(2) as engine:
        outcomes = sorted(engine.map(killed_once, [tmp_path / str(n) for n in range(3)], total=3))
    assert outcomes == [1, 1, 1]


def test_a_task_whose_worker_is_killed_every_time_is_the_machine_s_refusal(cluster):
    with pytest.raises(MachineProblem, match="lost a task 4 times"), RayEngine(2) as engine:
        list(engine.map(killed_always, range(2), total=2))


def test_tasks_are_taken_little_by_little(cluster):
    taken = 0

    def tasks():
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    with RayEngine(2) as engine:
        outcomes = engine.map(square, tasks(), total=100)
        next(outcomes)
        assert taken < 10
        assert len(list(outcomes)) == 99


def test_an_error_stops_tasks_that_have_not_begun_and_waits_for_the_others(cluster, tmp_path: Path):
    path = tmp_path / "begun"
    with suppress(RuntimeError), RayEngine(2) as engine:
        for _ in engine.map(note, [path] * 100, total=100):
            raise RuntimeError
    assert path.stat().st_size < 10
    assert not goes_on(path)


def goes_on(path: Path) -> bool:
    """Whether half a second makes the file longer."""
    before = path.stat().st_size
    time.sleep(0.5)
    return path.stat().st_size > before


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL])
def test_a_driver_that_ends_leaves_no_task_behind(cluster, tmp_path: Path, signum: int):
    """The driver is a process of its own, on the cluster that RAY_ADDRESS names."""
    path = tmp_path / "beats"
    driver = subprocess.Popen(
        [sys.executable, "-m", "engine_tasks", "slowly", str(path)],
        env=os.environ | {"RAY_ADDRESS": cluster, "PYTHONPATH": str(Path(__file__).parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        while not path.exists() or path.stat().st_size < 3:
            assert driver.poll() is None, driver.communicate()
            time.sleep(0.05)
        driver.send_signal(signum)
        driver.wait(60)
    finally:
        driver.kill()
        driver.communicate()
    # Ctrl-C waits for the tasks; a killed driver's workers see it end, soon.
    soon = time.monotonic() + (10 if signum == signal.SIGKILL else 0)
    while goes_on(path):
        assert time.monotonic() < soon
    assert driver.returncode == (130 if signum == signal.SIGINT else -signal.SIGKILL)


def test_the_command_reaches_the_cluster_and_is_quiet(small, cluster, tmp_path: Path):
    raw = small.write()
    done = subprocess.run(
        command(raw, tmp_path / "out", "--json"),
        env=os.environ | {"RAY_ADDRESS": cluster},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.encode() == (tmp_path / "out/vqav2/report.json").read_bytes()
    assert len(done.stderr.splitlines()) < 10
    assert "ray" not in done.stderr.lower()


def test_a_lost_worker_says_nothing_on_stdout(cluster, tmp_path: Path):
    driver = subprocess.run(
        [sys.executable, "-m", "engine_tasks", "killed", str(tmp_path / "once")],
        env=os.environ | {"RAY_ADDRESS": cluster, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
    )
    assert (driver.returncode, driver.stdout) == (0, "[1]")
    assert "died" in driver.stderr


def of_session(session: int) -> set[str]:
    """Names of the processes of a session of the system that have not ended."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
            state, _, _, of = rest.split()[:4]
            if int(of) == session and state != "Z":
                found.add(name)
    return found


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
def test_without_an_address_ray_is_started_here_and_ended(small, tmp_path: Path):
    raw = small.write()
    plain = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    process = subprocess.Popen(
        command(raw, tmp_path / "out", "--workers", "1"),
        env=plain,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    seen: set[str] = set()
    while process.poll() is None:
        seen |= of_session(process.pid)
        time.sleep(0.1)
    _, told = process.communicate()
    assert process.returncode == 0, told
    assert "raylet" in seen
    # The system has killed Ray's workers with their raylet; on a busy machine they take a moment.
    soon = time.monotonic() + 10
    while of_session(process.pid) and time.monotonic() < soon:
        time.sleep(0.05)
    assert of_session(process.pid) == set()
    settings = Parameters(samples_per_shard=2)
    prepare(Request(dataset="vqav2", raw=raw, out=tmp_path / "local", parameters=settings))
    assert tree(tmp_path / "out") == tree(tmp_path / "local")


def test_an_address_where_nobody_listens_is_told(small, tmp_path: Path):
    raw = small.write()
    begun = time.monotonic()
    done = subprocess.run(
        command(raw, tmp_path / "out"),
        env=os.environ | {"RAY_ADDRESS": "127.0.0.1:1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 4
    assert "RAY_ADDRESS=127.0.0.1:1: no Ray cluster answers there" in done.stderr
    assert time.monotonic() - begun < 20


def test_without_ray_the_command_says_what_to_install(small, tmp_path: Path, monkeypatch, capsys):
    plain = importlib.import_module

    def without(name: str, *rest):
        if name == "ray":
            raise ModuleNotFoundError("No module named 'ray'", name="ray")
        return plain(name, *rest)

    monkeypatch.setattr(ray_engine.importlib, "import_module", without)
    args = ["run", "vqav2", "--raw", str(small.write()), "--out", str(tmp_path / "out")]
    assert exit_code(group, "vle-prep", [*args, "--engine", "ray"]) == 2
    assert "pip install 'vle-bench[ray]'" in capsys.readouterr().err
    assert not (tmp_path / "out/vqav2").exists()


def test_an_unknown_engine_is_wrong_usage(small, tmp_path: Path, capsys):
    args = ["run", "vqav2", "--raw", str(small.write()), "--out", str(tmp_path / "out")]
    assert exit_code(group, "vle-prep", [*args, "--engine", "slurm"]) == 2
    assert "slurm: no such engine. Known: local, ray" in capsys.readouterr().err
