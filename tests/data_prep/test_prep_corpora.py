"""Every corpus keeps the same promises; a new one is a row in `CORPORA`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

import pytest
from jsonschema import Draft202012Validator
from listings import shuffled_listings
from prep_world import tree_digest
from referencing import Registry, Resource

from vle_bench.catalog.schemas import load_schema, schema_names
from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.data_prep.verify import verify
from vle_bench.shards.index import read_skipped


class Corpus(NamedTuple):
    """A dataset, the schema of its records, and accidents that the hard world has for it."""

    name: str
    schema: str
    reasons: frozenset[str]


CORPORA = (
    Corpus("vcr", "vcr", frozenset({"picture absent", "picture cut short", "duplicate id"})),
    Corpus("vg", "vg", frozenset({"picture absent", "picture is an HTML page", "duplicate id"})),
    Corpus(
        "cc3m",
        "cc3m",
        frozenset(
            {
                "picture not downloaded",
                "picture cut short",
                "picture is an HTML page",
                "line that is no caption and address",
            }
        ),
    ),
    Corpus(
        "sbu",
        "sbu",
        frozenset({"picture not downloaded", "picture cut short", "picture is an HTML page"}),
    ),
)
NAMES = [corpus.name for corpus in CORPORA]


@pytest.fixture(scope="module")
def world(drawn_world) -> Path:
    return drawn_world(72)


@pytest.fixture(scope="module")
def hard(drawn_world) -> Path:
    return drawn_world(180, seed=3, hard=True)


def run(name: str, raw: Path, out: Path, *, workers: int = 1) -> Prepared:
    settings = Parameters(samples_per_shard=3)
    return prepare(Request(dataset=name, raw=raw, out=out, parameters=settings, workers=workers))


def records(folder: Path) -> list[dict]:
    found = []
    for path in sorted(folder.rglob("*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                if member.name.endswith(".json"):
                    text = tar.extractfile(member).read()
                    assert b"null" not in text
                    found.append(json.loads(text))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_workers_change_no_byte_of_any_corpus(hard: Path, tmp_path: Path, name: str):
    for workers in (1, 2):
        run(name, hard, tmp_path / str(workers), workers=workers)
    assert tree_digest(tmp_path / "1" / name) == tree_digest(tmp_path / "2" / name)


@pytest.mark.parametrize("name", NAMES)
def test_neither_hash_seeds_nor_the_order_of_listings_change_a_byte(
    hard: Path, tmp_path: Path, name: str
):
    out = tmp_path / "elsewhere"
    command = [sys.executable, "-m", "vle_bench.data_prep.cli", "run", name, "--raw", hard]
    command += ["--out", out, "--samples-per-shard", "3", "--workers", "1"]
    subprocess.run(
        command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": "4242"}
    )
    with shuffled_listings(7):
        run(name, hard, tmp_path / "shuffled")
    assert tree_digest(tmp_path / "shuffled" / name) == tree_digest(out / name)


@pytest.mark.parametrize("corpus", CORPORA, ids=NAMES)
def test_the_books_balance_and_name_every_accident(hard: Path, tmp_path: Path, corpus: Corpus):
    report = run(corpus.name, hard, tmp_path).report
    assert report.sample
    reasons = set()
    for kind, counts in report.counts.items():
        assert counts.balances(), kind
        reasons |= set(counts.skipped)
    assert reasons >= corpus.reasons
    named = read_skipped(tmp_path / corpus.name / "skipped.parquet")
    assert len(named) == sum(sum(c.skipped.values()) for c in report.counts.values())
    written = records(tmp_path / corpus.name)
    assert len(written) == report.counts["image"].written > 0
    assert sum(len(record["boxes"]) for record in written) == report.counts["box"].written
    assert sum(len(record["captions"]) for record in written) == report.counts["caption"].written
    assert verify(tmp_path / corpus.name).findings == ()


@pytest.mark.parametrize("corpus", CORPORA, ids=NAMES)
def test_records_obey_their_schema_and_stand_in_order(hard: Path, tmp_path: Path, corpus: Corpus):
    run(corpus.name, hard, tmp_path)
    known = [Resource.from_contents(load_schema(name)) for name in schema_names()]
    registry = Registry().with_resources((one.id(), one) for one in known)
    validator = Draft202012Validator(load_schema(corpus.schema), registry=registry)
    written = records(tmp_path / corpus.name)
    assert len({record["key"] for record in written}) == len(written)
    for record in written:
        assert list(validator.iter_errors(record)) == []


@pytest.mark.parametrize("name", NAMES)
def test_other_readers_open_every_corpus(world: Path, tmp_path: Path, monkeypatch, name: str):
    datasets = pytest.importorskip("datasets")
    wds = pytest.importorskip("webdataset")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    run(name, world, tmp_path)
    folder = tmp_path / name
    expected = records(folder)
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    found = {row["json"]["key"]: row for split in loaded.values() for row in split}
    assert sorted(found) == sorted(record["key"] for record in expected)
    for record in expected:
        assert found[record["key"]]["json"] == record
    shards = sorted(map(str, folder.glob("*/*.tar")))
    seen = list(wds.WebDataset(shards, shardshuffle=False).decode())
    assert [sample["json"] for sample in seen] == expected
    listed = subprocess.run(["tar", "tf", shards[0]], check=True, capture_output=True, text=True)
    assert listed.stderr == ""


@pytest.mark.parametrize("name", NAMES)
def test_without_its_files_a_corpus_says_what_it_lacks(tmp_path: Path, prep, capsys, name: str):
    (tmp_path / "raw").mkdir()
    assert prep("run", name, "--raw", tmp_path / "raw", "--out", tmp_path / "out") == 3
    assert "lacks" in capsys.readouterr().err
