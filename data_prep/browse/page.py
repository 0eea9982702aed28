"""One HTML file that needs nothing but itself; `vle_bench.pages` keeps it so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vle_bench.atomic import replacing
from vle_bench.data_prep.browse.draw import Drawn
from vle_bench.data_prep.browse.entry import entry
from vle_bench.data_prep.browse.targets import TargetMaker
from vle_bench.data_prep.browse.views import NAMES
from vle_bench.data_prep.prepared import AnySample, answer_names
from vle_bench.pages.markup import asset, base_script, base_style, head, safe_json
from vle_bench.pages.thumbnail import NoThumbnail, data_uri, thumbnail
from vle_bench.patches.grid import PatchGrid
from vle_bench.shards.read import SplitReader

_ASSETS = "vle_bench.data_prep.browse"
_SCRIPTS = ("frames.js", "words.js", "page.js")


def write_page(
    path: Path, drawn: list[Drawn], *, maker: TargetMaker, step: Callable[[], None] = lambda: None
) -> None:
    """Writes the page whole or not at all; pictures pass through one by one.

    Args:
        path: The HTML file.
        drawn: The samples to show.
        maker: Of the patch grid and the training targets that the page can lay over a picture.
        step: Called after every picture.

    Raises:
        DataProblem: A shard is missing, damaged, or newer than its index.
        MachineProblem: The file cannot be written.
    """
    style = base_style() + asset(_ASSETS, "page.css")
    script = base_script() + b"".join(asset(_ASSETS, name) for name in _SCRIPTS)
    with replacing(path) as stream:
        stream.write(head(title(drawn), style=style, script=script))
        stream.write(asset(_ASSETS, "page.html"))
        stream.write(b'<script type="application/json" id="data">')
        stream.write(b'{"about":' + safe_json(_about(drawn, maker.grid)) + b',"pictures":[')
        for number, one in enumerate(_entries(drawn, maker)):
            stream.write((b",\n" if number else b"\n") + safe_json(one))
            step()
        stream.write(b"]}</script>\n<script>" + script + b"</script>\n</body>\n</html>\n")


def _entries(drawn: list[Drawn], maker: TargetMaker) -> Iterator[dict[str, Any]]:
    for part in drawn:
        if not part.rows:
            continue
        answers = answer_names(part.dataset.folder)
        with SplitReader(part.dataset.folder, part.split, hold=False) as reader:
            for row in part.rows:
                sample = reader.sample(row, AnySample)
                try:
                    source = data_uri(thumbnail(reader.picture(row)))
                except NoThumbnail:
                    source = ""
                yield entry(sample, row, source=source, answers=answers, maker=maker)


def _about(drawn: list[Drawn], grid: PatchGrid) -> dict[str, Any]:
    return {
        "columns": grid.columns,
        "rows": grid.rows,
        "patch_size": grid.patch_size,
        "views": NAMES,
        "sample": any(part.dataset.report.sample for part in drawn),
        "shown": sum(len(part.rows) for part in drawn),
        "total": sum(part.total for part in drawn),
        "title": title(drawn),
    }


def title(drawn: list[Drawn]) -> str:
    """What the page is about: its datasets and splits."""
    names: dict[str, list[str]] = {}
    for part in drawn:
        names.setdefault(part.dataset.report.dataset, []).append(part.split)
    return "; ".join(f"{name} ({', '.join(splits)})" for name, splits in names.items())
