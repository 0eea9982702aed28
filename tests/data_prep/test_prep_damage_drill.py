"""Every kind of damage, on a dataset however it was made: whole, merged of slices, a subset.

Each blow is struck at a whole copy, must be found and must be told of the place where it was
struck; and before the blow there must be nothing to tell.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vle_bench.console import exit_code
from vle_bench.data_prep.cli import group
from vle_bench.data_prep.verify import verify
from vle_bench.shards.index import read_samples, write_samples
from vle_bench.shards.scan import scan_shard

MADE = ("run", "merged", "subset")
Blows = Iterator[tuple[str, Callable[[], object]]]
"""What a blow hits, as verify must name it, and the blow."""


def prep(*words: object) -> None:
    assert exit_code(group, "vle-prep", [str(word) for word in words]) == 0


@pytest.fixture(scope="module")
def made(drawn_world, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("drill")
    raw = drawn_world(120, seed=5, hard=True)
    common = ("flickr30k", "--raw", raw, "--samples-per-shard", 2, "--workers", 1)
    prep("run", *common, "--out", root / "run")
    for part in ("1/2", "0/2"):
        prep("run", *common, "--out", root / "merged", "--slice", part)
    prep("run", *common, "--out", root / "merged", "--finish")
    prep("subset", root / "run", "--out", root / "subset", "--min-side", 200)
    return {how: root / how / "flickr30k" for how in MADE}


@pytest.fixture(params=MADE)
def whole(request: pytest.FixtureRequest, made: dict[str, Path]) -> Path:
    return made[request.param]


def shards(folder: Path) -> list[Path]:
    return sorted((folder / "train").glob("*.tar"))


def cut(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])


def flip(path: Path, at: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)


def cuts(folder: Path) -> Blows:
    """At every boundary of members, and in the middle of every one."""
    path = shards(folder)[0]
    size = path.stat().st_size
    for member in scan_shard(path).members:
        for length in {member.offset, member.data_offset, member.data_offset + member.size // 2}:
            yield path.name, lambda length=length: cut(path, length)
    yield path.name, lambda: cut(path, size - 512)
    yield path.name, lambda: cut(path, size - 1)


def flips(folder: Path) -> Blows:
    """Bits of every header and of every content."""
    draw = random.Random(7)
    path = shards(folder)[1]
    for member in scan_shard(path).members:
        for begin, length in ((member.offset, 512), (member.data_offset, member.size)):
            for _ in range(3):
                at, bit = begin + draw.randrange(length), draw.randrange(8)
                yield path.name, lambda at=at, bit=bit: flip(path, at, bit)


def swap(first: Path, second: Path) -> None:
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)


def moves(folder: Path) -> Blows:
    """Deleted, extra, renamed, swapped within a split and between two."""
    first, second, *_, last = shards(folder)
    other = next((folder / "val").glob("*.tar"))
    extra = last.with_name(f"{last.stem[:-6]}999999.tar")
    yield first.name, first.unlink
    yield last.name, last.unlink
    yield extra.name, lambda: shutil.copy(first, extra)
    yield second.name, lambda: second.rename(extra)
    yield first.name, lambda: swap(first, second)
    yield other.name, lambda: swap(first, other)
    yield first.name, lambda: shutil.copy(second, first)


def stale_indexes(folder: Path) -> Blows:
    """An index of another time: a row less, one more, one of another place or picture."""
    path = folder / "samples.parquet"
    rows = read_samples(path)
    one = rows[3]
    wrong = (
        one._replace(offset=one.offset + 512),
        one._replace(image_size=one.image_size - 1),
        one._replace(sha256="0" * 64),
        one._replace(key="flickr30k-1"),
        one._replace(split="val"),
    )
    yield path.name, lambda: write_samples(path, rows[:-1])
    yield path.name, lambda: write_samples(path, [*rows, one])
    for row in wrong:
        stale = [*rows[:3], row, *rows[4:]]
        yield path.name, lambda stale=stale: write_samples(path, stale)
    yield path.name, path.unlink


def beside(folder: Path) -> Blows:
    """Files that are no shards, of each kind one, the report too: bits, a cut, one byte more."""
    draw = random.Random(11)
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    kinds = {path.name.partition(".tar")[2] or path.name: path for path in paths}
    for path in (path for path in kinds.values() if path.suffix != ".tar"):
        name, size = path.relative_to(folder).as_posix(), path.stat().st_size
        half = size // 2
        for _ in range(12 if path.name == "report.json" else 2):
            at, bit = draw.randrange(size), draw.randrange(8)
            yield name, lambda path=path, at=at, bit=bit: flip(path, at, bit)
        yield name, lambda path=path, half=half: cut(path, half)
        yield name, lambda path=path: path.write_bytes(path.read_bytes() + b"\n")
        if path.name != "report.json":  # without it there is no dataset
            yield name, path.unlink


def in_the_report(folder: Path) -> Blows:
    """Digits that still read as a report: a count, a digest, the seal itself."""
    path = folder / "report.json"
    changes = (
        (b'"read": ', b'"read": 1'),
        (b'"sample": true', b'"sample": false'),
        (b'"seal": "', b'"seal": "0'),
        (b'"seal"', b'"sea1"'),
        (b'"warnings"', b'"warming"'),
        (b'"skipped": {', b'"skipped": {"lost": 0, '),
        (b"\n", b"\r\n"),
    )
    whole = path.read_bytes()
    for old, new in changes:
        assert old in whole
        changed = whole.replace(old, new, 1)
        yield path.name, lambda changed=changed: path.write_bytes(changed)


@pytest.mark.parametrize("blows", [cuts, flips, moves, stale_indexes, beside, in_the_report])
def test_each_blow_is_found_where_it_was_struck_and_nothing_before_it(
    whole: Path, tmp_path: Path, blows: Callable[[Path], Blows]
):
    folder = tmp_path / whole.name
    shutil.copytree(whole, folder)
    assert verify(folder).findings == verify(folder, quick=True).findings == ()
    struck = 0
    for name, blow in blows(folder):
        blow()
        found = [str(finding) for finding in verify(folder).findings]
        assert any(name in line for line in found), (name, struck, found)
        shutil.rmtree(folder)
        shutil.copytree(whole, folder)
        struck += 1
    assert struck >= 7
    assert verify(folder).findings == ()
