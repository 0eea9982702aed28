"""`.nv-meta/`: what Megatron-Energon wants to know of a folder of shards.

Its loader takes the shards as a crude dataset (every sample a dictionary of its
members), so that no box or question is lost on the way into its fixed sample
types. `index.sqlite`, `index.uuid` and the `.tar.idx` of each shard are not
written: the first two differ from run to run; `energon prepare` adds all three.
Format: https://nvidia.github.io/Megatron-Energon/data_on_disk.html
"""

from __future__ import annotations

from collections.abc import Iterator

from vle_bench.canonical import pretty_json_bytes
from vle_bench.shards.report import Report

FOLDER = ".nv-meta"
_PARTS = ("train", "val", "test")
"""Splits that Energon knows by name; it asks for all three."""


def energon_files(report: Report) -> dict[str, bytes]:
    """The files of `.nv-meta/`, by path below the dataset's folder.

    Args:
        report: The books; other splits than train, val and test get a part of their own name.
    """
    return {
        f"{FOLDER}/.info.json": pretty_json_bytes({"shard_counts": _shard_counts(report)}),
        f"{FOLDER}/dataset.yaml": _text(_dataset_lines()),
        f"{FOLDER}/split.yaml": _text(_split_lines(report)),
    }


def _shard_counts(report: Report) -> dict[str, int]:
    return {
        f"{split}/{shard.name}": shard.samples
        for split, books in report.splits.items()
        for shard in books.shards
    }


def _dataset_lines() -> Iterator[str]:
    yield "__module__: megatron.energon"
    yield "__class__: CrudeWebdataset"


def _split_lines(report: Report) -> Iterator[str]:
    """The shards of each part by name; split and file names need no quotes in YAML."""
    yield "exclude: []"
    yield "split_parts:"
    for part in (*_PARTS, *(name for name in report.splits if name not in _PARTS)):
        books = report.splits.get(part)
        if books is None or not books.shards:
            yield f"  {part}: []"
            continue
        yield f"  {part}:"
        yield from (f"  - {part}/{shard.name}" for shard in books.shards)


def _text(lines: Iterator[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("ascii")
