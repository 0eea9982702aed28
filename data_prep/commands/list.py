"""`vle-prep list`: the datasets, their splits, licences and files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vle_bench.console import PLACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vle_bench.data_prep.survey import DatasetFacts, NeedLine


@click.command("list", help="Datasets: splits, expected counts, licence, files needed.")
@click.option("--raw", type=PLACE, help="Also say which files are here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(raw: Path | None, as_json: bool) -> None:
    """Prints what the manifests know."""
    from vle_bench.canonical import pretty_json_bytes
    from vle_bench.data_prep.survey import facts

    known = facts(raw)
    if as_json:
        document = {"schema": "vle-bench/datasets/1", "datasets": known}
        click.echo(pretty_json_bytes(document), nl=False)
        return
    click.echo("\n\n".join("\n".join(_text(dataset, raw is not None)) for dataset in known))


def _text(dataset: DatasetFacts, looked: bool) -> Iterator[str]:
    how = f"vle-prep run {dataset.name}" if dataset.prepared else "described, not prepared here"
    yield f"{dataset.name}: {dataset.title} [{how}]"
    for licence in dataset.licences:
        yield f"  licence of {licence}"
    for split in dataset.splits:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in split.expected.items())
        scheme = f" ({split.scheme})" if split.scheme else ""
        yield f"  {split.split}{scheme}: {counts or 'no count published'}"
        for need in split.needs:
            yield f"    {need.path} ({need.gives}{_weight(need)})" + (
                _found(need) if looked else _offered(need)
            )


def _weight(need: NeedLine) -> str:
    if need.instead:
        return f", or {need.instead}"
    return "" if need.required else ", optional"


def _found(need: NeedLine) -> str:
    from vle_bench.data_prep.plan import unfinished_download

    if need.found:
        there = need.found == need.path.rstrip("/")
        return ": present" if there else f": present, {need.found}"
    part = f", {unfinished_download(need.unfinished)}" if need.unfinished else _offered(need)
    return f": {'MISSING' if need.required else 'absent'}{part}"


def _offered(need: NeedLine) -> str:
    return f", in {need.download}" if need.download else ""
