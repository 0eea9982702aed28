"""Repair brings back the very bytes, touches nothing else, and takes no other raw files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.repair import repair
from vle_bench.data_prep.run import Request, prepare
from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.shards.index import read_samples
from vle_bench.shards.report import read_report


@pytest.fixture
def done(small, out: Path) -> Path:
    small.picture("val", 23, b"<html>")
    small.picture("train", 12, b"<html>")
    settings = Parameters(samples_per_shard=2, min_answer_count=2)
    prepare(Request(dataset="vqav2", raw=small.write(), out=out, parameters=settings))
    return out / "vqav2"


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def times(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def flip(path: Path, at: int = 700) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize("workers", [1, 2])
def test_damaged_missing_and_swapped_shards_come_back_bit_for_bit(small, done: Path, workers: int):
    before, stamps = tree(done), times(done)
    flip(done / "train/vqav2-train-000001.tar")
    (done / "val/vqav2-val-000001.tar").unlink()
    one, two = done / "test/vqav2-test-000000.tar", done / "val/vqav2-val-000000.tar"
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    result = repair(done, small.root, workers=workers)
    assert result.built == (
        "test/vqav2-test-000000.tar",
        "train/vqav2-train-000001.tar",
        "val/vqav2-val-000000.tar",
        "val/vqav2-val-000001.tar",
    )
    assert (result.beside, result.removed, result.left) == ((), (), ())
    assert tree(done) == before
    changed = {name for name, stamp in times(done).items() if stamps[name] != stamp}
    assert {str(done / place) for place in result.built} == changed


def test_a_whole_dataset_is_left_alone(small, done: Path):
    stamps = times(done)
    result = repair(done, small.root)
    assert (result.built, result.beside, result.left) == ((), (), ())
    assert times(done) == stamps


def test_what_a_killed_repair_left_beside_whole_files_goes(small, done: Path):
    before = tree(done)
    for place in (".skipped.parquet.tmp", "val/.vqav2-val-000000.tar.tmp"):
        (done / place).write_bytes(b"half")
    result = repair(done, small.root)
    assert (result.built, result.beside, result.left) == ((), (), ())
    assert tree(done) == before


def test_a_renamed_shard_comes_back_and_its_copy_goes(small, done: Path):
    before = tree(done)
    (done / "val/vqav2-val-000001.tar").rename(done / "val/vqav2-val-000009.tar")
    result = repair(done, small.root)
    assert result.removed == ("val/vqav2-val-000009.tar",)
    assert tree(done) == before


def test_a_strangers_tar_is_left_and_told(small, done: Path, prep, capsys):
    (done / "val/mine.tar").write_bytes(b"x")
    assert prep("repair", done, "--raw", small.root) == 1
    captured = capsys.readouterr()
    assert "val/mine.tar: extra, no shard of the report" in captured.out
    assert (done / "val/mine.tar").read_bytes() == b"x"


@pytest.mark.parametrize(
    "name",
    [
        "samples.parquet",
        "skipped.parquet",
        "README.md",
        "val/index.json",
        "answers/label2answer.json",
    ],
)
@pytest.mark.parametrize("journal", ["kept", "lost"])
def test_files_beside_the_shards_come_back_with_or_without_the_journal(
    small, done: Path, name: str, journal: str
):
    before = tree(done)
    (done / name).unlink()
    flip(done / "train/vqav2-train-000000.tar")
    if journal == "lost":
        shutil.rmtree(done.parent / ".vle-prep")
    result = repair(done, small.root)
    assert name in result.beside
    assert result.left == ()
    assert tree(done) == before


def test_a_changed_raw_picture_is_named_and_nothing_is_touched(small, done: Path):
    flip(done / "val/vqav2-val-000000.tar")
    before = tree(done)
    picture = small.root / "coco/val2014/COCO_val2014_000000000022.jpg"
    flip(picture, -20)
    with pytest.raises(DataProblem, match=r"COCO_val2014_000000000022.jpg changed"):
        repair(done, small.root)
    assert tree(done) == before


def test_pictures_that_are_gone_are_told_and_nothing_is_touched(small, done: Path):
    last = read_report(done).splits["val"].shards[-1].name
    for row in read_samples(done / "samples.parquet", split="val"):
        if row.shard == last:
            (picture,) = small.root.rglob(f"*val2014_{int(row.image_id):012d}.jpg")
            picture.unlink()
    (done / "val" / last).unlink()
    with pytest.raises(DataProblem, match="split val has fewer pictures in these raw files"):
        repair(done, small.root)


def test_a_picture_that_was_bad_and_is_now_whole_makes_another_shard_and_is_refused(
    small, done: Path
):
    hurt = done / "val/vqav2-val-000001.tar"
    hurt.unlink()
    small.picture("val", 23)
    with pytest.raises(DataProblem, match=r"\nval/vqav2-val-000001.tar: would get the sha256"):
        repair(done, small.write())
    assert not hurt.exists()
    assert not list(done.rglob("*.tmp"))


def test_changed_annotations_are_named_and_nothing_is_touched(small, done: Path):
    flip(done / "val/vqav2-val-000000.tar")
    before = tree(done)
    small.questions["val"][0]["question"] = "Another?"
    with pytest.raises(DataProblem, match=r"v2_OpenEnded_mscoco_val2014_questions.json: changed"):
        repair(done, small.write())
    assert tree(done) == before


def test_other_answers_are_noticed_by_the_vocabulary(small, done: Path):
    flip(done / "val/vqav2-val-000000.tar")
    for row in small.annotations["train"]:
        row["multiple_choice_answer"] = "nothing"
    with pytest.raises(DataProblem, match=r"answer2label.json: would be another"):
        repair(done, small.write())


def test_a_damaged_report_cannot_lead_a_repair(small, done: Path, prep, capsys):
    (done / "report.json").write_text("{")
    assert prep("repair", done, "--raw", small.root) == 3
    (done / "report.json").unlink()
    assert prep("repair", done, "--raw", small.root) == 3
    assert "no prepared dataset" in capsys.readouterr().err


def test_a_report_that_changed_cannot_lead_a_repair_though_it_can_be_read(small, done: Path):
    whole = tree(done)
    flip(done / "train/vqav2-train-000001.tar")
    report = done / "report.json"
    report.write_bytes(report.read_bytes().replace(b'"read": 7', b'"read": 8', 1))
    before = tree(done)
    with pytest.raises(DataProblem, match=r"report.json: is not as it was written"):
        repair(done, small.root)
    assert tree(done) == before
    settings = Parameters(samples_per_shard=2, min_answer_count=2)
    prepare(Request(dataset="vqav2", raw=small.root, out=done.parent, parameters=settings))
    assert tree(done) == whole


def test_parameters_that_no_run_takes_are_refused(small, done: Path):
    report = json.loads((done / "report.json").read_bytes())
    report["parameters"]["min_side"] = 200
    (done / "report.json").write_text(json.dumps(report))
    with pytest.raises(UsageProblem, match="was made with min_side"):
        repair(done, small.root)


def test_drawn_pictures_do_not_repair_real_ones(small, done: Path):
    (small.root / "sample_world.json").write_text("{}")
    with pytest.raises(DataProblem, match="was made from real data"):
        repair(done, small.root)


def test_a_renamed_folder_is_told(small, done: Path):
    done.rename(done.with_name("copy"))
    with pytest.raises(UsageProblem, match="folder of that name"):
        repair(done.with_name("copy"), small.root)


def test_a_dataset_that_is_a_link_to_another_disk_is_repaired(small, done: Path, tmp_path: Path):
    before = tree(done)
    done.rename(tmp_path / "elsewhere")
    done.symlink_to(tmp_path / "elsewhere")
    flip(done / "train/vqav2-train-000001.tar")
    (done / "samples.parquet").unlink()
    assert repair(done, small.root).left == ()
    assert done.is_symlink()
    assert tree(done) == before
    assert not (tmp_path / ".vle-prep").exists()


def test_the_command_says_what_it_did(small, done: Path, prep, capsys):
    flip(done / "train/vqav2-train-000001.tar")
    assert prep("repair", done.parent, "--raw", small.root, "--json", "--workers", 1) == 0
    captured = capsys.readouterr()
    (row,) = json.loads(captured.out)["datasets"]
    assert row["built"] == ["train/vqav2-train-000001.tar"]
    assert "1 repaired, 0 left" in captured.err
    assert prep("repair", done, "--raw", small.root) == 0
    assert "nothing to repair" in capsys.readouterr().err
    assert prep("repair", done, "--raw", small.root / "no") == 3
