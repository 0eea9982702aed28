"""Output to a store: the same bytes, whole objects only, whatever happens on the way."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prep_world import RawWorld, picture_bytes
from s3_server import SECRETS, Asked, S3Server, no_hook

from vle_bench.console import exit_code
from vle_bench.data_prep.cli import group
from vle_bench.data_prep.journal import Slice
from vle_bench.data_prep.remote import lease, upload
from vle_bench.data_prep.remote.lease import leased
from vle_bench.data_prep.remote.store import Store, store_of
from vle_bench.errors import DataProblem, MachineProblem

NAME = "vqav2"


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    found = S3Server()
    yield found
    found.close()


@pytest.fixture
def bucket(server: S3Server, tmp_path: Path, monkeypatch) -> Iterator[str]:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    name = server.bucket()
    server.asked.clear()
    yield name
    server.hook = no_hook


def arguments(raw: Path, out: str | Path, *more: str, per_shard: int = 2) -> list[str]:
    return [
        *("run", NAME, "--raw", str(raw), "--out", str(out), "--workers", "1"),
        *("--samples-per-shard", str(per_shard), "--min-answer-count", "2", *more),
    ]


def run(raw: Path, out: str | Path, *more: str, per_shard: int = 2) -> int:
    return exit_code(group, "vle-prep", arguments(raw, out, *more, per_shard=per_shard))


def local_tree(raw: Path, out: Path, *more: str, per_shard: int = 2) -> dict[str, bytes]:
    assert run(raw, out, *more, per_shard=per_shard) == 0
    return tree_of(out)


def tree_of(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out / NAME).as_posix(): path.read_bytes()
        for path in (out / NAME).rglob("*")
        if path.is_file()
    }


def remote_tree(server: S3Server, bucket: str) -> dict[str, bytes]:
    return server.objects(bucket, f"out/{NAME}/")


def shard(number: int, split: str = "train") -> str:
    return f"{split}/{NAME}-{split}-{number:06d}.tar"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train: 7 pictures, one of them none. Val: 5. Test: 2."""
    world = RawWorld(tmp_path_factory.mktemp("small") / "raw")
    for split, images in (("train", range(11, 18)), ("val", range(21, 26)), ("test", (31, 32))):
        for image in images:
            world.picture(split, image, picture_bytes(40 + image, 48))
            world.question(split, image)
    world.picture("train", 12, b"<html>")
    return world.write()


@pytest.fixture(scope="module")
def local(raw: Path) -> Path:
    """A local run of it."""
    local_tree(raw, raw.parent / "local")
    return raw.parent / "local"


@pytest.fixture(scope="module")
def whole(raw: Path, local: Path) -> dict[str, bytes]:
    """The tree of that run."""
    return tree_of(local)


@pytest.fixture
def there(raw: Path, bucket: str, server: S3Server) -> str:
    """A bucket with a finished run below `out`."""
    assert run(raw, f"s3://{bucket}/out") == 0
    server.asked.clear()
    return bucket


def writes(server: S3Server, bucket: str) -> set[str]:
    """Below the dataset's folder."""
    start = f"/{bucket}/out/{NAME}/"
    return {
        asked.path.removeprefix(start)
        for asked in server.asked
        if asked.writes and asked.path.startswith(start)
    }


def test_the_tree_is_that_of_a_local_run(raw, whole, bucket: str, server, tmp_path: Path, capsys):
    assert run(raw, f"s3://{bucket}/out/", "--stage", str(tmp_path / "stage")) == 0
    assert remote_tree(server, bucket) == whole
    assert f"s3://{bucket}/out/{NAME}: 8 shards built" in capsys.readouterr().err
    left = [path.name for path in (tmp_path / "stage").rglob("*") if path.is_file()]
    assert sorted(left) == ["holder", "lock.lease-run"]
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
    client.delete_object(Bucket=there, Key=f"out/.vle-prep/{NAME}/test/{NAME}-test-000000.json")
    server.asked.clear()
    assert run(raw, f"s3://{there}/out") == 0
    assert writes(server, there) == {shard(0), shard(0, "test")}
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


