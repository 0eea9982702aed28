"""What `vle-prep run` refuses before it begins, and what it does not call a success."""

from __future__ import annotations

import errno
import json
import shlex
import shutil
from pathlib import Path

import pytest

from vle_bench.data_prep import journal
from vle_bench.data_prep.verify import verify


@pytest.mark.parametrize(
    ("option", "value"), [("--seed", "0"), ("--labels", "raw"), ("--min-answer-count", "9")]
)
def test_an_option_that_the_dataset_does_not_read_is_refused(
    small, out: Path, prep, capsys: pytest.CaptureFixture[str], option: str, value: str
):
    call = ("--raw", small.write(), "--out", out, "--workers", 1, option, value)
    assert prep("run", "vg", *call) == 2
    assert f"{option} {value}: vg takes no {option}. Leave it out." in capsys.readouterr().err
    assert not out.exists()
    assert prep("run", "vqav2", *call) == 0


def test_options_that_are_left_out_have_the_values_of_the_help(small, out: Path, prep):
    assert prep("run", "vqav2", "--raw", small.write(), "--out", out, "--workers", 1) == 0
    parameters = json.loads((out / "vqav2/report.json").read_bytes())["parameters"]
    assert parameters == {
        "labels": "raw",
        "min_answer_count": 9,
        "samples_per_shard": 1000,
        "seed": 0,
    }


def test_a_run_without_a_single_picture_closes_its_books_and_fails(
    small, out: Path, prep, capsys: pytest.CaptureFixture[str]
):
    raw = small.write()
    pictures = [path for path in (raw / "coco").iterdir() if path.name != "annotations"]
    kept = {path: path.rename(raw.parent / path.name) for path in pictures}
    call = ("run", "vqav2", "--raw", raw, "--out", out, "--workers", 1)
    assert prep(*call) == 3
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "train: 7 of 7 images have no picture file"
    assert told[-1] == (
        f"{raw}: holds no picture of the 14 images of vqav2, so no shard was written. "
        f"vle-prep plan vqav2 --raw {raw} says where they belong."
    )
    assert verify(out / "vqav2").findings == ()
    for path, aside in kept.items():
        aside.rename(path)
    assert prep(*call) == 0


def test_many_changes_do_not_hide_a_warning(
    small, out: Path, prep, capsys: pytest.CaptureFixture[str]
):
    raw = small.write()
    (raw / "coco/train2014/COCO_train2014_000000000012.jpg").unlink()
    call = ("run", "vqav2", "--raw", raw, "--out", out, "--samples-per-shard", 1)
    assert prep(*call) == 0
    shards = list((out / "vqav2").glob("*/*.tar"))
    for shard in shards:
        shard.write_bytes(b"torn")
    capsys.readouterr()
    assert prep(*call) == 0
    told = capsys.readouterr().err.splitlines()
    assert len(shards) == 13
    assert sum("damaged, built again" in line for line in told) == 8
    assert "... and 5 more changes." in told
    assert "train: 1 of 7 images has no picture file" in told


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize("place", ["raw", "raw/../raw", "link", "."])
def test_shards_are_not_written_among_raw_files(
    small, tmp_path: Path, prep, capsys: pytest.CaptureFixture[str], command: str, place: str
):
    raw = small.write()
    (tmp_path / "link").symlink_to(raw)
    if place == ".":  # OUT/vqav2 is the raw folder itself
        raw = raw.rename(tmp_path / "vqav2")
    before = {path: path.read_bytes() for path in raw.rglob("*") if path.is_file()}
    assert prep(command, "vqav2", "--raw", raw, "--out", tmp_path / place) == 2
    assert "raw files lie there" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in raw.rglob("*") if path.is_file()}


def test_a_split_without_a_single_picture_is_told_and_the_others_are_prepared(
    small, out: Path, prep, capsys: pytest.CaptureFixture[str]
):
    raw = small.write()
    shutil.rmtree(raw / "coco/test2015")
    assert prep("run", "vqav2", "--raw", raw, "--out", out, "--workers", 1) == 0
    assert "test: 2 of 2 images have no picture file" in capsys.readouterr().err


def test_a_file_system_without_locks_is_refused_with_what_to_do(
    small, out: Path, prep, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def no_locks(*_: object, **__: object) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(journal, "locked", no_locks)
    assert prep("run", "vqav2", "--raw", small.write(), "--out", out) == 4
    told = capsys.readouterr().err
    assert f"{out / 'vqav2'}: cannot be locked: No locks available" in told
    assert "Lustre: -o flock" in told


def test_the_commands_that_are_told_can_be_typed_as_they_stand(
    small, tmp_path: Path, prep, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "my shards (new)"
    assert prep("run", "vqav2", "--raw", small.write(), "--out", out, "--workers", 1) == 0
    told = capsys.readouterr().err.splitlines()[-1]
    assert shlex.split(told.partition("any time: vle-prep ")[2]) == ["verify", str(out / "vqav2")]
    (out / "vqav2/README.md").unlink()
    assert prep("verify", out) == 1
    told = capsys.readouterr().err
    assert f"vle-prep repair '{out}' --raw RAW or the run that made them" in told


def test_what_is_extra_alone_is_no_matter_of_a_repair(
    small, out: Path, prep, capsys: pytest.CaptureFixture[str]
):
    assert prep("run", "vqav2", "--raw", small.write(), "--out", out, "--workers", 1) == 0
    (out / "vqav2/notes.txt").write_text("mine")
    assert prep("verify", out) == 1
    told = capsys.readouterr().err.splitlines()[-1]
    cure = "What is extra is none of our files: move or remove it."
    assert told == f"{out}: 1 finding. {cure}"


@pytest.mark.parametrize("name", ["cc3m", "sbu"])
def test_a_list_without_pictures_is_sent_to_fetch(
    drawn_world, tmp_path: Path, prep, capsys: pytest.CaptureFixture[str], name: str
):
    raw = tmp_path / "raw"
    shutil.copytree(drawn_world(60) / name, raw / name, ignore=lambda *_: ["pictures"])
    assert prep("run", name, "--raw", raw, "--out", tmp_path / "out", "--workers", 1) == 3
    assert f"vle-prep fetch {name} --raw {raw} downloads those" in capsys.readouterr().err
