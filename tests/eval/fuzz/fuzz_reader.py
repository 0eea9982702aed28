"""One kind of file that a scorer reads: a sound one, its damage, our way and the plain way."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vle_bench.eval.requests import ScoringRequest
from vle_bench.eval.tasks import load_task

Scores = dict[str, float]


@dataclass(frozen=True)
class Reader:
    """One kind of file.

    Attributes:
        whole: A sound file.
        damage: What is done to it.
        request: Asks for the score of a file; the others lie in the folder given.
        plainly: The score of the same bytes, the plain way.
        task: Which scorer reads it.
    """

    whole: bytes
    damage: Callable[[bytes, random.Random], bytes]
    request: Callable[[Path, Path], ScoringRequest]
    plainly: Callable[[bytes], Scores]
    task: str = "retrieval"


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def table(rows: list[dict[str, Any]]) -> bytes:
    body = [",".join(rows[0])] + [
        ",".join(json.dumps(value) for value in row.values()) for row in rows
    ]
    return "\n".join(body).encode() + b"\n"


def ours(reader: Reader, folder: Path, file: Path) -> Scores:
    """What the package says of a file."""
    scored = load_task(reader.task).score(reader.request(folder, file))
    every = {name: metric.value for name, metric in scored.metrics.items()}
    if reader.task == "vcr":  # kinds of questions have tests of their own
        return {name: every[name] for name in ("q2a", "qa2r", "q2ar")}
    return every
