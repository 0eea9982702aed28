"""`vle-prep sample`: the sample world."""

from __future__ import annotations

from pathlib import Path

import click

from vle_bench.console import PLACE, amount, say


@click.command("sample", help="Write a small drawn world in the official raw formats.")
@click.option("--out", required=True, type=PLACE, help="Root of the raw files.")
@click.option(
    "--images",
    default=240,
    show_default=True,
    type=click.IntRange(1, 500_000),
    help="How many distinct pictures.",
)
@click.option("--seed", default=0, show_default=True, help="Another seed, another world.")
@click.option("--hard", is_flag=True, help="Add the accidents of real data.")
@click.option("--workers", type=click.IntRange(1), help="Processes. [default: all cores]")
def command(out: Path, images: int, seed: int, hard: bool, workers: int | None) -> None:
    """Builds the world, or says that it is already there."""
    from tqdm import tqdm

    from vle_bench.data_prep.own_folder import keep_out
    from vle_bench.data_prep.sample_world import build_sample_world

    keep_out("--out", out)
    tqdm.monitor_interval = 0  # no thread that the end of the interpreter would have to kill
    with tqdm(total=images, desc="drawing", unit="", leave=False, disable=None) as bar:

        def report(done: int) -> None:
            bar.update(done)

        summary = build_sample_world(
            out, images=images, seed=seed, hard=hard, workers=workers, report=report
        )
    if summary.built:
        say(f"{amount(summary.images, 'picture')} drawn into {amount(summary.files, 'file')}.")
    else:
        say("The sample world is already there, nothing was changed.")
    ledger = summary.out / "sample_world.json"
    say(f"{summary.out}: raw files of every dataset; {ledger} says what is in them.")
