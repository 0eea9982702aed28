"""Zips are other people's text: judged before they are read."""

from __future__ import annotations

import random
import struct
import zipfile
from pathlib import Path

import pytest

from vle_bench.data_prep.archives import DamagedMember, member_pieces, read_member, read_table
from vle_bench.errors import DataProblem

ENOUGH = 1 << 20


def make(path: Path, inside: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in inside.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_is_read_by_its_place_alone(tmp_path: Path, method: int):
    inside = {"folder/a.json": b"[1, 2]" * 100, "b.jpg": b"", "c.jpg": bytes(range(256))}
    path = make(tmp_path / "x.zip", inside, method)
    members = read_table(path)
    assert {m.name: read_member(m, most_bytes=ENOUGH) for m in members} == inside


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_a_name_that_stands_twice_the_last_file_counts_as_for_who_unpacks(tmp_path: Path):
    path = make(tmp_path / "x.zip", {"f/a.jpg": b"old", "f/b.jpg": b"b"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("f/a.jpg", b"put in again")
        archive.extractall(tmp_path)
    members = read_table(path)
    assert [member.name for member in members] == ["f/a.jpg", "f/b.jpg"]
    for member in members:
        unpacked = (tmp_path / member.name).read_bytes()
        assert read_member(member, most_bytes=ENOUGH) == unpacked


def test_folders_are_no_members(tmp_path: Path):
    assert [m.name for m in read_table(make(tmp_path / "x.zip", {"f/": b"", "f/a": b"x"}))] == [
        "f/a"
    ]


@pytest.mark.parametrize(
    "name",
    ["../up.json", "a/../../up.json", "/etc/passwd", "..\\up.json", "C:\\x.json", "C:/x", "../d/"],
)
def test_names_that_climb_out_of_the_folder_are_refused(tmp_path: Path, name: str):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fine.json", b"{}")
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        archive.writestr(info, b"x")
    with pytest.raises(DataProblem, match="outside its folder"):
        read_table(path)


def test_a_member_without_a_name_is_refused(tmp_path: Path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"x")
    path.write_bytes(path.read_bytes().replace(b"a", b"\0"))
    with pytest.raises(DataProblem, match="outside its folder"):
        read_table(path)


def test_symbolic_links_and_strange_compressions_are_refused(tmp_path: Path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link.jpg")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, b"/etc/passwd")
        archive.writestr("b.jpg", b"x" * 99, zipfile.ZIP_BZIP2)
    with pytest.raises(DataProblem) as caught:
        read_table(path)
    assert "'link.jpg' is a symbolic link" in str(caught.value)
    assert "'b.jpg' is compressed by method 12" in str(caught.value)


def test_an_encrypted_member_is_refused(tmp_path: Path):
    path = make(tmp_path / "x.zip", {"a.jpg": b"x"})
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(DataProblem, match="encrypted"):
        read_table(path)


def test_a_bomb_is_refused_by_what_it_declares(tmp_path: Path):
    path = make(tmp_path / "x.zip", {"a.json": bytes(5_000_000)})
    with pytest.raises(DataProblem, match="declares 5,000,000 bytes"):
        read_table(path)


def test_a_member_that_unpacks_to_more_than_it_declares_is_stopped(tmp_path: Path):
    path = make(tmp_path / "x.zip", {"a.json": b"x" * 5000})
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, 50)
    path.write_bytes(data)
    (member,) = read_table(path)
    with pytest.raises(DamagedMember, match="size and checksum"):
        read_member(member, most_bytes=ENOUGH)


def test_a_stored_member_must_declare_the_size_it_has(tmp_path: Path):
    path = make(tmp_path / "x.zip", {"a.jpg": b"x" * 50}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, 60)
    path.write_bytes(data)
    with pytest.raises(DataProblem, match="stored in 50 bytes but declares 60"):
        read_table(path)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.97])
def test_an_archive_that_was_cut_short_is_named(tmp_path: Path, share: float):
    path = make(tmp_path / "x.zip", {f"{n}.jpg": bytes([n]) * 500 for n in range(20)})
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataProblem, match="cut short"):
        read_table(path)


