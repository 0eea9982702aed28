r"""A leaderboard as LaTeX, to be read with `\input`: booktabs rules, pages that may break.

A table is to fit between the margins of a paper: the interval stands below its row, long names
break, and what all rows have in common is said in the caption alone.

Model names and notes come from strangers, and `\input{/etc/passwd}` is a name
like any other: every character that TeX reads as a command becomes the command
that prints it. Other scripts pass as they are, for XeLaTeX and LuaLaTeX.
Source: https://ctan.org/pkg/booktabs, https://ctan.org/pkg/longtable
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from vle_bench.eval.leaderboard.board import Group, Row
from vle_bench.eval.leaderboard.notes import (
    RowNotes,
    group_notes,
    verified_mark,
)
from vle_bench.eval.show import heading, interval_text
from vle_bench.results import Metric

_Word = tuple[str, Callable[[Row], str]]
_UNSTATED = "not stated"
_MODEL = r">{\raggedright\hangindent=1em\arraybackslash}p{0.24\linewidth}"

_HEAD = r"""% A leaderboard of VLE bench. In the preamble:
%   \usepackage{booktabs,longtable,array}
% Names in other scripts than Latin need XeLaTeX or LuaLaTeX and a font that has them.
% Scores in percent; 95 % intervals resampled by image; n is the number of items.
"""
_PLAIN = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "\u2192": r"\ensuremath{\rightarrow}",
    "\u00d7": r"\ensuremath{\times}",
    "\u2265": r"\ensuremath{\geq}",
    "\u2264": r"\ensuremath{\leq}",
    "\u2013": r"\textendash{}",
    "\u2014": r"\textemdash{}",
    "\u00a0": "~",
}
_TABLE = str.maketrans(_PLAIN)
_FIRST_PRINTED = 32
_DELETE = 127


def tex(groups: Sequence[Group], *, most: int | None = None) -> str:
    """The leaderboard as longtables, one a group.

    Args:
        groups: Its tables.
        most: How many rows a table shows that may not be compared; None is all of them.
    """
    return "\n".join([_HEAD, *("\n".join(_longtable(group, most)) + "\n" for group in groups)])


def escaped(text: str) -> str:
    r"""Text as TeX prints it; what has no glyph (control characters) becomes a space.

    >>> escaped("50% of a_b")
    '50\\% of a\\_b'
    """
    printed = "".join(
        character if ord(character) >= _FIRST_PRINTED and ord(character) != _DELETE else " "
        for character in text
    )
    return printed.translate(_TABLE).replace("--", "-{}-").replace("--", "-{}-")


def _longtable(group: Group, most: int | None) -> Iterator[str]:
    notes = group_notes(group, most)
    words = _words(group, notes.rows)
    metrics = (_head(heading(name)) for name in group.metrics)
    heads = ["Model", *metrics, *(head for head, _ in words), "Source"]
    numbers = "r" * len(group.metrics)
    line = " & ".join(heads) + r" \\"
    yield r"\begingroup\scriptsize\setlength{\tabcolsep}{2pt}"
    yield rf"\begin{{longtable}}{{@{{}}{_MODEL}{numbers}{'l' * len(words)}l@{{}}}}"
    yield rf"\caption{{{escaped(group.title)}}}\\"
    yield from (r"\toprule", line, r"\midrule", r"\endfirsthead")
    yield from (r"\toprule", line, r"\midrule", r"\endhead")
    yield from (r"\bottomrule", r"\endfoot")
    parts = (
        ("", [row for row in notes.rows if row.ours]),
        ("Published, comparable", [row for row in notes.rows if not row.ours and row.comparable]),
        ("Published, not comparable", [row for row in notes.rows if not row.comparable]),
    )
    for title, rows in parts:
        if rows and title:
            yield r"\midrule"
            yield rf"\multicolumn{{{len(heads)}}}{{@{{}}l}}{{\emph{{{title}}}}} \\*"
        for row in rows:
            measured = row.measured.get(group.main)
            yield _row(group, row, notes, words) + ("*" if measured else "")
            if measured:
                said = f"{heading(group.main)}: {_sure(measured)}"
                yield rf"\multicolumn{{{len(heads)}}}{{@{{}}l}}{{\quad {escaped(said)}}} \\"
    yield r"\end{longtable}"
    yield from _footnotes(notes)


def _words(group: Group, rows: Sequence[Row]) -> list[_Word]:
    """The columns of words: left out where the caption, or a row's reason, says it already."""
    words: tuple[tuple[str, str, Callable[[Row], str]], ...] = (
        ("Split", group.split, lambda row: row.split),
        ("Setting", group.setting or _UNSTATED, lambda row: row.setting or _UNSTATED),
    )
    return [
        (head, of)
        for head, common, of in words
        if any(of(row) != common and f"{head.lower()}: " not in row.why for row in rows)
    ]


def _head(name: str) -> str:
    """A heading in two lines where it has several words; digits stand below it."""
    first, space, last = name.rpartition(" ")
    return rf"\shortstack[r]{{{escaped(first)}\\{escaped(last)}}}" if space else escaped(name)


def _sure(measured: Metric) -> str:
    if measured.low is None:
        return f"no interval, n = {measured.n:,}"
    return f"95 % interval {interval_text(measured)}, n = {measured.n:,}"


def _row(group: Group, row: Row, notes: RowNotes, words: Sequence[_Word]) -> str:
    name = rf"\textbf{{{escaped(row.model)}}}" if row.ours else escaped(row.model)
    marks = ",".join([*verified_mark(row), *notes.numbers(row)])
    guard = (
        "{}" if row.model[:1] in {"[", "*"} else ""
    )  # else read as an argument of the row before
    cells = (
        guard + name + (rf"\textsuperscript{{{escaped(marks)}}}" if marks else ""),
        *(row.values.get(metric, "") for metric in group.metrics),
        *(of(row) for _, of in words),
        "this work" if row.ours else f"[{notes.sources.index(row.source) + 1}]",
    )
    return " & ".join([cells[0], *(escaped(cell) for cell in cells[1:])]) + r" \\"


def _footnotes(notes: RowNotes) -> Iterator[str]:
    yield r"\raggedright"
    for number, why in enumerate(notes.reasons, 1):
        yield rf"\textsuperscript{{{number}}}\,Not comparable: {escaped(why)}.\par"
    for mark, meaning in notes.legend:
        yield rf"\textsuperscript{{{mark}}}\,{escaped(meaning)}\par"
    for note in notes.others:
        yield rf"{escaped(note)}\par"
    for signature in notes.signatures:
        yield rf"\texttt{{{_breakable(signature)}}}\par"
    for number, source in enumerate(notes.sources, 1):
        yield rf"{{}}[{number}] {escaped(source)}\par"
    yield r"\endgroup"


def _breakable(signature: str) -> str:
    """A signature that may break after each of its parts."""
    return r"\textbar{}\allowbreak{}".join(escaped(part) for part in signature.split("|"))
