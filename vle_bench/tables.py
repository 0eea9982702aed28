"""One table, many forms: Markdown, CSV, and plain text for a terminal.

Columns stand in the order they were given, rows likewise; a table has no
opinion about its content beyond which columns are numbers (set to the right).
Names come from strangers: in Markdown and text, none breaks its line or moves
a terminal's cursor.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Sequence

import msgspec

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_TURNED = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of all that follows."""
_COMPUTED = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the full-width forms of the first, which Asian spreadsheets compute too."""
_NUMBER = re.compile(r"[+-]?[0-9][0-9,]*(\.[0-9]+)?")


class Column(msgspec.Struct, frozen=True):
    """A heading and whether its cells are numbers."""

    name: str
    number: bool = False


class Table(msgspec.Struct, frozen=True):
    """Cells as text, with a title above and footnotes below."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    footnotes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {len(row)} cells in a table of {len(self.columns)}")


def to_markdown(table: Table) -> str:
    """A GitHub table whose source lines up as well.

    >>> print(to_markdown(Table((Column("a"), Column("b", number=True)), (("x", "1"),))), end="")
    | a |  b |
    |:--|---:|
    | x |  1 |
    """
    cells = [[_markdown_cell(text) for text in row] for row in table.rows]
    heads = [_markdown_cell(column.name) for column in table.columns]
    widths = _widths([heads, *cells], table.columns)
    lines = [f"### {one_line(table.title)}", ""] if table.title else []
    lines.append(_line(heads, widths, table.columns))
    rules = (
        "-" * (width + 1) + ":" if column.number else ":" + "-" * (width + 1)
        for column, width in zip(table.columns, widths, strict=True)
    )
    lines.append(f"|{'|'.join(rules)}|")
    lines += [_line(row, widths, table.columns) for row in cells]
    if table.footnotes:
        lines += ["", *(f"- {one_line(note)}" for note in table.footnotes)]
    return "\n".join(lines) + "\n"


def to_csv(table: Table) -> str:
    r"""RFC 4180 with line feeds; title and footnotes are left out.

    A text that a spreadsheet would compute (`=1+1`, a stranger's model name) gets the apostrophe
    that spreadsheets know as the mark of a text.
    Source: https://owasp.org/www-community/attacks/CSV_Injection

    >>> to_csv(Table((Column("a"), Column("b")), (("=1+1", "-0.5"),)))
    "a,b\n'=1+1,-0.5\n"
    """
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(column.name for column in table.columns)
    writer.writerows([_csv_cell(text) for text in row] for row in table.rows)
    return sink.getvalue()


def to_text(table: Table) -> str:
    """For a terminal: columns two spaces apart, footnotes below."""
    heads = [one_line(column.name) for column in table.columns]
    rows = [[one_line(cell) for cell in row] for row in table.rows]
    widths = _widths([heads, *rows], table.columns, least=1)
    lines = [one_line(table.title), ""] if table.title else []
    for row in [heads, ["-" * width for width in widths], *rows]:
        cells = (
            _pad(cell, width, right=column.number)
            for cell, width, column in zip(row, widths, table.columns, strict=True)
        )
        lines.append("  ".join(cells).rstrip())
    if table.footnotes:
        lines += ["", *map(one_line, table.footnotes)]
    return "\n".join(lines) + "\n"


def one_line(text: str) -> str:
    r"""Text that breaks no line, moves no cursor, and does not turn what follows.

    >>> one_line("a\n# b\x1b[2J")
    'a # b [2J'
    """
    if text.isascii() and text.isprintable():
        return text
    return _TURNED.sub("", _CONTROLS.sub(" ", text))


def _csv_cell(text: str) -> str:
    computed = text.startswith(_COMPUTED) and len(text) > 1 and not _NUMBER.fullmatch(text)
    return f"'{text}" if computed else text


def _markdown_cell(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace("|", "\\|")


def _line(cells: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    padded = (
        _pad(cell, width, right=column.number)
        for cell, width, column in zip(cells, widths, columns, strict=True)
    )
    return f"| {' | '.join(padded)} |"


def _widths(
    rows: Sequence[Sequence[str]], columns: Sequence[Column], *, least: int = 1
) -> list[int]:
    return [
        max([least + column.number, *(_shown_width(row[index]) for row in rows)])
        for index, column in enumerate(columns)
    ]


def _pad(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _shown_width(text))
    return space + text if right else text + space


def _shown_width(text: str) -> int:
    """Columns of a terminal: Chinese characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
