"""Licences of single pictures: kept with each of them, counted in the books and on the card."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from vle_bench.data_prep.card import _cell
from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.datasets.registry import DATASETS
from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.records import Sample
from vle_bench.shards.read import iter_samples
from vle_bench.shards.report import read_report

OURS = "Apache License 2.0 (drawn by VLE bench)"
NAMED = {"coco", "vqav2"}
"""Datasets whose annotation files say the licence of each picture."""

every = pytest.mark.parametrize("name", DATASETS.names())


@pytest.fixture(scope="module")
def made(drawn_world, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Prepared]:
    """Every dataset of a hard world, in which pictures are left out."""
    raw, out = drawn_world(48, hard=True), tmp_path_factory.mktemp("licences")
    settings = Parameters(samples_per_shard=7)
    return {
        name: prepare(Request(dataset=name, raw=raw, out=out, parameters=settings, workers=1))
        for name in DATASETS.names()
    }


@every
def test_every_written_picture_is_counted_under_its_licence(made, name: str):
    prepared = made[name]
    for split, books in prepared.report.splits.items():
        samples = iter_samples(prepared.folder, split, Sample)
        assert books.licences == Counter(one.image.licence for one in samples)
        assert sum(books.licences.values()) == books.counts["image"].written
        if name in NAMED:
            assert set(books.licences) == {OURS}


@every
def test_the_card_lists_the_licences_of_its_pictures(made, name: str):
    card = (made[name].folder / "README.md").read_text(encoding="utf-8")
    terms = card.partition("## Licences and sources")[2]
    rows = re.findall(r"^\| (.+) \| ([\d,]+) \|$", terms, re.MULTILINE)
    written = made[name].report.counts["image"].written
    if name in NAMED:
        assert rows == [(OURS, f"{written:,}")]
    else:
        assert rows == []
        assert "names no licence of single pictures" in terms


def test_several_licences_are_told_apart_and_pictures_without_one_are_not_hidden(small, out: Path):
    small.picture("val", 23, b"<html>")
    for row, licence in zip(small.images["train"], (3, 3, 3, 99), strict=False):
        row["license"] = licence
    found = prepare(Request(dataset="vqav2", raw=small.write(), out=out)).report
    counts = Counter()
    for split in found.splits.values():
        counts.update(split.licences)
        assert sum(split.licences.values()) == split.counts["image"].written
    assert counts[""] > 0
    assert counts["Attribution"] > counts[""] - counts["Attribution"]
    card = (out / "vqav2/README.md").read_text(encoding="utf-8")
    for name, count in (("Attribution", counts["Attribution"]), ("(none named)", counts[""])):
        assert f"| {name} | {count} |" in card


def test_a_second_run_and_a_subset_count_the_same(prep, small, out: Path, tmp_path: Path):
    raw = small.write()
    first = prepare(Request(dataset="vqav2", raw=raw, out=out)).report
    again = prepare(Request(dataset="vqav2", raw=raw, out=out)).report
    assert again == first
    assert prep("subset", out / "vqav2", "--out", tmp_path / "part") == 0
    part = read_report(tmp_path / "part/vqav2")
    assert {name: split.licences for name, split in part.splits.items()} == {
        name: split.licences for name, split in first.splits.items()
    }


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("CC BY 2.0", "CC BY 2.0"),
        ("a | b\n## c", "a \\| b ## c"),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
        (" \x1b ", ""),
    ],
)
def test_names_from_strangers_stay_in_their_cell(text: str, cell: str):
    assert _cell(text) == cell
