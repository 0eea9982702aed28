"""`vle-prep stats`: counts and histograms of prepared shards."""

from __future__ import annotations

from pathlib import Path

import click

from vle_bench.console import PLACE, counted, say


@click.command("stats", help="Count pictures, boxes, labels, lengths and kinds of questions.")
@click.argument("folder", metavar="DIR", type=PLACE)
@click.option("--split", multiple=True, metavar="SPLIT", help="Only this split (repeatable).")
@click.option("--top", default=25, show_default=True, type=click.IntRange(1), help="Names shown.")
@click.option("--svg", type=PLACE, help="Draw the histograms into FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    folder: Path, split: tuple[str, ...], top: int, svg: Path | None, as_json: bool
) -> None:
    """Prints tables, one dataset after the other."""
    from vle_bench.atomic import write_bytes
    from vle_bench.canonical import pretty_json_bytes
    from vle_bench.data_prep.own_folder import keep_out
    from vle_bench.data_prep.prepared import each_split, prepared_datasets
    from vle_bench.data_prep.tally import tally
    from vle_bench.data_prep.tally_svg import tally_svg
    from vle_bench.data_prep.tally_text import tally_text

    if svg is not None:
        keep_out("--svg", svg)
    datasets = prepared_datasets(folder, split)
    total = sum(
        shard.samples
        for dataset, name in each_split(datasets)
        for shard in dataset.report.splits[name].shards
    )
    with counted(total, "records") as step:
        found = [tally(dataset, step=step) for dataset in datasets]
    if svg is not None:
        write_bytes(svg, tally_svg(found, most=top))
        say(f"{svg}: histograms drawn. Open it in any browser.")
    if as_json:
        document = {"schema": "vle-bench/statistics/1", "datasets": found}
        click.echo(pretty_json_bytes(document), nl=False)
    else:
        click.echo("\n".join(tally_text(one, most=top) for one in found), nl=False)
