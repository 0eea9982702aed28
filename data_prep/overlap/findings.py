"""What a comparison found, as a document, as tables, and pair by pair in a file.

A pair is counted once, under the strongest thing that proves it; `ways` in the
file names all of them.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from vle_bench.atomic import write_bytes
from vle_bench.canonical import json_bytes
from vle_bench.console import amount
from vle_bench.data_prep.overlap import likeness
from vle_bench.data_prep.overlap.compare import WAYS, Pair, Way
from vle_bench.data_prep.overlap.pictures import STATES, State
from vle_bench.data_prep.overlap.sides import Place, Side
from vle_bench.errors import UsageProblem
from vle_bench.records import Record
from vle_bench.shards.layout import split_order
from vle_bench.tables import Column, Table, to_text

SCHEMA: Literal["vle-bench/overlap/1"] = "vle-bench/overlap/1"


class SplitLooks(Record, frozen=True, kw_only=True):
    """One split: how many pictures, and how many were judged by their looks."""

    dataset: str
    folder: str
    split: str
    pictures: int
    looks: dict[State, int]


class SharedCount(Record, frozen=True, kw_only=True):
    """What one training split and one evaluation split share, by the strongest evidence."""

    training: str
    evaluation: str
    evidence: Way
    pairs: int
    training_pictures: int
    evaluation_pictures: int


class Rule(Record, frozen=True, kw_only=True):
    """By what looks are judged; the figures behind it are in docs/design/011."""

    hash_bits: int = likeness.BITS
    most_bits_apart: int = likeness.MOST_BITS
    least_correlation: float = likeness.LEAST_CORRELATION
    least_texture: float = likeness.LEAST_TEXTURE
    least_side: int = likeness.LEAST_SIDE


class Overlap(Record, frozen=True, kw_only=True):
    """The whole document."""

    schema: Literal["vle-bench/overlap/1"] = SCHEMA
    sample: bool
    rule: Rule = msgspec.field(default_factory=Rule)
    training: tuple[SplitLooks, ...]
    evaluation: tuple[SplitLooks, ...]
    shared: tuple[SharedCount, ...]
    pairs: int
    training_pictures: int
    """Pictures of the training side that are evaluation pictures too."""
    evaluation_pictures: int


class Findings(Record, frozen=True, kw_only=True):
    """The document and the pairs it counts, sorted by name."""

    document: Overlap
    pairs: tuple[Pair, ...]


def findings(
    sides: tuple[Side, Side],
    looks: tuple[Mapping[Place, Mapping[str, int]], Mapping[Place, Mapping[str, int]]],
    pairs: Iterable[Pair],
) -> Findings:
    """Puts pairs in order and counts them.

    Args:
        sides: Training and evaluation.
        looks: How many pictures of each split were judged, by state, on either side.
        pairs: In any order.
    """
    training, evaluation = sides
    ordered = tuple(sorted(pairs, key=_pair_order))
    document = Overlap(
        sample=training.sample or evaluation.sample,
        training=_looks(training, looks[0]),
        evaluation=_looks(evaluation, looks[1]),
        shared=_shared(ordered, _names((training, evaluation))),
        pairs=len(ordered),
        training_pictures=len({pair.training for pair in ordered}),
        evaluation_pictures=len({pair.evaluation for pair in ordered}),
    )
    return Findings(document=document, pairs=ordered)


def overlap_text(document: Overlap) -> str:
    """Two tables: what is shared, and what was looked at."""
    return f"{to_text(_shared_table(document))}\n{to_text(_looks_table(document))}"


def check_ending(path: Path) -> None:
    """Refuses a file of pairs whose ending says nothing of its format.

    Raises:
        UsageProblem: It is neither `.parquet` nor `.jsonl`.
    """
    if path.suffix not in _WRITERS:
        raise UsageProblem(f"{path}: a name that ends in .parquet or .jsonl is expected.")


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """Writes every pair with what proves it, as Parquet or JSON lines by the file's ending.

    Raises:
        UsageProblem: Another ending.
        MachineProblem: The disk refuses.
    """
    check_ending(path)
    write_bytes(path, _WRITERS[path.suffix]([_row(pair) for pair in pairs]))


def write_keys(path: Path, pairs: Sequence[Pair]) -> int:
    """Writes the keys of the training pictures, one a line, sorted; returns how many.

    Raises:
        MachineProblem: The disk refuses.
    """
    keys = sorted({pair.training.key for pair in pairs})
    write_bytes(path, "".join(f"{key}\n" for key in keys).encode())
    return len(keys)


def _place_order(place: Place) -> tuple[object, ...]:
    return (place.dataset, place.folder.as_posix(), split_order(place.split))


def _pair_order(pair: Pair) -> tuple[object, ...]:
    one, other = pair.training, pair.evaluation
    return (*_place_order(one.place), one.key, *_place_order(other.place), other.key)


def _looks(side: Side, looks: Mapping[Place, Mapping[str, int]]) -> tuple[SplitLooks, ...]:
    nothing = dict.fromkeys(STATES, 0)
    given = {one.folder.resolve(): str(one.folder) for one in side.datasets}
    found = []
    for place in side.places:
        counts = looks.get(place, nothing)
        found.append(
            SplitLooks(
                dataset=place.dataset,
                folder=given[place.folder],
                split=place.split,
                pictures=sum(counts.values()),
                looks={state: counts[state] for state in STATES},
            )
        )
    return tuple(found)


def _shared_table(document: Overlap) -> Table:
    training = amount(document.training_pictures, "training picture")
    evaluation = amount(document.evaluation_pictures, "evaluation picture")
    numbers = ("pairs", "training pictures", "evaluation pictures")
    return Table(
        (
            *(Column(name) for name in ("evaluation", "training", "evidence")),
            *(Column(name, number=True) for name in numbers),
        ),
        tuple(
            (
                one.evaluation,
                one.training,
                one.evidence,
                f"{one.pairs:,}",
                f"{one.training_pictures:,}",
                f"{one.evaluation_pictures:,}",
            )
            for one in document.shared
        ),
        title="Shared pictures, by the strongest evidence"
        + (" (sample world)" if document.sample else ""),
        footnotes=(f"In all: {amount(document.pairs, 'pair')}, {training}, {evaluation}.",),
    )


def _looks_table(document: Overlap) -> Table:
    sides = (("training", document.training), ("evaluation", document.evaluation))
    return Table(
        (
            Column("side"),
            Column("split"),
            Column("pictures", number=True),
            *(Column(state, number=True) for state in STATES),
        ),
        tuple(
            (
                side,
                f"{one.dataset}/{one.split}",
                f"{one.pictures:,}",
                *(f"{one.looks[state]:,}" for state in STATES),
            )
            for side, some in sides
            for one in some
        ),
        title="Pictures judged by their looks",
    )


def _names(sides: tuple[Side, Side]) -> dict[Place, str]:
    """`dataset/split`, with the folder where two datasets of one name are compared."""
    places = sorted({place for side in sides for place in side.places}, key=_place_order)
    folders: dict[str, set[Path]] = defaultdict(set)
    for place in places:
        folders[place.dataset].add(place.folder)
    return {
        place: f"{place.dataset}/{place.split}"
        + (f" in {place.folder}" if len(folders[place.dataset]) > 1 else "")
        for place in places
    }


def _shared(pairs: Sequence[Pair], names: Mapping[Place, str]) -> tuple[SharedCount, ...]:
    groups: dict[tuple[Place, Place, Way], list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.evaluation.place, pair.training.place, pair.ways[0]].append(pair)
    order = sorted(
        groups,
        key=lambda group: (*_place_order(group[0]), *_place_order(group[1]), WAYS.index(group[2])),
    )
    return tuple(
        SharedCount(
            evaluation=names[evaluation],
            training=names[training],
            evidence=way,
            pairs=len(groups[evaluation, training, way]),
            training_pictures=len({one.training for one in groups[evaluation, training, way]}),
            evaluation_pictures=len({one.evaluation for one in groups[evaluation, training, way]}),
        )
        for evaluation, training, way in order
    )


def _row(pair: Pair) -> dict[str, Any]:
    return {
        "training_dataset": pair.training.place.dataset,
        "training_split": pair.training.place.split,
        "training_key": pair.training.key,
        "evaluation_dataset": pair.evaluation.place.dataset,
        "evaluation_split": pair.evaluation.place.split,
        "evaluation_key": pair.evaluation.key,
        "evidence": pair.ways[0],
        "ways": list(pair.ways),
        "distance": pair.distance,
        "correlation": pair.correlation,
    }


def _json_lines(rows: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(json_bytes(row) + b"\n" for row in rows)


def _parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ("dataset", "split", "key")
    texts = [*(f"training_{name}" for name in names), *(f"evaluation_{name}" for name in names)]
    schema = pa.schema(
        [
            *(pa.field(name, pa.string(), nullable=False) for name in [*texts, "evidence"]),
            pa.field("ways", pa.list_(pa.string()), nullable=False),
            pa.field("distance", pa.int32()),
            pa.field("correlation", pa.float64()),
        ]
    )
    stream = io.BytesIO()
    table = pa.Table.from_pylist(list(rows), schema=schema)
    pq.write_table(table, stream, compression="zstd")
    return stream.getvalue()


_WRITERS: Mapping[str, Callable[[Sequence[dict[str, Any]]], bytes]] = {
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}
