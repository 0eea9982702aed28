"""What a comparison by looks needs of each picture, made once for each shard and kept aside.

The thumbnails of a shard lie in `OUT/.vle-prep/<dataset>/fingerprints/<split>/`,
beside the data set and never in it, with the sha256 of the shard that they were
made from: a second comparison decodes nothing. They are a convenience: where
they cannot be written, the comparison goes on.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from vle_bench.atomic import write_bytes
from vle_bench.canonical import sha256_bytes
from vle_bench.data_prep.engines.local import LocalEngine, stop_if_asked
from vle_bench.data_prep.journal import FOLDER
from vle_bench.data_prep.overlap.likeness import Thumbnails
from vle_bench.data_prep.overlap.sides import ShardRows
from vle_bench.data_prep.overlap.thumbnail import SIDE, NoThumbnail, Thumbnail, grey_thumbnail
from vle_bench.data_prep.picture import BadPicture, probe
from vle_bench.errors import DataProblem, MachineProblem, machine_errors, needs_file
from vle_bench.shards.index import SampleRow

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = "vle-bench/fingerprints/1"
"""Changes when the same picture would get another thumbnail."""

_BYTES = SIDE * SIDE
_SHARDS_AT_A_TIME = 16
"""For each worker: few enough for memory, enough that none waits long for the others."""
_WHAT, _OF = b"vle-bench", b"shard_sha256"


class Fingerprints(NamedTuple):
    """The pictures of a shard, in its order.

    Attributes:
        thumbnails: Shape [N, 32, 32]; zeros where a picture cannot be decoded.
        orientations: EXIF orientation 1 to 8, shape [N]; 0 where a picture cannot be decoded.
    """

    thumbnails: Thumbnails
    orientations: npt.NDArray[np.uint8]


class Seen(NamedTuple):
    """A shard and its fingerprints; `kept` is False where they could not be written."""

    shard: ShardRows
    prints: Fingerprints
    kept: bool


class _Task(NamedTuple):
    number: int
    shard: ShardRows


class _Outcome(NamedTuple):
    number: int
    prints: Fingerprints
    kept: bool


def seen_shards(
    shards: Iterable[ShardRows], *, workers: int, step: Callable[[], None]
) -> Iterator[Seen]:
    """Every shard with its fingerprints, those that are kept first come first; in no fixed order.

    Args:
        shards: Consumed little by little.
        workers: Processes that decode.
        step: Called once for each picture.

    Raises:
        DataProblem: A shard is not as its index says.
        MachineProblem: A file cannot be read.
    """
    waiting: list[ShardRows] = []
    with LocalEngine(workers) as engine:
        for shard in shards:
            prints = read_kept(shard)
            if prints is None:
                waiting.append(shard)
            else:
                yield _stepped(Seen(shard, prints, kept=True), step)
            if len(waiting) == _SHARDS_AT_A_TIME * workers:
                yield from _made(engine, waiting, step)
                waiting = []
        yield from _made(engine, waiting, step)


def _made(engine: LocalEngine, shards: list[ShardRows], step: Callable[[], None]) -> Iterator[Seen]:
    tasks = (_Task(number, shard) for number, shard in enumerate(shards))
    for done in engine.map(_make, tasks, total=len(shards)):
        yield _stepped(Seen(shards[done.number], done.prints, done.kept), step)


def _stepped(seen: Seen, step: Callable[[], None]) -> Seen:
    for _ in seen.shard.rows:
        step()
    return seen


def _make(task: _Task) -> _Outcome:
    prints = fingerprints(task.shard)
    return _Outcome(task.number, prints, _keep(task.shard, prints))


def fingerprints(shard: ShardRows) -> Fingerprints:
    """Decodes the pictures of a shard; each must have the sha256 that the index names.

    Raises:
        DataProblem: The shard is gone or damaged.
        MachineProblem: It cannot be read.
    """
    _check_size(shard)
    thumbnails = np.zeros((len(shard.rows), SIDE, SIDE), dtype=np.uint8)
    orientations = np.zeros(len(shard.rows), dtype=np.uint8)
    with machine_errors(shard.path), shard.path.open("rb", buffering=0) as stream:
        for number, row in enumerate(shard.rows):
            stop_if_asked()
            if not 0 <= row.image_offset <= row.image_offset + row.image_size <= shard.report.bytes:
                raise _damaged(shard, row)
            data = os.pread(stream.fileno(), row.image_size, row.image_offset)
            if sha256_bytes(data) != row.sha256:
                raise _damaged(shard, row)
            with suppress(BadPicture, NoThumbnail):
                thumbnails[number], orientations[number] = _look(data)
    return Fingerprints(thumbnails, orientations)


def _look(data: bytes) -> tuple[Thumbnail, int]:
    facts = probe(data)  # first, because it refuses what would fill the memory
    return grey_thumbnail(data), facts.orientation


def _check_size(shard: ShardRows) -> None:
    size = needs_file(shard.path, "a shard").stat().st_size
    if size != shard.report.bytes:
        raise DataProblem(
            f"{shard.path}: has {size:,} bytes, report.json says {shard.report.bytes:,}. "
            "Run vle-prep verify, then repair."
        )


def _damaged(shard: ShardRows, row: SampleRow) -> DataProblem:
    return DataProblem(
        f"{shard.path}: {row.key}: the picture is not as the index says (sha256 differs). "
        "Run vle-prep verify, then repair."
    )


def kept_path(shard: ShardRows) -> Path:
    """Where the fingerprints of a shard are kept."""
    place = shard.place
    folder = place.folder.resolve().parent / FOLDER / place.dataset / "fingerprints"
    return folder / place.split / f"{Path(shard.report.name).stem}.parquet"


def read_kept(shard: ShardRows) -> Fingerprints | None:
    """The fingerprints that are kept of just this shard; None where there are none.

    Raises:
        DataProblem: The shard is gone, or of another size than its report says.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    _check_size(shard)
    try:
        data = kept_path(shard).read_bytes()
        table = pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
    except (OSError, pa.ArrowException):
        return None
    keys = [row.key for row in shard.rows]
    mine = table.schema.equals(_schema(shard), check_metadata=True)
    if not mine or table["key"].to_pylist() != keys:
        return None
    pixels = b"".join(table["thumbnail"].to_pylist())
    orientations = table["orientation"].to_numpy()
    if len(pixels) != len(keys) * _BYTES or (len(keys) and orientations.max() > 8):
        return None
    return Fingerprints(
        np.frombuffer(pixels, dtype=np.uint8).reshape(-1, SIDE, SIDE),
        orientations.astype(np.uint8),
    )


def _keep(shard: ShardRows, prints: Fingerprints) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [one.tobytes() for one in prints.thumbnails]
    schema = _schema(shard)
    columns = [
        pa.array([row.key for row in shard.rows], schema.field("key").type),
        pa.array(prints.orientations, schema.field("orientation").type),
        pa.array(rows, schema.field("thumbnail").type),
    ]
    stream = io.BytesIO()
    table = pa.Table.from_arrays(columns, schema=schema)
    pq.write_table(table, stream, compression="zstd", write_page_checksum=True)
    try:
        # Jobs that compare several corpora with the same evaluation splits may write it at once.
        write_bytes(kept_path(shard), stream.getvalue(), shared=True)
    except (MachineProblem, DataProblem):
        return False
    return True


def _schema(shard: ShardRows) -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("key", pa.string(), nullable=False),
            pa.field("orientation", pa.uint8(), nullable=False),
            pa.field("thumbnail", pa.binary(_BYTES), nullable=False),
        ],
        metadata={_WHAT: VERSION.encode(), _OF: shard.report.sha256.encode()},
    )
