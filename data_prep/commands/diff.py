"""`vle-prep diff`: which samples differ between two builds, and how."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
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
    from vle_bench.data_prep.difference import difference
    from vle_bench.errors import GateFailed

    found = difference(a, b)
    if as_json:
        _print_document(found)
    else:
        for line in islice(_lines(found), _MOST_LINES):
            click.echo(line)
        count = sum(map(len, (found.only_a, found.only_b, found.pictures, found.records)))
        if count > _MOST_LINES:
            click.echo(f"... and {count - _MOST_LINES:,} more (--json names all).")
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


def _lines(found: Difference) -> Iterator[str]:
    yield from (f"{one.key}: only in A" for one in found.only_a)
    yield from (f"{one.key}: only in B" for one in found.only_b)
    yield from (f"{one.key}: picture differs" for one in found.pictures)
    yield from (f"{one.key}: record differs: {', '.join(one.fields)}" for one in found.records)


def _print_document(found: Difference) -> None:
    """Prints the JSON document item by item; millions of samples may differ."""
    from vle_bench.canonical import pretty_json_stream

    document = {
        "schema": "vle-bench/difference/1",
        "dataset": found.dataset,
        "samples": found.samples,
        "only_a": (one.key for one in found.only_a),
        "only_b": (one.key for one in found.only_b),
        "pictures": (one.key for one in found.pictures),
        "records": ({"key": one.key, "fields": one.fields} for one in found.records),
        "elsewhere": found.elsewhere,
    }
    for part in pretty_json_stream(document):
        click.echo(part, nl=False)
