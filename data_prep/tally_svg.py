"""A tally as one picture: bars for every histogram and for the most frequent labels.

The SVG has no script and refers to nothing; it follows the reader's choice of
dark or light by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from vle_bench.data_prep.tally import Tally
from vle_bench.data_prep.tally_text import bin_name

_PANEL, _GAP, _PER_ROW = 380, 28, 3
_LINE, _HEAD, _NAME, _COUNT = 18, 44, 138, 62
_LONGEST_NAME = 18
_STYLE = (
    "svg{background:#fff;font:12px system-ui,sans-serif;fill:#1b1f24}"
    ".t{font-weight:600;font-size:13px}.s{fill:#59636e;font-size:11px}.b{fill:#2a7fd4}"
    ".e{text-anchor:end}"
    "@media(prefers-color-scheme:dark){svg{background:#0f1216;fill:#e8ecf1}.s{fill:#9aa5b1}"
    ".b{fill:#63acff}}"
)

Bars = list[tuple[str, int]]


def tally_svg(found: Sequence[Tally], *, most: int) -> bytes:
    """One SVG of all tallies.

    Args:
        found: The tallies, one dataset after the other.
        most: How many labels and question types are drawn.
    """
    body: list[str] = []
    top = _GAP
    for one in found:
        title = f"{one.dataset}{' (sample world)' if one.sample else ''}"
        pictures = sum(split.pictures for split in one.splits)
        body.append(_text(_GAP, top + 12, f"{title}: {pictures:,} pictures", "t"))
        top += 2 * _GAP
        panels, names = list(_histograms(one)), list(_names(one, most))
        rows = [panels[at : at + _PER_ROW] for at in range(0, len(panels), _PER_ROW)]
        for row in filter(None, [*rows, names]):
            for place, (name, note, bars) in enumerate(row):
                left = _GAP + place * (_PANEL + _GAP)
                body += _panel(left, top, (name, note), bars)
            top += _HEAD + _LINE * max(len(bars) for _, _, bars in row) + _GAP
    width = _GAP + _PER_ROW * (_PANEL + _GAP)
    size = f'viewBox="0 0 {width} {top}" width="{width}" height="{top}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f"<style>{_STYLE}</style>",
        *body,
        "</svg>",
    ]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _histograms(one: Tally) -> Iterator[tuple[str, str, Bars]]:
    for found in one.histograms:
        note = f"{found.unit}; median {found.median:,g}, mean {found.mean:,.4g}, n {found.n:,}"
        bars = [(bin_name(part, step=found.step), part.count) for part in found.bins]
        yield found.name, note, bars


def _names(one: Tally, most: int) -> Iterator[tuple[str, str, Bars]]:
    for what, names in (("labels", one.labels), ("question types", one.question_types)):
        bars = [(name.name or "(none)", name.count) for name in names[:most]]
        if any(name.name for name in names):
            yield what, f"{len(bars)} of {len(names):,}, by count", bars


def _panel(left: int, top: int, heads: tuple[str, str], bars: Bars) -> Iterator[str]:
    yield _text(left, top, heads[0], "t")
    yield _text(left, top + 16, heads[1], "s")
    most = max(count for _, count in bars)
    room = _PANEL - _NAME - _COUNT
    for at, (name, count) in enumerate(bars):
        y = top + _HEAD + at * _LINE
        short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
        yield _text(left + _NAME - 8, y, short, "e")
        length = max(round(room * count / most, 1), 1.0 if count else 0.0)
        yield f'<rect class="b" x="{left + _NAME}" y="{y - 10}" width="{length:g}" height="12"/>'
        yield _text(left + _NAME + length + 6, y, f"{count:,}", "s")


def _text(x: float, y: float, text: str, kind: str) -> str:
    printable = "".join(char if char.isprintable() else "?" for char in text)
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(printable)}</text>'
