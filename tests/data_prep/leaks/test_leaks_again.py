"""A second run, slices and a repair judge as the first run did, and changes are named."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest
from leak_world import explanations, run, shard_digests, tree_digest

from vle_bench.data_prep.leaks import digests
from vle_bench.data_prep.picture import read_picture
from vle_bench.data_prep.repair import repair
from vle_bench.data_prep.run import Request, prepare
from vle_bench.data_prep.slices import parse_slice, prepare_slice
from vle_bench.data_prep.sources import PictureFile
from vle_bench.data_prep.verify import verify
from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.shards.index import read_samples
from vle_bench.shards.report import read_report


@pytest.fixture(scope="module")
def pristine(drawn_world) -> Path:
    return drawn_world(120, seed=9)


@pytest.fixture
def raw(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "raw"))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The evaluation pictures whose bytes are read, as they are read."""
    names: list[str] = []

    def noting(picture: PictureFile) -> bytes:
        names.append(picture.name)
        return read_picture(picture)

    monkeypatch.setattr(digests, "read_picture", noting)
    return names


def store_of(out: Path, rule: str) -> Path:
    return out / ".vle-prep" / "evaluation" / f"{rule}.npz"


def in_slices(raw: Path, out: Path, *, of: int) -> None:
    for part in range(of):
        prepare_slice(request(raw, out), parse_slice(f"{part}/{of}"))
    prepare(request(raw, out, build=False))


def request(raw: Path, out: Path, **more: bool) -> Request:
    from vle_bench.data_prep.datasets.base import Parameters

    return Request(
        dataset="sbu", raw=raw, out=out, parameters=Parameters(samples_per_shard=3), **more
    )


def picture_of(raw: Path, out: Path, row: int) -> Path:
    """The raw file of the SBU picture that is the sample of that place."""
    key = read_samples(out / "sbu" / "samples.parquet")[row].key
    columns = json.loads((raw / "sbu" / "sbu-captions-all.json").read_text())
    url = columns["image_urls"][int(key.removeprefix("sbu-"))]
    return raw / "sbu" / "pictures" / url.split("/", 3)[3]


def test_workers_and_slices_leave_out_the_same(raw: Path, tmp_path: Path):
    run("sbu", raw, tmp_path / "one")
    run("sbu", raw, tmp_path / "two", workers=2)
    in_slices(raw, tmp_path / "sliced", of=3)
    assert explanations(tmp_path / "one" / "sbu")
    trees = {tree_digest(tmp_path / name / "sbu") for name in ("one", "two", "sliced")}
    assert len(trees) == 1


def test_digests_are_taken_once_for_all_corpora(raw: Path, tmp_path: Path, read: list[str]):
    run("sbu", raw, tmp_path / "out")
    assert read
    read.clear()
    run("vg", raw, tmp_path / "out")
    run("sbu", raw, tmp_path / "out")
    assert read == []


def test_only_pictures_that_look_otherwise_are_read_again(
    raw: Path, tmp_path: Path, read: list[str]
):
    run("sbu", raw, tmp_path / "out")
    read.clear()
    some = sorted((raw / "flickr30k" / "flickr30k-images").iterdir())
    test = (raw / "flickr30k" / "test.txt").read_text().split()
    chosen = next(path for path in some if path.stem in test)
    os.utime(chosen, ns=(1, 1))
    before = tree_digest(tmp_path / "out" / "sbu")
    run("sbu", raw, tmp_path / "out")
    assert read == [chosen.name]
    assert tree_digest(tmp_path / "out" / "sbu") == before


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no zip", None])
def test_a_store_of_digests_that_cannot_be_read_is_made_anew(
    raw: Path, tmp_path: Path, read: list[str], damage: bytes | None
):
    run("sbu", raw, tmp_path / "out")
    before = tree_digest(tmp_path / "out" / "sbu")
    store = store_of(tmp_path / "out", "karpathy-test")
    whole = store.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    store.write_bytes(flipped if damage is None else damage)
    read.clear()
    run("sbu", raw, tmp_path / "out")
    assert read
    assert store.read_bytes() == whole
    assert tree_digest(tmp_path / "out" / "sbu") == before


