"""Stores for random access in training: `OUT/<dataset>/<split>/` for each split.

Pictures and records are laid down in the order of the shards, so that reading a
store from its first sample to its last reads the disk forwards too.
`vle_bench.picture_store` knows the tables and reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from vle_bench.atomic import write_bytes
from vle_bench.bars import sha256_watched
from vle_bench.canonical import pretty_json_bytes
from vle_bench.data_prep.export.stores import TableEntry, room_for, write_tables
from vle_bench.data_prep.prepared import Prepared, each_split
from vle_bench.picture_store import (
    ABOUT,
    DATA,
    ORDER,
    PICTURES,
    PLACE_BYTES,
    RECORDS,
    SCHEMA,
    TABLES,
    StoreFacts,
)
from vle_bench.records import as_builtins
from vle_bench.shards.read import SplitReader

Step = Callable[[], None]


def export_picture_stores(datasets: Sequence[Prepared], folder: Path, step: Step) -> dict[str, Any]:
    """Writes a store for each split of every dataset into `folder`.

    Args:
        datasets: Prepared datasets.
        folder: An empty folder.
        step: Called after every picture.

    Returns:
        How many samples each store holds.

    Raises:
        DataProblem: A shard is missing or damaged.
        MachineProblem: The disk refuses.
    """
    found: dict[str, Any] = {}
    for dataset, split in each_split(datasets):
        name = dataset.report.dataset
        place = folder / name / split
        samples = sum(shard.samples for shard in dataset.report.splits[split].shards)
        with SplitReader(dataset.folder, split, hold=False) as reader:
            sizes = (size for row in reader.each_row() for size in (row.image_size, row.json_size))
            room = room_for(chain(sizes, repeat(0, samples)))
            write_tables(place, _entries(reader, step), tables=TABLES, map_size=room)
        facts = StoreFacts(
            schema=SCHEMA,
            dataset=name,
            split=split,
            sample=dataset.report.sample,
            samples=samples,
            bytes=(place / DATA).stat().st_size,
            sha256=sha256_watched(place / DATA, "hashing"),
        )
        write_bytes(place / ABOUT, pretty_json_bytes(as_builtins(facts)))
        found.setdefault(name, {})[split] = samples
    return found


def _entries(reader: SplitReader, step: Step) -> Iterator[TableEntry]:
    for place, row in enumerate(reader.each_row()):
        key = row.key.encode("ascii")
        yield ORDER, place.to_bytes(PLACE_BYTES, "big"), key
        picture, record = reader.picture_and_record(row)
        yield PICTURES, key, picture
        yield RECORDS, key, record
        step()
