"""The rows of one list in a JSON document of any size, a chunk at a time.

Annotation files are one JSON object with one huge list in it (COCO, VQA) or one
huge list (Visual Genome). A window of the file is cut after a whole record and
decoded into typed rows; nothing else is held. Every byte is still judged: what
is not asked for is decoded too and thrown away, so broken JSON is found wherever
it stands. A list that stands twice is refused; of a key that stands twice in a
record the last counts, as for `json.load` and so for the official programs.

Most cuts are guessed and then proved: if the text up to a `}` and a `]` after it
are one sound list, the reader stood between two records there, whatever the
text is. A guess that fails costs one decode, and the brackets are counted.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from vle_bench.errors import DataProblem
from vle_bench.inputs.collector import no_collector
from vle_bench.inputs.content import Content
from vle_bench.inputs.json_cut import between_records, end_of_value, find_cut
from vle_bench.inputs.malformed import malformed

T = TypeVar("T")

WINDOW: Final = 1 << 18
MOST_RECORD_BYTES: Final = 256 << 20
"""Far above any record of a real file; one that is larger would have to be held as a whole."""

_ANYTHING = msgspec.json.Decoder(list[msgspec.Raw])
_BLANK = b" \t\r\n"
_KINDS = {b"{": "object", b"[": "array", b'"': "str", b"t": "bool", b"f": "bool", b"n": "null"}
_TOKEN = re.compile(rb"[^\s,\]}]*")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NEXT = re.compile(rb"[^ \t\r\n]")
_FIRST_ROW = re.compile(r"`\$\[([0-9]+)\]")


class _Value(NamedTuple):
    """A value of the top-level object: its first byte, and whether it is a list."""

    start: int
    is_list: bool


class JsonStream:
    """A JSON document on disk, read from front to back and never twice without need.

    Args:
        content: The document.
        window: Bytes looked at in one go.
    """

    def __init__(self, content: Content, *, window: int = WINDOW) -> None:
        self._content = content
        self._window = window
        self._fields: dict[str, _Value] = {}
        self._next = 0
        """Where the walk over the top-level object goes on."""
        self._begun = self._ended = False
        self._open: tuple[str, _Value] | None = None
        """A list that the walk has reached and not passed."""

    def rows(
        self,
        field: str,
        kind: type[T],
        *,
        required: bool = True,
        expected: str = "",
        to_the_end: bool = True,
    ) -> Iterator[list[T]]:
        """The rows of a list, in chunks and in order.

        Args:
            field: The list's name in the top-level object; "" where the document is the list.
            kind: The msgspec type of a row.
            required: Whether the field must be there; an absent one has no rows otherwise.
            expected: What the document should be, in a user's words.
            to_the_end: Whether the rest of the document is judged once the rows are out. Without
                it the next list is read in the same walk; whoever reads the last one judges all.

        Raises:
            DataProblem: Broken JSON, values of other types, a field that is absent or stands twice.
        """
        try:
            yield from self._rows(field, kind, required=required, to_the_end=to_the_end)
        except _Broken as broken:
            what = expected or (f"an object with a list `{field}`" if field else "a list")
            raise DataProblem(self._told(broken, what)) from broken

    @property
    def is_list(self) -> bool:
        """Whether the document is a list."""
        return self._content.read(self._skip_blank(0), 1) == b"["

    def has(self, field: str) -> bool:
        """Whether the top-level object has a field, once all of it was walked over."""
        return field in self._fields

    def value(self, field: str, kind: type[T], default: T) -> T:
        """A field of the top-level object that is no list of rows; `default` where it is absent.

        Raises:
            DataProblem: Broken JSON, or a value of another type.
        """
        try:
            self._walk_to("")
            known = self._fields.get(field)
            if known is None:
                return default
            end = self._pass(field, known)
            text = self._content.read(known.start, end - known.start)
            return self._typed(text, kind, known.start)
        except msgspec.ValidationError as error:
            message = _below(str(error), field)
            raise DataProblem(self._told(_Broken(message), "another value there")) from error
        except _Broken as broken:
            raise DataProblem(self._told(broken, f"an object with `{field}`")) from broken

    def _rows(
        self, field: str, kind: type[T], *, required: bool, to_the_end: bool
    ) -> Iterator[list[T]]:
        decoder = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]  # a runtime type
        if not field:
            yield from self._whole(decoder)
            return
        known = self._fields.get(field)
        if known is not None:
            yield from self._value(field, known, decoder)
        elif (value := self._walk_to(field)) is not None:
            yield from self._value(field, value, decoder, walk=True)
        elif required:
            raise _Broken(f"Object missing required field `{field}`")
        if to_the_end:
            self._walk_to("")

    def _whole(self, decoder: Any) -> Iterator[list[Any]]:
        start = self._skip_blank(0)
        if self._content.read(start, 1) != b"[":
            raise _Broken(f"Expected `array`, got `{self._name_of(start)}`")
        end = yield from self._list(start, decoder, "$")
        self._nothing_after(end)

    def _value(
        self, field: str, value: _Value, decoder: Any, *, walk: bool = False
    ) -> Iterator[list[Any]]:
        """The rows of a list that begins somewhere; with `walk`, the walk goes on behind it."""
        path = f"$.{field}"
        if not value.is_list:
            raise _Broken(f"Expected `array`, got `{self._name_of(value.start)}` - at `{path}`")
        end = yield from self._list(value.start, decoder, path)
        if walk:
            self._next, self._open = end, None

    def _walk_to(self, field: str) -> _Value | None:
        """Walks over the fields until the named one begins; None at the end of the document.

        The values passed are decoded and thrown away, their places kept.
        """
        while True:
            if self._open is not None:
                self._next, self._open = self._pass(*self._open), None
            found = self._next_field()
            if found is None:
                return None
            name, value = self._open = found
            if name in self._fields:
                raise _Broken(f"field `{name}` stands twice", at=value.start)
            self._fields[name] = value
            if name == field:
                return value

    def _next_field(self) -> tuple[str, _Value] | None:
        """The next name of the top-level object and where its value begins."""
        if self._ended:
            return None
        at = self._skip_blank(self._next)
        first, self._begun = not self._begun, True
        mark = self._content.read(at, 1)
        if first:
            if mark != b"{":
                raise _Broken(f"Expected `object`, got `{self._name_of(at)}`")
            at = self._skip_blank(at + 1)
            mark = self._content.read(at, 1)
        elif mark == b",":
            at = self._skip_blank(at + 1)
            mark = self._content.read(at, 1)
            if mark == b"}":
                raise _Broken("JSON is malformed: trailing comma in object", at=at)
        elif mark != b"}":
            raise self._unexpected(at, "',' or '}'")
        if mark == b"}":
            self._ended = True
            self._next = at + 1
            self._nothing_after(at + 1)
            return None
        if mark != b'"':
            raise self._unexpected(at, "a field name in quotes")
        end = self._pass_value(at)
        name = self._typed(self._content.read(at, end - at), str, at)
        at = self._skip_blank(end)
        if self._content.read(at, 1) != b":":
            raise self._unexpected(at, "':'")
        at = self._skip_blank(at + 1)
        return name, _Value(at, self._content.read(at, 1) == b"[")

    def _pass(self, name: str, value: _Value) -> int:
        """Judges a value of the top-level object; returns the place behind it."""
        if value.is_list:
            return _last_of(self._list(value.start, _ANYTHING, f"$.{name}"))
        return self._pass_value(value.start)

    def _pass_value(self, start: int) -> int:
        """Judges a value that is no list; returns the place behind it."""
        size = self._window
        while True:
            text = self._content.read(start, size)
            ended = start + len(text) >= self._content.size
            end = _end_of(text, ended=ended)
            if end >= 0 or ended:
                break
            size = self._larger(size, start)
        if end == 0:
            raise self._unexpected(start, "a value")
        text, closing = (text[:end], b"]") if end > 0 else (text, b"")
        self._decoded(_ANYTHING, text, closing, at=start)
        return start + len(text)

    def _list(self, start: int, decoder: Any, path: str) -> Generator[list[Any], None, int]:
        """The rows of the list whose bracket stands at `start`; returns the place behind it."""
        at, row, size, between = start + 1, 0, self._window, b"},"
        while True:
            text = self._content.read(at, size)
            if between and (end := text.rfind(between)) >= 0:
                rows = _proved(decoder, text[: end + 1])
                if rows is not None:
                    yield rows
                    at, row, size = at + end + 2, row + len(rows), self._window
                    continue
                between = between_records(text) if between == b"}," else b""
            cut = find_cut(text)
            end = max(cut.at, cut.end)
            if end < 0:
                if at + len(text) < self._content.size:
                    size = self._larger(size, at)
                    continue
                end = len(text)
            closing = text[end : end + 1] if cut.end >= 0 else b"]" if cut.at >= 0 else b""
            # Without this, a comma before the closing bracket would be lost with the cut.
            if (row or cut.at >= 0) and not text[:end].strip(_BLANK):
                raise _Broken("JSON is malformed: a comma without a value", at=at + end)
            rows = self._decoded(decoder, text[:end], closing, at=at, path=path, row=row)
            yield rows
            at, row, size = at + end + 1, row + len(rows), self._window
            if cut.end >= 0:
                return at

    def _decoded(
        self, decoder: Any, text: bytes, closing: bytes, *, at: int, path: str = "", row: int = 0
    ) -> Any:
        """The rows of a text that begins at byte `at` with the row of that number."""
        data = b"[%b%b" % (text, closing)
        try:
            with no_collector():
                return decoder.decode(data)
        except msgspec.ValidationError as error:
            raise _Broken(_renamed(str(error), path, row)) from error
        except msgspec.DecodeError as error:
            raise self._malformed(error, data, at - 1) from error
        except UnicodeDecodeError as error:
            raise self._not_utf8(data, at - 1) from error
        except RecursionError as error:
            raise _Broken("nested too deeply") from error

    def _typed(self, text: bytes, kind: type[T], at: int) -> T:
        """A sound value as `kind`; what was passed over before is judged as text only here."""
        try:
            return msgspec.json.decode(text, type=kind)
        except UnicodeDecodeError as error:
            raise self._not_utf8(text, at) from error

    def _malformed(self, error: msgspec.DecodeError, data: bytes, begin: int) -> _Broken:
        what, byte, hint = malformed(error, data)
        return _Broken(what, at=begin + byte if byte >= 0 else byte, hint=hint)

    def _not_utf8(self, data: bytes, begin: int) -> _Broken:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            return _Broken("not UTF-8 text", at=begin + error.start)
        return _Broken("not UTF-8 text")

    def _skip_blank(self, start: int) -> int:
        while text := self._content.read(start, 4096):
            found = _NEXT.search(text)
            if found:
                return start + found.start()
            start += len(text)
        return start

    def _nothing_after(self, start: int) -> None:
        at = self._skip_blank(start)
        if at < self._content.size:
            raise _Broken("JSON is malformed: trailing characters", at=at)

    def _unexpected(self, at: int, wanted: str) -> _Broken:
        if at >= self._content.size:
            return _Broken("the JSON ends in the middle (truncated file?)")
        return _Broken(f"JSON is malformed: expected {wanted}", at=at)

    def _name_of(self, at: int) -> str:
        """What kind of value begins there, judged as every other byte is."""
        mark = self._content.read(at, 1)
        if mark in _KINDS:
            return _KINDS[mark]
        end = self._pass_value(at)
        text = self._content.read(at, end - at)
        return "float" if any(sign in text for sign in b".eE") else "int"

    def _larger(self, size: int, at: int) -> int:
        if size >= MOST_RECORD_BYTES:
            raise _Broken(f"a record larger than {MOST_RECORD_BYTES:,} bytes", at=at)
        return size * 2

    def _told(self, broken: _Broken, expected: str) -> str:
        place = self._content.place
        text = broken.what
        if broken.at >= 0:
            place = f"{place}:{self._content.line_of(broken.at)}"
            text = f"{text} (byte {broken.at})"
        return f"{place}: {text}{broken.hint}. Expected {expected}."


class _Broken(ValueError):
    """What is wrong with a document, and at which byte where that is known."""

    def __init__(self, what: str, *, at: int = -1, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.at = at
        self.hint = hint


def _proved(decoder: Any, text: bytes) -> list[Any] | None:
    """The rows of a text that is whole records; None where it is not, or where they are wrong."""
    try:
        with no_collector():
            rows: list[Any] = decoder.decode(b"[%b]" % text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return rows


def _end_of(text: bytes, *, ended: bool) -> int:
    """Place behind the value at the start of `text`, -1 where it goes on behind the text."""
    if text[:1] in (b"{", b"["):
        return end_of_value(text)
    if text.startswith(b'"'):
        found = _STRING.match(text)
        return found.end() if found else -1
    end = _TOKEN.match(text)
    assert end is not None
    return end.end() if ended or end.end() < len(text) else -1


def _renamed(message: str, path: str, row: int) -> str:
    """Msgspec's words about a window in terms of the document."""
    return _FIRST_ROW.sub(lambda found: f"`{path}[{int(found[1]) + row}]", message)


def _below(message: str, field: str) -> str:
    """Msgspec's words about a field's value in terms of the document."""
    what, _, path = message.partition(" - at `$")
    return f"{what} - at `$.{field}{path or '`'}"


def _last_of(rows: Iterator[Any]) -> int:
    """Exhausts a list's rows; what the generator returned."""
    while True:
        try:
            next(rows)
        except StopIteration as stop:
            place: int = stop.value
            return place