def test_pictures_in_the_official_zips_are_evidence_too(pristine: Path, raw: Path, tmp_path: Path):
    for folder, name in (
        ("coco/test2015", "test2015.zip"),
        ("coco/val2014", "val2014.zip"),
        ("vcr/vcr1images", "vcr1images.zip"),
    ):
        place = raw / folder
        with zipfile.ZipFile(place.parent / name, "w") as archive:
            for path in sorted(place.rglob("*.jpg")):
                archive.write(path, path.relative_to(place.parent))
        shutil.rmtree(place)
    for one in (pristine, raw):
        run("sbu", one, tmp_path / one.parent.name)
    assert {row["evidence"] for row in explanations(tmp_path / raw.parent.name / "sbu")} > {"bytes"}
    trees = {tree_digest(tmp_path / one.parent.name / "sbu") for one in (pristine, raw)}
    assert len(trees) == 1


def test_strictness_stops_before_pictures_are_read(raw: Path, tmp_path: Path, read: list[str]):
    (raw / "vcr" / "val.jsonl").unlink()
    with pytest.raises(DataProblem, match=r"not checked: vcr-val \(vcr/val\.jsonl absent\)"):
        run("sbu", raw, tmp_path / "out", strict=True)
    assert read == []


def test_a_picture_that_becomes_an_evaluation_picture_leaves_its_shard(raw: Path, tmp_path: Path):
    out = tmp_path / "out"
    run("sbu", raw, out)
    before, whole = shard_digests(out / "sbu"), tree_digest(out / "sbu")
    row = read_samples(out / "sbu" / "samples.parquet")[0]
    copied = next((raw / "coco" / "test2015").iterdir())
    own = copied.read_bytes()
    copied.write_bytes(picture_of(raw, out, 0).read_bytes())
    again = run("sbu", raw, out)
    found = {one["key"]: one for one in explanations(out / "sbu")}
    assert (found[row.key]["rule"], found[row.key]["evidence"]) == ("vqav2-test", "bytes")
    assert found[row.key]["value"] == row.sha256
    changed = {name for name, one in shard_digests(out / "sbu").items() if one != before[name]}
    assert changed == {row.shard}
    assert any("rule vqav2-test" in change and "bytes" in change for change in again.changes)
    run("sbu", raw, tmp_path / "fresh")
    assert tree_digest(out / "sbu") == tree_digest(tmp_path / "fresh" / "sbu")
    copied.write_bytes(own)  # and comes back when it is none any more
    run("sbu", raw, out)
    assert tree_digest(out / "sbu") == whole


def test_a_list_that_changed_is_named_and_followed(raw: Path, tmp_path: Path):
    out = tmp_path / "out"
    run("vg", raw, out)
    left = [one for one in explanations(out / "vg") if one["rule"] == "karpathy-val"]
    path = raw / "coco" / "annotations" / "dataset_coco.json"
    split = json.loads(path.read_text())
    split["images"] = [
        one for one in split["images"] if str(one["cocoid"]) != left[0]["evaluation_id"]
    ]
    path.write_text(json.dumps(split))
    again = run("vg", raw, out)
    assert "train: raw file coco/annotations/dataset_coco.json changed" in again.changes
    named = [change for change in again.changes if "rule karpathy-val" in change]
    assert "coco/dataset_coco.json names" in named[0]
    keys = {row.key for row in read_samples(out / "vg" / "samples.parquet")}
    assert left[0]["key"] in keys


