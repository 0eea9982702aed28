"""`vle-prep run`: raw files to verified shards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vle_bench.console import PLACE, amount, say, typed

if TYPE_CHECKING:
    from vle_bench.data_prep.datasets.base import Dataset, Parameters
    from vle_bench.data_prep.journal import Slice
    from vle_bench.data_prep.remote.output import Output
    from vle_bench.data_prep.run import Prepared, Request

_MOST_TOLD = 8
_OF_SOME = ("seed", "labels", "min_answer_count")
"""Parameters that not every dataset reads; `scheme` is settled against the raw files."""


@click.command("run", help="Turn raw files into verified shards; again, and only changes are made.")
@click.argument("name")
@click.option("--raw", required=True, type=PLACE, help="Raw downloads.")
@click.option("--out", required=True, metavar="PATH|URL", help="Folder of shards; s3://... too.")
@click.option("--stage", type=PLACE, help="URL: where shards are made. [default: a cache folder]")
@click.option("--split", multiple=True, metavar="SPLIT", help="Only this split (repeatable).")
@click.option(
    "--samples-per-shard", default=1000, show_default=True, type=click.IntRange(1, 1_000_000)
)
@click.option("--workers", type=click.IntRange(1), help="Processes. [default: all cores]")
@click.option(
    "--engine",
    default="local",
    show_default=True,
    metavar="local|ray",
    help="Where the work is done; ray: here, or on the cluster of RAY_ADDRESS.",
)
@click.option("--slice", "part", metavar="I/N", help="Build only part I of N (I from 0).")
@click.option("--finish", is_flag=True, help="After all slices: make indexes, card and report.")
@click.option(
    "--or-sample",
    type=PLACE,
    metavar="DIR",
    help="Where RAW holds none of the data, prepare the sample world below DIR.",
)
@click.option(
    "--labels",
    type=click.Choice(["raw", "normalised"]),
    help="VQA: how answers are looked up for soft targets. [default: raw]",
)
@click.option(
    "--min-answer-count",
    type=click.IntRange(1),
    help="VQA: occurrences that make an answer a class. [default: 9]",
)
@click.option("--seed", type=int, help="VQA: seed of the held-out images. [default: 0]")
@click.option(
    "--scheme",
    type=click.Choice(["karpathy", "2014", "2017", "entities"]),
    default=None,
    help="How COCO and Flickr30k are split. [default: karpathy; Flickr30k: by what is there]",
)
@click.option(
    "--rule",
    "with_rules",
    multiple=True,
    metavar="RULE",
    help="Leak guard: a rule more than those by default, e.g. vqav2-val (repeatable).",
)
@click.option(
    "--no-rule",
    "without_rules",
    multiple=True,
    metavar="RULE",
    help="Leak guard: switch a rule off (repeatable).",
)
@click.option(
    "--strict-overlap",
    is_flag=True,
    help="Leak guard: stop where a rule cannot be checked for want of its files.",
)
@click.option("--json", "as_json", is_flag=True, help="Print report.json.")
def command(name: str, raw: Path, out: str, **options: Any) -> None:
    """Prepares the dataset, or the sample world in its place."""
    from vle_bench.data_prep.datasets.registry import DATASETS
    from vle_bench.data_prep.remote.output import most_workers, output_of, writing
    from vle_bench.data_prep.run import Request, prepare
    from vle_bench.data_prep.slices import parse_slice
    from vle_bench.shards.report import report_bytes

    # A wrong name or option is told before a sample world is drawn for it.
    parameters = _parameters(DATASETS.load(name), options)
    if options["or_sample"] is not None:
        raw, out = _or_sample(name, raw, out, options["or_sample"])
    part = parse_slice(options["part"]) if options["part"] is not None else None
    output = output_of(out, options["stage"], part=part)
    request = Request(
        dataset=name,
        raw=raw,
        out=output.folder,
        url=output.url,
        splits=options["split"],
        parameters=parameters,
        workers=most_workers(output, options["workers"] or 0),
        engine=options["engine"],
        build=not options["finish"],
        strict=options["strict_overlap"],
    )
    if part is not None:
        _slice(request, output, part, options)
        return
    with writing(output, name):
        prepared = prepare(request)
    if options["as_json"]:
        click.echo(report_bytes(prepared.report), nl=False)
    else:
        click.echo(_table(prepared))
    _tell(prepared, output.shown(name))
    _not_empty(prepared, raw)


def _parameters(dataset: Dataset, options: dict[str, Any]) -> Parameters:
    """What the user chose; `UsageProblem` where the dataset would not read it."""
    from vle_bench.data_prep.datasets.base import Parameters
    from vle_bench.data_prep.leaks.rules import choose
    from vle_bench.errors import UsageProblem

    given = {name: options[name] for name in _OF_SOME if options[name] is not None}
    for name, value in given.items():
        if name not in dataset.parameters:
            option = "--" + name.replace("_", "-")
            raise UsageProblem(f"{option} {value}: {dataset.name} takes no {option}. Leave it out.")
    return Parameters(
        samples_per_shard=options["samples_per_shard"],
        scheme=options["scheme"] or "",
        rules=choose(
            dataset.name,
            with_rules=options["with_rules"],
            without=options["without_rules"],
            strict=options["strict_overlap"],
        ),
        **given,
    )


def _slice(request: Request, output: Output, part: Slice, options: dict[str, Any]) -> None:
    """Builds one slice and says what is left to do."""
    from vle_bench.canonical import pretty_json_bytes
    from vle_bench.data_prep.remote.output import writing
    from vle_bench.data_prep.slices import prepare_slice
    from vle_bench.errors import UsageProblem

    if options["finish"]:
        raise UsageProblem("--slice builds a part and --finish ends all of them: give one.")
    with writing(output, request.dataset):
        done = prepare_slice(request, part)
    if options["as_json"]:
        click.echo(pretty_json_bytes({"schema": "vle-bench/slice/1", "slice": done}), nl=False)
    place, built = output.shown(request.dataset), amount(done.built, "shard")
    say(
        f"{place}: slice {options['part']}: {built} built, {done.shards - done.built} "
        f"verified and kept, of {done.planned} in all. When every slice is done, run the same "
        "command with --finish in place of --slice."
    )


def _or_sample(name: str, raw: Path, out: str, instead: Path) -> tuple[Path, str]:
    """The raw and output folders to use: the user's, or those of the sample world."""
    from vle_bench.catalog.datasets import load_dataset_manifest
    from vle_bench.data_prep.plan import has_any_file
    from vle_bench.data_prep.sample_world import build_sample_world
    from vle_bench.data_prep.sources import RawTree

    if has_any_file(load_dataset_manifest(name), RawTree(raw)):
        return raw, out
    say(f"{raw} holds no file of {name}: the sample world (drawn pictures) is prepared instead.")
    build_sample_world(instead / "raw")
    return instead / "raw", str(instead / "shards")


