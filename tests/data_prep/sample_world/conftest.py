"""Two small worlds, drawn once per session: a clean one and a hard one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from vle_bench.data_prep.sample_world import build_sample_world


@dataclass(frozen=True)
class Raw:
    """The raw files of a world."""

    root: Path

    def json(self, name: str) -> Any:
        return json.loads((self.root / name).read_bytes())

    def lines(self, name: str) -> list[str]:
        return (self.root / name).read_text(encoding="utf-8").splitlines()

    def rows(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines(name)]

    @property
    def ledger(self) -> dict[str, Any]:
        return self.json("sample_world.json")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Raw:
    root = tmp_path_factory.mktemp("sample") / "raw"
    build_sample_world(root, images=72, workers=1)
    return Raw(root)


@pytest.fixture(scope="session")
def hard(tmp_path_factory: pytest.TempPathFactory) -> Raw:
    root = tmp_path_factory.mktemp("hard") / "raw"
    build_sample_world(root, images=180, seed=3, hard=True, workers=1)
    return Raw(root)
