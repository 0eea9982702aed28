"""A second run: what stands is left alone to the byte and the mtime, what changed is named."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import msgspec
import pytest

from vle_bench.canonical import json_bytes, sha256_bytes
from vle_bench.data_prep import shard_task
from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.journal import ShardEntry, entry_from_bytes
from vle_bench.data_prep.prior import Prior
from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.data_prep.verify import verify
from vle_bench.errors import DataProblem, MachineProblem, UsageProblem
from vle_bench.shards.index import read_samples, read_skipped


def run(raw: Path, out: Path, *splits: str, workers: int = 1, **parameters) -> Prepared:
    settings = Parameters(**({"samples_per_shard": 2} | parameters))
    return prepare(
        Request(
            dataset="vqav2", raw=raw, out=out, splits=splits, parameters=settings, workers=workers
        )
    )


def tree(out: Path) -> dict[str, bytes]:
    folder = out / "vqav2"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def times(out: Path) -> dict[str, int]:
    folder = out / "vqav2"
    return {p.name: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def done(small, out: Path) -> Path:
    run(small.write(), out)
    return out


def test_a_second_run_touches_no_file(small, done: Path):
    before, stamps = tree(done), times(done)
    prepared = run(small.root, done)
    assert (prepared.built, prepared.kept, prepared.changes) == (0, 8, ())
    assert (tree(done), times(done)) == (before, stamps)


def test_only_missing_and_damaged_shards_are_built_again(small, done: Path):
    before, stamps = tree(done), times(done)
    (done / "vqav2/train/vqav2-train-000001.tar").unlink()
    hurt = done / "vqav2/val/vqav2-val-000000.tar"
    data = bytearray(hurt.read_bytes())
    data[700] ^= 1
    hurt.write_bytes(data)
    prepared = run(small.root, done)
    assert (prepared.built, prepared.kept) == (2, 6)
    assert prepared.changes == (
        "train: vqav2-train-000001.tar: missing, built again",
        "val: vqav2-val-000000.tar: damaged, built again",
    )
    assert tree(done) == before
    changed = {name for name, stamp in times(done).items() if stamps[name] != stamp}
    assert changed == {"vqav2-train-000001.tar", "vqav2-val-000000.tar"}


@pytest.mark.parametrize(
    "name", ["samples.parquet", "report.json", "README.md", "answers/label2answer.json"]
)
def test_a_lost_file_beside_the_shards_comes_back(small, done: Path, name: str):
    before = tree(done)
    (done / "vqav2" / name).unlink()
    assert run(small.root, done).built == 0
    assert tree(done) == before


def test_a_lost_or_torn_journal_costs_a_rebuild_and_changes_nothing(small, done: Path):
    before = tree(done)
    entry = done / ".vle-prep/vqav2/train/vqav2-train-000000.json"
    entry.write_bytes(entry.read_bytes()[:100])
    shutil.rmtree(done / ".vle-prep/vqav2/val")
    assert run(small.root, done).built == 4
    assert tree(done) == before


def wider(entry: ShardEntry) -> ShardEntry:
    """With another width in the row of its first picture, and the seal of before."""
    first, *rest = entry.rows
    return msgspec.structs.replace(entry, rows=[first._replace(width=first.width + 1), *rest])


def test_no_flipped_bit_of_the_journal_gets_into_index_and_books(small, done: Path):
    before = tree(done)
    path = done / ".vle-prep/vqav2/train/vqav2-train-000000.json"
    data = path.read_bytes()
    whole = entry_from_bytes(data)
    for place in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        entry = entry_from_bytes(bytes(flipped))
        if entry is not None:  # a letter of the seal's own name, which nothing else goes by
            assert msgspec.structs.replace(entry, seal=whole.seal) == whole
    path.write_bytes(json_bytes(wider(whole)))
    assert run(small.root, done).built == 1
    assert tree(done) == before


def test_the_journal_of_an_older_version_is_kept_and_sealed(small, done: Path):
    before = tree(done)
    path = done / ".vle-prep/vqav2/train/vqav2-train-000000.json"
    data = path.read_bytes()
    path.write_bytes(re.sub(rb',"seal":"[0-9a-f]{64}"', b"", data))
    assert path.stat().st_size < len(data)
    assert run(small.root, done).built == 0
    assert path.read_bytes() == data
    assert tree(done) == before


def test_a_picture_of_the_same_size_and_other_bytes_is_noticed_and_named(small, done: Path):
    path = small.root / "coco/val2014/COCO_val2014_000000000023.jpg"
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    prepared = run(small.root, done)
    assert prepared.built == 1
    (change,) = prepared.changes
    assert "raw picture changed (COCO_val2014_000000000023.jpg)" in change


def test_a_raw_folder_that_was_copied_elsewhere_is_the_same(
    small, done: Path, tmp_path: Path, monkeypatch
):
    before = tree(done)
    copied = tmp_path / "copied"
    shutil.copytree(small.root, copied, copy_function=shutil.copy)
    for path in copied.rglob("*.jpg"):
        os.utime(path, ns=(1, 1))
    assert run(copied, done).built == 0
    assert tree(done) == before
    monkeypatch.setattr(shard_task, "read_picture", None)  # it knows how they look by now
    assert run(copied, done).kept == 8


def test_a_picture_that_was_bad_and_is_now_whole_is_taken(small, out: Path):
    good = small.pictures["val"]["COCO_val2014_000000000023.jpg"]
    small.picture("val", 23, good[:-9])
    assert run(small.write(), out).report.counts["image"].skipped == {"picture cut short": 1}
    small.picture("val", 23, good)
    prepared = run(small.write(), out)
    assert prepared.report.counts["image"].skipped == {}
    assert prepared.built == 1


def test_a_picture_that_came_later_is_taken_and_told(small, out: Path, tmp_path: Path):
    good = small.pictures["val"].pop("COCO_val2014_000000000023.jpg")
    run(small.write(), out)
    small.picture("val", 23, good)
    came = run(small.write(), out)
    assert came.changes == ("val: picture absent: 0 pictures, 1 at the last run",)
    run(small.root, tmp_path / "fresh")
    assert tree(out) == tree(tmp_path / "fresh")


def test_a_changed_parameter_is_named_and_rebuilds(small, done: Path, tmp_path: Path):
    prepared = run(small.root, done, samples_per_shard=3)
    assert prepared.changes[0] == "samples-per-shard was 2, is 3"
    run(small.root, tmp_path / "fresh", samples_per_shard=3)
    assert tree(done) == tree(tmp_path / "fresh")
    names = {path.name for path in (done / ".vle-prep/vqav2/train").iterdir()}
    assert names == {f"vqav2-train-00000{number}.json" for number in range(3)}


def test_changed_annotations_are_named_and_rebuild(small, done: Path, tmp_path: Path):
    small.questions["val"][0]["question"] = "Another?"
    prepared = run(small.write(), done)
    assert (
        "val: raw file vqav2/v2_OpenEnded_mscoco_val2014_questions.json changed" in prepared.changes
    )
    assert prepared.built == 1
    run(small.root, tmp_path / "fresh")
    assert tree(done) == tree(tmp_path / "fresh")


def test_annotations_that_came_or_went_are_named(small, done: Path):
    name = "coco/annotations/captions_val2014.json"
    (small.root / name).unlink()
    assert f"val: raw file {name} is gone" in run(small.root, done).changes
    small.write()
    assert f"val: raw file {name} is new" in run(small.root, done).changes


def test_a_further_split_joins_the_others(small, out: Path, tmp_path: Path):
    raw = small.write()
    for split in ("val", "test", "train"):
        prepared = run(raw, out, split)
        assert prepared.changes == ()
    run(raw, tmp_path / "at-once")
    assert tree(out) == tree(tmp_path / "at-once")


def test_dev_is_val(small, out: Path):
    run(small.write(), out, "dev")
    assert {row.split for row in read_samples(out / "vqav2/samples.parquet")} == {"val"}


def test_a_further_split_keeps_what_was_left_out_of_the_others(small, out: Path):
    small.pictures["val"].popitem()
    raw = small.write()
    run(raw, out, "val")
    run(raw, out, "train")
    assert {row.split for row in read_skipped(out / "vqav2/skipped.parquet")} == {"val"}


def test_a_further_split_joins_those_of_an_older_version_and_seals_the_report(small, out: Path):
    run(small.write(), out, "train", "test")
    path = out / "vqav2" / "report.json"
    report = json.loads(path.read_bytes())
    del report["seal"]
    path.write_bytes(json_bytes(report))
    run(small.root, out, "val")
    assert {*json.loads(path.read_bytes())["splits"]} == {"train", "val", "test"}
    assert verify(out / "vqav2").findings == ()


def test_only_files_in_the_folders_of_splits_left_alone_are_taken_over(done: Path):
    kept = Prior(done, "vqav2", ["train"]).other_files
    assert {name.split("/")[0] for name in kept} == {"val", "test"}
    assert kept["val/sizes.json"] == sha256_bytes((done / "vqav2/val/sizes.json").read_bytes())


def test_a_further_split_with_other_parameters_is_refused(small, out: Path):
    raw = small.write()
    run(raw, out, "val")
    before = tree(out)
    with pytest.raises(UsageProblem, match="labels was raw, is normalised, but split val"):
        run(raw, out, "train", labels="normalised")
    assert tree(out) == before


def test_a_further_split_is_refused_where_the_vocabulary_would_change(small, out: Path):
    train = small.annotations.pop("train")
    raw = small.write()
    run(raw, out, "val")
    small.annotations["train"] = train
    small.write()
    with pytest.raises(DataProblem, match=r"answer2label.json: would change"):
        run(raw, out, "train", min_answer_count=9)
    run(raw, out)


def test_a_further_split_is_refused_where_a_shared_raw_file_changed(small, out: Path):
    raw = small.write()
    run(raw, out, "val")
    small.questions["train"][0]["question"] = "Another?"
    small.write()
    with pytest.raises(DataProblem, match="changed since split val was prepared"):
        run(raw, out, "train")


def test_a_further_split_is_refused_where_the_index_was_changed(small, out: Path):
    raw = small.write()
    run(raw, out, "val")
    path = out / "vqav2" / "samples.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataProblem, match="not the file that the last run wrote"):
        run(raw, out, "train")


def test_a_damaged_report_matters_only_to_splits_left_alone(small, done: Path):
    before = tree(done)
    (done / "vqav2/report.json").write_text("{")
    with pytest.raises(DataProblem, match="no --split"):
        run(small.root, done, "val")
    run(small.root, done)
    assert tree(done) == before


def test_books_that_changed_are_not_taken_over_by_the_next_report(small, done: Path):
    report = done / "vqav2/report.json"
    report.write_bytes(report.read_bytes().replace(b'"read": 7', b'"read": 8', 1))
    with pytest.raises(DataProblem, match="changed since it was written"):
        run(small.root, done, "val")


def test_a_picture_that_went_is_told(small, done: Path):
    (small.root / "coco/val2014/COCO_val2014_000000000023.jpg").unlink()
    went = run(small.root, done)
    assert went.built > 0
    assert "val: picture absent: 1 picture, 0 at the last run" in went.changes


def test_shards_outlive_pictures_that_are_all_out_of_reach(small, done: Path):
    before, stamps = tree(done), times(done)
    pictures = small.root / "coco/val2014"
    pictures.rename(small.root / "elsewhere")
    with pytest.raises(DataProblem, match="no picture of the 5 images of split val, and 3 shards"):
        run(small.root, done)
    assert (tree(done), times(done)) == (before, stamps)
    shutil.rmtree(done / "vqav2/val")
    assert run(small.root, done).report.splits["val"].counts["image"].written == 0
    (small.root / "elsewhere").rename(pictures)
    run(small.root, done)
    assert tree(done) == before


def test_a_split_that_lists_no_image_any_more_has_no_shard(small, done: Path):
    small.questions["val"], small.annotations["val"] = [], []
    run(small.write(), done)
    assert not list((done / "vqav2/val").glob("*.tar"))


def test_drawn_and_real_pictures_never_share_a_dataset(small, out: Path):
    run(small.write(), out, "val")
    (small.root / "sample_world.json").write_text("{}")
    with pytest.raises(DataProblem, match="is real data, the raw folder is the sample world"):
        run(small.root, out, "train")


def test_tar_files_of_others_are_left_and_named(small, done: Path):
    (done / "vqav2/train/mine.tar").write_bytes(b"x")
    prepared = run(small.root, done)
    assert any("mine.tar" in change for change in prepared.changes)
    assert (done / "vqav2/train/mine.tar").read_bytes() == b"x"


def test_what_a_killed_run_left_is_cleaned_away(small, done: Path):
    before = tree(done)
    (done / "vqav2/train/.vqav2-train-000009.tar.tmp").write_bytes(b"half")
    (done / "vqav2/.report.json.tmp").write_bytes(b"half")
    (done / ".vle-prep/vqav2/.runs.slice-0-of-2.jsonl.tmp").write_bytes(b"half")
    (done / ".vle-prep/vqav2/.scratch-x1").write_bytes(b"much")  # where every file needs a name
    run(small.root, done)
    assert tree(done) == before
    assert not [*done.rglob("*.tmp"), *done.rglob(".scratch-*")]


def test_two_runs_at_once_are_refused(small, done: Path):
    fcntl = pytest.importorskip("fcntl")
    with (done / ".vle-prep/vqav2/lock").open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(MachineProblem, match="another vle-prep run"):
            run(small.root, done)
    assert run(small.root, done).kept == 8


def test_times_and_workers_stand_in_the_log_only(small, done: Path):
    run(small.root, done)
    lines = (done / ".vle-prep/vqav2/runs.jsonl").read_text().splitlines()
    first, second = map(json.loads, lines)
    assert (first["built"], second["built"], second["kept"]) == (8, 0, 8)
    assert second["begun"] >= first["begun"]
