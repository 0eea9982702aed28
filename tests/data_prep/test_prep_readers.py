"""Other people's readers open what we wrote, unchanged."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.run import Request, prepare


def run(raw: Path, out: Path, per_shard: int) -> Path:
    settings = Parameters(samples_per_shard=per_shard)
    prepare(Request(dataset="vqav2", raw=raw, out=out, parameters=settings))
    return out / "vqav2"


@pytest.fixture
def bare_first(small) -> Path:
    """The first six samples of train have no box, no caption, no ids; others do, one is a PNG."""
    for rows in (small.captions["train"], small.boxes["train"], small.images["train"]):
        del rows[:6]
    return small.write()


@pytest.fixture
def load_dataset(tmp_path: Path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    return datasets.load_dataset


def test_gnu_tar_lists_picture_and_record_of_every_sample(small, out: Path):
    folder = run(small.write(), out, 3)
    names: list[str] = []
    for path in sorted(folder.glob("train/*.tar")):
        listed = subprocess.run(["tar", "tf", path], check=True, capture_output=True, text=True)
        assert listed.stderr == ""
        names += listed.stdout.split()
    assert names == [
        f"vqav2-{image:012d}.{ending}" for image in range(11, 18) for ending in ("jpg", "json")
    ]


def test_webdataset_reads_every_sample(bare_first: Path, out: Path):
    wds = pytest.importorskip("webdataset")
    folder = run(bare_first, out, 3)
    shards = sorted(map(str, folder.glob("train/*.tar")))
    samples = list(wds.WebDataset(shards, shardshuffle=False).decode("pil"))
    assert [len(sample["json"]["boxes"]) for sample in samples] == [0] * 6 + [1]
    assert samples[-1]["jpg"].size == (57, 48)


@pytest.mark.parametrize("streaming", [False, True])
def test_datasets_reads_every_column_also_where_the_first_samples_are_bare(
    bare_first: Path, out: Path, load_dataset, tmp_path: Path, streaming: bool
):
    folder = run(bare_first, out, 3)
    loaded = load_dataset(str(folder), streaming=streaming, cache_dir=str(tmp_path / "cache"))
    rows = list(loaded["train"])
    assert [len(row["json"]["boxes"]) for row in rows] == [0] * 6 + [1]
    assert rows[-1]["json"]["boxes"][0]["xywh"] == [1.0, 2.0, 3.5, 4.0]
    assert rows[-1]["json"]["image"]["flickr_id"] == "1755"
    assert rows[0]["json"]["questions"][0]["labels"] == [0]
    assert rows[-1]["jpg"].size == (57, 48)
    assert sorted(loaded) == ["test", "train", "val"]


def test_datasets_reads_pictures_of_several_formats(small, out: Path, load_dataset, tmp_path: Path):
    import io

    from PIL import Image

    for image, kind in ((11, "PNG"), (12, "WEBP")):
        stream = io.BytesIO()
        Image.new("RGB", (9, 8)).save(stream, kind)
        small.picture("train", image, stream.getvalue())
    folder = run(small.write(), out, 3)
    loaded = load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    shown = [next(e for e in ("jpg", "png", "webp") if row[e] is not None) for row in loaded]
    assert shown == ["png", "webp", *["jpg"] * 5]


def test_a_shard_left_without_a_sample_stops_no_reader(small, out, load_dataset, tmp_path: Path):
    wds = pytest.importorskip("webdataset")
    for image in (11, 14):
        small.picture("train", image, b"<html>")
    folder = run(small.write(), out, 1)
    shards = sorted(map(str, folder.glob("train/*.tar")))
    assert len(shards) == 7
    assert len(list(wds.WebDataset(shards, shardshuffle=False))) == 5
    loaded = load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(loaded) == 5


def test_the_schema_of_a_record_is_the_one_the_card_promises(small, out: Path):
    from vle_bench.data_prep.card import features
    from vle_bench.records import VqaSample

    folder = run(small.write(), out, 3)
    card = (folder / "README.md").read_text()
    for line in features(VqaSample, ("jpg",)):
        assert f"  {line}\n" in card
    assert "- name: png" not in card
    assert json.loads((folder / "report.json").read_bytes())["dataset"] == "vqav2"
