"""How many copies `vle-prep overlap` finds by their looks, what it flags wrongly, what it costs.

    python -m bench.overlap --pictures 4000 --photos DIR

Pictures are those of the sample world and, where a folder of photographs is
given, those and six tiles of each, and small copies. Every one is copied as the web copies (any
filter, scale 0.3-2, JPEG or WebP of quality 30-95, PNG, a fifth in grey), and
every one is compared with every other, which is no copy of it. Goals: 95 % of
the copies, less than 0.1 % of the pictures without one.
"""

from __future__ import annotations

import io
import math
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from PIL import Image

from bench.machine import describe
from vle_bench.data_prep.overlap import likeness
from vle_bench.data_prep.overlap.bands import HashIndex, differing
from vle_bench.data_prep.overlap.thumbnail import grey_thumbnail
from vle_bench.data_prep.picture import probe
from vle_bench.data_prep.sample_world import build_sample_world
from vle_bench.shards.writer import Item, write_shard
from vle_bench.tables import Column, Table, to_text

_FOLDERS = ("coco/train2014", "coco/val2014", "coco/test2015", "flickr30k/flickr30k-images", "vcr")
_SMALLEST, _LARGEST = 0.3, 2.0
_LOWEST, _HIGHEST = 30, 95
_CHANGED = (0.01, 0.02, 0.05, 0.1, 0.2)
_SIDES = (128, 96, 64)
_MILLISECONDS = 1e3


class Copy(NamedTuple):
    """A copy and how it was made; `quality` is 0 for PNG."""

    data: bytes
    scale: float
    quality: int
    kind: str


def copy_of(data: bytes, rng: random.Random) -> Copy:
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    scale = math.exp(rng.uniform(math.log(_SMALLEST), math.log(_LARGEST)))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.resize(size, rng.choice(tuple(Image.Resampling)))
    kind = rng.choice(("JPEG", "JPEG", "JPEG", "WEBP", "PNG"))
    quality = 0 if kind == "PNG" else rng.randint(_LOWEST, _HIGHEST)
    if rng.random() < 0.2:
        picture = picture.convert("L")
    return Copy(_encoded(picture, kind, quality), scale, quality, kind)


def changed(data: bytes, other: bytes, share: float, rng: random.Random) -> bytes:
    """The picture with a rectangle of that share of its area taken from another picture."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    side = math.sqrt(share)
    size = (max(1, round(picture.width * side)), max(1, round(picture.height * side)))
    patch = Image.open(io.BytesIO(other)).convert("RGB").resize(picture.size)
    at = (rng.randint(0, picture.width - size[0]), rng.randint(0, picture.height - size[1]))
    picture.paste(patch.crop((*at, at[0] + size[0], at[1] + size[1])), at)
    return _encoded(picture, "JPEG", 90)


def spectra(pictures: Sequence[bytes]) -> likeness.Spectra:
    return likeness.spectra(np.stack([grey_thumbnail(data) for data in pictures]))


def copies_found(pictures: Sequence[bytes], seed: int) -> tuple[list[Copy], np.ndarray]:
    """A copy of each picture, and whether the rule knows it."""
    rng = random.Random(seed)
    copies = [copy_of(data, rng) for data in pictures]
    return copies, _alike(spectra(pictures), spectra([one.data for one in copies]))


def wrongly_flagged(found: likeness.Spectra) -> int:
    """Pictures that are taken for a copy of another one."""
    hashes = likeness.hashes(found)
    near = HashIndex(hashes).near(hashes)
    pairs = near.query < near.found
    one, other = near.query[pairs], near.found[pairs]
    alike = _alike(found[one], found[other])
    return len({*one[alike].tolist(), *other[alike].tolist()})


def rates(families: dict[str, list[bytes]]) -> Iterator[tuple[str, ...]]:
    for name, pictures in families.items():
        found = spectra(pictures)
        textured = likeness.texture(found) >= likeness.LEAST_TEXTURE
        judged = [data for data, use in zip(pictures, textured, strict=True) if use]
        copies, known = copies_found(judged, seed=1)
        parts: dict[str, Callable[[Copy], bool]] = {
            "all": lambda _: True,
            "scale below 0.5": lambda one: one.scale < 0.5,
            "quality below 50": lambda one: 0 < one.quality < 50,
            "both": lambda one: one.scale < 0.5 and 0 < one.quality < 50,
        }
        yield (name, "featureless, not judged", f"{len(pictures) - len(judged):,}", "", "")
        for part, belongs in parts.items():
            chosen = np.array([belongs(one) for one in copies])
            yield _share(name, f"copies, {part}", int(known[chosen].sum()), int(chosen.sum()))
        yield _share(name, "flagged without a copy", wrongly_flagged(found[textured]), len(judged))


def near_scenes(pictures: Sequence[bytes]) -> Iterator[tuple[str, ...]]:
    """What still counts as the same picture, when a part of it is another's."""
    rng = random.Random(2)
    mine = spectra(pictures)
    others = [*pictures[1:], pictures[0]]
    for share in _CHANGED:
        edited = [
            changed(data, other, share, rng) for data, other in zip(pictures, others, strict=True)
        ]
        known = _alike(mine, spectra(edited))
        yield _share("edited", f"{share:.0%} of the area", int(known.sum()), len(known))


