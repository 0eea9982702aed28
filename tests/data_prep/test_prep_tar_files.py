"""Members of other people's tars: those that `tarfile` finds, mostly without asking it."""

from __future__ import annotations

import io
import random
import tarfile
from pathlib import Path

import pytest

from vle_bench.data_prep.tar_files import TarSlice, tar_members

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
NAMES = ["{}.jpg", "00000/{}.json", "./{}.txt", "bäh-{}.png", "d" * 90 + "/" + "e" * 20 + "{}.webp"]


def found_by_tarfile(path: Path) -> list[tuple[str, TarSlice]]:
    there, found = path.stat().st_size, []
    try:
        with tarfile.open(path, "r:") as archive:
            while (member := archive.next()) is not None:
                place = TarSlice(member.offset_data, member.size)
                if member.isreg() and not member.issparse() and sum(place) <= there:
                    found.append((member.name, place))
    except tarfile.TarError:
        pass
    return found


def write(path: Path, draw: random.Random, kind: str, *, plain: bool) -> None:
    with tarfile.open(path, "w", format=FORMATS[kind]) as archive:
        for number in range(draw.randrange(1, 25)):
            name = draw.choice(NAMES[:3] if plain else NAMES)
            member = tarfile.TarInfo(name.format(number))
            member.size = draw.choice((0, 1, 511, 512, 513, 9000))
            member.mtime = draw.choice((0, 1700000000, 1700000000.25))
            member.uname = draw.choice(("", "root", "root" if plain else "jürgen"))
            if not plain and draw.random() < 0.2:
                member.type = draw.choice((tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE))
                member.size, member.linkname = 0, "elsewhere"
            archive.addfile(member, io.BytesIO(draw.randbytes(member.size)))


@pytest.mark.parametrize("kind", FORMATS)
def test_members_are_those_of_tarfile_damaged_or_not(tmp_path: Path, kind: str):
    draw, path, different = random.Random(kind), tmp_path / "a.tar", set()
    for number in range(150):
        write(path, draw, kind, plain=number % 3 == 0)
        data = bytearray(path.read_bytes())
        if number % 5 == 1:
            del data[draw.randrange(len(data)) :]
        if number % 5 == 2:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        if number % 5 == 3:
            at = draw.randrange(0, len(data), 512)
            data[at : at + 512] = draw.randbytes(512)
        path.write_bytes(data)
        expected = found_by_tarfile(path)
        assert list(tar_members(path)) == expected
        different.add(len(expected))
    assert len(different) > 10


def no_tarfile(*_: object, **__: object) -> None:
    raise AssertionError("tarfile was asked")


@pytest.mark.parametrize("kind", FORMATS)
def test_plain_members_are_found_without_tarfile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
):
    path = tmp_path / "a.tar"
    write(path, random.Random(4), kind, plain=True)
    expected = found_by_tarfile(path)
    monkeypatch.setattr(tarfile, "open", no_tarfile)
    assert list(tar_members(path)) == expected
    assert len(expected) > 5


def test_members_that_tarfile_must_find_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for number in range(50):
            archive.addfile(tarfile.TarInfo("d" * 120 + f"{number:09d}.jpg"))
    reader, opened = tarfile.open, []
    monkeypatch.setattr(tarfile, "open", lambda **a: opened.append(reader(**a)) or opened[0])
    names = []
    for name, _ in tar_members(path):
        names.append(name[120:])
        assert len(opened[0].members) <= 1
    assert names == [f"{number:09d}.jpg" for number in range(50)]