@pytest.fixture(scope="module")
def big_raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures of 7 MB, which nothing makes smaller: a shard that goes in two parts."""
    from PIL import Image

    draws = random.Random(5)
    world = RawWorld(tmp_path_factory.mktemp("big") / "raw")
    for image in (51, 52, 53):
        noisy = Image.frombytes("RGB", (1500, 1550), draws.randbytes(1500 * 1550 * 3))
        stream = io.BytesIO()
        noisy.save(stream, "PNG", compress_level=0)
        world.picture("val", image, stream.getvalue())
        world.question("val", image)
    return world.write()


@pytest.fixture(scope="module")
def big(big_raw: Path) -> dict[str, bytes]:
    """The tree of a local run of it."""
    return local_tree(big_raw, big_raw.parent / "local", per_shard=3)


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


def test_ctrl_c_in_the_middle_of_an_upload_leaves_nothing_visible(big_raw, big, bucket, server):
    def interrupt(asked: Asked) -> int | None:
        if "partNumber=2" in asked.query:
            process.send_signal(signal.SIGINT)
        return None

    server.hook = interrupt
    command = [sys.executable, "-m", "vle_bench.data_prep.cli"]
    command += arguments(big_raw, f"s3://{bucket}/out", per_shard=3)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert process.wait(120) == 130
    server.hook = no_hook
    assert remote_tree(server, bucket) == {}
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


class TestLeases:
    """Who may write at the same time."""

    def held(self, bucket: str, stage: Path, part: Slice | None = None):
        return leased(store_of(f"s3://{bucket}/out"), stage, NAME, part)

    def test_a_run_of_another_machine_stands_in_the_way(self, raw, bucket, tmp_path, capsys):
        with self.held(bucket, tmp_path / "other"):
            assert run(raw, f"s3://{bucket}/out") == 4
        assert "another vle-prep run is writing there" in capsys.readouterr().err
        assert run(raw, f"s3://{bucket}/out") == 0

    def test_a_run_of_this_machine_stands_in_the_way(self, bucket, tmp_path):
        with (
            self.held(bucket, tmp_path / "same"),
            pytest.raises(MachineProblem),
            self.held(bucket, tmp_path / "same"),
        ):
            pass

    def test_slices_of_one_cut_go_side_by_side(self, bucket, tmp_path):
        with self.held(bucket, tmp_path / "a", Slice(0, 3)):
            with self.held(bucket, tmp_path / "b", Slice(1, 3)):
                pass
            with self.held(bucket, tmp_path / "a", Slice(2, 3)):
                pass
            for part in (None, Slice(0, 3), Slice(1, 2)):
                with pytest.raises(MachineProblem), self.held(bucket, tmp_path / "c", part):
                    pass

    def test_what_was_left_behind_elsewhere_ends_by_the_store_s_clock(
        self, bucket, server, monkeypatch, tmp_path
    ):
        gone = f"out/.vle-prep/{NAME}/lease/run.{'a' * 32}.json"
        server.client().put_object(Bucket=bucket, Key=gone, Body=b"{}")
        with pytest.raises(MachineProblem, match="15 minutes"), self.held(bucket, tmp_path):
            pass
        monkeypatch.setattr(lease, "LEFT_BEHIND", -lease.LEFT_BEHIND)
        with self.held(bucket, tmp_path):
            assert len(server.objects(bucket)) == 1

    def test_what_was_left_behind_here_ends_at_once(self, bucket, server, tmp_path):
        with self.held(bucket, tmp_path, Slice(1, 4)):
            (left,) = server.objects(bucket)
        server.client().put_object(Bucket=bucket, Key=left, Body=b"{}")
        with self.held(bucket, tmp_path):
            assert len(server.objects(bucket)) == 1

    def test_a_lease_is_kept_fresh(self, bucket, server, monkeypatch, tmp_path):
        monkeypatch.setattr(lease, "_FRESHEN_S", 0.02)
        with self.held(bucket, tmp_path):
            before = len(server.asked)
            while len(server.asked) < before + 3:
                pass


class TestVerify:
    """`vle-prep verify URL` finds what it finds in a folder."""

    def verify(self, bucket: str, *more: str) -> int:
        return exit_code(group, "vle-prep", ["verify", f"s3://{bucket}/out", *more])

    def put(self, server: S3Server, bucket: str, name: str, data: bytes) -> None:
        server.client().put_object(Bucket=bucket, Key=f"out/{NAME}/{name}", Body=data)

    def test_what_is_whole_is_sound(self, there: str, capsys):
        assert self.verify(there) == 0
        told = capsys.readouterr()
        assert told.out == ""
        assert (
            f"s3://{there}/out/{NAME}: 8 shards, 13 samples, every byte is as written" in told.err
        )
        assert self.verify(there, "--quick") == 0

    def test_a_flipped_bit_is_found_with_its_sample(self, whole, there, server, capsys):
        data = bytearray(whole[shard(1)])
        data[700] ^= 1
        self.put(server, there, shard(1), bytes(data))
        assert self.verify(there) == 1
        (line,) = capsys.readouterr().out.splitlines()
        assert line.startswith(f"{shard(1)}: {NAME}-")
        assert self.verify(there, "--quick") == 0

    @pytest.mark.parametrize("quick", [False, True])
    def test_a_cut_a_lost_and_an_extra_shard_are_found(self, whole, there, server, capsys, quick):
        self.put(server, there, shard(0), whole[shard(0)][:-512])
        self.put(server, there, "val/mine.tar", b"x" * 512)
        server.client().delete_object(Bucket=there, Key=f"out/{NAME}/{shard(1, 'val')}")
        assert self.verify(there, *(["--quick"] if quick else [])) == 1
        told = capsys.readouterr().out
        assert {line.partition(": ")[0] for line in told.splitlines()} == {
            shard(0),
            shard(1, "val"),
            "val/mine.tar",
        }

    def test_swapped_renamed_and_copied_shards_are_named(self, whole, there, server, capsys):
        self.put(server, there, shard(0), whole[shard(1)])
        self.put(server, there, shard(1), whole[shard(0)])
        self.put(server, there, "val/copy.tar", whole[shard(0, "val")])
        self.put(server, there, "test/other.tar", whole[shard(0, "test")])
        server.client().delete_object(Bucket=there, Key=f"out/{NAME}/{shard(0, 'test')}")
        assert self.verify(there) == 1
        lines = capsys.readouterr().out.splitlines()
        assert {line.partition(": ")[0] for line in lines} == {
            shard(0),
            shard(1),
            shard(0, "test"),
            "val/copy.tar",
            "test/other.tar",
        }
        assert f"{shard(0, 'test')}: missing, it lies under the name test/other.tar" in lines

    def test_a_stale_index_and_a_lost_report_are_found(self, whole, there, server, capsys):
        self.put(server, there, "samples.parquet", whole["samples.parquet"][:-1])
        assert self.verify(there) == 1
        assert "samples.parquet" in capsys.readouterr().out
        server.client().delete_object(Bucket=there, Key=f"out/{NAME}/report.json")
        assert self.verify(there) == 3

    def test_many_damaged_shards_are_named_without_being_fetched(
        self, whole, there, server, capsys, monkeypatch
    ):
        monkeypatch.setattr("vle_bench.data_prep.remote.verify._MOST_FETCHED", 1)
        for number in (0, 1):
            self.put(server, there, shard(number), whole[shard(number)][:-512])
        assert self.verify(there) == 1
        places = [line.partition(": ")[0] for line in capsys.readouterr().out.splitlines()]
        assert set(places) == {shard(0), shard(1)}


def test_names_that_lead_out_of_the_stage_are_refused(bucket: str, server, tmp_path: Path):
    store = Store(f"s3://{bucket}/out")
    server.client().put_object(Bucket=bucket, Key="out/a/../../b", Body=b"x")
    with pytest.raises(DataProblem, match="leads out of it"):
        store.find("a")
