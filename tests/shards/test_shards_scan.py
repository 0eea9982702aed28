"""The scanner must notice every way a shard is cut or flipped that other readers pass over."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.errors import DataProblem
from vle_bench.shards.scan import scan_bytes, scan_shard
from vle_bench.shards.ustar import END_OF_ARCHIVE, header, padding
from vle_bench.shards.writer import Item, sample_members


def archive(*items: Item) -> bytes:
    return b"".join(map(sample_members, items)) + END_OF_ARCHIVE


SMALL = archive(
    Item("a-1", b"picture one", "jpg", b'{"n":1}'),
    Item("a-2", b"picture two" * 60, "png", b'{"n":2}'),
    Item("a-3", b"", "webp", b'{"n":3}'),
)


def member(name: str, content: bytes = b"x") -> bytes:
    return header(name, len(content)) + content + padding(len(content))


def test_a_whole_shard_has_no_damage():
    scan = scan_bytes(SMALL)
    assert scan.damages == ()
    assert [found.name for found in scan.members] == [
        "a-1.jpg", "a-1.json", "a-2.png", "a-2.json", "a-3.webp", "a-3.json",
    ]  # fmt: skip


def test_members_say_where_their_bytes_are():
    for found in scan_bytes(SMALL).members:
        if found.name == "a-2.json":
            assert SMALL[found.data_offset :][: found.size] == b'{"n":2}'


@given(st.integers(0, len(SMALL) - 1))
def test_a_cut_anywhere_is_damage(length: int):
    assert scan_bytes(SMALL[:length]).damages


def test_a_cut_between_two_samples_names_the_last_one_there():
    second = SMALL.index(b"a-2.png")
    (damage,) = scan_bytes(SMALL[:second]).damages
    assert damage.key == "a-1"
    assert "end-of-archive" in damage.reason


@pytest.mark.parametrize("there", [0, 100])
def test_a_cut_inside_a_picture_says_how_much_is_there(there: int):
    (damage,) = scan_bytes(SMALL[: SMALL.index(b"picture twopicture") + there]).damages
    assert damage.key == "a-2"
    assert f", {there} of 660 bytes" in damage.reason


@pytest.mark.parametrize(("at", "key"), [(130, "a-2"), (0, "a-1")])
def test_a_broken_header_is_that_of_the_sample_it_names_or_behind_the_last_one(at: int, key: str):
    data = bytearray(SMALL)
    data[SMALL.index(b"a-2.png") + at] |= 0x80
    (damage,) = scan_bytes(bytes(data)).damages
    assert str(damage).startswith(f"{key}: the header")


@given(st.sampled_from([0, 1024, 2048]), st.integers(0, 511), st.integers(0, 7))
def test_a_flipped_bit_in_a_header_is_damage(start: int, byte: int, bit: int):
    data = bytearray(SMALL)
    data[start + byte] ^= 1 << bit
    scan = scan_bytes(bytes(data))
    # Only the checksum field itself can be spelled in another way that is as right.
    assert scan.damages or 148 <= byte < 156


def test_the_trailing_zeros_of_gnu_tar_are_no_damage(tmp_path: Path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    (tmp_path / "a.json").write_bytes(b"{}")
    path = tmp_path / "theirs.tar"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        tar.add(tmp_path / "a.jpg", "a.jpg")
        tar.add(tmp_path / "a.json", "a.json")
    assert path.stat().st_size == 10240
    assert scan_shard(path).damages == ()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (member("a.json"), "a.json stands where a picture should"),
        (member("a.jpg"), "a.jpg is not followed by its JSON"),
        (member("a.jpg") + member("b.json"), "a.jpg is not followed by its JSON"),
        ((member("a.jpg") + member("a.json")) * 2, "the key comes a second time"),
        (member("a.gif") + member("a.json"), "a.gif stands where a picture should"),
    ],
)
def test_members_that_make_no_sample_are_named(data: bytes, reason: str):
    assert reason in [damage.reason for damage in scan_bytes(data + END_OF_ARCHIVE).damages]


@pytest.mark.parametrize("first", ["a.json", "a.jpg"])
def test_a_whole_sample_behind_half_a_one_is_not_damaged_too(first: str):
    data = member(first) + member("b.jpg") + member("b.json") + END_OF_ARCHIVE
    assert [damage.key for damage in scan_bytes(data).damages] == ["a"]


def test_bytes_behind_the_end_are_damage():
    (damage,) = scan_bytes(SMALL + b"more").damages
    assert "follow" in damage.reason


@pytest.mark.parametrize("data", [SMALL[:-512], SMALL + bytes(100)])
def test_an_end_of_one_block_or_half_a_one_is_damage(data: bytes):
    (damage,) = scan_bytes(data).damages
    assert "end-of-archive" in damage.reason


def test_an_empty_file_and_a_missing_one_are_told_apart(tmp_path: Path):
    path = tmp_path / "a.tar"
    with pytest.raises(DataProblem, match="nothing there"):
        scan_shard(path)
    path.write_bytes(b"")
    (damage,) = scan_shard(path).damages
    assert "end-of-archive" in damage.reason


def test_a_page_of_text_is_no_shard(tmp_path: Path):
    path = tmp_path / "a.tar"
    path.write_bytes(b"<!DOCTYPE html>" * 100)
    (damage,) = scan_shard(path).damages
    assert damage.offset == 0
    assert str(damage).endswith("(byte 0)")
