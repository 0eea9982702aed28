"""Building: the same bytes always, whole or not there, nobody else's files touched."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vle_bench.console import exit_code
from vle_bench.data_prep.cli import group
from vle_bench.data_prep.datasets.registry import DATASETS
from vle_bench.data_prep.run import Request, prepare
from vle_bench.data_prep.sample_world import build_sample_world
from vle_bench.data_prep.sample_world.claim import MARKER
from vle_bench.data_prep.sample_world.roster import PARTS, build_roster, share_out
from vle_bench.data_prep.verify import verify
from vle_bench.errors import DataProblem, MachineProblem, UsageProblem

BUILD = """
import sys
from pathlib import Path
from vle_bench.data_prep.sample_world import build_sample_world
if __name__ == "__main__":
    build_sample_world(Path(sys.argv[1]), images=40, hard=True, workers=int(sys.argv[2]))
"""


def fingerprint(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def times(root: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


def test_one_worker_or_two_and_any_hash_seed_give_the_same_bytes(tmp_path):
    script = tmp_path / "build.py"
    script.write_text(BUILD)
    prints = []
    for workers, hash_seed in (("1", "0"), ("2", "4711")):
        root = tmp_path / f"world-{workers}"
        subprocess.run(
            [sys.executable, script, root, workers],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        prints.append(fingerprint(root))
    assert prints[0] == prints[1]
    assert len(prints[0]) > 60


def test_another_seed_is_another_world(tmp_path):
    build_sample_world(tmp_path / "a", images=5, workers=1)
    build_sample_world(tmp_path / "b", images=5, seed=1, workers=1)
    assert not set(fingerprint(tmp_path / "a")) & set(fingerprint(tmp_path / "b")) - {
        name for name in fingerprint(tmp_path / "a") if not name.endswith(".jpg")
    }


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("images", [1, 2, 13, 20])
def test_every_dataset_of_a_world_of_few_pictures_can_be_prepared(tmp_path, images, hard):
    raw, out = tmp_path / "raw", tmp_path / "out"
    build_sample_world(raw, images=images, seed=2, hard=hard, workers=1)
    written = 0
    for name in DATASETS.names():
        prepared = prepare(Request(dataset=name, raw=raw, out=out))
        assert verify(prepared.folder).findings == ()
        card = (prepared.folder / "README.md").read_text()
        splits = prepared.report.splits
        assert ("finds\nno data" in card) == (not any(one.shards for one in splits.values()))
        if any(one.shards for one in splits.values()):
            for split, books in splits.items():
                assert (f"- split: {split}\n" in card) == bool(books.shards)
                assert books.shards or f"`{split}`" in card.partition("## How to read it")[2]
        written += sum(split.counts["image"].written for split in splits.values())
    assert written or hard


def test_a_second_call_changes_nothing(tmp_path):
    first = build_sample_world(tmp_path, images=6, workers=1)
    before = times(tmp_path)
    second = build_sample_world(tmp_path, images=6, workers=2)
    assert (first.built, second.built) == (True, False)
    assert second.files == first.files
    assert times(tmp_path) == before


def test_other_parameters_replace_the_world_and_leave_no_old_picture(tmp_path):
    build_sample_world(tmp_path / "a", images=8, workers=1)
    build_sample_world(tmp_path / "a", images=6, seed=2, workers=1)
    build_sample_world(tmp_path / "b", images=6, seed=2, workers=1)
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")


def test_a_foreign_folder_is_refused_and_not_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("my only copy")
    with pytest.raises(DataProblem, match=r"it holds thesis\.tex"):
        build_sample_world(tmp_path, images=6, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_real_raw_files_are_not_taken_for_a_sample_world(tmp_path):
    (tmp_path / "coco").mkdir()
    (tmp_path / "sample_world.json").write_text("[]")
    with pytest.raises(DataProblem, match="not one of ours"):
        build_sample_world(tmp_path, images=6, workers=1)
    assert (tmp_path / "coco").is_dir()


@pytest.mark.parametrize("content", [b'{"seed": ', b'{"seed": "\xff"}'])
def test_a_broken_ledger_is_a_sentence(tmp_path, content):
    (tmp_path / "sample_world.json").write_bytes(content)
    with pytest.raises(DataProblem, match="cannot be read"):
        build_sample_world(tmp_path, images=6, workers=1)


def test_an_interrupted_world_has_no_ledger_and_is_drawn_anew(tmp_path):
    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_sample_world(tmp_path / "a", images=6, workers=1, report=stop)
    assert not (tmp_path / "a" / "sample_world.json").exists()
    assert (tmp_path / "a" / MARKER).is_file()
    assert build_sample_world(tmp_path / "a", images=6, workers=1).built
    build_sample_world(tmp_path / "b", images=6, workers=1)
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")


@pytest.mark.parametrize("times_sent", [1, 2])
def test_ctrl_c_ends_every_process_with_one_word(tmp_path, times_sent):
    command = "from vle_bench.data_prep.cli import main; main()"
    options = ["sample", "--out", tmp_path / "raw", "--images", "4000", "--workers", "2"]
    run = subprocess.Popen(
        [sys.executable, "-c", command, *options],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pictures = tmp_path / "raw" / "coco" / "train2014"
    for _ in range(600):
        if pictures.is_dir() and any(pictures.iterdir()):
            break
        time.sleep(0.05)
    for _ in range(times_sent):
        os.killpg(run.pid, signal.SIGINT)
    _, told = run.communicate(timeout=60)
    assert run.returncode == 130
    assert told.strip() == "Interrupted."
    assert not (tmp_path / "raw" / "sample_world.json").exists()


def test_two_runs_do_not_draw_into_one_folder(tmp_path):
    with (tmp_path / MARKER).open("w") as marker:
        fcntl.flock(marker, fcntl.LOCK_EX)
        with pytest.raises(MachineProblem, match="another run"):
            build_sample_world(tmp_path, images=6, workers=1)


def test_files_beside_the_world_stay(tmp_path):
    build_sample_world(tmp_path, images=5, workers=1)
    (tmp_path / "notes.txt").write_text("mine")
    build_sample_world(tmp_path, images=6, workers=1)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("images", [0, -3, 600_000])
def test_a_number_of_pictures_out_of_range_is_wrong_usage(tmp_path, images):
    with pytest.raises(UsageProblem, match="1 to 500000"):
        build_sample_world(tmp_path, images=images)


@pytest.mark.parametrize("images", [1, 2, 13])
def test_a_tiny_world_has_every_file_but_lists_of_nothing(tmp_path, images, world):
    build_sample_world(tmp_path, images=images, workers=1, hard=True)
    of_a_picture = re.compile(r"images/|\.jpg$|/Sentences/|/Annotations/")
    named, expected = (
        {name for name in fingerprint(root) if not of_a_picture.search(name)}
        for root in (tmp_path, world.root)
    )
    assert named <= expected
    lists = (".jsonl", ".tsv", ".txt", ".token")
    assert {name for name in expected - named if not name.endswith(lists)} == set()
    assert all((tmp_path / name).stat().st_size for name in named)


@pytest.mark.parametrize("images", [24, 25, 100, 5000])
def test_every_part_has_pictures_from_two_dozen_on(images):
    counts = share_out(images)
    assert sum(counts.values()) == images
    assert all(counts[part] >= least for part, _, _, least in PARTS)


def test_ids_are_unique_and_look_like_the_real_ones():
    roster = build_roster(2000, 0)
    drawn = roster.all()
    coco = [one.coco_id for one in drawn if one.coco_id]
    assert len(set(coco)) == len(coco)
    assert max(coco) <= 581_929
    assert len({one.photo_id for one in drawn}) == len(drawn)
    assert len({one.name for one in drawn}) == len(drawn) == 2000


def test_a_part_of_a_larger_world_is_not_larger_than_itself():
    assert share_out(3) == {**dict.fromkeys(share_out(3), 0), "coco-train": 3}


def test_the_command_builds_and_says_so(tmp_path, capsys):
    out = str(tmp_path / "raw")
    assert exit_code(group, "vle-prep", ["sample", "--out", out, "--images", "5"]) == 0
    assert "5 pictures drawn" in capsys.readouterr().err
    assert exit_code(group, "vle-prep", ["sample", "--out", out, "--images", "5"]) == 0
    captured = capsys.readouterr()
    assert "already there" in captured.err
    assert captured.out == ""
    assert json.loads((tmp_path / "raw/sample_world.json").read_bytes())["images"] == 5


def test_the_command_refuses_with_the_contracts_exit_codes(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.tex").write_text("mine")
    (tmp_path / "file").write_text("a regular file")
    call = lambda *options: exit_code(group, "vle-prep", ["sample", *options])  # noqa: E731
    assert call("--out", str(tmp_path / "full")) == 3
    assert call("--out", str(tmp_path / "file" / "raw")) == 4
    assert call("--out", str(tmp_path / "x"), "--images", "0") == 2
    assert call() == 2
