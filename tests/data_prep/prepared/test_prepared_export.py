"""`vle-prep export`: whole or not at all, never over what is somebody else's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vle_bench.atomic import temporary_name
from vle_bench.data_prep.export.place import MARKER, What, exporting
from vle_bench.errors import DataProblem

FORMATS = ("lmdb", "img2dataset")
STREET = What(format="lmdb", splits={"toy": ["val", "test"]})


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_shards_give_the_same_bytes(prep, street: Path, tmp_path: Path, name: str):
    for out in ("a", "b"):
        assert prep("export", street, "--format", name, "--out", tmp_path / out) == 0
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_the_same_export_made_again_replaces_the_earlier_one_as_a_whole(
    prep, street: Path, tmp_path: Path
):
    out = tmp_path / "out"
    assert prep("export", street, "--format", "img2dataset", "--out", out) == 0
    (out / "stale.txt").write_text("of an earlier build", encoding="utf-8")
    assert prep("export", street, "--format", "img2dataset", "--out", out) == 0
    assert {path.name for path in out.iterdir()} == {MARKER, "val", "test"}
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize("other", ["dataset", "splits", "format", "marker of before"])
def test_another_export_is_not_replaced(
    prep, make, street: Path, tmp_path: Path, capsys, other: str
):
    out = tmp_path / "out"
    assert prep("export", street, "--format", "img2dataset", "--out", out, "--split", "val") == 0
    call = ["export", street, "--format", "img2dataset", "--out", out, "--split", "val"]
    if other == "dataset":
        call[1] = make.pack(tmp_path / "b", [make.sample(1, make.photo(8, 8), dataset="b")])
    elif other == "splits":
        call[-1] = "test"
    elif other == "format":
        call[3] = "lmdb"
    else:
        (out / MARKER).write_text('{"format": "img2dataset", "sources": {"toy": "00"}}')
    before = content(out)
    capsys.readouterr()
    assert prep(*call) == 2
    told = capsys.readouterr().err
    assert f"{out}: holds another export" in told
    assert other == "marker of before" or "img2dataset of toy (val)" in told
    assert content(out) == before
    assert not list(tmp_path.glob(".out*"))


def test_an_empty_folder_is_filled(prep, street: Path, tmp_path: Path):
    (tmp_path / "out").mkdir()
    assert prep("export", street, "--format", "img2dataset", "--out", tmp_path / "out") == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {MARKER, "val", "test"}


def test_an_export_does_not_lie_in_another(prep, street: Path, tmp_path: Path, capsys):
    out = tmp_path / "out"
    assert prep("export", street, "--format", "img2dataset", "--out", out) == 0
    assert prep("export", street, "--format", "lmdb", "--out", out / "deep/er") == 2
    assert f"lies in the export {out}" in capsys.readouterr().err
    assert {path.name for path in out.iterdir()} == {MARKER, "val", "test"}


def test_several_folders_are_one_export(prep, make, street: Path, tmp_path: Path, capsys):
    second = make.pack(tmp_path / "b", [make.sample(1, make.photo(8, 8), dataset="b")])
    call = ("export", street, second, street, "--format", "lmdb-pictures")
    assert prep(*call, "--out", tmp_path / "out") == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {MARKER, "toy", "b"}
    assert prep(*call, "--out", tmp_path / "out", "--split", "test") == 2
    assert prep(*call, "--out", tmp_path / "test", "--split", "test") == 0  # b has none
    assert {path.name for path in (tmp_path / "test").iterdir()} == {MARKER, "toy"}
    assert prep(*call, "--out", second / "in") == 2
    assert "must lie beside each other" in capsys.readouterr().err


def test_two_builds_of_one_dataset_do_not_fit_into_an_export(
    prep, street: Path, tmp_path: Path, capsys
):
    copy = shutil.copytree(street, tmp_path / "copy")
    call = ("export", street, copy, "--format", "lmdb-pictures", "--out", tmp_path / "out")
    assert prep(*call) == 2
    assert f"{street} and {copy} are both toy" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_is_no_export_of_ours_is_left_alone(prep, street: Path, tmp_path: Path, capsys):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work", encoding="utf-8")
    assert prep("export", street, "--format", "lmdb", "--out", mine) == 3
    assert "no export of ours" in capsys.readouterr().err
    assert [path.name for path in mine.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("name", [".out.tmp", ".out.old"])
def test_a_folder_of_somebody_else_under_a_name_of_ours_is_left_alone(
    prep, street: Path, tmp_path: Path, capsys, name: str
):
    (tmp_path / name).mkdir()
    (tmp_path / name / "thesis.tex").write_text("years of work", encoding="utf-8")
    assert prep("export", street, "--format", "lmdb", "--out", tmp_path / "out") == 3
    assert f"{name}: is there and holds no {MARKER}" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / name).iterdir()] == ["thesis.tex"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("inside", ["", "val", "below/it"])
def test_an_export_does_not_lie_in_the_shards(prep, street: Path, inside: str):
    before = content(street)
    assert prep("export", street, "--format", "lmdb", "--out", street / inside) == 2
    assert content(street) == before


def test_shards_do_not_lie_in_an_export(prep, street: Path):
    assert prep("export", street, "--format", "lmdb", "--out", street.parent) == 2


def test_a_failure_in_the_middle_leaves_the_earlier_export(prep, street: Path, tmp_path: Path):
    out = tmp_path / "out"
    assert prep("export", street, "--format", "img2dataset", "--out", out) == 0
    before = content(out)
    shard = street / "test/toy-test-000000.tar"
    shard.write_bytes(shard.read_bytes()[:700])
    assert prep("export", street, "--format", "img2dataset", "--out", out) == 3
    assert content(out) == before
    assert not list(tmp_path.glob(".out*"))


def test_what_a_killed_export_left_is_cleared_away(prep, street: Path, tmp_path: Path):
    left = tmp_path / ".out.tmp"
    left.mkdir()
    (left / MARKER).write_bytes(b"{}\n")
    (left / "half").write_bytes(b"torn")
    assert prep("export", street, "--format", "lmdb", "--out", tmp_path / "out") == 0
    assert not left.exists()
    assert "half" not in content(tmp_path / "out")


@pytest.mark.parametrize("name", [".out.tmp", ".out.old"])
def test_a_kill_during_the_clearing_leaves_what_the_next_export_clears(
    street: Path, tmp_path: Path, monkeypatch, name: str
):
    left = tmp_path / name
    (left / "val").mkdir(parents=True)
    (left / "val/half").write_bytes(b"torn")
    (left / "zz").write_bytes(b"behind the marker, by name")
    (left / MARKER).write_bytes(b"{}\n")
    remove = shutil.rmtree

    def killed(path: Path, **options) -> None:
        if path == left:
            raise KeyboardInterrupt
        remove(path, **options)

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt), exporting(tmp_path / "out", STREET, sources=[street]):
        pass
    assert [path.name for path in left.iterdir()] == [MARKER]
    monkeypatch.setattr(shutil, "rmtree", remove)
    with exporting(tmp_path / "out", STREET, sources=[street]):
        pass
    assert not list(tmp_path.glob(".out*"))


def test_two_exports_never_fill_one_folder(prep, street: Path, tmp_path: Path, capsys):
    command = ("export", street, "--format", "img2dataset", "--out", tmp_path / "out")
    with exporting(tmp_path / "out", STREET, sources=[street]) as folder:
        (folder / "mine").write_bytes(b"x")
        same = {"format": "img2dataset", "splits": STREET.splits}
        (folder / MARKER).write_text(json.dumps(same))
        assert prep(*command) == 4
        assert "another export is writing there. Wait for it" in capsys.readouterr().err
        assert prep(*command[:-1], tmp_path / "other") == 0
    assert content(tmp_path / "out").keys() == {MARKER, "mine"}
    assert prep(*command) == 0
    assert not list(tmp_path.glob(".*"))


def test_a_kill_before_the_marker_has_its_name_is_cleared_away(street: Path, tmp_path: Path):
    left = tmp_path / ".out.tmp"
    left.mkdir()
    temporary_name(left / MARKER).write_bytes(b"{")
    with exporting(tmp_path / "out", STREET, sources=[street]):
        pass
    assert not left.exists()


def test_a_link_is_never_followed_to_be_replaced(street: Path, tmp_path: Path):
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    with (
        pytest.raises(DataProblem, match="left alone"),
        exporting(tmp_path / "link", STREET, sources=[street]),
    ):
        pass
    assert real.is_dir()


def test_a_format_that_is_none_is_wrong_usage(prep, street: Path, tmp_path: Path, capsys):
    assert prep("export", street, "--format", "tfrecord", "--out", tmp_path / "out") == 2
    assert prep("export", street, "--out", tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert "    img2dataset,\n" in told  # indented, by click with a tab
    assert "\\t" not in told


@pytest.mark.parametrize("name", FORMATS)
def test_splits_without_a_text_are_named(prep, street: Path, tmp_path: Path, capsys, name: str):
    assert prep("export", street, "--format", name, "--out", tmp_path / "out") == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "no captions" in line]
    assert [line.partition(":")[0] for line in told] == ["test"]


def test_bringing_an_export_to_the_disk_is_watched(prep, street: Path, tmp_path, monkeypatch):
    reached: list[int] = []

    class Bar:
        def __init__(self, size: int, what: str) -> None:
            assert what
            reached.append(-size)

        def reach(self, at: int) -> None:
            reached.append(at)

        def close(self) -> None:
            reached.append(-1)

    monkeypatch.setattr("vle_bench.data_prep.export.place.ByteBar", Bar)
    assert prep("export", street, "--format", "lmdb", "--out", tmp_path / "out") == 0
    size, *steps, closed = reached
    assert steps == sorted(steps)
    assert (steps[0], steps[-1], closed) == (0, -size, -1)
