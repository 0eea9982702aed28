"""The small grounding world, and the command that scores it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from grounding_world import FRAME, REGIONS, write_split


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Two pictures of Visual Genome with two regions each."""
    return write_split(tmp_path / "shards", REGIONS)


@pytest.fixture
def ground(vle_eval, shards: Path) -> Callable[..., object]:
    """`vle-eval grounding` on the small world; `frame` may be another one, or none."""

    def call(*arguments: object, frame: tuple[object, ...] = FRAME, resamples: int = 20):
        return vle_eval(
            "grounding", "--data", shards, "--dataset", "vg", "--split", "train",
            "--resamples", resamples, *frame, *arguments,
        )  # fmt: skip

    return call
