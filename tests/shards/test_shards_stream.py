"""Samples straight off a shard: as it lies there, or an error behind the last whole one."""

from __future__ import annotations

import io
import platform
import random
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from vle_bench.errors import DataProblem
from vle_bench.shards.scan import scan_bytes
from vle_bench.shards.stream import RawSample, raw_samples
from vle_bench.shards.ustar import END_OF_ARCHIVE
from vle_bench.shards.writer import Item, sample_members, write_shard


def items(count: int) -> list[Item]:
    rng = random.Random(count)
    sizes = (0, 1, 511, 512, 513, 7_000, 9_000, 20_000)
    return [
        Item(
            f"toy-{number:04d}",
            rng.randbytes(rng.choice(sizes)),
            rng.choice(("jpg", "png", "webp")),
            rng.randbytes(rng.choice(sizes)),
        )
        for number in range(count)
    ]


def as_raw(one: Item) -> RawSample:
    return RawSample(one.key, one.ending, one.picture, one.record)


def test_every_sample_comes_as_it_was_written(tmp_path: Path):
    path = tmp_path / "a.tar"
    written = items(120)
    write_shard(path, written)
    assert list(raw_samples(path)) == [as_raw(one) for one in written]


def test_an_empty_archive_has_no_samples(tmp_path: Path):
    write_shard(tmp_path / "a.tar", [])
    assert list(raw_samples(tmp_path / "a.tar")) == []


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT])
def test_shards_of_other_writers_are_read_too(tmp_path: Path, form: int):
    written = items(20)
    with tarfile.open(tmp_path / "a.tar", "w", format=form) as tar:
        for one in written:
            for ending, data in ((one.ending, one.picture), ("json", one.record)):
                info = tarfile.TarInfo(f"{one.key}.{ending}")
                info.size, info.mtime, info.uname = len(data), 12345, "somebody"
                tar.addfile(info, io.BytesIO(data))
    assert list(raw_samples(tmp_path / "a.tar")) == [as_raw(one) for one in written]


@pytest.mark.parametrize("seed", range(4))
def test_records_of_any_length_come_whole(tmp_path: Path, seed: int):
    draw = random.Random(seed)
    lengths = [*range(2900, 4700, 97), 511, 512, 513, 9_000, 70_000, 2, 4096, 3584]
    draw.shuffle(lengths)
    written = [
        Item(f"one-{place}", draw.randbytes(draw.randrange(1, 1100)), "png", b"r" * length)
        for place, length in enumerate(lengths)
    ]
    write_shard(tmp_path / "a.tar", written)
    assert list(raw_samples(tmp_path / "a.tar")) == [as_raw(one) for one in written]


_FAULTS = """
import resource, sys
from pathlib import Path
from vle_bench.shards.stream import raw_samples

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    count = sum(1 for _ in raw_samples(Path(sys.argv[1])))
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / count

faults()
sys.stdout.write(str(faults()))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_the_memory_of_a_picture_is_used_again_for_the_next(tmp_path: Path):
    draw = random.Random(3)
    written = [
        Item(f"one-{place}", bytes(draw.randrange(60_000, 160_000)), "jpg", b"{}")
        for place in range(200)
    ]
    write_shard(tmp_path / "a.tar", written)
    command = [sys.executable, "-c", _FAULTS, str(tmp_path / "a.tar")]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert float(ended.stdout) < 0.2  # with new memory for each, it is 1.5 and more


def read_until_it_breaks(path: Path) -> tuple[list[RawSample], str]:
    found: list[RawSample] = []
    try:
        found.extend(raw_samples(path))
    except DataProblem as error:
        return found, str(error)
    return found, ""


def test_wherever_a_shard_was_cut_the_whole_samples_come_and_then_an_error(tmp_path: Path):
    written = [one._replace(picture=one.picture[:600], record=b"r" * 700) for one in items(4)]
    data = b"".join(map(sample_members, written)) + END_OF_ARCHIVE
    path = tmp_path / "a.tar"
    for length in range(0, len(data), 97):
        path.write_bytes(data[:length])
        found, told = read_until_it_breaks(path)
        assert found == [as_raw(one) for one in written[: len(found)]]
        assert "Run vle-prep verify" in told, length
    assert len(found) == 4


def test_it_raises_for_every_flipped_header_byte_that_the_scanner_sees(tmp_path: Path):
    written = [one._replace(picture=b"p" * 40, record=b"{}") for one in items(2)]
    whole = b"".join(map(sample_members, written)) + END_OF_ARCHIVE
    path = tmp_path / "a.tar"
    for at in range(0, len(whole), 7):
        data = bytearray(whole)
        data[at] ^= 0x10
        path.write_bytes(data)
        found, told = read_until_it_breaks(path)
        damages = scan_bytes(bytes(data)).damages
        assert bool(told) == bool(damages), at
        assert len(found) == 2 or damages


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("a.json", "a.jpg"), "where a picture should"),
        (("a.txt", "a.json"), "where a picture should"),
        (("a.jpg", "b.json"), "not followed by its JSON"),
        (("a.jpg", "a.json", "a.jpg", "a.json"), "second time"),
    ],
)
def test_members_that_are_no_samples_are_told(tmp_path: Path, names: tuple[str, ...], reason: str):
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    with pytest.raises(DataProblem, match=reason):
        list(raw_samples(tmp_path / "a.tar"))


def test_a_header_that_declares_gigabytes_is_not_believed(tmp_path: Path):
    info = tarfile.TarInfo("a.jpg")
    info.size = 7 << 30
    (tmp_path / "a.tar").write_bytes(info.tobuf(tarfile.USTAR_FORMAT) + bytes(2048))
    with pytest.raises(DataProblem, match="cut short"):
        list(raw_samples(tmp_path / "a.tar"))


def test_a_missing_shard_is_missing_data(tmp_path: Path):
    with pytest.raises(DataProblem, match="a shard expected"):
        list(raw_samples(tmp_path / "none.tar"))
