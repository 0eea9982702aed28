"""How much memory `vle-prep run` takes: more pictures, more annotations, more that is left out.

Usage: python -m bench.memory [--folder DIR] [--full]

Pictures are photo-like and about 100 KB, a few drawn ones under many names. Memory is the peak of
the parent and of the largest worker. What must hold: each below 300 MB, within 10 MB from 1,250
to 10,000 pictures, and the same with ten times the annotations.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from bench.peaks import Peaks, peaks_of
from bench.processes import console, machine
from vle_bench.tables import Column, Table, to_text

_DRAWN = 16
_WORKERS = 2
_FEW, _MANY, _MORE = 1_250, 10_000, 10
_ABSENT = 300_000
_CC3M = 3_318_333
_WORDS = "A text of some length, as captions are, with }, { and \\u00e9 in it."


class Case(NamedTuple):
    """One run: a data set, what is in its raw folder, and how it is called."""

    name: str
    dataset: str
    raw: Path


class Row(NamedTuple):
    """What a case took."""

    case: str
    peaks: Peaks


def rows(place: Path, *, full: bool) -> list[Row]:
    """Draws the raw folders and runs every case once."""
    found: list[Row] = []
    for case in cases(place, full=full):
        out = place / "out" / case.raw.name
        command = [
            console("vle-prep"), "run", case.dataset,
            "--raw", case.raw, "--out", out, "--workers", str(_WORKERS),
            *(("--scheme", "2014") if case.dataset == "coco" else ()),
        ]  # fmt: skip
        found.append(Row(case.name, peaks_of(command)))
    return found


def cases(place: Path, *, full: bool) -> Iterator[Case]:
    """The cases, each with its raw folder written."""
    pictures = place / "drawn"
    if not pictures.is_dir():
        draw(pictures)
    for count, times in ((_FEW, 1), (_MANY, 1), (_MANY, _MORE)):
        raw = place / f"coco-{count}-{times}"
        if not raw.is_dir():
            write_coco(raw, pictures, count=count, times=times)
        yield Case(f"coco, {count:,} pictures, {times}x annotations", "coco", raw)
    for listed in (_ABSENT, *((_CC3M,) if full else ())):
        raw = place / f"cc3m-{listed}"
        if not raw.is_dir():
            write_cc3m(raw, listed)
        yield Case(f"cc3m, {listed:,} addresses, no picture", "cc3m", raw)


def draw(folder: Path) -> None:
    """Blurred noise compresses like a photograph: about 100 KB for 640 x 480."""
    import numpy as np
    from PIL import Image, ImageFilter

    folder.mkdir(parents=True)
    random = np.random.default_rng(9)
    for number in range(_DRAWN):
        noise = Image.fromarray(random.integers(0, 256, (480, 640, 3), dtype=np.uint8))
        stream = io.BytesIO()
        noise.filter(ImageFilter.GaussianBlur(1.1)).save(stream, "JPEG", quality=84)
        (folder / f"{number}.jpg").write_bytes(stream.getvalue())


def write_coco(raw: Path, pictures: Path, *, count: int, times: int) -> None:
    """`val2014` with five captions and seven boxes a picture, `times` over."""
    part = "val2014"
    folder = raw / "coco" / part
    folder.mkdir(parents=True)
    images = []
    for number in range(1, count + 1):
        name = f"COCO_{part}_{number:012d}.jpg"
        os.link(pictures / f"{number % _DRAWN}.jpg", folder / name)
        images.append({"id": number, "width": 640, "height": 480, "file_name": name})
    annotations = raw / "coco" / "annotations"
    annotations.mkdir()
    outline = [[round(number * 1.37, 2) for number in range(40)]]
    box = {"bbox": [1, 2, 30.5, 40.25], "category_id": 1, "iscrowd": 0, "segmentation": outline}
    for kind, each, more in (("captions", 5, {"caption": _WORDS}), ("instances", 7, box)):
        head = {"images": images, "categories": [{"id": 1, "name": "thing"}]}
        with (annotations / f"{kind}_{part}.json").open("w") as stream:
            stream.write(json.dumps(head)[:-1] + ', "annotations": [')
            for row in range(count * each * times):
                image = row * 7919 % count + 1
                text = json.dumps({"id": row, "image_id": image, **more})
                stream.write(f", {text}" if row else text)
            stream.write("]}")


def write_cc3m(raw: Path, count: int) -> None:
    """The list of the training split; nothing of it was downloaded."""
    (raw / "cc3m").mkdir(parents=True)
    with (raw / "cc3m" / "Train_GCC-training.tsv").open("w") as stream:
        for row in range(count):
            address = f"http://example.org/pictures/{row % 977}/{row:09d}.jpg"
            stream.write(f"a caption of number {row} of the list\t{address}\n")


def table(found: list[Row]) -> Table:
    """The rows for people."""
    columns = (
        Column("case"),
        Column("wall s", number=True),
        Column("parent MB", number=True),
        Column("largest worker MB", number=True),
    )
    lines = tuple(
        (row.case, f"{row.peaks.wall:.1f}", f"{row.peaks.first:.0f}", f"{row.peaks.others:.0f}")
        for row in found
    )
    title = f"Peak memory of vle-prep run, {_WORKERS} workers"
    return Table(columns, lines, title=title, footnotes=(machine(1),))


@click.command()
@click.option(
    "--folder", type=click.Path(path_type=Path), default=None, help="Keep the data there."
)
@click.option("--full", is_flag=True, help="The whole of CC3M's list as well.")
def main(folder: Path | None, full: bool) -> None:
    """Prints one table: the peak of the parent and of its largest worker, case by case."""
    with tempfile.TemporaryDirectory() as scratch:
        click.echo(to_text(table(rows(folder or Path(scratch), full=full))), nl=False)


if __name__ == "__main__":
    main()
