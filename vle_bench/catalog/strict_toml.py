"""Strict TOML into frozen records: a typing error in a manifest never passes silently.

Unknown keys, missing keys and wrong types are all reported with file and line,
up to ten at once. `msgspec.convert` alone stops at the first and knows no
lines, so tables are walked here and only single values are left to msgspec.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache, cached_property
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, Generic, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

import msgspec

from vle_bench.catalog.files import CatalogFile
from vle_bench.errors import DataProblem, Problems

T = TypeVar("T", bound=msgspec.Struct)

KeyPath = tuple[str | int, ...]
"""Keys and array positions from the root, e.g. `("scores", 2, "values", "q2a")`."""

_ADVICE = "Correct the file and run again."
_SYNTAX = re.compile(r"^(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
_LONGEST_SHOWN = 60


class _Unusable:
    """Stands where a value would, if it had been right."""


_UNUSABLE: Final = _Unusable()


class Places(msgspec.Struct, frozen=True, dict=True):
    """Turns a path of keys into "file:line".

    Lines are sought when the first is asked for: nearly always nothing is wrong, and to follow
    every bracket takes as long as to read the file.
    """

    file: str
    text: str | None
    """None where it is not at hand: then the file alone is named."""

    def of(self, *path: str | int) -> str:
        r"""Where `path` stands, or the nearest table above it.

        >>> Places("a.toml", "\n[b]\n").of("b", 0)
        'a.toml:2'
        """
        if self.text is None:
            return self.file
        from vle_bench.catalog.toml_lines import line_of

        return f"{self.file}:{line_of(self._lines, path)}"

    @cached_property
    def _lines(self) -> Mapping[KeyPath, int]:
        from vle_bench.catalog.toml_lines import locate

        return locate(self.text or "")


class Spot(NamedTuple):
    """One place of a file, which is worked out when it is shown."""

    places: Places
    path: KeyPath

    def __str__(self) -> str:
        return self.places.of(*self.path)


class Reading(msgspec.Struct, Generic[T], frozen=True):
    """A record and where its parts stand in the file."""

    record: T
    places: Places


def read_toml(file: CatalogFile, record: type[T]) -> Reading[T]:
    """Reads `file` as one `record`.

    Tables become structs, arrays tuples, tables of free keys read-only
    mappings. A struct may refuse its own values by raising ValueError in
    `__post_init__`.

    Raises:
        DataProblem: broken TOML, or up to ten problems of keys and values, each with its line.
    """
    text = file.read_text()
    try:
        return _reading(file.place, text, record)
    except RecursionError as error:
        raise DataProblem(f"{file.place}: nested too deeply to be read.") from error


def fitted(table: Mapping[str, Any], record: type[T], *, where: str) -> T:
    """The keys and values of a table that was read before, as one `record`.

    Args:
        table: What `tomllib` made of it.
        record: What it should be.
        where: Its file and name, for messages: its lines are no longer known.

    Raises:
        DataProblem: up to ten problems of keys and values.
    """
    builder = _Builder(Places(where, None))
    value = builder.struct(dict(table), record, ())
    builder.problems.raise_if_any(advice=_ADVICE)
    assert isinstance(value, record), "a value without problems is the record asked for"
    return value


def _reading(place: str, text: str, record: type[T]) -> Reading[T]:
    try:
        document = tomllib.loads(text)
    except ValueError as error:  # bad TOML, and integers of more digits than Python reads
        raise DataProblem(_broken(place, text, str(error))) from error
    places = Places(place, text)
    builder = _Builder(places)
    value = builder.struct(document, record, ())
    builder.problems.raise_if_any(advice=_ADVICE)
    assert isinstance(value, record), "a value without problems is the record asked for"
    return Reading(value, places)


class _Builder:
    """Builds records bottom-up and collects what does not fit."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.problems = Problems()

    def struct(self, value: object, record: type[msgspec.Struct], path: KeyPath) -> Any:
        if not isinstance(value, dict):
            return self._refuse(path, f"expected a table, found {_shown(value)}")
        fields = _fields(record)
        unknown = [key for key in value if key not in fields]
        for key in unknown:
            self._unknown(key, tuple(fields), path)
        ready: dict[str, object] = {}
        complete = not unknown
        for key, info in fields.items():
            if key in value:
                built = self.value(value[key], info.type, (*path, key))
                ready[info.name] = built
                complete = complete and built is not _UNUSABLE
            elif info.required:
                self._refuse(path, f'the key "{key}" is missing')
                complete = False
        if not complete:
            return _UNUSABLE
        try:
            return record(**ready)
        except ValueError as error:
            return self._refuse(path, str(error))

    def value(self, value: object, kind: Any, path: KeyPath) -> Any:
        kind = _without_none(kind)
        origin = get_origin(kind)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self.struct(value, kind, path)
        if origin is tuple:
            return self._array(value, get_args(kind)[0], path)
        if origin is Mapping:
            return self._free_table(value, get_args(kind)[1], path)
        try:
            return msgspec.convert(value, kind, strict=True)
        except msgspec.ValidationError as error:
            return self._refuse(path, f"{_expected(kind, str(error))}, found {_shown(value)}")

    def _array(self, value: object, kind: Any, path: KeyPath) -> Any:
        if not isinstance(value, list):
            return self._refuse(path, f"expected an array, found {_shown(value)}")
        built = tuple(self.value(item, kind, (*path, at)) for at, item in enumerate(value))
        return _UNUSABLE if any(item is _UNUSABLE for item in built) else built

    def _free_table(self, value: object, kind: Any, path: KeyPath) -> Any:
        if not isinstance(value, dict):
            return self._refuse(path, f"expected a table, found {_shown(value)}")
        built = {key: self.value(item, kind, (*path, key)) for key, item in value.items()}
        if any(item is _UNUSABLE for item in built.values()):
            return _UNUSABLE
        return MappingProxyType(built)

    def _unknown(self, key: str, known: tuple[str, ...], path: KeyPath) -> None:
        from difflib import get_close_matches

        near = get_close_matches(key, known, n=1)
        hint = f'Did you mean "{near[0]}"?' if near else f"Known here: {', '.join(known)}."
        self._refuse((*path, key), f"unknown key. {hint}")

    def _refuse(self, path: KeyPath, what: str) -> _Unusable:
        subject = f"{_dotted(path)}: " if path else ""
        self.problems.add(f"{self._places.of(*path)}: {subject}{what}")
        return _UNUSABLE


@cache
def _fields(record: type[msgspec.Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    """The keys of a table: msgspec evaluates a class's annotations anew at every call."""
    return MappingProxyType({info.encode_name: info for info in msgspec.structs.fields(record)})


def _broken(place: str, text: str, message: str) -> str:
    match = _SYNTAX.match(message)
    if match is None:
        return f"{place}: not TOML: {message}. {_ADVICE}"
    line = match["line"] or str(text.count("\n") + 1)
    return f"{place}:{line}: not TOML: {match['what']}. {_ADVICE}"


def _without_none(kind: Any) -> Any:
    """`X | None` is X: TOML has no null, absence is the record's default."""
    if get_origin(kind) in (Union, UnionType):
        left = [part for part in get_args(kind) if part is not NoneType]
        assert len(left) == 1, "a manifest's field has one type"
        return left[0]
    return kind


def _expected(kind: Any, message: str) -> str:
    if get_origin(kind) is Literal:
        return f"expected one of {', '.join(map(str, get_args(kind)))}"
    wanted = message.split(", got ")[0].replace("`", "")
    return wanted[:1].lower() + wanted[1:]


def _dotted(path: KeyPath) -> str:
    """The path as people write it: `scores[2].values.q2a`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."
