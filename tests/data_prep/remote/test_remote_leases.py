"""Leases: who may write to a remote output at the same time."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import IO, Any

import pytest
from remote_world import NAME, run

from vle_bench.data_prep.journal import Slice
from vle_bench.data_prep.remote import lease
from vle_bench.data_prep.remote.lease import leased
from vle_bench.data_prep.remote.store import store_of
from vle_bench.errors import MachineProblem
from vle_bench.file_lock import locked


def held(bucket: str, stage: Path, part: Slice | None = None):
    return leased(store_of(f"s3://{bucket}/out"), stage, NAME, part)


def test_a_run_of_another_machine_stands_in_the_way(raw, bucket, tmp_path, capsys):
    with held(bucket, tmp_path / "other"):
        assert run(raw, f"s3://{bucket}/out") == 4
    assert "another vle-prep run is writing there" in capsys.readouterr().err
    assert run(raw, f"s3://{bucket}/out") == 0


def test_a_run_of_this_machine_stands_in_the_way(bucket, tmp_path):
    with (
        held(bucket, tmp_path / "same"),
        pytest.raises(MachineProblem),
        held(bucket, tmp_path / "same"),
    ):
        pass


def test_slices_of_one_cut_go_side_by_side(bucket, tmp_path):
    with held(bucket, tmp_path / "a", Slice(0, 3)):
        with held(bucket, tmp_path / "b", Slice(1, 3)):
            pass
        with held(bucket, tmp_path / "a", Slice(2, 3)):
            pass
        for part in (None, Slice(0, 3), Slice(1, 2)):
            with pytest.raises(MachineProblem), held(bucket, tmp_path / "c", part):
                pass


def test_what_was_left_behind_elsewhere_ends_by_the_store_s_clock(
    bucket, server, monkeypatch, tmp_path
):
    gone = f"out/.vle-prep/{NAME}/lease/run.{'a' * 32}.json"
    server.client().put_object(Bucket=bucket, Key=gone, Body=b"{}")
    with pytest.raises(MachineProblem, match="15 minutes"), held(bucket, tmp_path):
        pass
    monkeypatch.setattr(lease, "LEFT_BEHIND", -lease.LEFT_BEHIND)
    with held(bucket, tmp_path):
        assert len(server.objects(bucket)) == 1


def test_what_was_left_behind_here_ends_at_once(bucket, server, tmp_path):
    with held(bucket, tmp_path, Slice(1, 4)):
        (left,) = server.objects(bucket)
    server.client().put_object(Bucket=bucket, Key=left, Body=b"{}")
    with held(bucket, tmp_path):
        assert len(server.objects(bucket)) == 1


def test_slices_that_begin_again_at_once_do_not_hurt_each_other(
    bucket, server, monkeypatch, tmp_path
):
    """Both were killed. One looks whether the other's lease is held while that one begins."""
    for part in (0, 1):
        with held(bucket, tmp_path, Slice(part, 2)):
            (left,) = server.objects(bucket)
        server.client().put_object(Bucket=bucket, Key=left, Body=b"{}")
    looking, begins, told = threading.Event(), threading.Event(), []

    def slowly(stream: IO[Any], *, wait: bool = False) -> bool:
        if wait and looking.is_set():
            begins.set()
        ours = locked(stream, wait=wait)
        if stream.name.endswith("lease-slice-1-of-2") and not looking.is_set():
            looking.set()
            begins.wait(10)
        return ours

    def begin(part: int) -> None:
        with held(bucket, tmp_path, Slice(part, 2)):
            told.append(part)
            together.wait(10)
            leases.append(len(server.objects(bucket)))
            together.wait(10)

    together, leases = threading.Barrier(2), []
    monkeypatch.setattr(lease, "locked", slowly)
    first = threading.Thread(target=begin, args=(0,))
    first.start()
    assert looking.wait(10)
    begin(1)
    first.join()
    assert sorted(told) == [0, 1]
    assert leases == [2, 2]


def test_a_lease_is_kept_fresh(bucket, server, monkeypatch, tmp_path):
    monkeypatch.setattr(lease, "_FRESHEN_S", 0.02)
    with held(bucket, tmp_path):
        before = len(server.asked)
        while len(server.asked) < before + 3:
            pass
