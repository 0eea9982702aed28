"""How soon a leaderboard page shows its first table with all of VQAv2 val behind it.

Two drawn runs are scored and stored, the page is made, and a headless Chromium opens
it from the disk, a new browser each time. Seconds are those from the start of the
navigation to what the page marks as shown, as the browser itself reports them; memory
is that of making the page.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import msgspec

from bench.contest import Contest, Goal, Program
from bench.processes import Cost, console, cost_of
from bench.vqa_data import ANNOTATIONS, PREDICTIONS
from tests.chromium import Browser, find_browser

MADE, TABLE = "the page is made", "first table painted"
_EVERY = 5
"""The second model answers every fifth question differently."""
_PAINTED = "performance.getEntriesByName('vle-table-painted')"
_SHOWN = "performance.getEntriesByName('vle-shown')"
STATES = {
    TABLE: "",
    "items, worst first": "run=0&tab=items&view=worst",
    "two models where they differ": "run=0&beside=1&tab=items&view=differ",
    "breakdown of two models": "run=0&beside=1&tab=charts",
    "words sought in every item": "run=0&tab=items&view=all&seek=no-such-words",
}


def contest(place: Path, questions: int) -> Contest | None:
    """The page and what is opened of it; None where no browser is installed."""
    if find_browser() is None:
        click.echo("no browser is INSTALLED: the page is not measured; apt-get install chromium")
        return None
    page = place / "board.html"
    making = _making(_scored(place, questions), page)
    subprocess.run(making, check=True, stdout=subprocess.DEVNULL)
    pieces = [path.stat().st_size for path in page.with_name("board_items").rglob("*.js")]
    shown = tuple(
        Program(name, (sys.executable, "-m", "bench.board", str(page), name)) for name in STATES
    )
    return Contest(
        name="board",
        title=f"Leaderboard page with {questions:,} items behind each of two runs",
        given=f"page of {page.stat().st_size / 1000:,.0f} KB, {len(pieces)} pieces of "
        f"{sum(pieces) / 1e6:,.1f} MB",
        place=place,
        programs=(
            *shown,
            Program(MADE, (sys.executable, "-m", "bench.board", str(page), MADE, *making)),
        ),
        floor=TABLE,
        goals=(Goal("first table of the page painted", TABLE, "", "seconds", 1.0),),
        most_rounds=5,
    )


def _scored(folder: Path, questions: int) -> Path:
    draw = [sys.executable, "-m", "bench.vqa_data", str(folder), str(questions), "0"]
    subprocess.run(draw, check=True)
    first, second = folder / PREDICTIONS, folder / f"other-{PREDICTIONS}"
    given = json.loads(first.read_text("utf-8"))
    for one in given[::_EVERY]:
        one["answer"] = "yes"
    second.write_text(json.dumps(given), "utf-8")
    for name, path in (("first", first), ("second", second)):
        command = [
            "vqa", "--annotations", folder / ANNOTATIONS, "--predictions", path, "--dataset",
            "vqav2", "--model-name", name, "--results", folder / "results",
        ]  # fmt: skip
        subprocess.run(
            [console("vle-eval"), *map(str, command)], check=True, stdout=subprocess.DEVNULL
        )
    return folder / "results"


def _making(results: Path, page: Path) -> list[str]:
    command = ["leaderboard", "--results", results, "--format", "html", "--out", page]
    return [console("vle-eval"), *map(str, command)]


def seen(page: Path, name: str) -> Cost:
    """Opens the page in a new browser, in one of its states."""
    program = find_browser()
    assert program is not None
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(program, Path(profile))
        try:
            browser.open(page, STATES[name])
            mark = _PAINTED if name == TABLE else _SHOWN
            browser.wait(f"{mark}.length")
            if name != TABLE:
                browser.wait("document.body.dataset.shown")
            took = browser.run(f"{mark}[0].startTime")
        finally:
            browser.close()
    return Cost(took / 1000, 0.0, 0.0)


def main(page: str, name: str, *making: str) -> None:
    """Prints one cost as JSON."""
    cost = cost_of(making) if name == MADE else seen(Path(page), name)
    sys.stdout.write(msgspec.json.encode(cost).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