def _table(prepared: Prepared) -> str:
    from vle_bench.shards.index import KINDS

    title = " (sample world)" if prepared.report.sample else ""
    heads = f"{'images':>10}{'questions':>11}{'captions':>10}{'boxes':>10}{'left out':>10}"
    lines = [f"{prepared.report.dataset}{title}", f"{'split':<8}{'shards':>8}{heads}"]
    widths = (10, 11, 10, 10)
    for name in prepared.splits:
        split = prepared.report.splits[name]
        written = "".join(
            f"{split.counts[kind].written:>{width},}"
            for kind, width in zip(KINDS, widths, strict=True)
        )
        left = sum(sum(counts.skipped.values()) for counts in split.counts.values())
        lines.append(f"{name:<8}{len(split.shards):>8,}{written}{left:>10,}")
    return "\n".join(lines)


def _tell(prepared: Prepared, place: str) -> None:
    """Changes, warnings and where the result lies, for people."""
    from vle_bench.shards.layout import REPORT

    unchecked = _tell_leaks(prepared)
    warnings = [
        f"{name}: {text}"
        for name in prepared.splits
        for text in prepared.report.splits[name].warnings
        if text not in unchecked
    ]
    for told, rest in ((prepared.changes, "changes"), (warnings, f"warnings in {REPORT}")):
        for line in told[:_MOST_TOLD]:
            say(line)
        if len(told) > _MOST_TOLD:
            say(f"... and {len(told) - _MOST_TOLD} more {rest}.")
    built = amount(prepared.built, "shard")
    say(
        f"{place}: {built} built, {prepared.kept:,} verified and kept. "
        f"Check them any time: vle-prep verify {typed(place)}"
    )


def _not_empty(prepared: Prepared, raw: Path) -> None:
    """A run that found no picture at all has closed its books, but whoever goes on has nothing."""
    from vle_bench.catalog.datasets import load_dataset_manifest
    from vle_bench.data_prep.reasons import classes_of
    from vle_bench.errors import DataProblem

    images = [prepared.report.splits[name].counts["image"] for name in prepared.splits]
    read = sum(one.read for one in images)
    if read and read == sum(classes_of(one.skipped).get("missing", 0) for one in images):
        name = prepared.report.dataset
        listed = any(need.path.endswith("/") for need in load_dataset_manifest(name).needs)
        cure = (
            f"vle-prep plan {name} --raw {typed(raw)} says where they belong."
            if listed
            else f"vle-prep fetch {name} --raw {typed(raw)} downloads those of a list."
        )
        raise DataProblem(
            f"{raw}: holds no picture of the {amount(read, 'image')} of {name}, so no shard was "
            f"written. {cure}"
        )


def _tell_leaks(prepared: Prepared) -> frozenset[str]:
    """What the leak guard left out and what it could not check, once for all splits."""
    from vle_bench.data_prep.leaks.evidence import EXCLUDED
    from vle_bench.data_prep.leaks.guard import EXPLANATIONS, not_checked

    splits = {name: prepared.report.splits[name] for name in prepared.splits}
    reports = [one for split in splits.values() for one in split.overlap]
    unchecked = dict.fromkeys(text for one in reports if (text := not_checked(one)))
    for text in unchecked:
        say(text)
    for name, split in splits.items():
        left_out = split.counts["image"].skipped.get(EXCLUDED, 0)
        if left_out:
            pictures = amount(left_out, "evaluation picture")
            say(f"{name}: {pictures} left out, {name}/{EXPLANATIONS} explains each.")
    return frozenset(unchecked)
