"""CC3M: alt texts and addresses of web pictures, with the pictures that were downloaded.

The list has one caption and one address a line and no header; one that was put
there for img2dataset is passed over. How an address finds its picture is told in
`web_pictures`; a row without one is named as not downloaded.
Official page: https://ai.google.com/research/ConceptualCaptions/download
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from vle_bench.data_prep.books import Books
from vle_bench.data_prep.datasets.base import NothingBeside, Parameters, Reading
from vle_bench.data_prep.lines import lines_of
from vle_bench.data_prep.sources import Document, RawTree
from vle_bench.data_prep.web_lists import WebList
from vle_bench.data_prep.web_rows import Named, WebRow, WebSamples, address_keys
from vle_bench.errors import DataProblem
from vle_bench.records import Caption, Picture, Sample

NAME = "cc3m"
NO_ROW = "line that is no caption and address"
LISTS: Mapping[str, str] = {
    "train": "Train_GCC-training.tsv",
    "val": "Validation_GCC-1.1.0-Validation.tsv",
}

_HEADER = b"caption\turl"
_SCHEMES = (b"http://", b"https://")
"""In small letters; an address may have them in capitals, and its key is that of its own text."""


class Cc3m:
    """The dataset as the registry names it."""

    name: str = NAME
    splits: tuple[str, ...] = tuple(LISTS)
    record: type[Sample] = Sample
    parameters: frozenset[str] = frozenset()
    items: str = ""

    def open(self, raw: RawTree, parameters: Parameters) -> OpenedCc3m:
        """Splits share nothing, so nothing is read yet."""
        del parameters
        return OpenedCc3m(raw)

    def web_list(self, raw: RawTree, split: str) -> WebList | None:
        """The captions and addresses of a split; None where RAW has no list of it."""
        document = raw.document(NAME, LISTS[split])
        return None if document is None else WebList(lambda: _rows(document), document.sha256)


CC3M = Cc3m()


class OpenedCc3m(NothingBeside):
    """CC3M with its raw folder."""

    def __init__(self, raw: RawTree) -> None:
        self._raw = raw

    def read(self, split: str, books: Books) -> Reading:
        """The pictures of a list, by the keys of their addresses."""
        document = self._raw.document(NAME, LISTS[split])
        if document is None:
            raise DataProblem(
                f"{self._raw.root}: {LISTS[split]} is nowhere in it. Put it into "
                f"{self._raw.root / NAME}."
            )
        books.sources[document.name] = document.sha256
        for number, fields in _lines(document):
            books.read["caption"] += 1
            if fields is None:
                books.skip("caption", str(number), "", NO_ROW)
        samples = WebSamples(lambda: _rows(document), books, by_key=True)
        taken = np.zeros(len(samples.keys), dtype=np.bool_)
        train = self._raw.document(NAME, LISTS["train"]) if split != "train" else None
        if train is not None:
            books.sources[train.name] = train.sha256
            taken = np.isin(samples.keys, address_keys(_rows(train)))

        def named(place: int) -> Named:
            key = f"{int(samples.keys[place]):016x}"
            return Named(f"{NAME}-{key}", key)

        def make(
            name: Named, picture: Picture, captions: tuple[Caption, ...], row: WebRow
        ) -> Sample:
            del row
            return Sample(key=name.key, dataset=NAME, split=split, image=picture, captions=captions)

        folders = [self._raw.root / NAME] if (self._raw.root / NAME).is_dir() else []
        return samples.reading(folders, named, make, taken=taken)


def _rows(document: Document) -> Iterator[WebRow]:
    """The rows that are sound; the id of one is its line, from 1."""
    for number, fields in _lines(document):
        if fields is not None:
            yield WebRow(str(number), *fields)


def _lines(document: Document) -> Iterator[tuple[int, tuple[str, str] | None]]:
    """Number of each line, and caption and address where it is both."""
    for number, line in lines_of(document):
        if number == 1 and line == _HEADER:
            continue
        parts = line.split(b"\t")
        if len(parts) != 2 or not parts[1][:8].lower().startswith(_SCHEMES):
            yield number, None
            continue
        try:
            yield number, (parts[0].decode("utf-8"), parts[1].strip().decode("utf-8"))
        except UnicodeDecodeError:
            yield number, None
