"""Finished raw files, opened again to be damaged, and saved once at the end."""

from __future__ import annotations

from typing import Any

import msgspec

from vle_bench.atomic import write_bytes
from vle_bench.data_prep.sample_world.world import World


class Drafts:
    """Files below RAW that are being changed."""

    def __init__(self, world: World) -> None:
        self._out = world.out
        self._documents: dict[str, Any] = {}
        self._lines: dict[str, list[str]] = {}

    def document(self, name: str) -> Any:
        """A JSON file as builtins; change it in place."""
        if name not in self._documents:
            self._documents[name] = msgspec.json.decode((self._out / name).read_bytes())
        return self._documents[name]

    def lines(self, name: str) -> list[str]:
        """A text file as lines without their ends, [] where it is absent; change it in place."""
        if name not in self._lines:
            path = self._out / name
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            self._lines[name] = [line for line in text.splitlines() if line]
        return self._lines[name]

    def save(self) -> None:
        """Writes everything that was opened."""
        for name, document in self._documents.items():
            write_bytes(self._out / name, msgspec.json.encode(document))
        for name, lines in self._lines.items():
            if not lines:
                continue
            text = "".join(f"{line}\n" for line in lines)
            write_bytes(self._out / name, text.encode("utf-8"))
