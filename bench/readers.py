"""Reading shards and zips: verify, a raw scan, records by index, pictures out of a zip.

Everything lies in the page cache, so that what is compared is the programs. The
floor of shards is `cat`, its start included, or their digest; that of a zip the
same pictures as loose files.
"""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import zipfile
from pathlib import Path

from bench.contest import Contest, Goal
from bench.entrant import Work, program
from bench.machine import file_system
from bench.pictures import PER_SHARD, pack_zip, write_coco

SPLIT = "val"
_PIECE = 1 << 20
_SEED = 5

CAT, READ = "cat", "read, a megabyte at a time"
DIGEST, VERIFY = "hashlib.file_digest", "vle-prep verify"
SCAN, ORDERED, SHUFFLED = "raw scan", "by index, in order", "by index, shuffled"
WDS, TARFILE = "webdataset, nothing decoded", "tarfile"
LOOSE, ZIPPED, ZIPFILE = "loose files", "vle-prep, from the zip", "zipfile"


def contests(place: Path, count: int) -> list[Contest]:
    """Everything that reads, over one prepared COCO of `count` drawn pictures."""
    raw, out = place / "raw", place / "out"
    write_coco(raw, count)
    prepare = ["run", "coco", "--scheme", "2017", "--split", SPLIT, "--raw", raw, "--out", out]
    prepare += ["--samples-per-shard", str(PER_SHARD)]
    subprocess.run(
        [sys.executable, "-m", "vle_bench.data_prep.cli", *map(str, prepare)],
        check=True,
        capture_output=True,
    )
    folder = out / "coco"
    size = sum(path.stat().st_size for path in _shards(folder))
    disk = file_system(place) or "disk"
    given = f"{count:,} samples, {size / 1e6:,.0f} MB, shards of {PER_SHARD}, {disk}, cached"
    return [_verifying(place, folder, given), _reading(place, folder, given), _zip(place, raw)]


def _verifying(place: Path, folder: Path, given: str) -> Contest:
    return Contest(
        name="verify",
        title="Verifying a prepared dataset",
        given=given,
        place=place,
        programs=(
            program(CAT, cat, folder),
            program(DIGEST, file_digest, folder),
            program(VERIFY, verify, folder),
        ),
        floor=DIGEST,
        goals=(Goal("verify beside the digest alone", VERIFY, DIGEST, "speed", 0.7),),
    )


def _reading(place: Path, folder: Path, given: str) -> Contest:
    return Contest(
        name="reading",
        title="Reading every picture and record of a split, undecoded",
        given=given,
        place=place,
        programs=(
            program(CAT, cat, folder),
            program(READ, read, folder),
            program(SCAN, scan, folder),
            program(ORDERED, ordered, folder),
            program(SHUFFLED, shuffled, folder),
            program(WDS, webdataset, folder),
            program(TARFILE, tarfile_walk, folder),
        ),
        floor=CAT,
        goals=(
            Goal("raw scan beside cat", SCAN, CAT, "time", 1.3),
            Goal("reads by index in order beside cat", ORDERED, CAT, "time", 1.3),
            Goal("random reads by index beside cat", SHUFFLED, CAT, "time", 1.3),
        ),
    )


def _zip(place: Path, raw: Path) -> Contest:
    pictures, archive = raw / "coco" / "val2017", place / "val2017.zip"
    pack_zip(pictures, archive)
    count = sum(1 for _ in pictures.iterdir())
    size = archive.stat().st_size
    return Contest(
        name="zip",
        title="Pictures out of an official zip, their CRC checked",
        given=f"{count:,} stored members, {size / 1e6:,.0f} MB, cached",
        place=place,
        programs=(
            program(LOOSE, loose, pictures),
            program(ZIPPED, zipped, archive),
            program(ZIPFILE, plain_zipfile, archive),
        ),
        floor=LOOSE,
        goals=(Goal("pictures from the zip beside loose files", ZIPPED, LOOSE, "speed", 0.7),),
    )


def _shards(folder: Path) -> list[Path]:
    return sorted((folder / SPLIT).glob("*.tar"))


def cat(folder: Path) -> Work:
    command = ["cat", *map(str, _shards(folder))]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def read(folder: Path) -> Work:
    def work() -> None:
        for path in _shards(folder):
            with path.open("rb", buffering=0) as stream:
                while stream.read(_PIECE):
                    pass

    return work


def file_digest(folder: Path) -> Work:
    def work() -> None:
        for path in _shards(folder):
            with path.open("rb") as stream:
                hashlib.file_digest(stream, "sha256")

    return work


def verify(folder: Path) -> Work:
    import pyarrow.parquet  # noqa: F401  # the index would import it

    from vle_bench.data_prep.verify import verify as verify_folder

    def work() -> None:
        assert not verify_folder(folder).findings

    return work


def scan(folder: Path) -> Work:
    from vle_bench.shards.stream import raw_samples

    return lambda: sum(len(one.picture) for path in _shards(folder) for one in raw_samples(path))


def ordered(folder: Path) -> Work:
    return _by_index(folder, shuffle=False)


def shuffled(folder: Path) -> Work:
    return _by_index(folder, shuffle=True)


def _by_index(folder: Path, *, shuffle: bool) -> Work:
    from vle_bench.shards.read import SplitReader

    reader = SplitReader(folder, SPLIT)
    rows = list(reader.rows)
    if shuffle:
        random.Random(_SEED).shuffle(rows)

    def work() -> None:
        with reader:
            for row in rows:
                reader.picture_and_record(row)

    return work


def webdataset(folder: Path) -> Work:
    import webdataset as wds

    def work() -> None:
        urls = [str(path) for path in _shards(folder)]
        assert sum(len(one["jpg"]) for one in wds.WebDataset(urls, shardshuffle=False))

    return work


def tarfile_walk(folder: Path) -> Work:
    import tarfile

    def work() -> None:
        for path in _shards(folder):
            with tarfile.open(path, "r:") as archive:
                for member in archive:
                    stream = archive.extractfile(member)
                    assert stream is not None
                    stream.read()

    return work


def loose(folder: Path) -> Work:
    paths = sorted(folder.iterdir())

    def work() -> None:
        for path in paths:
            path.read_bytes()

    return work


def zipped(archive: Path) -> Work:
    from vle_bench.data_prep.archives import read_table
    from vle_bench.data_prep.picture import read_picture
    from vle_bench.data_prep.sources import PictureFile

    files = [PictureFile(member.name, str(archive), member) for member in read_table(archive)]

    def work() -> None:
        for file in files:
            read_picture(file)

    return work


def plain_zipfile(archive: Path) -> Work:
    opened = zipfile.ZipFile(archive)

    def work() -> None:
        for member in opened.infolist():
            opened.read(member)

    return work
