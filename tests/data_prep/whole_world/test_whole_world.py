"""Every sample of every dataset of the drawn world, against a second reading of its raw files."""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from pathlib import Path

import pytest
from read_annotated import coco, vcr, vg, vqav2
from read_captioned import cc3m, flickr30k, flickr30k_cn, sbu
from read_world import Expected, Json, leaks_of

from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.datasets.registry import DATASETS
from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.shards.index import read_skipped

GUARDED = {"coco": coco, "vg": vg, "cc3m": cc3m, "sbu": sbu}
OTHERS = {"vqav2": vqav2, "vcr": vcr, "flickr30k": flickr30k, "flickr30k-cn": flickr30k_cn}
WORLDS = {
    "plain": {"images": 80},
    "without VCR's test": {"images": 60, "seed": 2},
    "hard": {"images": 150, "seed": 4, "hard": True},
}


@pytest.fixture(scope="module", params=WORLDS)
def raw(request: pytest.FixtureRequest, drawn_world) -> Path:
    return drawn_world(**WORLDS[request.param])


def read_again(name: str, raw: Path) -> Expected:
    return GUARDED[name](raw, leaks_of(raw)) if name in GUARDED else OTHERS[name](raw)


def prepared_from(name: str, raw: Path, out: Path) -> Prepared:
    settings = Parameters(samples_per_shard=7)
    return prepare(Request(dataset=name, raw=raw, out=out, parameters=settings, workers=1))


def packed(folder: Path) -> dict[str, Json]:
    """What `KEY.json` holds, by key, as tar and json read it."""
    found: dict[str, Json] = {}
    for shard in sorted(folder.rglob("*.tar")):
        with tarfile.open(shard) as tar:
            for member in tar:
                if member.name.endswith(".json"):
                    found[member.name.removesuffix(".json")] = json.load(tar.extractfile(member))
    return found


def alike(record: Json) -> Json:
    """A record whose boxes are rounded to what a float may lose on its way."""
    boxes = [{**one, "xywh": [round(side, 5) for side in one["xywh"]]} for one in record["boxes"]]
    return {**record, "boxes": boxes}


@pytest.mark.parametrize("name", [*GUARDED, *OTHERS])
def test_shards_and_books_are_what_a_second_reading_of_the_raw_files_says(name, raw, tmp_path):
    prepared = prepared_from(name, raw, tmp_path)
    expected = read_again(name, raw)
    assert expected.records
    found = packed(prepared.folder)
    assert sorted(found) == sorted(expected.records)
    for key, record in expected.records.items():
        assert alike(found[key]) == alike(record)
    rows = Counter(tuple(row) for row in read_skipped(prepared.folder / "skipped.parquet"))
    assert rows == expected.skipped
    for split, report in prepared.report.splits.items():
        adjusted = {rule: n for (one, rule), n in expected.adjusted.items() if one == split and n}
        assert report.adjusted == adjusted
        licences = {name: n for (one, name), n in expected.licences.items() if one == split}
        assert report.licences == licences
        for kind, counts in report.counts.items():
            reasons = Counter[str]()
            for (one, what, _, _, reason), n in expected.skipped.items():
                reasons[reason] += n * ((one, what) == (split, kind))
            assert counts.skipped == +reasons
            assert counts.read == counts.written + reasons.total()


def test_every_dataset_is_read_again():
    assert sorted([*GUARDED, *OTHERS]) == sorted(DATASETS.names())
