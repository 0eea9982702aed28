"""How soon a leaderboard page shows its first table with all of VQAv2 val behind it.

Usage: python -m bench.board [--questions N] [--rounds N] [--folder DIR]

Two drawn runs are scored and stored, the page is made, and a headless Chromium
opens it from the disk, anew each round. Times count from the start of the
navigation, as the browser itself reports them.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from bench.processes import cost_of
from bench.vqa_data import ANNOTATIONS, PREDICTIONS, QUESTIONS_OF_VAL
from tests.chromium import Browser, find_browser
from vle_bench.tables import Column, Table, to_text

GOAL_MS = 1000.0
_EVERY = 5
"""The second model answers every fifth question differently."""
_PAINTED = "performance.getEntriesByName('vle-table-painted')"
_STATES = {
    "items, worst first": "run=0&tab=items&view=worst",
    "two models where they differ": "run=0&beside=1&tab=items&view=differ",
    "breakdown of two models": "run=0&beside=1&tab=charts",
}
_SOUGHT = "run=0&tab=items&view=all&seek=no-such-words"


@click.command()
@click.option("--questions", default=QUESTIONS_OF_VAL, show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option(
    "--folder", type=click.Path(path_type=Path), default=None, help="Keep data and page there."
)
def main(questions: int, rounds: int, folder: Path | None) -> None:
    """Prints one table: the page's size, how long it takes to make, and to be seen."""
    program = find_browser()
    if program is None:
        raise click.ClickException("no browser: install chromium")
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        results = _scored(place, questions)
        page = place / "board.html"
        rows = [*_made(results, page), *_seen(Browser(program, place / "profile"), page, rounds)]
    columns = (Column("what"), Column("found", number=True), Column("goal", number=True))
    title = f"Leaderboard page, {questions:,} items behind each of two runs"
    click.echo(to_text(Table(columns, tuple(rows), title)), nl=False)


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
        subprocess.run([_vle_eval(), *map(str, command)], check=True, capture_output=True)
    return folder / "results"


def _made(results: Path, page: Path) -> Iterator[tuple[str, str, str]]:
    command = ["leaderboard", "--results", results, "--format", "html", "--out", page]
    cost = cost_of([_vle_eval(), *map(str, command)])
    yield "made in, s", f"{cost.wall:.1f}", ""
    yield "memory while it is made, MB", f"{cost.rss_mb:,.0f}", ""
    pieces = [path.stat().st_size for path in page.with_name("board_items").rglob("*.js")]
    yield "page, KB", f"{page.stat().st_size / 1000:,.0f}", "2,000"
    yield f"{len(pieces)} pieces, MB", f"{sum(pieces) / 1e6:,.1f}", ""


def _seen(browser: Browser, page: Path, rounds: int) -> Iterator[tuple[str, str, str]]:
    try:
        painted, first = [], []
        for _ in range(rounds):
            browser.open(page)
            browser.wait(f"{_PAINTED}.length")
            painted.append(browser.run(f"{_PAINTED}[0].startTime"))
            paints = "performance.getEntriesByName('first-contentful-paint')"
            browser.wait(f"{paints}.length")
            first.append(browser.run(f"{paints}[0].startTime"))
        yield "first contentful paint, ms", f"{statistics.median(first):.0f}", f"{GOAL_MS:.0f}"
        yield "first table painted, ms", f"{statistics.median(painted):.0f}", f"{GOAL_MS:.0f}"
        for name, state in _STATES.items():
            found = []
            for _ in range(rounds):
                browser.open(page, state)
                browser.wait("document.body.dataset.shown")
                found.append(browser.run("performance.getEntriesByName('vle-shown')[0].startTime"))
            yield f"{name}, ms", f"{statistics.median(found):.0f}", ""
        browser.open(page, _SOUGHT)
        browser.wait("document.body.dataset.shown")
        took = browser.run("performance.getEntriesByName('vle-shown')[0].startTime")
        yield "words sought in every item, ms", f"{took:.0f}", ""
    finally:
        browser.close()


def _vle_eval() -> str:
    return str(Path(sys.executable).with_name("vle-eval"))


if __name__ == "__main__":
    main()
