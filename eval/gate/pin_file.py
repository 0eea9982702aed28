"""A pin as text: what a person wrote stays byte for byte, what was measured is written anew.

The measured tables (`[files]`, `[metrics]`, `[stamp]`) stand last, so that
everything before them, comments too, can be left alone without a TOML writer.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from vle_bench.catalog.files import user_file
from vle_bench.catalog.strict_toml import read_toml
from vle_bench.errors import DataProblem
from vle_bench.eval.gate.difference import TOLERANCE
from vle_bench.eval.gate.stamp import GateStamp

FOLDER = "pins"
ENDING = ".toml"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEASURED = ("files", "metrics", "stamp")
_HEADER = re.compile(rf"^[ \t]*\[[ \t]*(?:{'|'.join(_MEASURED)})[ \t]*[.\]]", re.MULTILINE)


class Pinned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number: percent (ranks: counts), its items, and how far it may move."""

    value: float
    n: int | None = None
    tolerance: float | None = None
    """None takes the pin's."""

    def __post_init__(self) -> None:
        _refuse_vague(self.value, self.tolerance)


class Pin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`pins/NAME.toml`.

    Attributes:
        task: The task, as `vle-eval` names it.
        about: What is pinned.
        tolerance: How far a number may move, where it does not say so itself.
        options: The options of `vle-eval <task>`, without the leading dashes.
        files: sha256 of each file that the options name.
        metrics: What came out.
        stamp: What it was made from, beside the files.
    """

    task: str
    about: str = ""
    tolerance: float = TOLERANCE
    options: Mapping[str, Any] = {}
    files: Mapping[str, str] = {}
    metrics: Mapping[str, Pinned] = {}
    stamp: GateStamp | None = None

    def __post_init__(self) -> None:
        _refuse_vague(0.0, self.tolerance)
        for name, digest in self.files.items():
            if not is_digest(digest):
                raise ValueError(f"files: {name}: expected a sha256 of 64 hex digits")


def find_pins(root: Path) -> list[Path]:
    """Every pin below `root`: the TOML files of folders that are called `pins`, sorted."""
    inside = root.glob(f"*{ENDING}") if root.name == FOLDER else ()
    return sorted({*inside, *root.rglob(f"{FOLDER}/*{ENDING}")})


def read_pin(path: Path) -> Pin:
    """Reads a pin strictly.

    Raises:
        DataProblem: Each line that does not fit, or measured tables before hand-written ones.
    """
    pin = read_toml(user_file(path), Pin).record
    _written_part(path)
    return pin


def is_digest(text: str) -> bool:
    """Whether a text is a sha256 in lower-case hex."""
    return _SHA256.fullmatch(text) is not None


def pin_bytes(path: Path, pin: Pin) -> bytes:
    """The file of `pin`, whose hand-written part is taken from the one that stands at `path`."""
    lines = "\n".join(_tables(pin))
    return f"{_written_part(path).rstrip()}\n\n{lines}\n".encode()


def _written_part(path: Path) -> str:
    text = user_file(path).read_text()
    header = _HEADER.search(text)
    head = text[: header.start()] if header else text
    whole = {key: value for key, value in tomllib.loads(text).items() if key not in _MEASURED}
    try:
        same = tomllib.loads(head) == whole
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise DataProblem(
            f"{path}: [files], [metrics] and [stamp] are written anew by --update. "
            "Put them last, as tables of their own."
        )
    return head


def _tables(pin: Pin) -> Iterator[str]:
    yield from _texts("files", pin.files)
    yield "[metrics]"
    for name, pinned in pin.metrics.items():
        parts = [f"value = {pinned.value!r}"]
        if pinned.n is not None:
            parts.append(f"n = {pinned.n}")
        if pinned.tolerance is not None:
            parts.append(f"tolerance = {pinned.tolerance!r}")
        yield f"{_quoted(name)} = {{ {', '.join(parts)} }}"
    if pin.stamp is None:
        return
    yield ""
    yield "[stamp]"
    yield f"package = {_quoted(pin.stamp.package)}"
    yield ""
    yield from _texts("stamp.environment", pin.stamp.environment)
    yield "[stamp.code]"
    yield from (f"{_quoted(name)} = {_quoted(text)}" for name, text in pin.stamp.code.items())


def _texts(table: str, texts: Mapping[str, str]) -> Iterator[str]:
    yield f"[{table}]"
    yield from (f"{_quoted(name)} = {_quoted(text)}" for name, text in texts.items())
    yield ""


def _quoted(text: str) -> str:
    """A basic string of TOML, which is one of JSON but for the sign DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _refuse_vague(value: float, tolerance: float | None) -> None:
    if not math.isfinite(value):
        raise ValueError("a finite value was expected")
    if tolerance is not None and not (math.isfinite(tolerance) and tolerance >= 0):
        raise ValueError("a tolerance is a finite number from 0 upwards")
