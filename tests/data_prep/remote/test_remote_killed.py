"""Runs into a store that are killed, and stores that fail: nothing torn is ever visible."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from remote_world import NAME, arguments, remote_tree, run, shard
from s3_server import SECRETS, Asked, S3Server, no_hook

from vle_bench.data_prep.remote import upload


def disturbed(server: S3Server, raw: Path, bucket: str, at: int, *, late: bool) -> list[Asked]:
    """A run in a process of its own, killed at its `at`-th write; the writes it asked for."""
    asked_for: list[Asked] = []

    def kill(asked: Asked) -> int | None:
        if asked.writes:
            asked_for.append(asked)
            if len(asked_for) == at:
                process.send_signal(signal.SIGKILL)
                return None if late else 500
        return None

    command = [sys.executable, "-m", "vle_bench.data_prep.cli"]
    command += arguments(raw, f"s3://{bucket}/out")
    server.hook = kill
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process.wait(120)
    server.hook = no_hook
    assert process.returncode == (-signal.SIGKILL if len(asked_for) >= at else 0)
    return asked_for


def check_killed(server, raw: Path, bucket: str, at: int, whole: dict[str, bytes]) -> bool:
    """Whether there was an `at`-th write to be killed at."""
    asked = disturbed(server, raw, bucket, at, late=at % 2 == 0)
    for name, data in remote_tree(server, bucket).items():
        assert data == whole[name], f"{name} is torn at write {at}"
    assert run(raw, f"s3://{bucket}/out") == 0
    assert remote_tree(server, bucket) == whole, f"killed at write {at}"
    assert server.unfinished(bucket) == []
    return len(asked) >= at


@pytest.mark.parametrize("at", [2, 13, 34])
def test_a_run_that_is_killed_is_taken_up_again(raw, whole, bucket, server, at: int):
    assert check_killed(server, raw, bucket, at, whole)


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_write_is_taken_up_again(raw, whole, bucket, server):
    at = 1
    while check_killed(server, raw, bucket, at, whole):
        bucket = server.bucket()
        at += 1
    assert at > 40


def test_a_big_shard_goes_in_parts_and_is_the_same(big_raw, big, bucket: str, server):
    assert run(big_raw, f"s3://{bucket}/out", per_shard=3) == 0
    parts = [a for a in server.asked if a.method == "PUT" and "partNumber" in a.query]
    assert len(parts) == 2
    assert not [a for a in server.asked if a.method == "GET" and a.path.endswith(".tar")]
    assert remote_tree(server, bucket) == big


def fail_part(asked: Asked) -> int | None:
    return 500 if "partNumber=2" in asked.query and asked.method == "PUT" else None


def test_a_server_that_fails_in_the_middle_leaves_nothing_visible(
    big_raw, big, bucket: str, server, capsys
):
    server.hook = fail_part
    assert run(big_raw, f"s3://{bucket}/out", per_shard=3) == 4
    told = capsys.readouterr().err
    assert f"s3://{bucket}/out/{NAME}/{shard(0, 'val')}" in told
    assert "Traceback" not in told
    assert remote_tree(server, bucket) == {}
    assert server.unfinished(bucket) == []
    server.hook = no_hook
    assert run(big_raw, f"s3://{bucket}/out", per_shard=3) == 0
    assert remote_tree(server, bucket) == big


def test_an_upload_that_was_killed_is_given_up_by_the_next_run(big_raw, big, bucket: str, server):
    def kill(asked: Asked) -> int | None:
        if "partNumber=2" in asked.query:
            process.send_signal(signal.SIGKILL)
        return None

    server.hook = kill
    command = [sys.executable, "-m", "vle_bench.data_prep.cli"]
    command += arguments(big_raw, f"s3://{bucket}/out", per_shard=3)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert process.wait(120) == -signal.SIGKILL
    server.hook = no_hook
    assert remote_tree(server, bucket) == {}
    assert server.unfinished(bucket) == [f"out/{NAME}/{shard(0, 'val')}"]
    assert run(big_raw, f"s3://{bucket}/out", per_shard=3) == 0
    assert remote_tree(server, bucket) == big
    assert server.unfinished(bucket) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_end_in_the_middle_of_an_upload_leaves_nothing_visible(
    big_raw, big, bucket, server, number: int
):
    def interrupt(asked: Asked) -> int | None:
        if "partNumber=2" in asked.query:
            process.send_signal(number)
        return None

    server.hook = interrupt
    command = [sys.executable, "-m", "vle_bench.data_prep.cli"]
    command += arguments(big_raw, f"s3://{bucket}/out", per_shard=3)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert process.wait(120) == 130
    server.hook = no_hook
    assert server.objects(bucket) == {}  # nor a lease, which would keep other machines waiting
    assert run(big_raw, f"s3://{bucket}/out", per_shard=3) == 0
    assert remote_tree(server, bucket) == big
    assert server.unfinished(bucket) == []


def test_bytes_that_arrive_as_others_are_removed_and_told(
    raw, bucket: str, server, monkeypatch, capsys
):
    plain = upload.publish

    def garbled(fs, path: str, source: Path) -> str:
        if not path.endswith(".tar"):
            return plain(fs, path, source)
        data = bytearray(source.read_bytes())
        data[600] ^= 1
        fs.pipe_file(path, bytes(data))
        return ""

    monkeypatch.setattr("vle_bench.data_prep.remote.store.publish", garbled)
    assert run(raw, f"s3://{bucket}/out") == 4
    assert "does not hold the bytes that were sent" in capsys.readouterr().err
    assert remote_tree(server, bucket) == {}


def test_a_store_that_refuses_is_told(raw, bucket: str, server, capsys):
    server.hook = lambda asked: 403 if asked.path.endswith(".tar") and asked.writes else None
    assert run(raw, f"s3://{bucket}/out") == 4
    assert "the store refuses" in capsys.readouterr().err
    assert remote_tree(server, bucket) == {}


def test_a_bucket_that_is_not_there_is_missing(raw, bucket: str, capsys):
    assert run(raw, "s3://no-such-bucket-of-ours/out") == 3
    assert "s3://no-such-bucket-of-ours/out" in capsys.readouterr().err


def test_missing_credentials_are_told(raw, bucket: str, server, tmp_path: Path):
    plain = {name: value for name, value in os.environ.items() if name not in SECRETS}
    plain |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path), "AWS_MAX_ATTEMPTS": "1"}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "vle_bench.data_prep.cli"),
            *arguments(raw, f"s3://{bucket}/out"),
        ],
        env=plain,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 4
    assert "AWS_ACCESS_KEY_ID" in done.stderr
    assert len(done.stderr.splitlines()) <= 10


def test_a_scheme_that_nobody_knows_is_wrong_usage(raw, bucket: str, capsys):
    assert run(raw, "abc://bucket/out") == 2
    assert "abc://bucket/out" in capsys.readouterr().err
    assert run(raw, "s3://") == 2
