"""`vle-prep diff`: which samples differ between two builds, and how."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vle_bench.console import PLACE, amount, say

if TYPE_CHECKING:
    from vle_bench.data_prep.difference import Difference

_MOST_LINES = 50


@click.command("diff", help="Which samples differ between two builds, and in what; exit 1 if any.")
@click.argument("a", metavar="A", type=PLACE)
@click.argument("b", metavar="B", type=PLACE)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, nothing cut short.")
def command(a: Path, b: Path, as_json: bool) -> None:
    """Prints a line per sample; exits 1 when there is one."""
    from vle_bench.canonical import pretty_json_bytes
    from vle_bench.data_prep.difference import difference
    from vle_bench.errors import GateFailed

    found = difference(a, b)
    if as_json:
        click.echo(pretty_json_bytes(found), nl=False)
    else:
        lines = _lines(found)
        for line in lines[:_MOST_LINES]:
            click.echo(line)
        if len(lines) > _MOST_LINES:
            click.echo(f"... and {len(lines) - _MOST_LINES:,} more (--json names all).")
    if found.elsewhere:
        moved = amount(found.elsewhere, "sample")
        say(f"{moved} in another shard than before, which is no difference.")
    if not found.equal:
        raise GateFailed(
            f"{found.dataset}: {len(found.only_a):,} only in A, {len(found.only_b):,} only in B, "
            f"{amount(len(found.pictures), 'picture')} and "
            f"{amount(len(found.records), 'record')} differ."
        )
    say(f"{found.dataset}: the same {amount(found.samples[0], 'sample')}.")


def _lines(found: Difference) -> list[str]:
    return [
        *(f"{key}: only in A" for key in found.only_a),
        *(f"{key}: only in B" for key in found.only_b),
        *(f"{key}: picture differs" for key in found.pictures),
        *(f"{one.key}: record differs: {', '.join(one.fields)}" for one in found.records),
    ]
