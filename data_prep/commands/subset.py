"""`vle-prep subset`: a filtered copy that is a whole dataset again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vle_bench.console import PLACE, amount, say, typed


@click.command("subset", help="Copy the samples that pass filters; pictures are untouched.")
@click.argument("folder", metavar="DIR", type=PLACE)
@click.option("--out", required=True, type=PLACE, help="Folder of shards.")
@click.option("--corpus", multiple=True, metavar="NAME", help="Only this dataset (repeatable).")
@click.option("--split", multiple=True, metavar="SPLIT", help="Only this split (repeatable).")
@click.option("--min-side", type=click.IntRange(1), help="Least pixels of the shorter side.")
@click.option("--max-side", type=click.IntRange(1), help="Most pixels of the longer side.")
@click.option("--key-file", type=PLACE, help="Only these keys, one a line.")
@click.option("--exclude", type=PLACE, help="Not these keys (vle-prep overlap --keys).")
@click.option(
    "--caption-language",
    multiple=True,
    type=click.Choice(["en", "zh"]),
    help="Only captions in this language, by script, and samples that have one (repeatable).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the reports.")
def command(folder: Path, out: Path, **options: Any) -> None:
    """Copies and says how much stayed."""
    from vle_bench.canonical import pretty_json_bytes
    from vle_bench.data_prep.prepared import prepared_datasets
    from vle_bench.data_prep.subset import Filters, check_keys, known_keys, make_subset
    from vle_bench.errors import DataProblem, UsageProblem

    least, most = options["min_side"] or 0, options["max_side"] or 0
    if 0 < most < least:
        raise UsageProblem(f"--min-side {least} --max-side {most}: no picture is so. Widen them.")
    datasets = prepared_datasets(folder, options["split"])
    absent = set(options["corpus"]) - {one.report.dataset for one in datasets}
    if absent:
        raise DataProblem(f"{folder}: holds no {', '.join(sorted(absent))}. Check --corpus.")
    if options["corpus"]:
        datasets = [one for one in datasets if one.report.dataset in options["corpus"]]
    filters = Filters(
        min_side=least,
        max_side=most,
        keys=_keys(options["key_file"]) if options["key_file"] else None,
        languages=tuple(sorted(set(options["caption_language"]))),
        excluded=_excluded(options["exclude"]) if options["exclude"] else frozenset(),
    )
    if filters.keys is not None:
        check_keys(filters.keys, datasets, options["key_file"])
    strangers = len(filters.excluded - known_keys(datasets)) if filters.excluded else 0
    if strangers:
        say(f"{options['exclude']}: {amount(strangers, 'key')} of no sample here.")
    made = [make_subset(one, out, filters) for one in datasets]
    if options["as_json"]:
        document = {"schema": "vle-bench/subset/1", "datasets": [one.report for one in made]}
        click.echo(pretty_json_bytes(document), nl=False)
    for one in made:
        kept = one.report.counts["image"].written
        total = amount(one.samples, "sample")
        say(f"{one.folder}: {kept:,} of {total}. Check it: vle-prep verify {typed(out)}")
    if not any(one.report.counts["image"].written for one in made):
        raise DataProblem(
            f"{out}: no sample of {folder} passes the filters, its report says why. Widen them."
        )


def _excluded(path: Path) -> frozenset[str]:
    from vle_bench.errors import EmptyFile

    try:
        return _keys(path)
    except EmptyFile:  # what vle-prep overlap writes where nothing is shared
        return frozenset()


def _keys(path: Path) -> frozenset[str]:
    from vle_bench.errors import DataProblem
    from vle_bench.inputs import open_source

    try:
        lines = open_source(path, "keys").data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataProblem(f"{path}: is no text in UTF-8. One key a line is expected.") from error
    return frozenset(line.strip() for line in lines if line.strip())
