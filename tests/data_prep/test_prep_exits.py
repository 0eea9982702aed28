"""Paths that are not there exit with 3, paths that may not be read with 4: every command alike."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Root may read everything, but for what it gives up before the command starts.
_GIVEN_UP = "-dac_override,-dac_read_search"
_BOUND = ["setpriv", "--bounding-set", _GIVEN_UP] if os.geteuid() == 0 else []
_READING = [
    ["list", "--raw", "{place}"],
    ["plan", "coco", "--raw", "{place}", "--out", "{free}"],
    ["run", "coco", "--raw", "{place}", "--out", "{free}"],
    ["verify", "{place}"],
    ["repair", "{place}", "--raw", "{free}"],
    ["vocab", "{place}", "--out", "{free}/v.txt"],
    ["diff", "{place}", "{free}"],
    ["subset", "{place}", "--out", "{free}/s"],
    ["stats", "{place}"],
    ["browse", "{place}", "--html", "{free}/b.html"],
    ["export", "{place}", "--format", "lmdb", "--out", "{free}/e"],
]
_NAMES = [arguments[0] for arguments in _READING]


_WRITING = [
    ["run", "vqav2", "--raw", "{free}", "--out", "{place}"],
    ["plan", "vqav2", "--raw", "{free}", "--out", "{place}/below"],
    ["sample", "--out", "{place}"],
]


@pytest.mark.parametrize("arguments", [*_READING, *_WRITING], ids=" ".join)
def test_links_that_lead_round_in_a_circle_exit_3_with_what_to_do(
    tmp_path: Path, prep, capsys: pytest.CaptureFixture[str], arguments: list[str]
):
    place = tmp_path / "loop"
    place.symlink_to(tmp_path / "back")
    (tmp_path / "back").symlink_to(place)
    (tmp_path / "free").mkdir()
    told = [one.format(place=place, free=tmp_path / "free") for one in arguments]
    assert prep(*told) == 3
    assert "links lead round in a circle" in capsys.readouterr().err
    assert list((tmp_path / "free").iterdir()) == []


def _exit(arguments: list[str], place: Path, free: Path) -> tuple[int, str]:
    """Exit code and stderr of the command, run by somebody whom permissions bind."""
    told = [argument.format(place=place, free=free) for argument in arguments]
    done = subprocess.run(
        [*_BOUND, sys.executable, "-m", "vle_bench.data_prep.cli", *told],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A folder that may not be read."""
    if _BOUND and not shutil.which(_BOUND[0]):
        pytest.skip("root may read everything here, and setpriv to give that up is absent")
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


@pytest.mark.parametrize("arguments", _READING, ids=_NAMES)
def test_a_folder_that_may_not_be_read_exits_four(arguments: list[str], locked: Path) -> None:
    code, told = _exit(arguments, locked, locked.parent)
    assert (code, "Permission denied" in told, "Traceback" in told) == (4, True, False), told


@pytest.mark.parametrize("arguments", _READING, ids=_NAMES)
def test_a_folder_that_is_not_there_exits_three(
    arguments: list[str], tmp_path: Path, prep, capsys: pytest.CaptureFixture[str]
) -> None:
    told = [argument.format(place=tmp_path / "no", free=tmp_path) for argument in arguments]
    assert prep(*told) == 3
    assert "no such folder" in (said := capsys.readouterr().err) or "no prepared" in said


@pytest.mark.parametrize(("name", "other"), [("vqav2", "vcr"), ("flickr30k", "coco")])
def test_a_dataset_that_may_not_be_read_does_not_keep_others_from_being_prepared(
    drawn_world, tmp_path: Path, name: str, other: str
) -> None:
    raw = Path(shutil.copytree(drawn_world(60), tmp_path / "raw"))
    (raw / "flickr30k/dataset_flickr30k.json").unlink()  # sought in COCO's folder too
    (raw / other).chmod(0)
    call = ["run", name, "--raw", str(raw), "--out", "{free}", "--workers", "1"]
    code, told = _exit(call, raw, tmp_path / "shards")
    (raw / other).chmod(0o700)
    assert code == 0, told
