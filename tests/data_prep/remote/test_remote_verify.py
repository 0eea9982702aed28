"""`vle-prep verify URL` finds what it finds in a folder."""

from __future__ import annotations

import pytest
from remote_world import NAME, shard
from s3_server import S3Server

from vle_bench.console import exit_code
from vle_bench.data_prep.cli import group


def verify(bucket: str, *more: str) -> int:
    return exit_code(group, "vle-prep", ["verify", f"s3://{bucket}/out", *more])


def put(server: S3Server, bucket: str, name: str, data: bytes) -> None:
    server.client().put_object(Bucket=bucket, Key=f"out/{NAME}/{name}", Body=data)


def test_what_is_whole_is_sound(there: str, capsys):
    assert verify(there) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert f"s3://{there}/out/{NAME}: 8 shards, 13 samples, every byte is as written" in told.err
    assert verify(there, "--quick") == 0


def test_a_flipped_bit_is_found_with_its_sample(whole, there, server, capsys):
    data = bytearray(whole[shard(1)])
    data[700] ^= 1
    put(server, there, shard(1), bytes(data))
    assert verify(there) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{shard(1)}: {NAME}-")
    assert verify(there, "--quick") == 0


@pytest.mark.parametrize("quick", [False, True])
def test_a_cut_a_lost_and_an_extra_shard_are_found(whole, there, server, capsys, quick):
    put(server, there, shard(0), whole[shard(0)][:-512])
    put(server, there, "val/mine.tar", b"x" * 512)
    server.client().delete_object(Bucket=there, Key=f"out/{NAME}/{shard(1, 'val')}")
    assert verify(there, *(["--quick"] if quick else [])) == 1
    told = capsys.readouterr().out
    assert {line.partition(": ")[0] for line in told.splitlines()} == {
        shard(0),
        shard(1, "val"),
        "val/mine.tar",
    }


def test_swapped_renamed_and_copied_shards_are_named(whole, there, server, capsys):
    put(server, there, shard(0), whole[shard(1)])
    put(server, there, shard(1), whole[shard(0)])
    put(server, there, "val/copy.tar", whole[shard(0, "val")])
    put(server, there, "test/other.tar", whole[shard(0, "test")])
    server.client().delete_object(Bucket=there, Key=f"out/{NAME}/{shard(0, 'test')}")
    assert verify(there) == 1
    lines = capsys.readouterr().out.splitlines()
    assert {line.partition(": ")[0] for line in lines} == {
        shard(0),
        shard(1),
        shard(0, "test"),
        "val/copy.tar",
        "test/other.tar",
    }
    assert f"{shard(0, 'test')}: missing, it lies under the name test/other.tar" in lines


def test_a_report_that_changed_is_found(whole, there, server, capsys):
    changed = whole["report.json"].replace(b'"read": ', b'"read": 1', 1)
    put(server, there, "report.json", changed)
    assert verify(there) == 1
    assert capsys.readouterr().out.startswith("report.json: its seal does not fit")


def test_a_stale_index_and_a_lost_report_are_found(whole, there, server, capsys):
    put(server, there, "samples.parquet", whole["samples.parquet"][:-1])
    assert verify(there) == 1
    assert "samples.parquet" in capsys.readouterr().out
    server.client().delete_object(Bucket=there, Key=f"out/{NAME}/report.json")
    assert verify(there) == 3


def test_many_damaged_shards_are_named_without_being_fetched(
    whole, there, server, capsys, monkeypatch
):
    monkeypatch.setattr("vle_bench.data_prep.remote.verify._MOST_FETCHED", 0)
    cut, other, strange = whole[shard(0)][:-512], bytearray(whole[shard(1)]), shard(7)
    other[700] ^= 1
    for name, data in ((shard(0), cut), (shard(1), bytes(other)), (strange, cut)):
        put(server, there, name, data)
    assert verify(there) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{shard(0)}: {len(cut):,} bytes, the report has {len(cut) + 512:,}",
        f"{shard(1)}: its sha256 is not the report's",
        f"{strange}: extra, no shard of the report",
    ]
    assert verify(there, "--quick") == 1
    assert [line.partition(": ")[0] for line in capsys.readouterr().out.splitlines()] == [
        shard(0),
        strange,
    ]
