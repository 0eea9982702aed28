"""`vle-prep verify`: every damaged, missing, extra, renamed or swapped shard, by name."""

from __future__ import annotations

from pathlib import Path

import click

from vle_bench.console import PLACE, amount, say


@click.command("verify", help="Find every damaged, missing, extra, renamed or swapped shard.")
@click.argument("folder", metavar="DIR", type=PLACE)
@click.option("--quick", is_flag=True, help="Sizes, headers and places only; hash no shard.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(folder: Path, quick: bool, as_json: bool) -> None:
    """Prints a line per finding; exits 1 when there is one."""
    from vle_bench.canonical import pretty_json_bytes
    from vle_bench.data_prep.verify import dataset_folders, verify
    from vle_bench.errors import GateFailed

    verdicts = [verify(place, quick=quick) for place in dataset_folders(folder)]
    if as_json:
        document = {"schema": "vle-bench/verification/1", "datasets": verdicts}
        click.echo(pretty_json_bytes(document), nl=False)
    failed = 0
    for verdict in verdicts:
        for finding in verdict.findings:
            failed += 1
            if not as_json:
                click.echo(str(finding))
        if not verdict.findings:
            how = "sizes and headers are" if quick else "every byte is"
            say(
                f"{verdict.folder}: {amount(verdict.shards, 'shard')}, "
                f"{amount(verdict.samples, 'sample')}, {how} as written."
            )
    if failed:
        raise GateFailed(
            f"{folder}: {amount(failed, 'finding')}. vle-prep repair {folder} --raw RAW builds "
            "just the damaged and missing shards again; so does the vle-prep run that made them."
        )
