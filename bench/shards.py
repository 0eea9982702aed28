"""How fast shards are written, beside what copying the same bytes costs.

    python -m bench.shards --folder /dev/shm --pictures 2000 --rounds 7

Draws photo-like JPEGs (about 100 KB), then writes them with each writer in turn,
every one in a fresh process, round after round, and prints the median of the
work (imports left out), its ratio to `cat` in the same run, CPU time and peak
memory. Ratios carry over between machines, seconds do not.
"""

from __future__ import annotations

import hashlib
import io
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from bench.processes import machine
from vle_bench.tables import Column, Table, to_text

RECORD = {
    "captions": [{"id": "1", "text": "A thing beside another."}] * 5,
    "boxes": [[1.5] * 4] * 8,
}
PER_SHARD = 1000


def draw(folder: Path, count: int) -> None:
    """Blurred noise compresses like a photograph: about 100 KB for 640 x 480."""
    import numpy as np
    from PIL import Image, ImageFilter

    rng = np.random.default_rng(9)
    base = []
    for _ in range(8):
        noise = Image.fromarray(rng.integers(0, 256, (600, 800, 3), dtype=np.uint8))
        base.append(noise.filter(ImageFilter.GaussianBlur(1.1)))
    for number in range(count):
        left, top = (int(n) for n in rng.integers(0, 120, 2))
        crop = base[number % len(base)].crop((left, top, left + 640, top + 480))
        stream = io.BytesIO()
        crop.save(stream, "JPEG", quality=int(rng.integers(78, 90)))
        (folder / f"{number:012d}.jpg").write_bytes(stream.getvalue())


def samples(source: Path) -> Iterator[tuple[str, bytes, bytes]]:
    record = json.dumps(RECORD).encode()
    for path in sorted(source.iterdir()):
        yield f"bench-{path.stem}", path.read_bytes(), record


def chunks(source: Path) -> Iterator[list[Path]]:
    paths = sorted(source.iterdir())
    for start in range(0, len(paths), PER_SHARD):
        yield paths[start : start + PER_SHARD]


def cat(source: Path, target: Path) -> None:
    with (target / "all").open("wb") as stream:
        for path in sorted(source.iterdir()):
            stream.write(path.read_bytes())


def cat_hashed(source: Path, target: Path) -> None:
    digest = hashlib.sha256()
    with (target / "all").open("wb") as stream:
        for path in sorted(source.iterdir()):
            data = path.read_bytes()
            digest.update(data)
            stream.write(data)


def ours(source: Path, target: Path) -> None:
    from vle_bench.shards.writer import Item, write_shard

    record = json.dumps(RECORD).encode()
    for number, paths in enumerate(chunks(source)):
        items = (Item(f"bench-{path.stem}", path.read_bytes(), "jpg", record) for path in paths)
        write_shard(target / f"{number:06d}.tar", items, md5=True)


def ours_bytes_only(source: Path, target: Path) -> None:
    """What the format itself costs: no digest, no fsync, no rename, like the others."""
    from vle_bench.shards.ustar import END_OF_ARCHIVE
    from vle_bench.shards.writer import Item, sample_members

    record = json.dumps(RECORD).encode()
    for number, paths in enumerate(chunks(source)):
        with (target / f"{number:06d}.tar").open("wb") as stream:
            for path in paths:
                item = Item(f"bench-{path.stem}", path.read_bytes(), "jpg", record)
                stream.write(sample_members(item))
            stream.write(END_OF_ARCHIVE)


def webdataset(source: Path, target: Path) -> None:
    import webdataset as wds

    pattern = str(target / "%06d.tar")
    with wds.ShardWriter(pattern, maxcount=PER_SHARD, verbose=0) as writer:
        for key, picture, _ in samples(source):
            writer.write({"__key__": key, "jpg": picture, "json": RECORD})


def webdataset_hashed(source: Path, target: Path) -> None:
    webdataset(source, target)
    for path in sorted(target.glob("*.tar")):
        with path.open("rb") as stream:
            hashlib.file_digest(stream, "sha256")


WRITERS: dict[str, Callable[[Path, Path], None]] = {
    "cat": cat,
    "cat + sha256": cat_hashed,
    "ours, bytes only": ours_bytes_only,
    "ours (sha256, fsync)": ours,
    "webdataset": webdataset,
    "webdataset + sha256": webdataset_hashed,
}


def measure(name: str, source: Path, target: Path) -> None:
    """One writer in this process; prints seconds, CPU seconds, peak KiB, bytes written."""
    import webdataset as _  # noqa: F401  # imports are no work

    import vle_bench.shards.writer  # noqa: F401

    wall, cpu = time.perf_counter(), time.process_time()
    WRITERS[name](source, target)
    numbers = (
        time.perf_counter() - wall,
        time.process_time() - cpu,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        sum(path.stat().st_size for path in target.iterdir()),
    )
    click.echo(" ".join(map(str, numbers)))


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=None, help="Where to write.")
@click.option("--pictures", default=2000, show_default=True)
@click.option("--rounds", default=7, show_default=True)
@click.option("--one", nargs=3, default=None, hidden=True)
def main(folder: Path | None, pictures: int, rounds: int, one: tuple[str, str, str] | None) -> None:
    """Prints one table: each writer's work beside copying the same bytes."""
    if one:
        measure(one[0], Path(one[1]), Path(one[2]))
        return
    with tempfile.TemporaryDirectory(dir=folder) as place:
        click.echo(report(Path(place), pictures, rounds), nl=False)


def report(place: Path, pictures: int, rounds: int) -> str:
    """The table of all writers, run in turn."""
    source = place / "pictures"
    source.mkdir()
    draw(source, pictures)
    size = sum(path.stat().st_size for path in source.iterdir())
    runs: dict[str, list[list[float]]] = {name: [] for name in WRITERS}
    for _ in range(rounds):
        for name in WRITERS:
            target = place / "target"
            target.mkdir()
            command = [sys.executable, "-m", "bench.shards", "--one", name, source, target]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            runs[name].append([float(number) for number in done.stdout.split()])
            shutil.rmtree(target)
    medians = {
        name: [statistics.median(column) for column in zip(*measured, strict=True)]
        for name, measured in runs.items()
    }
    floor = medians["cat"][0]
    rows = tuple(
        (
            name,
            f"{wall:.3f}",
            f"{wall / floor:.2f}",
            f"{cpu:.3f}",
            f"{rss / 1024:.0f}",
            f"{written / size:.3f}",
        )
        for name, (wall, cpu, rss, written) in medians.items()
    )
    columns = (
        Column("writer"),
        *(Column(name, number=True) for name in ("s", "x cat", "CPU s", "RSS MB", "size")),
    )
    title = f"{pictures:,} pictures, {size / 1e6:.0f} MB, work without imports"
    return to_text(Table(columns, rows, title, (machine(rounds),)))


if __name__ == "__main__":
    main()
