"""On which line does a TOML value stand?

`tomllib` answers with values only, and a problem without a line sends people
searching. This is a second reading of a text that `tomllib` has already
accepted, so it need not recognise mistakes: it only follows keys, brackets and
quotes. Grammar: https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vle_bench.catalog.strict_toml import KeyPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (
    re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)
_SCALAR = re.compile(r"[^,\]}\n#]*")


def locate(text: str) -> dict[KeyPath, int]:
    r"""The line (from 1) of every key, table and array element of a valid TOML text.

    >>> locate('a = 1\n[[b]]\nc = [1,\n 2]\n')[("b", 0, "c", 1)]
    4
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int:
    """The line of `path`, or of the nearest table above it that has one.

    >>> line_of({("a",): 3}, ("a", "missing"))
    3
    """
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return 1


class _Scanner:
    """Walks one document from left to right and notes where each path begins."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line_starts = [match.end() for match in re.finditer("\n", text)]
        self._last_element: dict[KeyPath, int] = {}
        self.lines: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _header(self) -> KeyPath:
        start = self._at
        is_array = self._text.startswith("[[", start)
        self._at += 2 if is_array else 1
        *parents, name = self._key()
        self._at += 2 if is_array else 1
        path: KeyPath = ()
        for key in parents:
            path = self._newest((*path, key))
            self._note(path, start)
        path = (*path, name)
        if is_array:
            self._note(path, start)
            self._last_element[path] = self._last_element.get(path, -1) + 1
        path = self._newest(path)
        self._note(path, start)
        return path

    def _newest(self, path: KeyPath) -> KeyPath:
        """A header that names an array of tables means its last element so far."""
        last = self._last_element.get(path)
        return path if last is None else (*path, last)

    def _pair(self, table: KeyPath) -> None:
        start = self._at
        path = table
        for key in self._key():
            path = (*path, key)
            self._note(path, start)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> list[str]:
        """One dotted key; stands behind it and the spaces around it afterwards."""
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            quoted = self._string()
            if quoted is not None:
                parts.extend(tomllib.loads(f"{quoted} = 0"))
            else:
                parts.append(self._skip(_BARE_KEY))
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return parts
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        opening = self._text[self._at]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        elif self._string() is None:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        self._skip(_BLANK)
        position = 0
        while not self._text.startswith("]", self._at):
            element = (*path, position)
            self._note(element, self._at)
            self._value(element)
            self._next_item()
            position += 1
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        self._skip(_BLANK)
        while not self._text.startswith("}", self._at):
            self._pair(path)
            self._next_item()
        self._at += 1

    def _next_item(self) -> None:
        self._skip(_BLANK)
        if self._text.startswith(",", self._at):
            self._at += 1
            self._skip(_BLANK)

    def _string(self) -> str | None:
        for pattern in _STRINGS:
            match = pattern.match(self._text, self._at)
            if match is not None:
                self._at = match.end()
                return match.group()
        return None

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        assert match is not None, "tomllib accepted what this scanner cannot follow"
        self._at = match.end()
        return match.group()

    def _note(self, path: KeyPath, offset: int) -> None:
        self.lines.setdefault(path, bisect_right(self._line_starts, offset) + 1)
