"""`vle-prep plan`: what a run would find and need; touches nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vle_bench.console import PLACE

if TYPE_CHECKING:
    from vle_bench.data_prep.survey import Survey

_GIB = 1 << 30


@click.command("plan", help="What is present and missing, how much a run would write.")
@click.argument("name")
@click.option("--raw", required=True, type=PLACE, help="Raw downloads.")
@click.option("--out", required=True, metavar="PATH|URL", help="Folder of shards; s3://... too.")
@click.option("--stage", type=PLACE, help="URL: where shards are made. [default: a cache folder]")
@click.option(
    "--scheme",
    type=click.Choice(["karpathy", "2014", "2017", "entities"]),
    default=None,
    help="How COCO and Flickr30k are split. [default: karpathy; Flickr30k: by what is there]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    name: str, *, raw: Path, out: str, stage: Path | None, scheme: str | None, as_json: bool
) -> None:
    """Surveys the raw folder; exits 3 where no split can be prepared."""
    from vle_bench.canonical import pretty_json_bytes
    from vle_bench.data_prep.datasets.base import Parameters
    from vle_bench.data_prep.remote.output import output_of
    from vle_bench.data_prep.survey import survey
    from vle_bench.errors import DataProblem

    output = output_of(out, stage)
    found = survey(name, raw, output.folder, Parameters(scheme=scheme or ""))
    if as_json:
        click.echo(pretty_json_bytes(found), nl=False)
    else:
        click.echo("\n".join((*_lines(found), _room(found, output.url))))
    if all(split.missing for split in found.splits):
        raise DataProblem(
            f"{raw}: no split of {name} can be prepared, annotation files are missing."
        )


def _lines(found: Survey) -> list[str]:
    from vle_bench.data_prep.plan import unfinished_download

    lines = [f"{found.dataset}{' (sample world)' if found.sample else ''}", ""]
    wide = max((len(need.gives) for need in found.needs), default=0)
    for need in found.needs:
        absent = f"absent ({need.instead} is here)" if need.instead else "absent (optional)"
        place = need.found or ("MISSING" if need.required else absent)
        if need.found == need.path.rstrip("/"):
            place = "present"
        elif need.unfinished:
            lacks = "MISSING" if need.required else "absent"
            place = f"{lacks}, {unfinished_download(need.unfinished)}"
        lines.append(f"  {need.gives:<{wide}} {need.path:<56} {place}")
    lines += ["", f"{'split':<8}{'images':>10}{'pictures':>10}{'shards':>8}{'GiB':>9}"]
    for split in found.splits:
        if split.missing:
            lines.append(f"{split.split:<8}cannot be prepared: {', '.join(split.missing)} missing")
            continue
        lines.append(
            f"{split.split:<8}{split.images:>10,}{split.pictures:>10,}{split.shards:>8,}"
            f"{split.bytes / _GIB:>9.3f}"
        )
    return lines


def _room(found: Survey, url: str) -> str:
    much, free = f"{found.bytes / _GIB:.3f} GiB", f"{found.free_bytes / _GIB:.1f} GiB"
    if url:
        return f"About {much} to write to {url}; {free} free here for the shards in the making."
    room = "enough" if found.free_bytes > found.bytes else "NOT ENOUGH"
    return f"About {much} to write, {free} free: {room}."
