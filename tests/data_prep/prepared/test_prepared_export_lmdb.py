"""Chinese-CLIP's layout, read back as its own reader does."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from types import SimpleNamespace

import lmdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.data_prep.export import stores
from vle_bench.data_prep.export.chinese_clip import read_pairs
from vle_bench.data_prep.export.pickled_row import PairRow, UnsafeRow, decode_row, encode_row
from vle_bench.data_prep.export.stores import read_store, room_for, write_store
from vle_bench.errors import DataProblem
from vle_bench.records import Caption


@pytest.fixture
def exported(prep, street: Path, tmp_path: Path) -> Path:
    out = tmp_path / "clip"
    assert prep("export", street, "--format", "lmdb", "--out", out) == 0
    return out


def test_their_reader_finds_every_pair_and_its_picture(make, exported: Path):
    """Opened, counted and looked up as in cn_clip/training/data.py."""
    folder = exported / "lmdb/valid"
    with (
        lmdb.open(str(folder / "pairs"), readonly=True, create=False, lock=False) as pairs,
        lmdb.open(str(folder / "imgs"), readonly=True, create=False, lock=False) as images,
        pairs.begin(buffers=True) as of_pairs,
        images.begin(buffers=True) as of_images,
    ):
        number = int(bytes(of_pairs.get(b"num_samples")))
        assert (number, int(bytes(of_images.get(b"num_images")))) == (4, 3)
        rows = [pickle.loads(bytes(of_pairs.get(str(at).encode()))) for at in range(number)]
        assert rows == [
            (1, 10, "A red bus."),
            (1, 11, "</script><script>document.title='owned'</script>"),
            (2, 20, "一只狗在雪地里"),
            (3, 30, "Lost."),
        ]
        picture = base64.urlsafe_b64decode(bytes(of_images.get(b"2")).translate(PLUS_TO_MINUS))
    assert picture == make.photo(48, 64, mode="CMYK")


PLUS_TO_MINUS = bytes.maketrans(b"+/", b"-_")


def test_text_and_picture_files_say_the_same(make, exported: Path):
    lines = (exported / "valid_texts.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[2]) == {"text_id": 20, "text": "一只狗在雪地里", "image_ids": [2]}
    assert "一只狗" in lines[2]
    rows = [line.split("\t") for line in (exported / "valid_imgs.tsv").read_text().splitlines()]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert base64.b64decode(rows[0][1], validate=True) == make.photo(64, 48)
    assert (exported / "valid_keys.tsv").read_text() == "1\ttoy-0001\n2\ttoy-0002\n3\ttoy-0003\n"


def test_a_split_without_texts_has_pictures_and_no_pair(exported: Path):
    assert (exported / "test_texts.jsonl").read_bytes() == b""
    assert dict(read_store(exported / "lmdb/test/pairs")) == {b"num_samples": b"0"}
    assert set(dict(read_store(exported / "lmdb/test/imgs"))) == {b"4", b"num_images"}


def test_ids_that_are_no_numbers_become_places(prep, make, tmp_path: Path):
    samples = [
        make.sample(n, make.photo(8, 8), captions=("x",), image={"id": f"val-{n}"}) for n in (5, 6)
    ]
    folder = make.pack(tmp_path / "toy", samples)
    assert prep("export", folder, "--format", "lmdb", "--out", tmp_path / "out") == 0
    keys = (tmp_path / "out/valid_keys.tsv").read_text()
    assert keys == "0\ttoy-0005\n1\ttoy-0006\n"
    assert [row.image_id for row in read_pairs(tmp_path / "out/lmdb/valid/pairs")] == [0, 1]
    holds = json.loads((tmp_path / "out/vle-export.json").read_text())["holds"]
    assert holds["val"]["own_ids"] is False


@pytest.mark.parametrize(
    ("ids", "written"),
    [(("9", "7"), [9, 7]), (("7", "7"), [0, 1]), (("a", "7"), [0, 1]), (("7", ""), [0, 1])],
)
def test_ids_of_texts_are_kept_where_all_are_different_numbers(
    prep, make, tmp_path: Path, ids: tuple[str, str], written: list[int]
):
    samples = []
    for number, one in enumerate(ids):
        image = {"id": ("0", "b")[number]}  # the first place is its id by chance
        record, picture = make.sample(number, make.photo(8, 8), image=image)
        caption = Caption(id=one, text="x")
        samples.append((msgspec.structs.replace(record, captions=(caption,)), picture))
    folder = make.pack(tmp_path / "toy", samples)
    assert prep("export", folder, "--format", "lmdb", "--out", tmp_path / "out") == 0
    assert [row.text_id for row in read_pairs(tmp_path / "out/lmdb/valid/pairs")] == written
    holds = json.loads((tmp_path / "out/vle-export.json").read_text())["holds"]["val"]
    assert (holds["own_ids"], holds["own_text_ids"]) == (False, written == [9, 7])


def test_nothing_but_stores_and_texts_is_left(exported: Path):
    names = {path.name for path in exported.rglob("*") if path.is_file()}
    assert "lock.mdb" not in names
    assert {name for name in names if name.endswith(".mdb")} == {"data.mdb"}


def test_stores_ask_for_no_more_room_than_their_data(exported: Path):
    for path in exported.rglob("data.mdb"):
        with lmdb.open(str(path.parent), map_size=0, readonly=True, lock=False) as store:
            assert store.info()["map_size"] <= 2 << 20
        assert path.stat().st_size < 1 << 20


def test_a_store_grows_where_the_estimate_was_short(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(stores, "_BATCH_ENTRIES", 7)
    entries = [(f"{at:03d}".encode(), bytes([at % 256]) * 9000) for at in range(200)]
    write_store(tmp_path / "store", entries, map_size=64 << 10)
    assert list(read_store(tmp_path / "store")) == entries


def test_the_estimate_is_enough_for_large_and_small_values(tmp_path: Path):
    sizes = [1, 100, 4096, 5000, 100_000] * 40
    entries = [(str(at).encode(), bytes(size)) for at, size in enumerate(sizes)]
    room = room_for(sizes)
    write_store(tmp_path / "store", entries, map_size=room)
    with lmdb.open(str(tmp_path / "store"), map_size=0, readonly=True, lock=False) as store:
        assert store.info()["map_size"] == room


def test_a_key_that_comes_twice_is_told(tmp_path: Path):
    with pytest.raises(DataProblem, match="comes twice"):
        write_store(tmp_path / "store", [(b"1", b"a"), (b"1", b"b")], map_size=1 << 20)


IDS = st.integers(0, (1 << 63) - 1)


@given(IDS, IDS, st.text(max_size=400))
def test_rows_are_byte_for_byte_what_python_pickles(image: int, text: int, words: str):
    data = encode_row(image, text, words)
    assert data == pickle.dumps((image, text, words), 4)
    assert decode_row(data) == (image, text, words)


@pytest.mark.parametrize("edge", [255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32, 2**63 - 1, -1])
def test_numbers_take_the_form_that_python_gives_them(edge: int):
    assert encode_row(edge, 0, "") == pickle.dumps((edge, 0, ""), 4)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_rows_of_other_pythons_are_read(protocol: int):
    row = ("id 1", 70_000, "两只狗 " * 90)
    assert decode_row(pickle.dumps(row, protocol)) == PairRow(*row)
    same = "1"
    assert decode_row(pickle.dumps((same, same, same), protocol)) == ("1", "1", "1")


class Bomb:
    """Runs something when it is loaded."""

    def __reduce__(self):
        return (Path.touch, (Path("/tmp/vle-bench-was-here"),))


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps((1, 2, Bomb()), 4),
        pickle.dumps(Bomb()),
        b"cos\nsystem\n(S'true'\ntR.",
        pickle.dumps([1, 2, "x"]),
        pickle.dumps((1, 2, b"x")),
        pickle.dumps((1, 2)),
        pickle.dumps((1, (2, 3, "x"), "y")),
        encode_row(1, 2, "cut short")[:-4],
        encode_row(1, 2, "x") + b"\x94",
        b"",
        b"\x80\x04h\x05.",
    ],
)
def test_what_is_more_or_less_than_a_row_is_refused_and_never_run(data: bytes):
    if data == encode_row(1, 2, "x") + b"\x94":
        assert decode_row(data) == (1, 2, "x")  # what follows the end is no part of a pickle
        return
    with pytest.raises(UnsafeRow):
        decode_row(data)


def test_a_foreign_store_is_named_with_its_key(tmp_path: Path):
    write_store(tmp_path / "pairs", [(b"0", pickle.dumps((1, 2, Bomb())))], map_size=1 << 20)
    with pytest.raises(DataProblem, match=r"b'0' holds the instruction .* no row needs"):
        list(read_pairs(tmp_path / "pairs"))
    assert not Path("/tmp/vle-bench-was-here").exists()


def test_a_folder_without_a_store_is_told(tmp_path: Path):
    with pytest.raises(DataProblem, match="no readable LMDB store"):
        list(read_store(tmp_path))


def test_two_datasets_do_not_fit_into_one_layout(prep, make, tmp_path: Path, capsys):
    for name in ("one", "two"):
        make.pack(tmp_path / "all" / name, [make.sample(1, make.photo(8, 8), dataset=name)])
    for form in ("lmdb", "img2dataset"):
        assert prep("export", tmp_path / "all", "--format", form, "--out", tmp_path / "out") == 2
        assert "found one, two" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["lmdb", "lmdb-pictures"])
@pytest.mark.parametrize(
    ("free", "told"),
    [(17, "the disk is full (17 bytes free)"), (1 << 40, "mdb_txn_commit: Input/output error")],
)
def test_a_disk_that_refuses_is_told_and_nothing_is_left(
    prep, street: Path, tmp_path: Path, capsys, monkeypatch, kind: str, free: int, told: str
):
    """A full disk takes a part of a batch, which LMDB calls an input/output error."""

    def refuse(*_: object) -> bool:
        raise lmdb.DiskError("mdb_txn_commit: Input/output error")

    monkeypatch.setattr(stores, "_put", refuse)
    monkeypatch.setattr(stores.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    (tmp_path / "new").mkdir()
    out = tmp_path / "new" / "export"
    assert prep("export", street, "--format", kind, "--out", out) == 4
    assert told in capsys.readouterr().err
    assert list(out.parent.iterdir()) == []
