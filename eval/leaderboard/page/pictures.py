"""Small pictures of single items, out of the shards of their data set where those are at hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from vle_bench.eval.references import canonical_split
from vle_bench.pages.thumbnail import NoThumbnail, data_uri, thumbnail
from vle_bench.results import ResultDocument
from vle_bench.shards.index import SampleRow, read_samples
from vle_bench.shards.layout import REPORT, SAMPLES
from vle_bench.shards.read import open_split
from vle_bench.shards.report import read_report

LONGEST_SIDE = 320
MOST_BYTES = 16 << 10
_IDS = ("image_id", "coco_id", "flickr_id")
_FOLDERS = {"test-dev": "test", "test-std": "test"}


class Place(NamedTuple):
    """Where the pictures of a set lie."""

    folder: Path
    split: str


def place_of(document: ResultDocument, data: Path) -> Place | None:
    """The prepared split of a result; None where it is not there.

    Ids of the sample world and of the real one are alike, so one never shows pictures of the other.

    Raises:
        DataProblem: The books of the data set are damaged.
    """
    folder = data / document.dataset
    if document.dataset in {"", ".", ".."} or "/" in document.dataset:
        return None
    if not (folder / REPORT).is_file() or not (folder / SAMPLES).is_file():
        return None
    split = canonical_split(document.split)
    report = read_report(folder)
    stored = split if split in report.splits else _FOLDERS.get(split, "")
    if stored not in report.splits or report.sample != document.sample:
        return None
    return Place(folder, stored)


def thumbnails(place: Place, wanted: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Id and data URI of each picture that is there and can be decoded, in the order asked for.

    Args:
        place: Where they lie.
        wanted: Ids as the item tables name them.

    Raises:
        DataProblem: A shard is missing, damaged, or newer than its index.
    """
    rows = _rows_by_id(place)
    with open_split(place.folder, place.split) as reader:
        for name in wanted:
            row = rows.get(name)
            if row is None:
                continue
            try:
                small = thumbnail(reader.picture(row), longest=LONGEST_SIDE, most_bytes=MOST_BYTES)
            except NoThumbnail:
                continue
            yield name, data_uri(small)


def _rows_by_id(place: Place) -> dict[str, SampleRow]:
    """Rows by the source's id, else by COCO's or Flickr's; the first of an id stays."""
    rows = list(read_samples(place.folder / SAMPLES, split=place.split))
    found: dict[str, SampleRow] = {}
    for field in _IDS:
        for row in rows:
            name = getattr(row, field)
            if name:
                found.setdefault(name, row)
    return found
