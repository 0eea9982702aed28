"""Everything known of a finished set of pictures: what the writers of raw formats work from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from vle_bench.atomic import temporary_name, write_bytes
from vle_bench.data_prep.sample_world.roster import Drawn, Roster
from vle_bench.data_prep.sample_world.scene import Scene
from vle_bench.errors import machine_errors

DESCRIPTION = "VLE bench sample world"
"""Stands in every `info` object, so that a reader can tell a drawn world from the real one."""


class World(NamedTuple):
    """The pictures, their facts, and where the raw files go."""

    out: Path
    roster: Roster
    scenes: dict[tuple[str, int], Scene]

    @property
    def seed(self) -> int:
        """The seed of every draw."""
        return self.roster.seed

    def scene(self, drawn: Drawn) -> Scene:
        """What that picture shows."""
        return self.scenes[drawn.name.part, drawn.name.number]

    def scenes_of(self, pictures: Sequence[Drawn]) -> list[Scene]:
        """What those pictures show, in their order."""
        return [self.scene(drawn) for drawn in pictures]

    def write_json(self, name: str, value: Any) -> None:
        """Writes one official file, whole or not at all; keys in the official order."""
        write_bytes(self.out / name, msgspec.json.encode(value))

    def write_lines(self, name: str, lines: Sequence[str]) -> None:
        """Writes one text file, each line ended; where there is not one line, a blank one.

        A world of few pictures has splits without any. Their lists are there all the same, so that
        every dataset can be prepared.
        """
        text = "".join(f"{line}\n" for line in lines) or "\n"
        write_bytes(self.out / name, text.encode("utf-8"))


def write_quickly(path: Path, data: bytes) -> None:
    """Writes a small file whole or not at all, without waiting for the disk.

    There are thousands of them, and a world that was cut off has no ledger and is drawn anew.
    """
    aside = temporary_name(path)
    with machine_errors(path):
        aside.write_bytes(data)
        aside.replace(path)


def info(version: str, year: int) -> dict[str, Any]:
    """The `info` object of COCO and VQA files."""
    return {
        "description": DESCRIPTION,
        "url": "",
        "version": version,
        "year": year,
        "contributor": "VLE bench",
        "date_created": "",
    }
