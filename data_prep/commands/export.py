"""`vle-prep export`: prepared shards in other people's formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vle_bench.console import PLACE, amount, counted, say

if TYPE_CHECKING:
    from vle_bench.data_prep.export.place import What
    from vle_bench.data_prep.prepared import Prepared


@click.command("export", help="Write prepared shards in other people's formats.")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=PLACE)
@click.option(
    "--format",
    "name",
    required=True,
    type=click.Choice(["lmdb", "arrow", "img2dataset", "lmdb-pictures"]),
    help="lmdb: Chinese-CLIP, ERNIE-ViL 2.0; arrow: METER, ViLT; lmdb-pictures: random access.",
)
@click.option("--out", required=True, type=PLACE, help="Folder to make.")
@click.option("--split", multiple=True, metavar="SPLIT", help="Only this split (repeatable).")
def command(folders: tuple[Path, ...], name: str, out: Path, split: tuple[str, ...]) -> None:
    """Writes the export whole, or nothing at all."""
    from vle_bench.atomic import write_bytes
    from vle_bench.canonical import pretty_json_bytes, sha256_file
    from vle_bench.data_prep.export.place import MARKER, exporting
    from vle_bench.data_prep.prepared import datasets_of, each_split
    from vle_bench.records import as_builtins
    from vle_bench.shards.layout import REPORT

    datasets = datasets_of(folders, split)
    what = _what(name, datasets)
    total = sum(
        shard.samples
        for dataset, part in each_split(datasets)
        for shard in dataset.report.splits[part].shards
    )
    with exporting(out, what, sources=folders) as place, counted(total, name) as step:
        holds = _exporter(name)(datasets, place, step)
        marker = {
            "schema": "vle-bench/export/1",
            **as_builtins(what),
            "sample": any(one.report.sample for one in datasets),
            "sources": {one.report.dataset: sha256_file(one.folder / REPORT) for one in datasets},
            "holds": holds,
        }
        write_bytes(place / MARKER, pretty_json_bytes(marker))
    silent = [split for split, held in holds.items() if _is_silent(held)]
    if silent:
        say(
            f"{', '.join(silent)}: no captions, so no texts. This layout has no place for phrases "
            "of boxes or for questions."
        )
    say(f"{out}: {amount(total, 'picture')} as {name}; {MARKER} there says what it holds.")


def _what(name: str, datasets: Sequence[Prepared]) -> What:
    """What an export of these would be; `UsageProblem` where two of them are one dataset."""
    from vle_bench.data_prep.export.place import What
    from vle_bench.errors import UsageProblem

    folders: dict[str, Path] = {}
    for one in datasets:
        other = folders.setdefault(one.report.dataset, one.folder)
        if other != one.folder:
            raise UsageProblem(
                f"{other} and {one.folder} are both {one.report.dataset}, and an export has room "
                "for one. Give one of them."
            )
    return What(format=name, splits={one.report.dataset: list(one.splits) for one in datasets})


def _is_silent(held: Any) -> bool:
    """Whether a split has pictures and no text; never of a format that has no texts."""
    if not isinstance(held, dict) or "texts" not in held:
        return False
    return not held["texts"] and bool(held.get("images") or held.get("samples"))


def _exporter(
    name: str,
) -> Callable[[list[Prepared], Path, Callable[[], None]], dict[str, Any]]:
    if name == "lmdb":
        from vle_bench.data_prep.export.chinese_clip import export_chinese_clip

        return export_chinese_clip
    if name == "arrow":
        from vle_bench.data_prep.export.arrow import export_arrow

        return export_arrow
    if name == "lmdb-pictures":
        from vle_bench.data_prep.export.picture_stores import export_picture_stores

        return export_picture_stores
    from vle_bench.data_prep.export.img2dataset import export_img2dataset

    return export_img2dataset
