"""The page and its folder, under their names together or not at all.

The pieces lie in `NAME_items/<digest of their bytes>/`, and the page names that
folder. So a new page never meets old pieces: the folder is renamed into place
when it is whole, then the page, and only then the folder of the page before
goes. Killed in between, the old page still finds its own pieces.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vle_bench.atomic import alone, make_folder, replacing, write_if_changed
from vle_bench.console import progress
from vle_bench.errors import DataProblem, machine_errors
from vle_bench.eval.leaderboard.board import Group, groups_of
from vle_bench.eval.leaderboard.page.item_sets import ItemSet, item_sets, read_runs
from vle_bench.eval.leaderboard.page.pieces import (
    ITEMS_A_PIECE,
    Options,
    Piece,
    run_pieces,
    script_of,
    set_pieces,
)
from vle_bench.eval.leaderboard.page.tables import page_groups
from vle_bench.pages.markup import asset, base_script, base_style, head, safe_json
from vle_bench.results import StoredResult

MOST_PAGE = 2_000_000
MOST_SINGLE = 2_000
"""Items in a page that holds everything itself."""

_ASSETS = "vle_bench.eval.leaderboard.page"
_SCRIPTS = ("data.js", "table.js", "charts.js", "items.js", "page.js")
_WHOLE = re.compile(r"[0-9a-f]{16}")
_DIGITS = 16
_TITLE = "Leaderboard"


def write_page(path: Path, found: Sequence[StoredResult], *, options: Options) -> int:
    """Writes the page and the folder of pieces beside it.

    Args:
        path: The HTML file; the folder is `<stem>_items` beside it.
        found: The stored results.
        options: How single items are shown.

    Returns:
        Bytes of the page.

    Raises:
        DataProblem: An item table or shard is damaged, or the page would be larger than it may be.
        MachineProblem: Something cannot be written.
    """
    beside = make_folder(path.with_name(f"{path.stem}_items"))
    with alone(beside):  # else one run sweeps away or renames what another is writing aside
        return _write_beside(path, beside, found, options)


def single_page(found: Sequence[StoredResult], *, options: Options) -> bytes:
    """One page that holds everything itself.

    Args:
        found: The stored results.
        options: How single items are shown; `most_items` is shared evenly by the sets.

    Raises:
        DataProblem: An item table or shard is damaged.
    """
    groups, sets = _groups_and_sets(found)
    most = (options.most_items or MOST_SINGLE) // max(len(sets), 1)
    few = Options(data=options.data, seed=options.seed, most_items=max(most, 1))
    return _page(groups, _about(found, sets, source=""), embedded=_pieces(found, sets, few))


def _write_beside(path: Path, beside: Path, found: Sequence[StoredResult], options: Options) -> int:
    aside = beside / ".new.tmp"
    _remove(aside)
    try:
        groups, sets = _groups_and_sets(found)
        digest = _write_pieces(aside, _pieces(found, sets, options))
        source = f"{beside.name}/{digest}"
        page = _page(groups, _about(found, sets, source=source), embedded=())
        if len(page) > MOST_PAGE:
            raise DataProblem(
                f"{path}: the page would hold {len(page):,} bytes, {MOST_PAGE:,} is the most. "
                "Show one task with --task T."
            )
        with machine_errors(beside):
            if (beside / digest).is_dir():
                _remove(aside)
            else:
                aside.rename(beside / digest)
        write_if_changed(path, page)
    finally:
        _remove(aside)
        with suppress(OSError):  # gone only where it is empty: nothing was written
            beside.rmdir()
    for old in sorted(beside.iterdir()):
        if _WHOLE.fullmatch(old.name) and old.name != digest:
            _remove(old)
    return len(page)


def _groups_and_sets(found: Sequence[StoredResult]) -> tuple[list[Group], list[ItemSet]]:
    return groups_of(one.document for one in found), item_sets(read_runs(found))


def _pieces(
    found: Sequence[StoredResult], sets: Sequence[ItemSet], options: Options
) -> Iterator[Piece]:
    yield from run_pieces([one.document for one in found])
    for number, items in enumerate(sets):
        yield from set_pieces(number, items, options)


def _about(
    found: Sequence[StoredResult], sets: Sequence[ItemSet], *, source: str
) -> dict[str, Any]:
    """Where pieces lie, and of each run the set it is in and its place there."""
    where = {
        run.number: [number, place]
        for number, items in enumerate(sets)
        for place, run in enumerate(items.runs)
    }
    return {
        "title": _TITLE,
        "source": quote(source),
        "step": ITEMS_A_PIECE,
        "runs": [[one.document.model, *where.get(at, [-1, 0])] for at, one in enumerate(found)],
    }


def _page(groups: Sequence[Group], about: dict[str, Any], *, embedded: Iterable[Piece]) -> bytes:
    style = base_style() + asset(_ASSETS, "page.css")
    script = base_script() + b"".join(asset(_ASSETS, name) for name in _SCRIPTS)
    data = {
        "about": about,
        "groups": page_groups(groups),
        "pieces": [list(one) for one in embedded],
    }
    parts = (
        head(_TITLE, style=style, script=script, scripts_beside=bool(about["source"])),
        asset(_ASSETS, "page.html"),
        b'<script type="application/json" id="data">',
        safe_json(data),
        b"</script>\n<script>",
        script,
        b"</script>\n</body>\n</html>\n",
    )
    return b"".join(parts)


def _write_pieces(folder: Path, pieces: Iterable[Piece]) -> str:
    """Writes every piece; returns a digest over their names and bytes."""
    digest = hashlib.sha256()
    for piece in progress(pieces, total=None, what="pieces"):
        data = script_of(piece)
        digest.update(data)
        with replacing(folder / f"{piece[0]}.js") as stream:
            stream.write(data)
    return digest.hexdigest()[:_DIGITS]


def _remove(folder: Path) -> None:
    with machine_errors(folder):
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
