"""Ranks of both directions from features, beside the bare product and beside faiss.

Work without imports and reading. The floor is the one sgemm of that shape, in
blocks; faiss searches twice, ten deep. The large shape is what a matrix of scores
would not fit: a slice of 10,000 pictures by 500,000 texts, or all 100,000 of them.
A program's memory is what the system counts, pages of mapped files included, and
for the large shape also its own, without them.
"""

from __future__ import annotations

import mmap
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.contest import Contest, Goal
from bench.entrant import Work, program

Features = npt.NDArray[np.float32]

SGEMM, OURS, FAISS = "sgemm of that shape", "vle-bench, both directions", "faiss, two searches"
_SIDES = ("images.npy", "texts.npy")
_BLOCK = 1024
_PART = 10_000
_DEEP = 10
_NOISE = 7.0
_SEED = 7


class Shape(NamedTuple):
    """Pictures, texts, and the length of a feature."""

    pictures: int
    texts: int
    dimensions: int


COCO_5K = Shape(5_000, 25_010, 768)
SLICE = Shape(10_000, 500_000, 768)
WHOLE = Shape(100_000, 500_000, 768)


def small(place: Path, shape: Shape) -> Contest:
    """The shape of COCO 5K."""
    return _contest(
        "retrieval",
        place,
        shape,
        goals=(
            Goal("ranks both ways beside the product", OURS, SGEMM, "time", 1.5),
            Goal("their memory beside faiss's", OURS, FAISS, "memory", 0.75),
        ),
        rounds=7,
    )


def large(place: Path, shape: Shape, *, name: str, rounds: int) -> Contest:
    """A shape whose matrix of scores would take 20 GB or 200."""
    return _contest(
        name,
        place,
        shape,
        goals=(
            Goal("processor time beside two searches of faiss", OURS, FAISS, "processor", 0.75),
            Goal("own memory of the ranks", OURS, "", "own memory", 500.0),
        ),
        rounds=rounds,
        own=True,
    )


def _contest(
    name: str,
    place: Path,
    shape: Shape,
    *,
    goals: tuple[Goal, ...],
    rounds: int,
    own: bool = False,
) -> Contest:
    draw(place, shape)
    functions = {SGEMM: sgemm, OURS: ours} | ({FAISS: faiss} if find_spec("faiss") else {})
    return Contest(
        name=name,
        title=f"Ranks of {shape.pictures:,} pictures and {shape.texts:,} texts, both directions",
        given=f"float32, {shape.dimensions} dimensions, drawn, mapped from files",
        place=place,
        programs=tuple(program(label, one, place) for label, one in functions.items()),
        floor=SGEMM,
        goals=tuple(goal for goal in goals if {goal.ours, goal.against} <= {*functions, ""}),
        most_rounds=rounds,
        own=own,
    )


def draw(place: Path, shape: Shape) -> None:
    """Pictures on the unit sphere and texts around them, of which a good part is found first."""
    generator = np.random.default_rng(_SEED)
    images = generator.standard_normal((shape.pictures, shape.dimensions), dtype=np.float32)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    np.save(place / _SIDES[0], images)
    texts = np.lib.format.open_memmap(
        place / _SIDES[1], "w+", np.float32, (shape.texts, shape.dimensions)
    )
    owners = owners_of(shape.texts, shape.pictures)
    for start in range(0, shape.texts, _PART):
        part = images[owners[start : start + _PART]]
        noise = generator.standard_normal(part.shape, dtype=np.float32)
        part += _NOISE / np.sqrt(shape.dimensions) * noise
        texts[start : start + _PART] = part / np.linalg.norm(part, axis=1, keepdims=True)


def owners_of(texts: int, pictures: int) -> npt.NDArray[np.int64]:
    """The picture of each text, in order, about as many texts each."""
    return np.arange(texts) * pictures // texts


def ours(place: Path) -> Work:
    """The walk over tiles, as `vle-eval retrieval` does it with mapped files."""
    from vle_bench.eval.retrieval.counting import count_both
    from vle_bench.eval.retrieval.gold import Gold
    from vle_bench.eval.retrieval.similarity import FeatureSimilarity

    images, texts = _load(place)
    owners = owners_of(len(texts), len(images))
    gold = Gold(
        image_ids=("",) * len(images),
        text_ids=("",) * len(texts),
        captioned=len(images),
        pairs=np.column_stack([owners, np.arange(len(texts))]),
        first_image=owners,
    )

    def pages() -> None:
        for side in (images, texts):
            side._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]  # a memory map

    return lambda: count_both(FeatureSimilarity(images, texts, pages=pages), gold)


def sgemm(place: Path) -> Work:
    """Every score once, and nothing done with it."""
    images, texts = _load(place)
    out = np.empty((_BLOCK, len(texts)), dtype=np.float32)

    def work() -> None:
        for start in range(0, len(images), _BLOCK):
            part = images[start : start + _BLOCK]
            np.matmul(part, texts.T, out=out[: len(part)])

    return work


def faiss(place: Path) -> Work:
    """Two exact searches by inner product."""
    import faiss as library  # type: ignore[import-not-found]

    images, texts = _load(place)

    def work() -> None:
        for queries, gallery in ((images, texts), (texts, images)):
            index = library.IndexFlatIP(gallery.shape[1])
            index.add(np.asarray(gallery))
            index.search(np.asarray(queries), _DEEP)

    return work


def _load(place: Path) -> tuple[Features, Features]:
    images, texts = (np.load(place / name, mmap_mode="r") for name in _SIDES)
    return images, texts
