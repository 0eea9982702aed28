"""`vle-prep repair`: just the damaged and missing shards, bit for bit as they were."""

from __future__ import annotations

import os
from pathlib import Path

import click

from vle_bench.console import PLACE, say


@click.command("repair", help="Build just the damaged and missing shards again, bit for bit.")
@click.argument("folder", metavar="DIR", type=PLACE)
@click.option("--raw", required=True, type=PLACE, help="Raw downloads.")
@click.option("--workers", type=click.IntRange(1), help="Processes. [default: all cores]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(folder: Path, raw: Path, workers: int | None, as_json: bool) -> None:
    """Prints what was done; exits 1 when something stays wrong."""
    from vle_bench.canonical import pretty_json_bytes
    from vle_bench.data_prep.repair import repair
    from vle_bench.data_prep.verify import dataset_folders
    from vle_bench.errors import GateFailed

    done = [
        repair(one, raw, workers=workers or os.cpu_count() or 1) for one in dataset_folders(folder)
    ]
    if as_json:
        rows = [
            {
                "folder": str(one.folder),
                "built": one.built,
                "beside": one.beside,
                "removed": one.removed,
                "left": one.left,
            }
            for one in done
        ]
        document = {"schema": "vle-bench/repair/1", "datasets": rows}
        click.echo(pretty_json_bytes(document), nl=False)
    for one in done:
        if not as_json:
            for what, places in (
                ("built again", one.built),
                ("written again", one.beside),
                ("a copy of another shard, removed", one.removed),
            ):
                for place in places:
                    click.echo(f"{place}: {what}")
            for finding in one.left:
                click.echo(str(finding))
        count = len(one.built) + len(one.beside) + len(one.removed)
        say(
            f"{one.folder}: {count} repaired, {len(one.left)} left."
            if count or one.left
            else f"{one.folder}: nothing to repair, every byte is as written."
        )
    if any(one.left for one in done):
        raise GateFailed(f"{folder}: what is left is none of our files. Move or remove it.")
