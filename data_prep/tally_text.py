"""A tally for a terminal: tables, and histograms as bars of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vle_bench.data_prep.tally import Bin, Histogram, Named, Reason, SplitTally, Tally
from vle_bench.tables import Column, Table, to_text

_BAR = 32
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_WHOLE = 8
_MOST_NAMES = 25
_HEADS = ("pictures", "captions", "objects", "regions", "crowds", "questions", "items")


def tally_text(found: Tally, *, most: int = _MOST_NAMES) -> str:
    """All of a tally; of labels and question types the `most` frequent."""
    title = f"{found.dataset}{' (sample world)' if found.sample else ''}"
    parts = [to_text(_splits(found.splits, title))]
    if found.left_out:
        parts.append(to_text(_reasons(found.left_out, "left out")))
    if found.adjusted:
        parts.append(to_text(_reasons(found.adjusted, "read, but")))
    parts += [_histogram(one) for one in found.histograms if one.most]
    for what, names in (
        ("label", found.labels),
        ("question type", found.question_types),
        ("answer type", found.answer_types),
        ("licence", found.licences),
    ):
        if any(one.name for one in names):
            parts.append(to_text(_names(what, names, most)))
    return "\n".join(parts)


def bar(count: int, most: int, *, width: int = _BAR) -> str:
    """A bar that is as long as `count` is of `most`; what is there at all is seen.

    >>> bar(2, 4, width=4), bar(0, 4), bar(1, 1000, width=4)
    ('██', '', '▏')
    """
    eighths = round(count * width * _WHOLE / most) if most else 0
    if count and not eighths:
        eighths = 1
    whole, part = divmod(eighths, _WHOLE)
    return _EIGHTHS[_WHOLE] * whole + (_EIGHTHS[part] if part else "")


def bin_name(one: Bin, *, step: float = 1.0) -> str:
    """The range of a bin; with a step of one its last whole number, not the next bin's first.

    >>> bin_name(Bin(low=3.0, high=4.0, count=1)), bin_name(Bin(low=5.0, high=9.0, count=1))
    ('3', '5 - 8')
    >>> bin_name(Bin(low=1.0, high=5.0, count=1), step=0.01)
    '1 - 5'
    >>> bin_name(Bin(low=9.0, high=None, count=1))
    '9 or more'
    """
    if one.high is None:
        return f"{one.low:,g} or more"
    if step < 1.0:
        return f"{one.low:g} - {one.high:g}"
    last = one.high - 1
    return f"{one.low:,g}" if last == one.low else f"{one.low:,g} - {last:,g}"


def _splits(splits: Sequence[SplitTally], title: str) -> Table:
    rows = [[getattr(one, head) for head in _HEADS] for one in splits]
    kept = [at for at, _ in enumerate(_HEADS) if at == 0 or any(row[at] for row in rows)]
    columns = (Column("split"), *(Column(_HEADS[at], number=True) for at in kept))
    lines = [
        (one.split, *(f"{row[at]:,}" for at in kept)) for one, row in zip(splits, rows, strict=True)
    ]
    if len(lines) > 1:
        lines.append(("all", *(f"{sum(row[at] for row in rows):,}" for at in kept)))
    return Table(columns, tuple(lines), title)


def _reasons(reasons: Sequence[Reason], title: str) -> Table:
    columns = (Column("kind"), Column("why"), Column("count", number=True))
    kept = [at for at in range(len(columns)) if at or any(one.what for one in reasons)]
    rows = [(one.what, _plain(one.why), f"{one.count:,}") for one in reasons]
    lines = tuple(tuple(row[at] for at in kept) for row in rows)
    return Table(tuple(columns[at] for at in kept), lines, title)


def _histogram(one: Histogram) -> str:
    most = max(part.count for part in one.bins)
    rows = tuple(
        (bin_name(part, step=one.step), f"{part.count:,}", bar(part.count, most))
        for part in one.bins
    )
    columns = (Column(one.unit, number=True), Column("count", number=True), Column(""))
    title = (
        f"{one.name}: median {one.median:,g}, mean {one.mean:,.4g}, "
        f"{one.least:,g} to {one.most:,g}, n {one.n:,}"
    )
    return to_text(Table(columns, rows, title))


def _names(what: str, names: Sequence[Named], most: int) -> Table:
    shown = names[:most]
    top = shown[0].count
    rows = tuple(
        (_plain(one.name) or "(none)", f"{one.count:,}", f"{one.pictures:,}", bar(one.count, top))
        for one in shown
    )
    heads = (Column(what), Column("count", number=True), Column("pictures", number=True))
    rest = sum(one.count for one in names[most:])
    notes = (f"... and {len(names) - most:,} more, {rest:,} times.",) if len(names) > most else ()
    return Table((*heads, Column("")), rows, f"{what}s: {len(names):,} different", notes)


def _plain(name: str) -> str:
    """Names are strangers' words: nothing in them may steer the terminal."""
    return "".join(_printable(name))


def _printable(name: str) -> Iterator[str]:
    for char in name:
        yield char if char.isprintable() else "?"
