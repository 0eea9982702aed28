"""Builds a sample world: shares pictures out, draws them, writes every raw format, then the ledger.

The ledger comes last: a folder with a `sample_world.json` is whole, and a second
call with the same parameters leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from vle_bench.atomic import make_folder
from vle_bench.data_prep.sample_world.accidents.happen import let_accidents_happen
from vle_bench.data_prep.sample_world.cast import PictureName
from vle_bench.data_prep.sample_world.claim import FOLDERS, claimed, read_ledger
from vle_bench.data_prep.sample_world.formats import (
    coco,
    flickr30k,
    flickr30k_cn,
    vcr,
    vg,
    vqav2,
    web,
)
from vle_bench.data_prep.sample_world.ledger import Members, shared_pictures, write_ledger
from vle_bench.data_prep.sample_world.printing import Copy, Order, Treatment, draw_all
from vle_bench.data_prep.sample_world.roster import MOST_PICTURES, Roster, build_roster
from vle_bench.data_prep.sample_world.sharing import hide
from vle_bench.data_prep.sample_world.world import World
from vle_bench.errors import UsageProblem

VERSION = 2
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
    members = _members(roster)
    orders = _orders(roster, members)
    files = sum(len(order.copies) for order in orders)
    with claimed(out):
        _make_folders(out, orders)
        scenes = draw_all(orders, out, workers=workers, report=report or (lambda _: None))
        world = World(out, roster, scenes)
        _write_formats(world, members)
        accidents = let_accidents_happen(world, members) if hard else []
        shared = shared_pictures(roster, members)
        write_ledger(world, {**parameters, "files": files}, accidents, shared)
    return SampleWorldSummary(out, images, files, built=True)


def _members(roster: Roster) -> Members:
    hidden = hide(roster)
    cc3m, cc3m_val = web.cc3m_pictures(roster, hidden)
    return Members(vg.vg_pictures(roster, hidden), cc3m, cc3m_val, web.sbu_pictures(roster, hidden))


def _orders(roster: Roster, members: Members) -> list[Order]:
    """Every picture with all the files it goes to."""
    copies: dict[PictureName, list[Copy]] = {drawn.name: [] for drawn in roster.all()}
    at_home = {
        "coco": coco.picture_file,
        "vcr": vcr.picture_file,
        "flickr30k": flickr30k.picture_file,
    }
    for part, pictures in roster.parts.items():
        file_of = at_home.get(part.split("-")[0])
        if file_of is not None:
            for drawn in pictures:
                copies[drawn.name].append(Copy(file_of(drawn)))
    for genome in members.vg:
        copies[genome.drawn.name].append(Copy(genome.file))
    for page in (*members.cc3m, *members.cc3m_val, *members.sbu):
        treatment: Treatment = "same" if page.hidden is None else page.hidden.treatment
        copies[page.drawn.name].append(Copy(page.file, treatment))
    return [Order(name, tuple(files)) for name, files in copies.items()]


def _write_formats(world: World, members: Members) -> None:
    coco.write_coco(world)
    vqav2.write_vqav2(world)
    vcr.write_vcr(world)
    flickr30k.write_flickr30k(world)
    flickr30k_cn.write_flickr30k_cn(world)
    vg.write_vg(world, members.vg)
    web.write_cc3m(world, members.cc3m, members.cc3m_val)
    web.write_sbu(world, members.sbu)


def _make_folders(out: Path, orders: list[Order]) -> None:
    for name in FOLDERS:
        make_folder(out / name)
    for folder in sorted(
        {str(Path(copy.file).parent) for order in orders for copy in order.copies}
    ):
        make_folder(out / folder)
