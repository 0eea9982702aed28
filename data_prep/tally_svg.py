"""A tally as one picture: bars for every histogram and for the most frequent labels.

The SVG has no script and refers to nothing; it follows the reader's choice of
dark or light by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from vle_bench.console import amount
from vle_bench.data_prep.tally import Tally
from vle_bench.data_prep.tally_text import bin_name

_PANEL, _GAP, _COLUMNS = 380, 28, 3
_LINE, _HEAD, _COUNT = 18, 44, 62
_CHARACTER = 6.8
_LEAST_NAME, _LONGEST_NAME = 92, 34
_STYLE = (
    "svg{background:#fff;font:12px system-ui,sans-serif;fill:#1b1f24}"
    ".t{font-weight:600;font-size:13px}.s{fill:#59636e;font-size:11px}.b{fill:#2a7fd4}"
    ".e{text-anchor:end}"
    "@media(prefers-color-scheme:dark){svg{background:#0f1216;fill:#e8ecf1}.s{fill:#9aa5b1}"
    ".b{fill:#63acff}}"
)

Bars = list[tuple[str, int]]
Panel = tuple[str, str, Bars]


def tally_svg(found: Sequence[Tally], *, most: int) -> bytes:
    """One SVG of all tallies.

    Args:
        found: The tallies, one dataset after the other.
        most: How many labels, question types and licences are drawn.
    """
    body: list[str] = []
    top = _GAP
    for one in found:
        title = f"{one.dataset}{' (sample world)' if one.sample else ''}"
        pictures = sum(split.pictures for split in one.splits)
        body.append(_text(_GAP, top + 12, f"{title}: {amount(pictures, 'picture')}", "t"))
        ends = [top + 2 * _GAP] * _COLUMNS
        for panel in (*_histograms(one), *_names(one, most)):
            column = ends.index(min(ends))
            body += _panel(_GAP + column * (_PANEL + _GAP), ends[column], panel)
            ends[column] += _HEAD + _LINE * len(panel[2]) + _GAP
        top = max(ends)
    width = _GAP + _COLUMNS * (_PANEL + _GAP)
    size = f'viewBox="0 0 {width} {top}" width="{width}" height="{top}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f"<style>{_STYLE}</style>",
        *body,
        "</svg>",
    ]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _histograms(one: Tally) -> Iterator[Panel]:
    for found in one.histograms:
        if not found.most:
            continue  # captions of a dataset that has none: one bar that says nothing
        note = f"{found.unit}; median {found.median:,g}, mean {found.mean:,.4g}, n {found.n:,}"
        bars = [(bin_name(part, step=found.step), part.count) for part in found.bins]
        yield (
            found.name,
            note,
            [(name.replace(" - ", "\N{EN DASH}"), count) for name, count in bars],
        )


def _names(one: Tally, most: int) -> Iterator[Panel]:
    for what, names in (
        ("question types", one.question_types),
        ("licences of pictures", one.licences),
        ("labels", one.labels),
    ):
        bars = [(name.name or "(none)", name.count) for name in names[:most]]
        if any(name.name for name in names):
            yield what, f"{len(bars)} of {len(names):,}, by count", bars


def _panel(left: int, top: int, panel: Panel) -> Iterator[str]:
    title, note, bars = panel
    yield _text(left, top, title, "t")
    yield _text(left, top + 16, note, "s")
    most = max(count for _, count in bars)
    longest = max(len(name) for name, _ in bars)
    shown = min(longest, _LONGEST_NAME)
    beside = max(round(shown * _CHARACTER) + 12, _LEAST_NAME)
    room = _PANEL - beside - _COUNT
    for at, (name, count) in enumerate(bars):
        y = top + _HEAD + at * _LINE
        yield _text(
            left + beside - 8, y, name if len(name) <= shown else name[: shown - 1] + "…", "e"
        )
        length = max(round(room * count / most, 1), 1.0 if count else 0.0)
        yield f'<rect class="b" x="{left + beside}" y="{y - 10}" width="{length:g}" height="12"/>'
        yield _text(left + beside + length + 6, y, f"{count:,}", "s")


def _text(x: float, y: float, text: str, kind: str) -> str:
    printable = "".join(char if char.isprintable() else "?" for char in text)
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(printable)}</text>'
