"""Shards never go among raw files or somebody else's, and what was made here goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from prep_world import tree_digest

from vle_bench.data_prep import run as run_module
from vle_bench.data_prep.journal import FOLDER
from vle_bench.data_prep.run import Request, prepare


@pytest.fixture(scope="module")
def prepared_world(drawn_world, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """COCO and VQAv2 of a sample world, and its raw files beside them."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "raw").symlink_to(drawn_world(60))
    for name in ("coco", "vqav2"):
        prepare(Request(dataset=name, raw=folder / "raw", out=folder / "shards"))
    return folder / "shards"


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize("place", ["coco", "vqav2", "vqav2/deeper", "coco/val2014", "linked"])
def test_a_folder_of_raw_files_takes_no_shards(
    small, tmp_path: Path, prep, capsys: pytest.CaptureFixture[str], command: str, place: str
):
    raw = small.write()
    out = raw / place
    if place == "linked":  # raw files of a dataset on another disk
        out = (raw / "coco").rename(tmp_path / "disk")
        (raw / "coco").symlink_to(out)
    before = tree_digest(tmp_path)
    assert prep(command, "vqav2", "--raw", raw, "--out", out) == 2
    assert "raw files lie there" in capsys.readouterr().err
    assert tree_digest(tmp_path) == before


def test_shards_may_lie_in_a_folder_of_their_own_below_the_downloads(small, prep):
    raw = small.write()
    for _ in range(2):
        assert prep("run", "vqav2", "--raw", raw, "--out", raw / "shards", "--workers", 1) == 0
    assert prep("verify", raw / "shards") == 0


@pytest.mark.parametrize("name", ["README.md", "report.json", "train/notes.txt", "old-train-1.tar"])
@pytest.mark.parametrize("command", ["run", "plan", "slice"])
def test_somebody_elses_folder_of_the_datasets_name_is_left_alone(
    small, out: Path, prep, capsys: pytest.CaptureFixture[str], command: str, name: str
):
    raw = small.write()
    mine = out / "vqav2" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("{}")
    (out / "vqav2" / ".DS_Store").touch()
    before = sorted(out.rglob("*"))
    call = ("run", "--slice", "0/2") if command == "slice" else (command,)
    assert prep(*call, "vqav2", "--raw", raw, "--out", out) == 2
    told = capsys.readouterr().err
    assert f"{out / 'vqav2'}: holds files ({name}), and no report or journal" in told
    assert (sorted(out.rglob("*")), mine.read_text()) == (before, "{}")


def test_folders_of_others_beside_the_dataset_do_not_matter(small, out: Path, prep):
    (out / "coco").mkdir(parents=True)
    (out / "coco" / "notes.txt").write_text("mine")
    (out / "vqav2" / "train").mkdir(parents=True)  # empty
    assert prep("run", "vqav2", "--raw", small.write(), "--out", out, "--workers", 1) == 0


def test_a_run_that_was_killed_before_its_report_goes_on(
    small, out: Path, prep, monkeypatch: pytest.MonkeyPatch
):
    call = ("run", "vqav2", "--raw", small.write(), "--out", out, "--workers", 1)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(run_module, "write_beside", killed)
        assert prep(*call) == 130
    (out / "vqav2" / "notes.txt").write_text("put there later")
    assert prep(*call) == 0


@pytest.mark.parametrize("lost", ["journal", "report"])
def test_an_own_output_is_known_by_its_journal_or_its_report(small, out: Path, prep, lost: str):
    call = ("run", "vqav2", "--raw", small.write(), "--out", out, "--workers", 1)
    assert prep(*call) == 0
    before = tree_digest(out / "vqav2")
    if lost == "journal":
        shutil.rmtree(out / FOLDER)
    else:
        (out / "vqav2" / "report.json").unlink()
    assert prep(*call) == 0
    assert tree_digest(out / "vqav2") == before


def test_shards_that_somebody_copied_alone_are_judged_and_not_refused(small, out: Path, prep):
    call = ("run", "vqav2", "--raw", small.write(), "--out", out, "--workers", 1)
    assert prep(*call) == 0
    before = tree_digest(out / "vqav2")
    shutil.rmtree(out / FOLDER)
    for path in list(out.rglob("*")):
        if path.is_file() and path.suffix != ".tar":
            path.unlink()
    assert prep(*call) == 0
    assert tree_digest(out / "vqav2") == before


@pytest.mark.parametrize(
    "call",
    [
        ("browse", "{coco}", "--html", "{vqav2}/look.html"),
        ("browse", "{coco}", "--html", "{vqav2}/pages/look.html"),
        ("vocab", "{coco}", "--out", "{coco}/classes.txt"),
        ("stats", "{coco}", "--svg", "{link}/stats.svg"),
        ("overlap", "{coco}", "--against", "{vqav2}", "--out", "{coco}/pairs.jsonl"),
        ("overlap", "{coco}", "--against", "{vqav2}", "--keys", "{coco}/train/keys.txt"),
        ("export", "{coco}", "--format", "arrow", "--out", "{vqav2}/meter"),
        ("subset", "{coco}", "--out", "{vqav2}", "--min-side", "1"),
        ("run", "vqav2", "--raw", "{raw}", "--out", "{vqav2}"),
        ("plan", "vqav2", "--raw", "{raw}", "--out", "{coco}/more"),
        ("sample", "--out", "{coco}/raw"),
    ],
    ids=lambda call: f"{call[0]}{call[-2]}",
)
def test_nothing_is_written_into_a_prepared_dataset(
    prepared_world: Path, tmp_path: Path, prep, capsys: pytest.CaptureFixture[str], call
):
    link = tmp_path / "link"
    link.symlink_to(prepared_world / "vqav2")
    places = {name: prepared_world / name for name in ("coco", "vqav2")} | {"link": link}
    before = tree_digest(prepared_world)
    told = [one.format(**places, raw=prepared_world.parent / "raw") for one in call]
    assert prep(*told) == 2
    assert "where vle-prep verify would call it an extra file" in capsys.readouterr().err
    assert tree_digest(prepared_world) == before


def test_a_subset_leaves_somebody_elses_folder_alone(
    small, out: Path, tmp_path: Path, prep, capsys: pytest.CaptureFixture[str]
):
    assert prep("run", "vqav2", "--raw", small.write(), "--out", out, "--workers", 1) == 0
    mine = tmp_path / "home" / "vqav2" / "README.md"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    assert prep("subset", out / "vqav2", "--out", tmp_path / "home", "--min-side", 1) == 2
    assert "holds files (README.md), and no report or journal" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "home").rglob("*")] == ["vqav2", "README.md"]
    assert mine.read_text() == "mine"
