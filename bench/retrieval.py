"""Ranks of 5,000 pictures and 25,010 captions beside the bare product, and beside faiss.

Usage: python -m bench.retrieval [--pictures N] [--captions N] [--dimensions D] [--rounds N]

Each program runs in a process of its own and tells its work, imports and reading
left out; they take turns, because a machine's load drifts. The floor is the one
sgemm of that shape. faiss (two searches of ten, `pip install faiss-cpu`) is
left out where it is not installed. For 100,000 by 500,000 in a slice of 10,000
pictures: `--pictures 10000 --captions 500000 --rounds 1`.
"""

from __future__ import annotations

import importlib.util
import json
import mmap
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np

_SIDES = ("images.npy", "texts.npy")


def _draw(folder: Path, pictures: int, captions: int, dimensions: int) -> None:
    generator = np.random.default_rng(7)
    images = generator.standard_normal((pictures, dimensions), dtype=np.float32)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    np.save(folder / _SIDES[0], images)
    texts = np.lib.format.open_memmap(folder / _SIDES[1], "w+", np.float32, (captions, dimensions))
    for start in range(0, captions, 10_000):
        stop = min(start + 10_000, captions)
        noise = generator.standard_normal((stop - start, dimensions), dtype=np.float32)
        part = images[np.arange(start, stop) * pictures // captions]
        part += 7 / np.sqrt(dimensions) * noise
        texts[start:stop] = part / np.linalg.norm(part, axis=1, keepdims=True)


def _ours(images: np.memmap, texts: np.memmap) -> None:
    from vle_bench.eval.retrieval.counting import count_both
    from vle_bench.eval.retrieval.gold import Gold
    from vle_bench.eval.retrieval.similarity import FeatureSimilarity

    owners = np.arange(len(texts)) * len(images) // len(texts)
    gold = Gold(
        image_ids=("",) * len(images),
        text_ids=("",) * len(texts),
        captioned=len(images),
        pairs=np.column_stack([owners, np.arange(len(texts))]),
        first_image=owners,
    )

    def pages() -> None:
        for side in (images, texts):
            side._mmap.madvise(mmap.MADV_DONTNEED)  # as the command does with mapped files

    count_both(FeatureSimilarity(images, texts, pages=pages), gold)


def _sgemm(images: np.ndarray, texts: np.ndarray) -> None:
    out = np.empty((1024, len(texts)), dtype=np.float32)
    for start in range(0, len(images), 1024):
        part = images[start : start + 1024]
        np.matmul(part, texts.T, out=out[: len(part)])


def _faiss(images: np.ndarray, texts: np.ndarray) -> None:
    import faiss  # type: ignore[import-not-found]

    for queries, gallery in ((images, texts), (texts, images)):
        index = faiss.IndexFlatIP(gallery.shape[1])
        index.add(np.asarray(gallery))
        index.search(np.asarray(queries), 10)


def _peak() -> float:
    """MB; `getrusage` would tell the parent's peak where that was higher."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


_PROGRAMS = {"sgemm": _sgemm, "ours": _ours, "faiss": _faiss}


@click.command()
@click.option("--pictures", default=5_000, show_default=True)
@click.option("--captions", default=25_010, show_default=True)
@click.option("--dimensions", default=768, show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option("--one", nargs=2, default=None, hidden=True)
def main(
    pictures: int, captions: int, dimensions: int, rounds: int, one: tuple[str, str] | None
) -> None:
    """Prints wall and processor time of the work, its ratio to the product, and the memory."""
    if one is not None:
        images, texts = (np.load(Path(one[1]) / name, mmap_mode="r") for name in _SIDES)
        wall, processor = time.perf_counter(), time.process_time()
        _PROGRAMS[one[0]](images, texts)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        click.echo(json.dumps([wall, processor, _peak()]))
        return
    names = [name for name in _PROGRAMS if name != "faiss" or importlib.util.find_spec("faiss")]
    found: dict[str, list[list[float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        _draw(Path(folder), pictures, captions, dimensions)
        for _ in range(rounds):
            for name in names:
                command = [sys.executable, "-m", "bench.retrieval", "--one", name, folder]
                ran = subprocess.run(command, check=True, capture_output=True, text=True)
                found[name].append(json.loads(ran.stdout))
    floor = found["sgemm"]
    click.echo("program  wall s  processor s  of sgemm (wall, processor)  RSS MB")
    for name, runs in found.items():
        wall, processor, peak = (statistics.median(run[at] for run in runs) for at in range(3))
        ratios = [
            statistics.median(mine[at] / base[at] for mine, base in zip(runs, floor, strict=True))
            for at in range(2)
        ]
        shares = f"{ratios[0]:8.2f} {ratios[1]:17.2f}"
        click.echo(f"{name:8} {wall:6.2f}  {processor:11.2f}  {shares}  {peak:6.0f}")


if __name__ == "__main__":
    main()
