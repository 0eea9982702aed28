"""Slices of a job array: together they make what one run makes, in any order, by anybody."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import IO, Any

import pytest

from vle_bench.data_prep import journal, slices
from vle_bench.data_prep.journal import Slice, one_of_many, only_run, slice_changes
from vle_bench.data_prep.slices import parse_slice
from vle_bench.errors import MachineProblem, UsageProblem
from vle_bench.file_lock import locked

OPTIONS = ("--samples-per-shard", "2", "--workers", "1")


def tree(out: Path) -> dict[str, bytes]:
    folder = out / "vqav2"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_slices_in_any_order_and_finish_make_the_tree_of_one_run(small, tmp_path, out, prep):
    small.picture("train", 12, b"<html>")
    raw = small.write()
    assert prep("run", "vqav2", "--raw", raw, "--out", tmp_path / "whole", *OPTIONS) == 0
    for part in ("2/3", "0/3", "1/3"):
        assert prep("run", "vqav2", "--raw", raw, "--out", out, *OPTIONS, "--slice", part) == 0
    assert not (out / "vqav2/report.json").exists()
    assert prep("run", "vqav2", "--raw", raw, "--out", out, *OPTIONS, "--finish") == 0
    assert tree(out) == tree(tmp_path / "whole")


def test_a_slice_builds_its_shards_and_touches_no_other(small, out, prep, capsys):
    call = ("run", "vqav2", "--raw", small.write(), "--out", out, *OPTIONS, "--slice", "1/2")
    assert prep(*call, "--json") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["slice"] == {
        "part": [1, 2],
        "splits": ["train", "val", "test"],
        "shards": 3,
        "built": 3,
        "planned": 8,
    }
    assert "3 shards built, 0 verified and kept, of 8 in all" in captured.err
    numbers = [path.name[-5] for path in out.rglob("*.tar")]
    assert sorted(numbers) == ["1", "1", "3"]
    assert prep(*call) == 0
    assert "0 shards built, 3 verified and kept" in capsys.readouterr().err


def test_finish_names_the_shards_that_no_slice_built_and_writes_nothing(small, out, prep, capsys):
    call = ("run", "vqav2", "--raw", small.write(), "--out", out, *OPTIONS)
    assert prep(*call, "--slice", "0/2") == 0
    (out / "vqav2/val/vqav2-val-000002.tar").write_bytes(b"torn")
    assert prep(*call, "--finish") == 3
    text = capsys.readouterr().err
    for line in (
        "train: vqav2-train-000001.tar: missing",
        "train: vqav2-train-000003.tar: missing",
        "val: vqav2-val-000001.tar: missing",
        "val: vqav2-val-000002.tar: damaged",
        "--finish again",
    ):
        assert line in text
    assert [path.name for path in (out / "vqav2").iterdir() if path.is_file()] == []
    assert prep(*call, "--slice", "0/2") == 0
    assert prep(*call, "--slice", "1/2") == 0
    assert prep(*call, "--finish") == 0
    assert prep("verify", out / "vqav2") == 0


def test_finish_notices_slices_of_other_parameters(small, out, prep, capsys):
    call = ("run", "vqav2", "--raw", small.write(), "--out", out)
    assert prep(*call, "--samples-per-shard", "3", "--slice", "0/1") == 0
    capsys.readouterr()
    assert prep(*call, "--samples-per-shard", "1", "--finish") == 3
    text = capsys.readouterr().err.splitlines()
    assert text[1:3] == [
        "slice 0/1 was built with samples-per-shard 3, this is 1",
        "train: vqav2-train-000000.tar: recipe changed",
    ]
    assert len(text) == 10
    assert prep(*call, "--samples-per-shard", "1", "--slice", "0/1") == 0
    assert (
        slice_changes(out, "vqav2", {"samples_per_shard": 1}) == []
    )  # what it was built with last
    assert prep(*call, "--samples-per-shard", "1", "--finish") == 0


def test_finish_names_what_changed_since_the_last_report(small, out, prep, capsys):
    call = ("run", "vqav2", "--raw", small.write(), "--out", out)
    assert prep(*call, "--samples-per-shard", "3") == 0
    assert prep(*call, "--samples-per-shard", "2", "--finish") == 3
    assert "samples-per-shard was 3, is 2" in capsys.readouterr().err


def test_finish_out_of_reach_of_the_pictures_removes_no_shard(small, out, prep, capsys):
    call = ("run", "vqav2", "--raw", small.write(), "--out", out, *OPTIONS)
    assert prep(*call, "--slice", "0/1") == 0
    before = tree(out)
    (small.root / "coco/train2014").rename(small.root / "elsewhere")
    assert prep(*call, "--finish") == 3
    text = capsys.readouterr().err
    assert "holds no picture of the 7 images of split train, and 4 shards in" in text
    assert tree(out) == before


def test_a_finished_tree_is_finished_again_without_a_change(small, out, prep):
    call = ("run", "vqav2", "--raw", small.write(), "--out", out, *OPTIONS)
    assert prep(*call) == 0
    before = tree(out)
    assert prep(*call, "--finish") == 0
    assert tree(out) == before


def test_a_slice_of_another_split_with_other_parameters_is_refused(small, out, prep):
    call = ("run", "vqav2", "--raw", small.write(), "--out", out)
    assert prep(*call, "--split", "val") == 0
    before = tree(out)
    wrong = ("--split", "train", "--labels", "normalised", "--slice", "0/1")
    assert prep(*call, *wrong) == 2
    assert tree(out) == before


@pytest.mark.parametrize("text", ["3/3", "1", "-1/2", "a/b", "1/0", ""])
def test_a_slice_that_is_none_is_wrong_usage(text: str):
    with pytest.raises(UsageProblem, match="I/N expected"):
        parse_slice(text)


def test_slice_and_finish_exclude_each_other(small, out, prep):
    call = ("run", "vqav2", "--raw", small.write(), "--out", out, "--slice", "0/2", "--finish")
    assert prep(*call) == 2


def test_a_slice_holds_its_lock_until_its_log_is_written(small, out, prep, monkeypatch):
    """A run that begins meanwhile would take half a log for a leftover, and remove it."""
    pytest.importorskip("fcntl")
    logged: list[str] = []

    def log(out: Path, dataset: str, facts: dict[str, object], *, name: str) -> None:
        with pytest.raises(MachineProblem, match="another vle-prep run"), only_run(out, dataset):
            pass
        logged.append(name)

    monkeypatch.setattr(slices, "log_run", log)
    call = ("run", "vqav2", "--raw", small.write(), "--out", out, *OPTIONS)
    assert prep(*call, "--slice", "0/2") == 0
    assert logged == ["runs.slice-0-of-2.jsonl"]


def test_slices_of_one_cut_run_together_and_nothing_else_does(out: Path):
    pytest.importorskip("fcntl")
    with one_of_many(out, "toy", Slice(0, 3)), one_of_many(out, "toy", Slice(2, 3)):
        for refused in (
            only_run(out, "toy"),
            one_of_many(out, "toy", Slice(2, 3)),
            one_of_many(out, "toy", Slice(1, 2)),
        ):
            with pytest.raises(MachineProblem, match="another vle-prep run"), refused:
                pass
    with only_run(out, "toy"), pytest.raises(MachineProblem), one_of_many(out, "toy", Slice(0, 1)):
        pass
    with one_of_many(out, "toy", Slice(1, 2)):
        pass


def test_slices_that_look_round_at_once_are_not_taken_for_another_cut(out: Path, monkeypatch):
    """The lock of an older cut lies there, and both slices take it to see that nobody holds it."""
    pytest.importorskip("fcntl")
    with one_of_many(out, "toy", Slice(0, 2)):
        pass
    looking, told = threading.Event(), []

    def slowly(stream: IO[Any], *, shared: bool = False, wait: bool = False) -> bool:
        if wait and looking.is_set():
            waits.set()
        ours = locked(stream, shared=shared, wait=wait)
        if ours and stream.name.endswith("lock.of-2") and not looking.is_set():
            looking.set()
            waits.wait(10)
        return ours

    def begin(part: int) -> None:
        with one_of_many(out, "toy", Slice(part, 3)):
            told.append(part)

    waits = threading.Event()
    monkeypatch.setattr(journal, "locked", slowly)
    first = threading.Thread(target=begin, args=(0,))
    first.start()
    assert looking.wait(10)
    begin(1)
    first.join()
    assert sorted(told) == [0, 1]
