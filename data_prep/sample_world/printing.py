"""Draws all pictures, on several processes, and writes their files.

A worker gets names and gives back facts: everything it draws follows from the
names, so neither the number of workers nor their order can change a byte.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from vle_bench.data_prep.engines.local import LocalEngine, stop_if_asked
from vle_bench.data_prep.sample_world.cast import PictureName
from vle_bench.data_prep.sample_world.layout import stage_picture
from vle_bench.data_prep.sample_world.picture import facts_of, jpeg_bytes, paint
from vle_bench.data_prep.sample_world.scene import Scene
from vle_bench.errors import machine_errors

if TYPE_CHECKING:
    from PIL.Image import Image

Treatment = Literal["same", "near-copy"]

_CHUNK = 16
_ALONE_UP_TO = 96
"""So few pictures are drawn sooner than a second process has started."""
_COPY_SHARE, _COPY_QUALITY = 0.8, 72


class Copy(NamedTuple):
    """One file a picture is written to."""

    file: str
    """Path below RAW."""
    treatment: Treatment = "same"


class Order(NamedTuple):
    """One picture to draw, and its files."""

    name: PictureName
    copies: tuple[Copy, ...]


class Chunk(NamedTuple):
    """What a worker is sent at a time."""

    orders: tuple[Order, ...]
    out: Path


class Shown(NamedTuple):
    """What one drawn picture shows."""

    name: PictureName
    scene: Scene


def draw_all(
    orders: Sequence[Order], out: Path, *, workers: int | None, report: Callable[[int], None]
) -> dict[tuple[str, int], Scene]:
    """Draws every order below `out`; returns what each picture shows.

    Args:
        orders: The pictures.
        out: The root of the raw files; the folders are there.
        workers: Processes to use, all cores by default.
        report: Called with the number of pictures just finished.

    Raises:
        MachineProblem: the disk is full, or a process was killed.
    """
    count = workers if workers is not None else min(os.cpu_count() or 1, 16)
    if workers is None and len(orders) <= _ALONE_UP_TO:
        count = 1
    chunks = [Chunk(tuple(orders[k : k + _CHUNK]), out) for k in range(0, len(orders), _CHUNK)]
    scenes: dict[tuple[str, int], Scene] = {}
    with machine_errors(out), LocalEngine(count) as engine:
        for shown in engine.map(draw_chunk, chunks, total=len(chunks)):
            for name, scene in shown:
                scenes[name.part, name.number] = scene
            report(len(shown))
    return scenes


def draw_chunk(chunk: Chunk) -> list[Shown]:
    """Draws some pictures and writes their files."""
    shown = []
    for order in chunk.orders:
        stop_if_asked()
        stage = stage_picture(order.name)
        picture = paint(stage, order.name)
        whole = jpeg_bytes(picture)
        for copy in order.copies:
            data = whole if copy.treatment == "same" else _reduced(picture)
            (chunk.out / copy.file).write_bytes(data)
        shown.append(Shown(order.name, facts_of(stage)))
    return shown


def _reduced(picture: Image) -> bytes:
    """The picture as somebody else's web site would have it: smaller, and compressed once more."""
    width, height = (round(side * _COPY_SHARE) for side in picture.size)
    return jpeg_bytes(picture.resize((width, height)), _COPY_QUALITY)
