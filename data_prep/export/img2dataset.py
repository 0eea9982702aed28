"""The layout that img2dataset leaves: `00000.tar` with jpg, txt and json, a parquet and stats.

There one sample has one caption; the first is taken, and all of them stand under
`captions`. Times are zero, since nothing was downloaded, and so the bytes are the
same again.
Source: https://github.com/rom1504/img2dataset
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vle_bench.atomic import replacing
from vle_bench.canonical import pretty_json_bytes
from vle_bench.data_prep.prepared import AnySample, Prepared
from vle_bench.errors import UsageProblem
from vle_bench.shards.read import iter_with_pictures
from vle_bench.shards.ustar import END_OF_ARCHIVE, header, padding

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLES_PER_TAR = 10_000

Step = Callable[[], None]
Pictured = tuple[AnySample, bytes]


def export_img2dataset(
    datasets: Sequence[Prepared],
    folder: Path,
    step: Step,
    *,
    samples_per_tar: int = SAMPLES_PER_TAR,
) -> dict[str, Any]:
    """Writes one prepared dataset into `folder`, a folder for each split.

    Args:
        datasets: The dataset; the layout has room for one.
        folder: An empty folder.
        step: Called after every picture.
        samples_per_tar: At most 10,000, since keys have four digits for it.

    Raises:
        UsageProblem: More than one dataset.
        DataProblem: A shard is missing or damaged.
        MachineProblem: The disk refuses.
    """
    if len(datasets) > 1:
        names = ", ".join(one.report.dataset for one in datasets)
        raise UsageProblem(f"this layout holds one dataset, found {names}. Give one folder.")
    found: dict[str, Any] = {}
    for split in datasets[0].splits:
        samples = iter_with_pictures(datasets[0].folder, split, AnySample)
        total = texts = tars = 0
        while True:
            part = islice(samples, samples_per_tar)
            rows = _tar(folder / split / f"{tars:05d}", tars, part, step)
            if not rows:
                break
            total, tars = total + len(rows), tars + 1
            texts += sum(row["caption"] is not None for row in rows)
        found[split] = {"samples": total, "texts": texts, "tars": tars}
    return found


def _tar(stem: Path, number: int, samples: Iterator[Pictured], step: Step) -> list[dict[str, Any]]:
    """Writes the three files of one tar and returns its rows; none where no sample is left."""
    first = next(samples, None)
    if first is None:
        return []
    rows: list[dict[str, Any]] = []
    size = 0
    with replacing(stem.with_suffix(".tar")) as stream:
        one: Pictured | None = first
        while one is not None:
            sample, picture = one
            row = _row(sample, f"{number:05d}{len(rows):04d}")
            for name, data in _members(sample, picture, row):
                stream.write(header(name, len(data)) + data + padding(len(data)))
            size += len(picture)
            rows.append(row)
            step()
            one = next(samples, None)
        stream.write(END_OF_ARCHIVE)
    _write_parquet(stem.with_suffix(".parquet"), rows)
    with replacing(stem.with_name(f"{stem.name}_stats.json")) as stream:
        stream.write(pretty_json_bytes(_stats(len(rows), size)))
    return rows


def _members(sample: AnySample, picture: bytes, row: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    yield f"{row['key']}.{sample.image.format}", picture
    if row["caption"] is not None:
        yield f"{row['key']}.txt", row["caption"].encode("utf-8")
    yield f"{row['key']}.json", pretty_json_bytes(row)


def _row(sample: AnySample, key: str) -> dict[str, Any]:
    image, captions = sample.image, [caption.text for caption in sample.captions]
    return {
        "url": image.source_url,
        "caption": captions[0] if captions else None,
        "key": key,
        "status": "success",
        "error_message": None,
        "width": image.width,
        "height": image.height,
        "original_width": image.width,
        "original_height": image.height,
        "exif": "{}",
        "sha256": image.sha256,
        "captions": captions,
        "vle_key": sample.key,
        "licence": image.licence,
    }


def _schema() -> pa.Schema:
    import pyarrow as pa

    kinds: dict[str, Any] = dict.fromkeys(
        ("width", "height", "original_width", "original_height"), pa.int64()
    )
    kinds["captions"] = pa.list_(pa.string())
    names = (
        "url caption key status error_message width height original_width original_height exif "
        "sha256 captions vle_key licence"
    )
    return pa.schema([(name, kinds.get(name, pa.string())) for name in names.split()])


def _write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with replacing(path) as stream:
        pq.write_table(pa.Table.from_pylist(rows, _schema()), stream, compression="zstd")


def _stats(samples: int, size: int) -> dict[str, Any]:
    return {
        "count": samples,
        "successes": samples,
        "failed_to_download": 0,
        "failed_to_resize": 0,
        "duration": 0.0,
        "bytes_downloaded": size,
        "start_time": 0.0,
        "end_time": 0.0,
        "status_dict": {"success": samples},
    }
