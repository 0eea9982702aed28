"""`vle-prep browse`: one HTML file of sample pictures with their boxes and words."""

from __future__ import annotations

from pathlib import Path

import click

from vle_bench.console import PLACE, amount, counted, say


@click.command("browse", help="Write one HTML file of pictures with boxes, words and patches.")
@click.argument("folder", metavar="DIR", type=PLACE)
@click.option("--html", "page", required=True, type=PLACE, help="File to write.")
@click.option("--split", multiple=True, metavar="SPLIT", help="Only this split (repeatable).")
@click.option("--samples", default=200, show_default=True, type=click.IntRange(1, 5000))
@click.option("--seed", default=0, show_default=True, help="Another seed, other samples.")
@click.option(
    "--image-size",
    default=384,
    show_default=True,
    type=click.IntRange(16, 2048),
    help="Model input, for the patch grid.",
)
@click.option("--patch-size", default=16, show_default=True, type=click.IntRange(4, 256))
@click.option(
    "--vocabulary",
    type=PLACE,
    help="Classes of the training targets. [default: COCO's 80]",
)
def command(
    folder: Path,
    page: Path,
    split: tuple[str, ...],
    samples: int,
    *,
    seed: int,
    vocabulary: Path | None,
    **sizes: int,
) -> None:
    """Draws samples and writes the page."""
    from vle_bench.data_prep.browse.draw import draw
    from vle_bench.data_prep.browse.page import write_page
    from vle_bench.data_prep.browse.targets import TargetMaker
    from vle_bench.data_prep.own_folder import keep_out
    from vle_bench.data_prep.prepared import prepared_datasets
    from vle_bench.errors import UsageProblem
    from vle_bench.labels.vocabulary import coco_vocabulary, read_vocabulary
    from vle_bench.patches.grid import PatchGrid

    if sizes["image_size"] % sizes["patch_size"]:
        raise UsageProblem("--image-size must be a multiple of --patch-size.")
    keep_out("--html", page)
    grid = PatchGrid.of(sizes["image_size"], sizes["patch_size"])
    classes = read_vocabulary(vocabulary) if vocabulary else coco_vocabulary()
    maker = TargetMaker.of(classes, grid, seed=seed)
    drawn = draw(prepared_datasets(folder, split), samples=samples, seed=seed)
    shown = sum(len(part.rows) for part in drawn)
    with counted(shown, "pictures") as step:
        write_page(page, drawn, maker=maker, step=step)
    total = sum(part.total for part in drawn)
    size = page.stat().st_size / (1 << 20)
    say(f"{page}: {shown:,} of {amount(total, 'sample')}, {size:.1f} MiB. Open it in any browser.")