def costs(pictures: Sequence[bytes], rounds: int) -> Iterator[tuple[str, ...]]:
    """Processor time for each picture: packed with all digests, and fingerprinted."""
    packing, looking = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            packing.append(_time(lambda: _pack(Path(folder) / "000000.tar", pictures)))
            looking.append(_time(lambda: spectra(pictures)))
    pack, look = (np.median(times) / len(pictures) * _MILLISECONDS for times in (packing, looking))
    mean = sum(map(len, pictures)) / len(pictures)
    yield ("cost", f"packing, ms a picture of {mean / 1e3:.0f} kB", f"{pack:.2f}", "", "")
    yield ("cost", "thumbnail and hash, ms a picture", f"{look:.2f}", "", "")
    yield ("cost", "times packing", f"{look / pack:.1f}", "", "")


def searching(found: likeness.Spectra, count: int) -> Iterator[tuple[str, ...]]:
    """Proposals among `count` against `count`, with the hashes of pictures, a few bits turned."""
    rng = np.random.default_rng(3)
    real = likeness.hashes(found)
    turns = np.zeros(count, np.uint64)
    for _ in range(20):
        turns = turns ^ np.left_shift(np.uint64(1), rng.integers(0, 64, count).astype(np.uint64))
    hashes = real[rng.integers(0, len(real), count)] ^ turns
    start = time.perf_counter()
    index = HashIndex(hashes)
    for at in range(0, count, 1000):
        index.near(hashes[at : at + 1000])
    took = time.perf_counter() - start
    yield ("cost", f"search of {count:,} among {count:,}, s", f"{took:.1f}", "", "")


def _alike(one: likeness.Spectra, other: likeness.Spectra) -> np.ndarray:
    apart = differing(likeness.hashes(one), likeness.hashes(other))
    same = likeness.correlation(one, other) >= likeness.LEAST_CORRELATION
    return same & (apart <= likeness.MOST_BITS)


def _made_on(rounds: int) -> str:
    here = describe()
    return (
        f"cost: median of {rounds}; {here.processor}, {here.cores} cores, {here.system}, Python "
        f"{here.python}, Pillow {version('pillow')}; commit {here.commit or 'unknown'}"
    )


def _share(name: str, what: str, found: int, of: int) -> tuple[str, ...]:
    return (name, what, f"{found:,}", f"{of:,}", f"{100 * found / of:.2f}" if of else "")


def _pack(path: Path, pictures: Sequence[bytes]) -> None:
    for data in pictures:
        probe(data)
    items = (Item(f"bench-{at}", data, "jpg", b"{}") for at, data in enumerate(pictures))
    write_shard(path, items)


def _time(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _encoded(picture: Image.Image, kind: str, quality: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **({} if kind == "PNG" else {"quality": quality}))
    return stream.getvalue()


def _tiles(data: bytes) -> Iterator[bytes]:
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    wide, high = picture.width // 3, picture.height // 2
    for number in range(6):
        left, top = number % 3 * wide, number // 3 * high
        yield _encoded(picture.crop((left, top, left + wide, top + high)), "JPEG", 92)


def _small(data: bytes, longest: int) -> bytes:
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    picture.thumbnail((longest, longest))
    return _encoded(picture, "JPEG", 90)


def _drawn(count: int) -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        build_sample_world(raw, images=count, seed=5)
        paths = (path for name in _FOLDERS for path in sorted((raw / name).rglob("*.jpg")))
        return [path.read_bytes() for path in paths]


@click.command()
@click.option("--pictures", default=1000, help="Pictures of the sample world.")
@click.option("--photos", type=click.Path(exists=True, path_type=Path), help="A folder of JPEGs.")
@click.option("--rounds", default=7)
@click.option("--search", default=100_000, help="Hashes on either side of the search.")
def main(pictures: int, photos: Path | None, rounds: int, search: int) -> None:
    """Prints one table."""
    families = {"sample world": _drawn(pictures)}
    if photos is not None:
        whole = [path.read_bytes() for path in sorted(photos.rglob("*.jpg"))]
        families["photographs"] = whole
        families["tiles of photographs"] = [tile for data in whole for tile in _tiles(data)]
    for longest in _SIDES:
        some = families.get("tiles of photographs", families["sample world"])[:300]
        families[f"longer side {longest}"] = [_small(data, longest) for data in some]
    timed = families.get("photographs", families["sample world"])[:100]
    rows = [
        *rates(families),
        *near_scenes(families.get("photographs", families["sample world"])[:100]),
        *costs(timed, rounds),
        *searching(spectra(families["sample world"]), search),
    ]
    names = ("found", "of", "%")
    columns = (Column("pictures"), Column("what"), *(Column(name, number=True) for name in names))
    click.echo(to_text(Table(columns, tuple(rows), footnotes=(_made_on(rounds),))), nl=False)


if __name__ == "__main__":
    main()
