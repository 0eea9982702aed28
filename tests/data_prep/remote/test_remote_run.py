"""Output to a store: the same bytes, whole objects only, and nothing done twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from remote_world import NAME, local_tree, remote_tree, run, shard, writes

from vle_bench.console import exit_code
from vle_bench.data_prep.cli import group
from vle_bench.data_prep.remote import upload
from vle_bench.data_prep.remote.store import Store
from vle_bench.errors import DataProblem


def test_the_tree_is_that_of_a_local_run(raw, whole, bucket: str, server, tmp_path: Path, capsys):
    assert run(raw, f"s3://{bucket}/out/", "--stage", str(tmp_path / "stage")) == 0
    assert remote_tree(server, bucket) == whole
    assert f"s3://{bucket}/out/{NAME}: 8 shards built" in capsys.readouterr().err
    left = [path.name for path in (tmp_path / "stage").rglob("*") if path.is_file()]
    assert sorted(left) == ["holder", "lock.lease-look", "lock.lease-run"]
    assert not (tmp_path / "cache").exists()
    assert not any(str(tmp_path).encode() in data for data in whole.values())
    assert not [key for key in server.objects(bucket) if "lease" in key]


def test_workers_of_their_own_send_the_same(raw, whole, bucket: str, server):
    assert run(raw, f"s3://{bucket}/out", "--workers", "2") == 0
    assert remote_tree(server, bucket) == whole


def test_the_report_comes_last_and_every_object_by_one_request(raw, whole, bucket, server):
    assert run(raw, f"s3://{bucket}/out") == 0
    puts = [a.path for a in server.asked if a.method == "PUT" and f"/out/{NAME}/" in a.path]
    assert len(puts) == len(set(puts)) == len(whole)
    assert puts[-1].endswith("/report.json")
    tars = [path.endswith(".tar") for path in puts]
    assert tars == sorted(tars, reverse=True)
    log = [a.path for a in server.asked if a.method == "PUT"]
    assert log.index(puts[-1]) == len(log) - 2  # behind it only the log of runs


def test_a_second_run_writes_nothing_and_reads_no_shard(raw, there: str, server, capsys):
    assert run(raw, f"s3://{there}/out") == 0
    assert "0 shards built, 8 verified and kept" in capsys.readouterr().err
    assert writes(server, there) == set()
    assert not [a for a in server.asked if a.method == "GET" and a.path.endswith(".tar")]


def test_only_missing_and_damaged_shards_are_built_again(raw, whole, there, server, capsys):
    client = server.client()
    data = bytearray(whole[shard(1)])
    data[700] ^= 1
    client.put_object(Bucket=there, Key=f"out/{NAME}/{shard(1)}", Body=bytes(data))
    client.put_object(Bucket=there, Key=f"out/{NAME}/{shard(2)}", Body=bytes(data[:512]))
    client.delete_object(Bucket=there, Key=f"out/{NAME}/{shard(0, 'val')}")
    client.delete_object(Bucket=there, Key=f"out/{NAME}/README.md")
    server.asked.clear()
    assert run(raw, f"s3://{there}/out") == 0
    told = capsys.readouterr().err
    assert "3 shards built, 5 verified and kept" in told
    assert f"{NAME}-train-000001.tar: damaged, built again" in told
    assert f"{NAME}-val-000000.tar: missing, built again" in told
    assert writes(server, there) == {shard(1), shard(2), shard(0, "val"), "README.md"}
    assert remote_tree(server, there) == whole


def test_a_tree_that_was_copied_there_is_read_back_once_and_kept(
    raw, whole, local: Path, bucket: str, server, capsys
):
    client = server.client()
    for path in local.rglob("*"):
        if path.is_file():
            key = f"out/{path.relative_to(local).as_posix()}"
            client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    for reads in (8, 0):
        server.asked.clear()
        assert run(raw, f"s3://{bucket}/out") == 0
        assert "0 shards built, 8 verified and kept" in capsys.readouterr().err
        tars = {a.path for a in server.asked if a.method == "GET" and a.path.endswith(".tar")}
        assert len(tars) == reads
    assert remote_tree(server, bucket) == whole


def test_a_lost_or_torn_journal_costs_a_rebuild_and_changes_nothing(raw, whole, there, server):
    client = server.client()
    for name in (f"train/{NAME}-train-000000.json", f"val/{NAME}-val-000001.stored"):
        client.put_object(Bucket=there, Key=f"out/.vle-prep/{NAME}/{name}", Body=b"{")
    name = f"out/.vle-prep/{NAME}/val/{NAME}-val-000000.json"
    sound = server.objects(there, name)[""]
    changed = sound.replace(b'"val"', b'"vat"')
    client.put_object(Bucket=there, Key=name, Body=changed)
    client.delete_object(Bucket=there, Key=f"out/.vle-prep/{NAME}/test/{NAME}-test-000000.json")
    server.asked.clear()
    assert run(raw, f"s3://{there}/out") == 0
    assert writes(server, there) == {shard(0), shard(0, "test"), shard(0, "val")}
    assert remote_tree(server, there) == whole


def test_other_parameters_leave_no_shard_of_before(raw, there, server, tmp_path: Path):
    assert run(raw, f"s3://{there}/out", per_shard=3) == 0
    assert remote_tree(server, there) == local_tree(raw, tmp_path / "three", per_shard=3)
    journal = server.objects(there, f"out/.vle-prep/{NAME}/train/")
    stems = [f"{NAME}-train-00000{number}" for number in range(3)]
    assert sorted(journal) == sorted(f"{one}.{end}" for one in stems for end in ("json", "stored"))


def test_a_further_split_joins_the_others(raw, whole, bucket: str, server):
    for split in ("val", "test", "train"):
        assert run(raw, f"s3://{bucket}/out", "--split", split) == 0
    assert remote_tree(server, bucket) == whole
    log = server.objects(bucket, f"out/.vle-prep/{NAME}/")["runs.jsonl"]
    assert len(log.splitlines()) == 3


def test_slices_join_to_the_same_tree(raw, whole, bucket: str, server, capsys):
    for part, shards in (("1/2", 3), ("0/2", 5)):
        assert run(raw, f"s3://{bucket}/out", "--slice", part) == 0
        told = capsys.readouterr().err
        assert f"s3://{bucket}/out/{NAME}: slice {part}: {shards} shards built" in told
    assert "report.json" not in remote_tree(server, bucket)
    assert run(raw, f"s3://{bucket}/out", "--finish") == 0
    assert remote_tree(server, bucket) == whole


def test_memory_is_a_store_too(raw, whole, tmp_path: Path, monkeypatch):
    from fsspec.implementations.memory import MemoryFileSystem

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(MemoryFileSystem, "store", {})
    for _ in range(2):
        assert run(raw, "memory://deep/out", "--workers", "3") == 0
        prefix = f"/deep/out/{NAME}/"
        found = MemoryFileSystem.store.items()
        tree = {
            name.removeprefix(prefix): one.getvalue()
            for name, one in found
            if name.startswith(prefix)
        }
        assert tree == whole
    assert exit_code(group, "vle-prep", ["verify", "memory://deep/out"]) == 0


def test_a_file_url_is_a_folder(raw, whole, tmp_path: Path):
    out = tmp_path / "as url"
    assert run(raw, out.as_uri()) == 0
    assert local_tree(raw, out) == whole
    assert exit_code(group, "vle-prep", ["verify", (out / NAME).as_uri()]) == 0


def test_a_file_system_gets_files_aside_and_renamed(tmp_path: Path, monkeypatch):
    from fsspec.implementations.local import LocalFileSystem

    source, target = tmp_path / "source", tmp_path / "far" / "shard.tar"
    source.write_bytes(b"x" * 1000)
    seen: list[set[str]] = []
    plain = LocalFileSystem.put_file

    def put(fs, here: str, there: str, **more) -> None:
        plain(fs, here, there, **more)
        seen.append({path.name for path in target.parent.iterdir()})

    monkeypatch.setattr(LocalFileSystem, "put_file", put)
    upload.publish(LocalFileSystem(), str(target), source)
    assert seen == [{".shard.tar.tmp"}]
    assert target.read_bytes() == source.read_bytes()
    assert [path.name for path in target.parent.iterdir()] == ["shard.tar"]


@pytest.mark.parametrize(
    "args",
    [
        ["stats", "{url}"],
        ["browse", "{url}", "--html", "x.html"],
        ["subset", "{url}", "--out", "x"],
        ["subset", "local", "--out", "{url}"],
        ["diff", "{url}", "{url}"],
        ["repair", "{url}", "--raw", "raw"],
        ["export", "{url}", "--format", "lmdb", "--out", "x"],
        ["vocab", "{url}", "--out", "x"],
        ["run", NAME, "--raw", "{url}", "--out", "x"],
        ["run", NAME, "--raw", "raw", "--out", "x", "--stage", "y"],
        ["sample", "--out", "{url}"],
    ],
)
def test_commands_that_need_a_folder_say_so(tmp_path: Path, monkeypatch, capsys, args: list[str]):
    monkeypatch.chdir(tmp_path)
    filled = [one.format(url="s3://bucket/out") for one in args]
    assert exit_code(group, "vle-prep", filled) == 2
    assert "URL" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_plan_writes_nothing(raw, bucket: str, server, capsys):
    args = ["plan", NAME, "--raw", str(raw), "--out", f"s3://{bucket}/out"]
    assert exit_code(group, "vle-prep", args) == 0
    assert f"to write to s3://{bucket}/out" in capsys.readouterr().out
    assert not [asked for asked in server.asked if asked.writes]


def test_names_that_lead_out_of_the_stage_are_refused(bucket: str, server, tmp_path: Path):
    store = Store(f"s3://{bucket}/out")
    server.client().put_object(Bucket=bucket, Key="out/a/../../b", Body=b"x")
    with pytest.raises(DataProblem, match="leads out of it"):
        store.find("a")


def test_nothing_is_written_into_a_remote_dataset(raw, whole, there: str, server, capsys):
    assert run(raw, f"s3://{there}/out/{NAME}") == 2
    assert f"--out s3://{there}/out/{NAME}: is a prepared dataset" in capsys.readouterr().err
    assert remote_tree(server, there) == whole


@pytest.mark.parametrize("out", ["s3:/bucket/out", "file:/data"])
def test_a_url_with_one_slash_is_no_folder(raw, tmp_path: Path, monkeypatch, capsys, out: str):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert run(raw, out) == 2
    assert f"{out}: would be a folder on this machine" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["README.md", "report.json", "val/notes.txt"])
def test_somebody_elses_objects_are_left_alone(raw, bucket: str, server, capsys, name: str):
    server.client().put_object(Bucket=bucket, Key=f"out/{NAME}/{name}", Body=b"{}")
    assert run(raw, f"s3://{bucket}/out") == 2
    told = capsys.readouterr().err
    assert f"s3://{bucket}/out/{NAME}: holds files ({name}), and no report or journal" in told
    assert remote_tree(server, bucket) == {name: b"{}"}
