"""Pictures come in their order from the thread that reads ahead; a bad one harms no other."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from vle_bench.data_prep import read_ahead as module
from vle_bench.data_prep.picture import BadPicture
from vle_bench.data_prep.read_ahead import Wanted, read_ahead
from vle_bench.data_prep.sources import PictureFile
from vle_bench.errors import DataProblem


def wanted(folder: Path, *contents: bytes) -> list[Wanted]:
    found = []
    for number, content in enumerate(contents):
        path = folder / f"{number}.jpg"
        path.write_bytes(content)
        found.append(Wanted(PictureFile(path.name, str(path)), len(content)))
    return found


def threads() -> set[str]:
    return {one.name for one in threading.enumerate() if one.name.startswith("read-ahead")}


def test_they_come_in_order_with_their_digests(tmp_path: Path):
    contents = [bytes([number]) * number * 1000 for number in range(30)]
    with read_ahead(wanted(tmp_path, *contents)) as pictures:
        found = [pictures.take() for _ in contents]
    assert found == [(one, hashlib.sha256(one).hexdigest()) for one in contents]
    assert threads() == set()


def test_a_bad_picture_is_told_in_its_turn_and_the_next_one_still_comes(
    tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("vle_bench.data_prep.picture.MOST_PICTURE_BYTES", 5)
    with read_ahead(wanted(tmp_path, b"one", b"too large", b"two")) as pictures:
        assert pictures.take().data == b"one"
        with pytest.raises(BadPicture, match="too large"):
            pictures.take()
        assert pictures.take().data == b"two"


def test_a_picture_that_is_gone_is_told_to_who_takes_it(tmp_path: Path):
    gone = Wanted(PictureFile("x.jpg", str(tmp_path / "x.jpg")), 5)
    with read_ahead([gone]) as pictures, pytest.raises(DataProblem, match="no such file"):
        pictures.take()


def test_only_so_many_bytes_lie_ready(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "_MOST_AHEAD", 2500)
    asked = []

    def counted():
        for one in wanted(tmp_path, *[bytes(1000)] * 20):
            asked.append(one)
            yield one

    with read_ahead(counted()) as pictures:
        assert asked == []
        for taken in range(1, 18):
            pictures.take()
            assert len(asked) == taken + 3


def test_one_picture_larger_than_all_that_may_lie_ready_still_comes(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "_MOST_AHEAD", 10)
    with read_ahead(wanted(tmp_path, bytes(500), bytes(600))) as pictures:
        assert [len(pictures.take().data) for _ in range(2)] == [500, 600]


def test_no_thread_is_left_when_the_packer_breaks_off(tmp_path: Path):
    def pack() -> None:
        with read_ahead(wanted(tmp_path, *[bytes(1000)] * 50)) as pictures:
            pictures.take()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack()
    assert threads() == set()
