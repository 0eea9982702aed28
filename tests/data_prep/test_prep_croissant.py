"""Other people's tools read what we describe, and refuse a shard that is not as described."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.run import Request, prepare
from vle_bench.data_prep.verify import verify
from vle_bench.shards.index import read_samples

READER = """
import json, sys
import mlcroissant

dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
found = {"errors": sorted(dataset.metadata.ctx.issues.errors), "name": dataset.metadata.name}
try:
    for name in ("index", "picture", "record"):
        found[name] = [
            {
                key.partition("/")[2]: value.decode() if isinstance(value, bytes) else
                list(value.size) if hasattr(value, "size") else value
                for key, value in row.items()
            }
            for row in dataset.records(name)
        ]
except mlcroissant._src.core.issues.ValidationError as error:
    found["refused"] = str(error)
except Exception as error:
    found["refused"] = f"{type(error).__name__}: {error} {error.__cause__}"
print(json.dumps(found))
"""


def read_by_mlcroissant(folder: Path, cache: Path) -> dict:
    pytest.importorskip("mlcroissant")
    done = subprocess.run(
        [sys.executable, "-c", READER, folder / "croissant.json"],
        capture_output=True,
        text=True,
        # Its cache knows a file by its relative address alone, so every dataset needs its own.
        env=os.environ | {"CROISSANT_CACHE": str(cache)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def done(small, out: Path) -> Path:
    small.picture("val", 23, b"<html>")
    prepare(
        Request(
            dataset="vqav2",
            raw=small.write(),
            out=out,
            parameters=Parameters(samples_per_shard=2),
        )
    )
    return out / "vqav2"


def test_mlcroissant_validates_and_reads_every_sample(done: Path, tmp_path: Path):
    found = read_by_mlcroissant(done, tmp_path / "cache")
    assert (found["errors"], found["name"]) == ([], "vqav2")
    rows = read_samples(done / "samples.parquet")
    keys = [row.key for row in rows]
    assert len(keys) == 13
    assert [row["key"] for row in found["index"]] == keys
    assert [int(row["json_crc32"]) for row in found["index"]] == [row.json_crc32 for row in rows]
    sizes = {row["key"]: row["content"] for row in found["picture"]}
    assert sizes == {row.key: [row.width, row.height] for row in rows}
    assert {row["key"] for row in found["record"]} == set(keys)
    for row in found["record"]:
        assert json.loads(row["content"])["key"] == row["key"]


def test_mlcroissant_refuses_a_shard_with_one_flipped_bit(done: Path, tmp_path: Path):
    shard = done / "val/vqav2-val-000000.tar"
    data = bytearray(shard.read_bytes())
    data[700] ^= 1
    shard.write_bytes(data)
    found = read_by_mlcroissant(done, tmp_path / "cache")
    assert "vqav2-val-000000.tar" in found["refused"]
    assert "sha256" in found["refused"].lower() or "hash" in found["refused"].lower()


def test_the_description_holds_neither_place_nor_time(done: Path):
    text = (done / "croissant.json").read_text()
    assert str(done.parent) not in text
    assert '"dateP' not in text
    document = json.loads(text)
    files = {one["@id"]: one for one in document["distribution"]}
    assert {name for name in files if name.endswith(".tar")} == {
        path.relative_to(done).as_posix() for path in done.rglob("*.tar")
    }
    for name, one in files.items():
        assert one.get("contentUrl", name) == name


def test_a_drawn_world_says_so(small, out: Path):
    (small.write() / "sample_world.json").write_text("{}")
    prepare(Request(dataset="vqav2", raw=small.root, out=out))
    document = json.loads((out / "vqav2/croissant.json").read_bytes())
    assert document["description"].startswith("Sample world: every picture is drawn")


def test_energon_finds_every_shard_with_its_size_in_the_part_of_its_split(done: Path):
    yaml = pytest.importorskip("yaml")
    info = json.loads((done / ".nv-meta/.info.json").read_bytes())
    parts = yaml.safe_load((done / ".nv-meta/split.yaml").read_bytes())
    shards = {path.relative_to(done).as_posix() for path in done.rglob("*.tar")}
    assert set(info["shard_counts"]) == shards
    assert sum(info["shard_counts"].values()) == 13
    assert parts["exclude"] == []
    assert {name: len(files) for name, files in parts["split_parts"].items()} == {
        "train": 4,
        "val": 3,
        "test": 1,
    }
    assert {file for files in parts["split_parts"].values() for file in files} == shards
    kind = yaml.safe_load((done / ".nv-meta/dataset.yaml").read_bytes())
    assert kind == {"__module__": "megatron.energon", "__class__": "CrudeWebdataset"}


def test_energon_finds_the_places_of_all_samples_beside_each_shard(done: Path):
    """As its TarIndexReader unpacks them: n + 1 numbers, sample i between the i-th and the next."""
    rows = read_samples(done / "samples.parquet")
    shards = sorted(done.rglob("*.tar"))
    assert len(shards) == 8
    for shard in shards:
        data = shard.with_name(f"{shard.name}.idx").read_bytes()
        places = struct.unpack(f"<{len(data) // 8}Q", data)
        mine = [row for row in rows if row.shard == shard.name]
        assert len(places) == len(mine) + 1
        for row, begin, end in zip(mine, places[:-1], places[1:], strict=True):
            content = shard.read_bytes()[begin:end]
            assert content.startswith(f"{row.key}.".encode())
            assert f"{row.key}.json".encode() in content
        assert places[-1] + 1024 == shard.stat().st_size


def test_the_index_of_a_shard_goes_with_it(small, out: Path):
    raw = small.write()
    for per_shard in (2, 50):
        settings = Parameters(samples_per_shard=per_shard)
        prepare(Request(dataset="vqav2", raw=raw, out=out, parameters=settings))
    shards = {path.name for path in out.rglob("*.tar")}
    assert {path.name for path in out.rglob("*.idx")} == {f"{name}.idx" for name in shards}
    assert verify(out / "vqav2").findings == ()


def test_energon_gets_an_empty_part_for_a_split_that_is_not_prepared(small, out: Path):
    yaml = pytest.importorskip("yaml")
    prepare(Request(dataset="vqav2", raw=small.write(), out=out, splits=("val",)))
    parts = yaml.safe_load((out / "vqav2/.nv-meta/split.yaml").read_bytes())["split_parts"]
    assert parts == {"train": [], "val": ["val/vqav2-val-000000.tar"], "test": []}


@pytest.mark.parametrize(
    "name",
    [
        "croissant.json",
        ".nv-meta/split.yaml",
        ".nv-meta/.info.json",
        "val/vqav2-val-000001.tar.idx",
    ],
)
def test_verify_watches_over_the_descriptions(done: Path, name: str):
    (done / name).write_bytes((done / name).read_bytes() + b" ")
    (finding,) = verify(done).findings
    assert finding.place == name
