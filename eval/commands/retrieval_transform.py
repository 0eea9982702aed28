"""`vle-eval retrieval-transform`: the references of texts that ask, for pictures that ask."""

from __future__ import annotations

from pathlib import Path

import click

from vle_bench.console import PLACE


@click.command(name="retrieval-transform")
@click.argument("given", type=PLACE, metavar="IN")
@click.argument("wanted", type=PLACE, metavar="OUT")
@click.option("--split", default="", help="The split of a Karpathy file; default: test.")
def command(given: Path, wanted: Path, split: str) -> None:
    """Turns text-to-image references IN into image-to-text ones OUT, as ERNIE-ViL 2.0 does.

    IN holds {"text_id", "image_ids"} a line (or is COCO captions_*.json, dataset_*.json); OUT
    gets {"image_id", "text_ids"} a line, pictures in the order of their first appearance.
    """
    from vle_bench.atomic import write_bytes
    from vle_bench.console import say
    from vle_bench.errors import UsageProblem
    from vle_bench.eval.retrieval.interchange import turned_references

    if wanted.resolve() == given.resolve():
        raise UsageProblem(f"{wanted} is both IN and OUT. Name another file for OUT.")
    lines, pictures, pairs = turned_references(given, split)
    write_bytes(wanted, lines)
    say(f"{wanted}: {pictures:,} pictures, {pairs:,} pairs. Their program names it *.tr.jsonl.")
