"""The small files beside the shards: right, alike in every run, and watched over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.run import Request, prepare
from vle_bench.data_prep.verify import verify
from vle_bench.shards.report import read_report


def run(raw: Path, out: Path, *splits: str) -> None:
    settings = Parameters(samples_per_shard=2)
    prepare(Request(dataset="vqav2", raw=raw, out=out, splits=splits, parameters=settings))


@pytest.fixture
def done(small, out: Path) -> Path:
    small.picture("val", 23, b"<html>")
    run(small.write(), out)
    return out / "vqav2"


def test_sizes_are_those_of_the_shards(done: Path):
    sizes = json.loads((done / "val/sizes.json").read_bytes())
    assert sizes == {f"vqav2-val-{n:06d}.tar": size for n, size in enumerate((2, 1, 1))}


def test_the_wids_index_names_every_shard_as_it_lies_there(done: Path):
    for split in ("train", "val", "test"):
        index = json.loads((done / split / "index.json").read_bytes())
        assert (index["__kind__"], index["wids_version"]) == ("wids-shard-index-v1", 1)
        assert index["name"] == f"vqav2-{split}"
        shards = sorted((done / split).glob("*.tar"))
        assert [row["url"] for row in index["shardlist"]] == [shard.name for shard in shards]
        for row, shard in zip(index["shardlist"], shards, strict=True):
            assert row["filesize"] == shard.stat().st_size
        samples = sum(row["nsamples"] for row in index["shardlist"])
        assert samples == read_report(done).splits[split].counts["image"].written


@pytest.mark.parametrize("name", ["val/sizes.json", "val/index.json"])
def test_verify_finds_a_stale_or_lost_index(small, done: Path, name: str):
    whole = (done / name).read_bytes()
    (done / name).write_bytes(whole.replace(b"vqav2-val-000001.tar", b"vqav2-val-000007.tar"))
    (finding,) = verify(done).findings
    assert (finding.place, "is not the file that was written" in finding.reason) == (name, True)
    (done / name).unlink()
    assert [str(one) for one in verify(done).findings] == [f"{name}: missing"]
    run(small.root, done.parent)
    assert (done / name).read_bytes() == whole


def test_a_split_left_alone_keeps_its_index_and_stays_under_watch(small, out: Path):
    raw = small.write()
    run(raw, out, "val")
    before = (out / "vqav2/val/index.json").read_bytes()
    run(raw, out, "train")
    assert (out / "vqav2/val/index.json").read_bytes() == before
    files = read_report(out / "vqav2").files
    assert {"val/index.json", "val/sizes.json", "train/index.json", "train/sizes.json"} <= {*files}
    (out / "vqav2/val/index.json").write_bytes(b"{}")
    assert len(verify(out / "vqav2").findings) == 1
