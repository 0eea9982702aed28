"""What the tests of the leak guard share: the ledger of a world, and what a run left out."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.run import Prepared, Request, prepare

CORPORA = ("coco", "vg", "cc3m", "sbu")
BY_DEFAULT = frozenset(
    {
        ("coco", "val"),
        ("coco", "test"),
        ("vqav2", "test"),
        ("flickr30k", "val"),
        ("flickr30k", "test"),
        ("flickr30k-cn", "val"),
        ("flickr30k-cn", "test"),
    }
)
"""Evaluation splits of the ledger that the default rules name; Flickr30k-CN has Entities' split."""
VQA_VAL = frozenset({("vqav2", "val")})


def run(name: str, raw: Path, out: Path, *, rules: str = "", **more: Any) -> Prepared:
    parameters = Parameters(samples_per_shard=3, rules=rules, scheme=more.pop("scheme", ""))
    return prepare(Request(dataset=name, raw=raw, out=out, parameters=parameters, **more))


def ledger(raw: Path) -> dict[str, Any]:
    return json.loads((raw / "sample_world.json").read_text())


def planted(raw: Path, name: str, evaluations: frozenset[tuple[str, str]]) -> dict[str, str]:
    """How each planted leak of a corpus can be known, by its id; near-copies need a closer look."""
    return {
        row["corpus_id"]: row["how"]
        for row in ledger(raw)["shared"]
        if row["corpus"] == name
        and row["how"] != "near-copy"
        and (row["evaluation"], row["evaluation_split"]) in evaluations
    }


def explanations(folder: Path) -> list[dict[str, str]]:
    return [
        json.loads(line)
        for path in sorted(folder.glob("*/excluded.jsonl"))
        for line in path.read_text().splitlines()
    ]


def tree_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def shard_digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.tar")
    }
