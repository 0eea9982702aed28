"""Random access to prepared pictures: the same bytes in every process, and no damage unnoticed."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, SupportsIndex

import lmdb
import numpy as np
import pytest

from vle_bench.data_prep.export import picture_stores, stores
from vle_bench.errors import DataProblem
from vle_bench.picture_store import ABOUT, DATA, PictureStore, Stored
from vle_bench.records import VqaSample
from vle_bench.shards.read import iter_with_pictures, open_split

WORKER_PATIENCE = 60


@pytest.fixture
def shards(make, tmp_path: Path) -> Path:
    """Sixty pictures in five shards; keys do not sort as they lie."""
    numbers = [*range(40, 70), *range(10, 40)]
    samples = [
        make.sample(n, make.photo(64 + n, 48), size=(64 + n, 48), captions=(f"picture {n}",))
        for n in numbers
    ]
    return make.pack(tmp_path / "toy", samples, per_shard=13)


@pytest.fixture
def place(prep, shards: Path, tmp_path: Path) -> Path:
    assert prep("export", shards, "--format", "lmdb-pictures", "--out", tmp_path / "out") == 0
    return tmp_path / "out/toy/val"


def told(shards: Path) -> list[Stored]:
    with open_split(shards, "val") as reader:
        return [Stored(row.key, reader.picture(row), reader.record(row)) for row in reader.rows]


def test_a_store_holds_what_the_shards_hold_in_their_order(shards: Path, place: Path):
    store = PictureStore(place, check=True)
    expected = told(shards)
    assert len(store) == 60
    assert list(store) == expected
    assert [store[at] for at in (7, -1, 0)] == [expected[at] for at in (7, -1, 0)]
    assert list(store.keys()) == [one.key for one in expected]
    assert store.sample("toy-0011") == next(one for one in expected if one.key == "toy-0011")
    store.verify()


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.array])
def test_a_place_may_be_the_number_of_an_array_as_subsets_and_samplers_hand_it_on(
    shards: Path, place: Path, kind: Callable[[int], SupportsIndex]
):
    store = PictureStore(place)
    assert store[kind(59)] == store[59] == told(shards)[59]
    with pytest.raises(IndexError):
        store[kind(60)]


@pytest.mark.parametrize("wrong", [1.0, "3", slice(2)])
def test_what_is_no_whole_number_is_no_place(place: Path, wrong: Any):
    with pytest.raises(TypeError, match="integer"):
        PictureStore(place)[wrong]


def test_records_are_read_as_the_type_of_their_dataset(shards: Path, place: Path):
    expected = list(iter_with_pictures(shards, "val", VqaSample))
    assert [(one.read(VqaSample), one.picture) for one in PictureStore(place)] == expected


def test_a_place_or_key_that_is_not_there_is_told(place: Path):
    store = PictureStore(place)
    for wrong in (60, -61):
        with pytest.raises(IndexError):
            store[wrong]
    assert "toy-0040" in store
    assert "toy-9999" not in store
    assert 40 not in store
    with pytest.raises(DataProblem, match="no sample toy-9999"):
        store.sample("toy-9999")


def test_everything_of_a_split_without_samples_is_empty(prep, make, tmp_path: Path):
    folder = make.pack(tmp_path / "toy", [make.sample(1, make.photo(8, 8), split="test")])
    (folder / "val").mkdir()
    report = json.loads((folder / "report.json").read_bytes())
    report["splits"]["val"] = report["splits"]["test"] | {"shards": []}
    (folder / "report.json").write_text(json.dumps(report))
    assert prep("export", folder, "--format", "lmdb-pictures", "--out", tmp_path / "out") == 0
    assert list(PictureStore(tmp_path / "out/toy/val")) == []


def read_some(given: tuple[PictureStore, int]) -> tuple[int, Stored]:
    store, at = given
    return os.getpid(), store[at]


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_workers_read_a_store_that_the_parent_has_open(shards: Path, place: Path, how: str):
    store = PictureStore(place)
    first = store[0]
    with multiprocessing.get_context(how).Pool(2) as pool:
        found = pool.map_async(read_some, [(store, at) for at in range(60)], chunksize=7)
        rows = found.get(WORKER_PATIENCE)
    assert [one for _, one in rows] == told(shards)
    assert os.getpid() not in {process for process, _ in rows}
    assert store[0] == first


def test_a_forked_worker_keeps_no_map_of_its_parent(place: Path):
    """The very object goes through the fork, unpickled by nobody, as in a data loader."""
    store = PictureStore(place)
    expected, here = store[59], os.getpid()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        same = store[59] == expected and store._opened._process == os.getpid() != here
        os.write(writing, b"y" if same else b"n")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 1) == b"y"
    assert store[59] == expected
    os.close(reading)
    os.close(writing)


def test_threads_and_second_stores_share_one_open_file(shards: Path, place: Path):
    one, two = PictureStore(place), PictureStore(str(place))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one.__getitem__, range(60))) == told(shards)
    one.close()
    assert two[3] == told(shards)[3]
    with PictureStore(place) as three:
        assert three[3] == two[3]
    assert one[3] == two[3]


def test_a_pickled_store_is_small_and_opens_when_it_is_read(place: Path):
    data = pickle.dumps(PictureStore(place))
    assert len(data) < 1000
    assert pickle.loads(data)[5] == PictureStore(place)[5]


@pytest.mark.parametrize("kept", [0, 100, 8192, -1])
def test_a_store_that_was_cut_off_is_an_error_and_no_crash(place: Path, kept: int):
    data = (place / DATA).read_bytes()
    (place / DATA).write_bytes(data[:kept])
    with pytest.raises(DataProblem, match=r"data\.mdb.*bytes, about\.json says"):
        PictureStore(place)


def test_a_store_that_was_cut_off_meets_a_worker_as_an_error(place: Path):
    pickled = pickle.dumps(PictureStore(place))
    PictureStore(place).close()
    (place / DATA).write_bytes((place / DATA).read_bytes()[:8192])
    with pytest.raises(DataProblem, match="bytes"):
        pickle.loads(pickled)[0]


def test_one_flipped_bit_in_a_picture_is_found_on_reading_where_asked(place: Path):
    picture = PictureStore(place).sample("toy-0050").picture
    PictureStore(place).close()
    flipped = bytearray(picture)
    flipped[300] ^= 1
    (place / DATA).write_bytes((place / DATA).read_bytes().replace(picture, flipped))
    assert PictureStore(place).sample("toy-0050").picture != picture
    checked = PictureStore(place, check=True)
    assert checked.sample("toy-0051").key == "toy-0051"
    with pytest.raises(DataProblem, match="toy-0050: the picture is not the one of its record"):
        checked.sample("toy-0050")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.999])
def test_one_flipped_bit_anywhere_is_found_by_verify(place: Path, share: float):
    store = PictureStore(place)
    data = bytearray((place / DATA).read_bytes())
    data[int(share * len(data))] ^= 8
    (place / DATA).write_bytes(data)
    with pytest.raises(DataProblem, match="sha256"):
        store.verify()


@pytest.mark.parametrize(
    ("about", "expected"),
    [(b"", "empty"), (b"{}", "schema"), (b'{"schema": "x"', "truncated")],
)
def test_a_damaged_description_is_told(place: Path, about: bytes, expected: str):
    (place / ABOUT).write_bytes(about)
    with pytest.raises(DataProblem, match=expected):
        PictureStore(place)


def test_other_stores_and_other_schemas_are_refused(place: Path, tmp_path: Path):
    about = json.loads((place / ABOUT).read_bytes())
    (place / ABOUT).write_text(json.dumps(about | {"schema": "vle-bench/picture-store/9"}))
    with pytest.raises(DataProblem, match="picture-store/9"):
        PictureStore(place)
    stranger = tmp_path / "stranger"
    stores.write_store(stranger, [(b"a", b"b")], map_size=1 << 20)
    size = (stranger / DATA).stat().st_size
    (stranger / ABOUT).write_text(json.dumps(about | {"bytes": size}))
    with pytest.raises(DataProblem, match="no readable picture store"):
        PictureStore(stranger)
    with pytest.raises(DataProblem, match="a picture store expected, found nothing there"):
        PictureStore(tmp_path / "none")


def test_a_folder_of_stores_names_them(place: Path):
    for folder, name in ((place.parent, "val"), (place.parent.parent, "toy/val")):
        with pytest.raises(DataProblem, match=f"folder of them: {name}. Open one, e.g. {place}"):
            PictureStore(folder)


def test_a_store_that_holds_less_than_it_says_is_told(place: Path):
    about = json.loads((place / ABOUT).read_bytes())
    (place / ABOUT).write_text(json.dumps(about | {"samples": 61}))
    store = PictureStore(place)
    assert store[59].key
    with pytest.raises(DataProblem, match="fewer samples than the 61"):
        store[60]


def test_a_store_that_was_made_again_is_not_read_through_the_old_map(prep, shards, place: Path):
    before = PictureStore(place)
    out = place.parents[1]
    assert prep("export", shards, "--format", "lmdb-pictures", "--out", out) == 0
    with pytest.raises(DataProblem, match="was made again"):
        PictureStore(place)
    assert before[0].key == "toy-0040"
    before.close()
    assert PictureStore(place)[0].key == "toy-0040"


def test_a_map_that_was_guessed_too_small_grows(prep, shards, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(picture_stores, "room_for", lambda _: 64 << 10)
    monkeypatch.setattr(stores, "_BATCH_ENTRIES", 7)
    assert prep("export", shards, "--format", "lmdb-pictures", "--out", tmp_path / "out") == 0
    assert list(PictureStore(tmp_path / "out/toy/val")) == told(shards)


def test_the_same_shards_give_the_same_store_and_nothing_beside_it(prep, shards, place: Path):
    assert prep("export", shards, "--format", "lmdb-pictures", "--out", shards.parent / "b") == 0
    again = shards.parent / "b/toy/val"
    assert sorted(path.name for path in again.iterdir()) == [ABOUT, DATA]
    assert (again / DATA).read_bytes() == (place / DATA).read_bytes()
    assert (again / ABOUT).read_bytes() == (place / ABOUT).read_bytes()


def test_any_reader_of_lmdb_finds_pictures_by_their_keys(make, place: Path):
    with (
        lmdb.open(str(place), readonly=True, lock=False, max_dbs=3) as environment,
        environment.begin(db=environment.open_db(b"pictures", create=False)) as pictures,
    ):
        assert pictures.get(b"toy-0010") == make.photo(74, 48)


KILLED = """
import os, signal, sys
from vle_bench.data_prep.commands import export
from vle_bench.data_prep.export import picture_stores

entries = picture_stores._entries
def cut(reader, step):
    for number, entry in enumerate(entries(reader, step)):
        if number == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
        yield entry
picture_stores._entries = cut
from vle_bench.data_prep.export import stores
stores._BATCH_ENTRIES = 10
export.command(sys.argv[2:])
"""


@pytest.mark.parametrize("entries", [0, 1, 95, 179])
def test_a_kill_in_the_middle_leaves_the_earlier_store_whole(
    prep, shards: Path, place: Path, entries: int
):
    before = (place / DATA).read_bytes()
    out = place.parents[1]
    order = [str(shards), "--format", "lmdb-pictures", "--out", str(out)]
    done = subprocess.run([sys.executable, "-c", KILLED, str(entries), *order], check=False)
    assert done.returncode == -signal.SIGKILL
    assert out.with_name(f".{out.name}.tmp").exists()
    assert (place / DATA).read_bytes() == before
    PictureStore(place).verify()
    PictureStore(place).close()
    assert prep("export", *order) == 0
    assert (place / DATA).read_bytes() == before
    assert not out.with_name(f".{out.name}.tmp").exists()