def test_a_page_of_html_is_no_archive(tmp_path: Path):
    path = tmp_path / "x.zip"
    path.write_bytes(b"<html>404</html>")
    with pytest.raises(DataProblem, match="no whole zip"):
        read_table(path)


def test_a_flipped_byte_inside_a_member_is_noticed(tmp_path: Path):
    path = make(tmp_path / "x.zip", {"a.jpg": bytes(range(200))}, zipfile.ZIP_STORED)
    (member,) = read_table(path)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedMember, match="checksum"):
        read_member(member, most_bytes=ENOUGH)


def test_broken_deflate_data_is_noticed(tmp_path: Path):
    path = make(tmp_path / "x.zip", {"a.json": bytes(range(256)) * 9})
    (member,) = read_table(path)
    data = bytearray(path.read_bytes())
    data[40:60] = b"\xff" * 20
    path.write_bytes(data)
    with pytest.raises(DamagedMember):
        read_member(member, most_bytes=ENOUGH)


def test_an_archive_that_changed_under_its_table_is_noticed(tmp_path: Path):
    path = make(tmp_path / "x.zip", {"a.json": b"x" * 500}, zipfile.ZIP_STORED)
    (member,) = read_table(path)
    with pytest.raises(DamagedMember, match="at most 100"):
        read_member(member, most_bytes=100)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DamagedMember, match="cut short"):
        read_member(member, most_bytes=ENOUGH)
    path.write_bytes(b"not a zip any more" * 9)
    with pytest.raises(DamagedMember, match="does not begin"):
        read_member(member, most_bytes=ENOUGH)


def test_an_archive_that_was_replaced_is_read_anew(tmp_path: Path):
    path = make(tmp_path / "x.zip", {"a.jpg": b"first"}, zipfile.ZIP_STORED)
    (member,) = read_table(path)
    assert read_member(member, most_bytes=ENOUGH) == b"first"
    make(tmp_path / "y.zip", {"a.jpg": b"other"}, zipfile.ZIP_STORED).replace(path)
    with pytest.raises(DamagedMember, match="size and checksum"):
        read_member(member, most_bytes=ENOUGH)
    (member,) = read_table(path)
    assert read_member(member, most_bytes=ENOUGH) == b"other"


def test_many_archives_leave_few_files_open(tmp_path: Path):
    handles = Path("/proc/self/fd")
    if not handles.is_dir():
        pytest.skip("no /proc here")
    before = len(list(handles.iterdir()))
    for number in range(40):
        (member,) = read_table(make(tmp_path / f"{number}.zip", {"a.jpg": b"x" * number}))
        assert len(read_member(member, most_bytes=ENOUGH)) == number
    assert len(list(handles.iterdir())) <= before + 4


def test_stored_bytes_that_are_gone_since_are_told(tmp_path: Path):
    path = make(tmp_path / "x.zip", {"a.jpg": bytes(5000)}, zipfile.ZIP_STORED)
    (member,) = read_table(path)
    path.write_bytes(path.read_bytes()[:1000])
    for read in (read_member, lambda *a, **k: list(member_pieces(*a, **k))):
        with pytest.raises(DamagedMember, match="cut short, 965 of 5,000 bytes"):
            read(member, most_bytes=ENOUGH)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_pieces_and_whole_members_are_what_zipfile_reads(tmp_path: Path, method: int):
    rng = random.Random(4)
    inside = {
        f"{size}.bin": rng.randbytes(size) + bytes(size) for size in (0, 1, 65_536, 1_500_000)
    }
    path = make(tmp_path / "x.zip", inside, method)
    with zipfile.ZipFile(path) as archive:
        for member in read_table(path):
            data = archive.read(member.name)
            assert read_member(member, most_bytes=5 * ENOUGH) == data
            pieces = list(member_pieces(member, most_bytes=5 * ENOUGH))
            assert b"".join(pieces) == data
            assert max(map(len, pieces), default=0) <= ENOUGH