def test_what_a_run_saw_stands_in_the_report(raw: Path, tmp_path: Path):
    run("sbu", raw, tmp_path)
    rules = {one.rule: one for one in read_report(tmp_path / "sbu").splits["train"].overlap}
    images = json.loads((raw / "coco" / "annotations" / "dataset_coco.json").read_text())["images"]
    test = {one["cocoid"] for one in images if one["split"] == "test"}
    seen = rules["karpathy-test"]
    assert (seen.lists[0].file, seen.lists[0].ids) == ("coco/dataset_coco.json", len(test))
    assert seen.known == {"bytes": len(test), "flickr_id": len(test)}
    assert len(rules["flickr30k-test"].lists) == 2
    assert rules["vqav2-test"].known["flickr_id"] == 0
    assert sum(sum(one.excluded.values()) for one in rules.values()) == len(
        explanations(tmp_path / "sbu")
    )


def test_a_repair_leaves_out_what_the_build_left_out(raw: Path, tmp_path: Path):
    run("sbu", raw, tmp_path / "out", rules="karpathy-test+karpathy-val+vqav2-test")
    folder = tmp_path / "out" / "sbu"
    before = tree_digest(folder)
    for path in [*(folder / "train").glob("*.tar"), folder / "train" / "excluded.jsonl"]:
        path.unlink()
    assert repair(folder, raw).left == ()
    assert tree_digest(folder) == before


def test_a_repair_refuses_other_lists_of_evaluation_pictures(raw: Path, tmp_path: Path):
    run("sbu", raw, tmp_path / "out")
    folder = tmp_path / "out" / "sbu"
    next((folder / "train").glob("*.tar")).unlink()
    (raw / "vcr" / "val.jsonl").unlink()
    with pytest.raises(DataProblem, match=r"vcr/val\.jsonl: is gone"):
        repair(folder, raw)


def test_explanations_that_were_tampered_with_are_found(raw: Path, tmp_path: Path):
    run("vg", raw, tmp_path / "out")
    path = tmp_path / "out" / "vg" / "train" / "excluded.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    findings = verify(tmp_path / "out" / "vg").findings
    assert [finding.place for finding in findings] == ["train/excluded.jsonl"]


def test_a_subset_keeps_the_explanations(raw: Path, tmp_path: Path, prep):
    run("vg", raw, tmp_path / "out")
    copy = tmp_path / "copy"
    command = ("subset", tmp_path / "out" / "vg", "--out", copy, "--min-side", "1")
    assert prep(*command) == 0
    assert explanations(copy / "vg") == explanations(tmp_path / "out" / "vg")
    assert read_report(copy / "vg").splits["train"].overlap
    assert verify(copy / "vg").findings == ()


def test_a_split_that_is_left_alone_keeps_its_explanations(raw: Path, tmp_path: Path):
    from vle_bench.data_prep.leaks.rules import all_rules

    every = "+".join(rule.name for rule in all_rules().rules)
    run("coco", raw, tmp_path / "out", rules=every, splits=("restval",))
    alone = explanations(tmp_path / "out" / "coco")
    assert alone
    run("coco", raw, tmp_path / "out", rules=every, splits=("val",))
    assert explanations(tmp_path / "out" / "coco") == alone
    assert verify(tmp_path / "out" / "coco").findings == ()
    assert read_report(tmp_path / "out" / "coco").splits["restval"].overlap


def test_files_that_other_parameters_do_not_read_are_not_called_gone(raw: Path, tmp_path: Path):
    out = tmp_path / "out"
    run("coco", raw, out, rules="vcr-test")
    (raw / "coco/annotations/instances_val2014.json").unlink()
    changes = run("coco", raw, out, rules="none").changes
    assert any(one.startswith("rules was vcr-test") for one in changes)
    assert not [one for one in changes if "raw file" in one]
    with pytest.raises(UsageProblem, match=r"would keep the old\. Choose another --out, or remove"):
        run("coco", raw, out, scheme="2014", rules="none")  # it has no restval and no test
    out = tmp_path / "2014"
    run("coco", raw, out, scheme="2014", rules="none")
    captions = raw / "coco/annotations/captions_val2014.json"
    captions.write_bytes(captions.read_bytes() + b"\n")
    changes = run("coco", raw, out, rules="none").changes
    told = [one for one in changes if "raw file" in one]
    assert told == [f"val: raw file {captions.relative_to(raw).as_posix()} changed"]
