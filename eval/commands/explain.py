"""`vle-eval explain`: why one item scored as it did."""

from __future__ import annotations

from pathlib import Path

import click

from vle_bench.console import PLACE


@click.command("explain")
@click.argument("result", type=PLACE)
@click.option("--id", "one", required=True, metavar="ID", help="The item, as items.parquet has it.")
@click.option("--all-protocols", is_flag=True, help="VQA: under every protocol.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(result: Path, *, one: str, all_protocols: bool, as_json: bool) -> None:
    """Shows why one item of RESULT scored as it did.

    RESULT is a leaf folder of the store, or the result.json in it. For VQA: every step of the
    normalisation of the prediction and of each answer, and every annotator's term. For the other
    tasks: the stored row, the prediction, its picks and ties, what was asked and what is right.
    """
    from vle_bench.canonical import pretty_json_bytes
    from vle_bench.eval.explain.stored import explain
    from vle_bench.eval.explain.text import explanation_text

    explanation = explain(result, one, every_protocol=all_protocols)
    if as_json:
        click.echo(pretty_json_bytes(explanation).decode("utf-8"), nl=False)
    else:
        click.echo(explanation_text(explanation), nl=False)
