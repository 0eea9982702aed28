"""`vle-prep vocab`: the classes of prepared data, one a line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vle_bench.console import PLACE, amount, say, verb

if TYPE_CHECKING:
    from vle_bench.data_prep.classes import ClassTable


@click.command("vocab", help="Count the names of object boxes into a class vocabulary.")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=PLACE)
@click.option("--out", required=True, type=PLACE, help="The vocabulary file.")
@click.option(
    "--classes",
    type=click.IntRange(min=1),
    default=1600,
    show_default=True,
    help="Most classes taken from the data.",
)
@click.option(
    "--at-least",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Boxes that a class needs.",
)
@click.option(
    "--split", "splits", multiple=True, help="Splits to count. [default: train and restval]"
)
@click.option(
    "--synonyms",
    type=PLACE,
    default=None,
    help="Names that are one class, a group a line (object_alias.txt of Visual Genome).",
)
@click.option(
    "--vocabulary",
    type=PLACE,
    default=None,
    help="Take these classes (1600-400-20 of bottom-up-attention), only count their boxes.",
)
@click.option("--with-coco", is_flag=True, help="COCO's 80 classes first, one label space of both.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def command(
    context: click.Context,
    folders: tuple[Path, ...],
    *,
    out: Path,
    classes: int,
    at_least: int,
    splits: tuple[str, ...],
    synonyms: Path | None,
    vocabulary: Path | None,
    with_coco: bool,
    as_json: bool,
) -> None:
    """Writes the vocabulary; the number of a line, from 0, is the label."""
    from vle_bench.atomic import write_if_changed
    from vle_bench.canonical import pretty_json_bytes
    from vle_bench.data_prep.classes import class_table, prepared_names
    from vle_bench.data_prep.own_folder import keep_out
    from vle_bench.labels.vocabulary import read_synonyms, read_vocabulary, vocabulary_bytes

    keep_out("--out", out)
    if vocabulary:
        _refuse_counting(context)
    given = read_vocabulary(vocabulary) if vocabulary else None
    groups = read_synonyms(synonyms) if synonyms else ()
    table = class_table(
        prepared_names(folders, splits),
        classes=classes,
        at_least=at_least,
        synonyms=groups,
        given=given,
        with_coco=with_coco,
    )
    write_if_changed(out, vocabulary_bytes(table.counted.vocabulary))
    if as_json:
        click.echo(pretty_json_bytes(_document(table, out)), nl=False)
    _tell(table, out)


def _refuse_counting(context: click.Context) -> None:
    """Raises UsageProblem where an option was given that chooses classes by their boxes."""
    from click.core import ParameterSource

    from vle_bench.errors import UsageProblem

    chosen = [
        f"--{name.replace('_', '-')}"
        for name in ("classes", "at_least", "synonyms")
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    ]
    if chosen:
        raise UsageProblem(
            f"--vocabulary gives the classes, {' and '.join(chosen)} would choose them from the "
            "data: give one or the other."
        )


def _document(table: ClassTable, out: Path) -> dict[str, Any]:
    counted, names = table.counted, table.names
    return {
        "schema": "vle-bench/vocabulary/1",
        "vocabulary": str(out),
        "sample": names.sample,
        "splits": [
            {"dataset": one.dataset, "split": one.split, "samples": one.samples}
            for one in names.splits
        ],
        "boxes": {
            "read": names.counts.boxes,
            "with_class": sum(counted.boxes),
            "without_class": counted.left_out,
            "without_name": names.counts.nameless,
        },
        "classes": [
            {"label": label, "names": name, "boxes": boxes}
            for label, (name, boxes) in enumerate(
                zip(counted.vocabulary.classes, counted.boxes, strict=True)
            )
        ],
    }


def _tell(table: ClassTable, out: Path) -> None:
    counted, names = table.counted, table.names
    world = " (sample world)" if names.sample else ""
    share = 100 * sum(counted.boxes) / names.counts.boxes
    say(
        f"{amount(names.counts.boxes, 'object box', 'object boxes')}{world}, "
        f"{amount(len(names.counts.names), 'name')}; "
        f"{share:.1f} % of the boxes have a class, "
        f"{counted.left_out:,} {verb(counted.left_out, 'has', 'have')} none, "
        f"{names.counts.nameless:,} {verb(names.counts.nameless, 'has', 'have')} no name."
    )
    classes = amount(len(counted.vocabulary), "class", "classes")
    say(f"{out}: {classes}; the number of a line, from 0, is the label.")
