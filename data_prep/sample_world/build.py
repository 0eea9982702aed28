"""Builds a sample world: shares pictures out, draws them, writes every raw format, then the ledger.

The ledger comes last: a folder with a `sample_world.json` is whole, and a second
call with the same parameters leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from vle_bench.atomic import make_folder, write_bytes
from vle_bench.canonical import pretty_json_bytes
from vle_bench.data_prep.sample_world.claim import FOLDERS, LEDGER, claimed, read_ledger
from vle_bench.data_prep.sample_world.formats import coco, vqav2
from vle_bench.data_prep.sample_world.printing import Copy, Order, draw_all
from vle_bench.data_prep.sample_world.roster import MOST_PICTURES, Roster, build_roster
from vle_bench.data_prep.sample_world.world import DESCRIPTION, World
from vle_bench.errors import UsageProblem

VERSION = 1
"""Counts up when the same parameters begin to give other bytes."""


class SampleWorldSummary(NamedTuple):
    """What there is now."""

    out: Path
    images: int
    files: int
    """Picture files; a shared picture is written more than once."""
    built: bool
    """False where a whole world was already there."""


def build_sample_world(
    out: Path,
    *,
    images: int = 240,
    seed: int = 0,
    hard: bool = False,
    workers: int | None = None,
    report: Callable[[int], None] | None = None,
) -> SampleWorldSummary:
    """Draws `images` pictures and writes them in the official raw formats below `out`.

    Args:
        out: An empty or new folder, or one that holds a sample world.
        images: How many distinct pictures, shared out over the corpora.
        seed: The same seed and number give the same bytes.
        hard: Whether to add the accidents of real life.
        workers: Processes that draw; no byte depends on it.
        report: Called with the number of pictures just drawn.

    Raises:
        UsageProblem: `images` is out of range.
        DataProblem: `out` holds something else.
        MachineProblem: the disk is full, or `out` cannot be written.
    """
    if not 1 <= images <= MOST_PICTURES:
        raise UsageProblem(f"--images {images}: a number from 1 to {MOST_PICTURES} was expected.")
    if workers is not None and workers < 1:
        raise UsageProblem(f"{workers} workers: at least 1 was expected.")
    parameters = {"version": VERSION, "images": images, "seed": seed, "hard": hard}
    there = read_ledger(out) if out.is_dir() else None
    if there is not None and all(there.get(key) == value for key, value in parameters.items()):
        return SampleWorldSummary(out, images, int(there["files"]), built=False)
    roster = build_roster(images, seed)
    orders = _orders(roster)
    with claimed(out):
        _make_folders(out, orders)
        scenes = draw_all(orders, out, workers=workers, report=report or (lambda _: None))
        world = World(out, roster, scenes)
        coco.write_coco(world)
        vqav2.write_vqav2(world)
        files = sum(len(order.copies) for order in orders)
        _write_ledger(world, parameters, files)
    return SampleWorldSummary(out, images, files, built=True)


def _orders(roster: Roster) -> list[Order]:
    """Every picture with all the files it goes to."""
    return [
        Order(drawn.name, (Copy(coco.picture_file(drawn)),))
        for part in ("coco-train", "coco-val", "coco-test")
        for drawn in roster.parts[part]
    ]


def _make_folders(out: Path, orders: list[Order]) -> None:
    for name in FOLDERS:
        make_folder(out / name)
    for folder in sorted(
        {str(Path(copy.file).parent) for order in orders for copy in order.copies}
    ):
        make_folder(out / folder)


def _write_ledger(world: World, parameters: dict[str, Any], files: int) -> None:
    ledger = {
        "description": DESCRIPTION,
        **parameters,
        "files": files,
        "accidents": [],
        "shared": [],
    }
    write_bytes(world.out / LEDGER, pretty_json_bytes(ledger))
