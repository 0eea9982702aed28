"""Digests of evaluation pictures: right whatever the threads, and kept only where that is safe."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vle_bench.data_prep.leaks import digests as digests_module
from vle_bench.data_prep.leaks.digests import picture_digests
from vle_bench.data_prep.parquet_cells import ParquetCell
from vle_bench.data_prep.picture import MOST_PICTURE_BYTES
from vle_bench.data_prep.sources import PictureFile
from vle_bench.data_prep.tar_files import TarSlice
from vle_bench.errors import DataProblem


@pytest.fixture
def pictures(tmp_path: Path) -> list[PictureFile]:
    """More than a batch of them."""
    found = []
    for number in range(150):
        path = tmp_path / "raw" / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"picture %d" % number)
        found.append(PictureFile(path.name, str(path)))
    return found


def taken(pictures: list[PictureFile], tmp_path: Path, *, workers: int = 1) -> list[bytes]:
    return picture_digests(
        pictures,
        root=tmp_path / "raw",
        store=tmp_path / "out" / "digests.npz",
        what="pictures",
        workers=workers,
    )


@pytest.mark.parametrize("workers", [1, 3])
def test_digests_come_in_the_order_of_the_pictures(pictures, tmp_path, workers):
    expected = [hashlib.sha256(b"picture %d" % number).digest() for number in range(150)]
    assert taken(pictures, tmp_path, workers=workers) == expected
    assert taken(pictures[::-1], tmp_path, workers=workers) == expected[::-1]


def test_what_is_kept_does_not_depend_on_the_threads(pictures, tmp_path):
    stores = set()
    for workers in (1, 2, 4):
        taken(pictures, tmp_path, workers=workers)
        store = tmp_path / "out" / "digests.npz"
        stores.add(store.read_bytes())
        store.unlink()
    assert len(stores) == 1


def test_a_file_too_large_to_be_a_picture_has_no_digest_now_and_later(pictures, tmp_path):
    os.truncate(pictures[7].path, MOST_PICTURE_BYTES + 1)
    for _ in range(2):
        digests = taken(pictures, tmp_path)
        assert digests[7] == b""
        assert sum(map(bool, digests)) == 149


def test_a_picture_that_is_gone_is_an_error(pictures, tmp_path):
    Path(pictures[3].path).unlink()
    with pytest.raises(DataProblem, match=r"3\.jpg"):
        taken(pictures, tmp_path)


def test_no_pictures_are_no_digests_and_no_store(tmp_path):
    (tmp_path / "raw").mkdir()
    assert taken([], tmp_path) == []
    assert not (tmp_path / "out").exists()


def test_jobs_that_keep_the_same_digests_at_once_do_not_hurt_each_other(
    pictures, tmp_path, monkeypatch
):
    """The jobs of an array all take the digests of the evaluation pictures, with equal bytes."""
    sync, expected = os.fsync, taken(pictures, tmp_path)
    store = tmp_path / "out" / "digests.npz"
    whole = store.read_bytes()
    store.unlink()

    def meanwhile(stream: int) -> None:
        monkeypatch.setattr(os, "fsync", sync)
        with monkeypatch.context() as other:
            other.setattr(os, "getpid", lambda: 1)
            assert taken(pictures, tmp_path) == expected
        sync(stream)

    monkeypatch.setattr(os, "fsync", meanwhile)
    assert taken(pictures, tmp_path) == expected
    assert store.read_bytes() == whole
    assert list(store.parent.iterdir()) == [store]


def test_a_store_with_any_bit_flipped_or_cut_short_is_made_anew(pictures, tmp_path):
    few = pictures[:2]
    expected = taken(few, tmp_path)
    store = tmp_path / "out" / "digests.npz"
    whole = store.read_bytes()
    directory = whole.rindex(b"PK\x01\x02") - 120  # headers of members, where most of them is rare
    places = [*range(60), *range(directory, len(whole))]
    for place in places:
        for bit in (0, 6):
            spoiled = bytearray(whole)
            spoiled[place] ^= 1 << bit
            store.write_bytes(spoiled)
            assert taken(few, tmp_path) == expected
    for size in (0, 3, len(whole) - 1):
        store.write_bytes(whole[:size])
        assert taken(few, tmp_path) == expected


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("digests", np.zeros((2, 16), np.uint8)),
        ("digests", np.zeros((2, 32), np.int64)),
        ("marks", np.zeros((2, 3), np.int64)),
        ("keys", np.zeros(2, np.int64)),
    ],
)
def test_a_whole_store_of_another_form_is_made_anew(pictures, tmp_path, name, wrong):
    few = pictures[:2]
    expected = taken(few, tmp_path)
    store = tmp_path / "out" / "digests.npz"
    whole = store.read_bytes()
    with np.load(store) as archive:
        tables = dict(archive)
    np.savez(store, **{**tables, name: wrong})
    assert taken(few, tmp_path) == expected
    assert store.read_bytes() == whole


def test_pictures_that_came_since_are_taken_wherever_they_sort_among_the_kept(pictures, tmp_path):
    few = pictures[:6]
    expected = taken(few, tmp_path)
    store = tmp_path / "out" / "digests.npz"
    for late in range(len(few)):
        store.unlink()
        taken(few[:late] + few[late + 1 :], tmp_path)
        assert taken(few, tmp_path) == expected


def test_what_is_kept_holds_where_the_raw_folder_was_moved(pictures, tmp_path, monkeypatch):
    expected = taken(pictures, tmp_path)
    moved = tmp_path / "moved"
    (tmp_path / "raw").rename(moved)
    there = [PictureFile(one.name, str(moved / one.name)) for one in pictures]
    store = tmp_path / "out" / "digests.npz"
    monkeypatch.setattr(digests_module, "read_picture", None)  # none is read again
    again = picture_digests(there, root=moved, store=store, what="pictures", workers=1)
    assert again == expected


def test_pictures_of_one_file_are_told_apart_by_their_places_in_it(tmp_path):
    """They may all have one length, and they have one mtime."""
    raw = tmp_path / "raw"
    raw.mkdir()
    contents = [b"picture %d" % number for number in range(4)]
    table, archive = raw / "pictures.parquet", raw / "pictures.tar"
    pq.write_table(pa.table({"jpg": contents}), table, row_group_size=2)
    archive.write_bytes(b"".join(contents))
    length = len(contents[0])
    cells = [
        PictureFile(str(at), str(table), ParquetCell("jpg", at // 2, at % 2, length))
        for at in range(4)
    ]
    slices = [PictureFile(str(at), str(archive), TarSlice(at * length, length)) for at in range(4)]
    expected = [hashlib.sha256(one).digest() for one in contents] * 2
    for _ in range(2):
        assert taken(cells + slices, tmp_path) == expected
