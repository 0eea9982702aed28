"""What holds for every dataset: one row each, tried on the drawn world."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import jsonschema
import pytest
from listings import shuffled_listings
from prep_world import tree_digest
from referencing import Registry, Resource

from vle_bench.catalog.schemas import load_schema, schema_names
from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.datasets.registry import DATASETS
from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.data_prep.sample_world import build_sample_world
from vle_bench.data_prep.verify import verify
from vle_bench.records import Sample
from vle_bench.shards.index import read_samples, read_skipped
from vle_bench.shards.read import iter_samples

ROWS = {
    "coco": ("train", "restval", "val", "test"),
    "flickr30k": ("train", "val", "test"),
    "flickr30k-cn": ("train", "val", "test"),
}
"""Each dataset with the splits that the drawn world has of it."""

every = pytest.mark.parametrize("name", ROWS)


def run(name: str, raw: Path, out: Path, *, workers: int = 1) -> Prepared:
    settings = Parameters(samples_per_shard=5)
    return prepare(Request(dataset=name, raw=raw, out=out, parameters=settings, workers=workers))


@pytest.fixture(scope="module")
def drawn(drawn_world) -> Path:
    return drawn_world(60)


@pytest.fixture(scope="module")
def made(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Prepared]:
    """Every dataset, prepared once; the tests below only read it."""
    out = tmp_path_factory.mktemp("made")
    return {name: run(name, drawn, out) for name in ROWS}


@every
def test_its_splits_are_all_there_and_nothing_is_lost(made, name: str):
    prepared = made[name]
    assert prepared.splits == ROWS[name]
    assert prepared.report.sample
    for split in prepared.report.splits.values():
        assert split.counts["image"].written > 0
        for counts in split.counts.values():
            assert counts.balances()
            assert counts.skipped == {}
    assert verify(prepared.folder).findings == ()


@every
def test_its_records_obey_the_schema_of_their_name(made, name: str):
    schemas = [load_schema(one) for one in schema_names()]
    registry = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas
    )
    validator = jsonschema.Draft202012Validator(load_schema(name), registry=registry)
    keys: list[str] = []
    shapes: set[tuple[str, ...]] = set()
    for path in sorted(made[name].folder.rglob("*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                if member.name.endswith(".json"):
                    text = tar.extractfile(member).read().decode()
                    record = json.loads(text)
                    assert [error.message for error in validator.iter_errors(record)] == []
                    assert "null" not in text
                    shapes.add((*record, *record["image"]))
                    keys.append(record["key"])
    assert len(keys) == len(set(keys)) == made[name].report.counts["image"].written
    assert len(shapes) == 1


@every
def test_pictures_keep_their_bytes_and_samples_their_order(made, name: str):
    rows = read_samples(made[name].folder / "samples.parquet")
    for row in rows:
        with (made[name].folder / row.split / row.shard).open("rb") as stream:
            stream.seek(row.image_offset)
            assert hashlib.sha256(stream.read(row.image_size)).hexdigest() == row.sha256
    for split in ROWS[name]:
        here = [int(row.image_id) for row in rows if row.split == split]
        assert here == sorted(here)


@every
def test_gnu_tar_webdataset_and_datasets_read_it(made, name: str, tmp_path: Path, monkeypatch):
    wds = pytest.importorskip("webdataset")
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    folder = made[name].folder
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert sorted(loaded) == sorted(ROWS[name])
    for split in ROWS[name]:
        shards = sorted(map(str, (folder / split).glob("*.tar")))
        keys = [sample.key for sample in iter_samples(folder, split, Sample)]
        listed: list[str] = []
        for shard in shards:
            told = subprocess.run(["tar", "tf", shard], check=True, capture_output=True, text=True)
            listed += told.stdout.split()
        assert [one.removesuffix(".json") for one in listed[1::2]] == keys
        assert [one["__key__"] for one in wds.WebDataset(shards, shardshuffle=False)] == keys
        assert [row["json"]["key"] for row in loaded[split]] == keys


@every
def test_workers_listings_and_a_second_run_change_no_byte(
    made, drawn: Path, name: str, tmp_path: Path
):
    expected = tree_digest(made[name].folder)
    run(name, drawn, tmp_path / "three", workers=3)
    assert tree_digest(tmp_path / "three" / name) == expected
    again = run(name, drawn, tmp_path / "three")
    assert (again.built, again.changes) == (0, ())
    with shuffled_listings(7):
        run(name, drawn, tmp_path / "shuffled")
    assert tree_digest(tmp_path / "shuffled" / name) == expected


@every
def test_hash_seeds_change_no_byte(made, drawn: Path, name: str, tmp_path: Path):
    command = [sys.executable, "-m", "vle_bench.data_prep.cli", "run", name, "--raw", drawn]
    command += ["--out", tmp_path, "--samples-per-shard", "5", "--workers", "1"]
    subprocess.run(
        command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": "4242"}
    )
    assert tree_digest(tmp_path / name) == tree_digest(made[name].folder)


# Boxes that are reversed or stand out of the picture in part stay, changed and counted.
LEAVES_OUT = {
    "missing", "empty", "html", "truncated", "bomb", "broken-base64", "no-images", "unknown-image",
    "duplicate-id", "duplicate-image", "box-flat", "caption-empty",
}  # fmt: skip


@pytest.fixture(scope="module")
def hard(drawn_world) -> Path:
    return drawn_world(100, hard=True)


@every
def test_every_accident_of_the_hard_world_is_named_and_counted(hard: Path, name: str, tmp_path):
    prepared = run(name, hard, tmp_path)
    planted = [
        accident
        for accident in json.loads((hard / "sample_world.json").read_bytes())["accidents"]
        if accident["dataset"] == name
    ]
    named = {row.id for row in read_skipped(prepared.folder / "skipped.parquet")}
    must = {accident["id"] for accident in planted if accident["kind"] in LEAVES_OUT}
    assert must
    assert must <= named
    card = (prepared.folder / "README.md").read_text(encoding="utf-8")
    for kind, counts in prepared.report.counts.items():
        assert counts.balances()
        for reason, count in counts.skipped.items():
            assert f"{reason} | {count:,} |" in card, kind
    assert verify(prepared.folder).findings == ()


@every
def test_where_raw_holds_none_of_it_the_drawn_world_is_prepared(
    name: str, tmp_path: Path, prep, monkeypatch
):
    from vle_bench.data_prep import sample_world

    (tmp_path / "raw").mkdir()
    monkeypatch.setattr(
        sample_world,
        "build_sample_world",
        lambda out: build_sample_world(out, images=20, workers=1),
    )
    arguments = ("run", name, "--raw", tmp_path / "raw", "--out", tmp_path / "out")
    assert prep(*arguments) == 3
    assert prep(*arguments, "--or-sample", tmp_path / "sample") == 0
    assert not (tmp_path / "out" / name).exists()
    report = json.loads((tmp_path / "sample" / "shards" / name / "report.json").read_bytes())
    assert report["sample"] is True


@every
def test_it_can_be_listed_and_planned(drawn: Path, name: str, tmp_path: Path, prep, capsys):
    assert prep("plan", name, "--raw", drawn, "--out", tmp_path, "--json") == 0
    planned = json.loads(capsys.readouterr().out)
    assert tuple(split["split"] for split in planned["splits"]) == ROWS[name]
    assert all(split["images"] == split["pictures"] > 0 for split in planned["splits"])
    assert prep("list") == 0
    assert f"vle-prep run {name}" in capsys.readouterr().out


def test_every_dataset_that_can_be_prepared_has_a_row_here_or_a_file_of_its_own():
    beside = {name for name in DATASETS.names() if name not in ROWS}
    for name in beside:
        assert (Path(__file__).parent / f"test_prep_{name}.py").is_file()
