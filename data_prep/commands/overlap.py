"""`vle-prep overlap`: pictures shared between training shards and evaluation splits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from vle_bench.console import PLACE, amount, counted, say

_AGAINST = "--against"


class _Several(click.Command):
    """Lets `--against A B` stand for `--against A --against B`, as the shell writes `*`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeats the option before each of its values."""
        spread: list[str] = []
        after = 0
        for one in args:
            if one.startswith("-") and one != "-":
                after = 1 if one == _AGAINST else 0
            elif after:
                if after > 1:
                    spread.append(_AGAINST)
                after += 1
            spread.append(one)
        return super().parse_args(ctx, spread)


@click.command(
    "overlap",
    cls=_Several,
    help="Find pictures of training shards that are evaluation pictures too: by COCO id, Flickr "
    "photo id, bytes, and looks (copies that were encoded again or scaled).",
)
@click.argument("folder", metavar="DIR", type=PLACE)
@click.option(
    _AGAINST,
    required=True,
    multiple=True,
    metavar="DIR...",
    type=PLACE,
    help="Prepared datasets, or folders of them, to be evaluated on.",
)
@click.option(
    "--split", multiple=True, metavar="SPLIT", help="Evaluation splits. [default: no training ones]"
)
@click.option(
    "--train-split", multiple=True, metavar="SPLIT", help="Splits of DIR. [default: train, restval]"
)
@click.option("--exact-only", is_flag=True, help="Ids and bytes alone; no picture is decoded.")
@click.option("--out", type=PLACE, help="Every pair: .parquet or .jsonl.")
@click.option(
    "--keys",
    type=PLACE,
    help="Keys of the training pictures found, one a line, for vle-prep subset --exclude.",
)
@click.option("--workers", type=click.IntRange(1), help="Processes. [default: all cores]")
@click.option("--strict", is_flag=True, help="Exit 1 where anything is shared.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(folder: Path, against: tuple[Path, ...], **options: Any) -> None:
    """Prints what is shared, by evaluation split and evidence."""
    from vle_bench.canonical import pretty_json_bytes
    from vle_bench.data_prep.overlap.findings import (
        check_ending,
        overlap_text,
        write_keys,
        write_pairs,
    )
    from vle_bench.data_prep.overlap.search import Search
    from vle_bench.data_prep.overlap.sides import evaluation_side, training_side
    from vle_bench.data_prep.own_folder import keep_out
    from vle_bench.errors import GateFailed

    if options["out"] is not None:
        check_ending(options["out"])
    for name in ("out", "keys"):
        if options[name] is not None:
            keep_out(f"--{name}", options[name])
    search = Search(
        training_side(folder, options["train_split"]),
        evaluation_side(against, options["split"]),
        workers=options["workers"] or os.cpu_count() or 1,
        looks=not options["exact_only"],
    )
    with counted(search.training.pictures + search.evaluation.pictures, "pictures") as step:
        found = search.run(step)
    document = found.document
    if options["as_json"]:
        click.echo(pretty_json_bytes(document), nl=False)
    else:
        click.echo(overlap_text(document), nl=False)
    if search.not_kept:
        say(f"Fingerprints of {amount(search.not_kept, 'shard')} could not be kept, no matter.")
    if options["out"] is not None:
        write_pairs(options["out"], found.pairs)
        say(f"{options['out']}: {amount(document.pairs, 'pair')}.")
    if options["keys"] is not None:
        number = write_keys(options["keys"], found.pairs)
        say(f"{options['keys']}: {amount(number, 'key')}, for vle-prep subset --exclude.")
    if options["strict"] and document.pairs:
        raise GateFailed(
            f"{folder}: shares {amount(document.training_pictures, 'picture')} with what it would "
            "be evaluated on. To leave them out: --keys FILE, then vle-prep subset --exclude FILE."
        )
