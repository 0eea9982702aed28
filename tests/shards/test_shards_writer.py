"""The writer: same items, same bytes; whole or not at all; read by everybody's tools."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from pathlib import Path

import pytest

from vle_bench.errors import DataProblem, MachineProblem
from vle_bench.shards.scan import scan_shard
from vle_bench.shards.writer import Item, write_shard


def test_the_digest_and_size_are_those_of_the_file(tmp_path: Path, make_item):
    path = tmp_path / "toy-val-000000.tar"
    written = write_shard(path, [make_item(1), make_item(2)])
    data = path.read_bytes()
    assert (written.bytes, written.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_places_point_at_the_very_bytes(tmp_path: Path, make_item):
    path = tmp_path / "toy-val-000000.tar"
    items = [make_item(number) for number in range(4)]
    data_places = write_shard(path, items).placed
    data = path.read_bytes()
    for place, one in zip(data_places, items, strict=True):
        assert data[place.image_offset :][: place.image_size] == one.picture
        assert data[place.json_offset :][: place.json_size] == one.record
    ends = [place.offset + place.size for place in data_places]
    assert ends == [*(place.offset for place in data_places[1:]), len(data) - 1024]


def test_two_runs_give_the_same_bytes(tmp_path: Path, make_item):
    items = [make_item(number) for number in range(3)]
    first = write_shard(tmp_path / "a.tar", items)
    assert write_shard(tmp_path / "b.tar", iter(items)) == first
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_gnu_tar_and_tarfile_list_every_member(tmp_path: Path, make_item):
    path = tmp_path / "a.tar"
    write_shard(path, [make_item(1), make_item(2)])
    names = ["toy-0001.jpg", "toy-0001.json", "toy-0002.jpg", "toy-0002.json"]
    listed = subprocess.run(["tar", "tf", path], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == names
    assert listed.stderr == ""
    with tarfile.open(path) as tar:
        assert tar.getnames() == names


def test_webdataset_reads_every_sample(tmp_path: Path, make_item):
    wds = pytest.importorskip("webdataset")
    path = tmp_path / "a.tar"
    items = [make_item(number) for number in range(5)]
    write_shard(path, items)
    samples = list(wds.WebDataset(str(path), shardshuffle=False))
    assert [sample["__key__"] for sample in samples] == [one.key for one in items]
    assert [sample["jpg"] for sample in samples] == [one.picture for one in items]


def test_no_samples_make_an_empty_archive(tmp_path: Path):
    path = tmp_path / "a.tar"
    assert write_shard(path, []).bytes == 1024
    assert scan_shard(path) == ((), ())


def test_nothing_appears_when_the_samples_break_off(tmp_path: Path, make_item):
    def items():
        yield make_item(1)
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError):
        write_shard(tmp_path / "a.tar", items())
    assert list(tmp_path.iterdir()) == []


def test_a_shard_that_stood_there_survives_a_failed_rewrite(tmp_path: Path, make_item):
    path = tmp_path / "a.tar"
    write_shard(path, [make_item(1)])
    before = path.read_bytes()
    with pytest.raises(DataProblem, match="twice"):
        write_shard(path, [make_item(2), make_item(2)])
    assert path.read_bytes() == before


def test_an_ending_that_readers_do_not_know_is_refused(tmp_path: Path):
    with pytest.raises(DataProblem, match="jpg, png, webp"):
        write_shard(tmp_path / "a.tar", [Item("toy-1", b"x", "jpeg", b"{}")])


def test_a_key_with_a_dot_is_refused(tmp_path: Path):
    with pytest.raises(DataProblem, match="toy-1"):
        write_shard(tmp_path / "a.tar", [Item("toy.1", b"x", "jpg", b"{}")])


def test_a_folder_below_a_regular_file_is_the_machine_s_problem(tmp_path: Path, make_item):
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineProblem, match="regular file"):
        write_shard(tmp_path / "file" / "a.tar", [make_item(1)])
