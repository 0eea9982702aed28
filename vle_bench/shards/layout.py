"""Names of shards and of the files beside them, in one place.

The surprising fact: a reader that globs `*.tar` sees whatever lies in the
folder, so the names are fixed width, numbered without a gap, and nothing else
that ends in `.tar` is ever written there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

SPLITS = ("train", "restval", "val", "test")
"""Splits in the order in which indexes and reports name them."""

SAMPLES = "samples.parquet"
SKIPPED = "skipped.parquet"
REPORT = "report.json"
CARD = "README.md"
CROISSANT = "croissant.json"
SIZES = "sizes.json"
WIDS_INDEX = "index.json"

PICTURE_FORMATS = ("jpg", "png", "webp")
"""Endings of a picture's member, by content."""

JSON_ENDING = "json"

_SHARD = re.compile(r"(?P<stem>[a-z0-9][a-z0-9-]*)-(?P<number>[0-9]{6,})\.tar")


class ShardName(NamedTuple):
    """The parts of a shard's file name.

    >>> ShardName("vqav2", "val", 3).file_name
    'vqav2-val-000003.tar'
    """

    dataset: str
    split: str
    number: int

    @property
    def file_name(self) -> str:
        """`<dataset>-<split>-<six digits>.tar`."""
        return f"{self.dataset}-{self.split}-{self.number:06d}.tar"

    def path(self, dataset_folder: Path) -> Path:
        """Where the shard lies below the dataset's folder."""
        return dataset_folder / self.split / self.file_name


def number_of(file_name: str, *, dataset: str, split: str) -> int | None:
    """The number in a shard's name, or None where it is no shard of that dataset and split.

    >>> number_of("vqav2-val-000012.tar", dataset="vqav2", split="val")
    12
    """
    match = _SHARD.fullmatch(file_name)
    if match is None or match["stem"] != f"{dataset}-{split}":
        return None
    return int(match["number"])


def split_order(split: str) -> tuple[int, str]:
    """Sorting key of splits: the known ones in the order of `SPLITS`, then others by name."""
    return (SPLITS.index(split), "") if split in SPLITS else (len(SPLITS), split)
