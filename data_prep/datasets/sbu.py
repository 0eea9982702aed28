"""SBU: a million Flickr photographs with their owners' captions, with those that were downloaded.

The list is one object of three columns, not of rows; in its first form, two text
files that belong together line by line, and without the owners. A sample has the number of
the first row that names its photograph, from 0; how an address finds its picture
is told in `web_pictures`.
Official page: https://www.cs.rice.edu/~vo9/sbucaptions/
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from vle_bench.data_prep.books import Books
from vle_bench.data_prep.caption_rules import BROKEN_TEXT
from vle_bench.data_prep.datasets.base import NothingBeside, Parameters, Reading
from vle_bench.data_prep.lines import all_lines
from vle_bench.data_prep.sources import Document, RawTree
from vle_bench.data_prep.web_lists import WebList
from vle_bench.data_prep.web_rows import Named, WebRow, WebSamples
from vle_bench.errors import DataProblem
from vle_bench.records import Caption, Picture, Sample, SbuSample

NAME = "sbu"
LIST = "sbu-captions-all.json"
URL_LINES = "SBU_captioned_photo_dataset_urls.txt"
CAPTION_LINES = "SBU_captioned_photo_dataset_captions.txt"

_URLS, _CAPTIONS, _USERS = "image_urls", "captions", "user_ids"
_EXPECTED = "SBU's columns: {image_urls: [...], captions: [...], user_ids: [...]}, all as long"


class Sbu:
    """The dataset as the registry names it."""

    name: str = NAME
    splits: tuple[str, ...] = ("train",)
    record: type[Sample] = SbuSample
    parameters: frozenset[str] = frozenset()
    items: str = ""

    def open(self, raw: RawTree, parameters: Parameters) -> OpenedSbu:
        """Reads nothing yet: there is one split."""
        del parameters
        return OpenedSbu(raw)

    def web_list(self, raw: RawTree, split: str) -> WebList | None:
        """The captions and addresses; None where RAW has no list of them."""
        del split
        documents = _documents(raw)
        if not documents:
            return None
        return WebList(_opened(documents).rows, documents[0].sha256)


SBU = Sbu()


class OpenedSbu(NothingBeside):
    """SBU with its raw folder."""

    def __init__(self, raw: RawTree) -> None:
        self._raw = raw

    def read(self, split: str, books: Books) -> Reading:
        """The photographs of the list, in its order."""
        columns = self._list(books)
        books.read["caption"] += columns.count
        samples = WebSamples(columns.rows, books, by_key=False)

        def named(place: int) -> Named:
            row = int(samples.first[place])
            return Named(f"{NAME}-{row:07d}", str(row))

        def make(
            name: Named, picture: Picture, captions: tuple[Caption, ...], row: WebRow
        ) -> Sample:
            return SbuSample(
                key=name.key,
                dataset=NAME,
                split=split,
                image=picture,
                captions=captions,
                user_id=row.user_id,
            )

        folders = [self._raw.root / NAME] if (self._raw.root / NAME).is_dir() else []
        taken = np.zeros(len(samples.keys), dtype=np.bool_)
        return samples.reading(folders, named, make, taken=taken)

    def _list(self, books: Books) -> _Columns | _Lines:
        """The list in whichever form it is there."""
        documents = _documents(self._raw)
        if not documents:
            raise DataProblem(
                f"{self._raw.root}: {LIST} is nowhere in it, nor are both {URL_LINES} and "
                f"{CAPTION_LINES}. Put sbu-captions-all.tar.gz into {self._raw.root / NAME}."
            )
        books.sources.update((document.name, document.sha256) for document in documents)
        opened = _opened(documents)
        if isinstance(opened, _Lines) and opened.broken:
            books.adjusted[BROKEN_TEXT] += opened.broken
        return opened


def _documents(raw: RawTree) -> list[Document]:
    """The list's one file, or its two; none where it is absent or one of the two is."""
    for names in ((LIST,), (URL_LINES, CAPTION_LINES)):
        found = [document for name in names if (document := raw.document(NAME, name)) is not None]
        if len(found) == len(names):
            return found
    return []


def _opened(documents: list[Document]) -> _Columns | _Lines:
    return _Columns(documents[0]) if len(documents) == 1 else _Lines(documents[0], documents[1])


class _Columns:
    """The columns of the list, once it is known that all are as long.

    Raises:
        DataProblem: A column is absent, holds other things than text, or is of another length.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        # One whole walk first: afterwards the document knows where each column begins, and they
        # can be walked through side by side.
        lengths = {name: sum(map(len, self._chunks(name))) for name in (_URLS, _CAPTIONS, _USERS)}
        self.count = lengths[_URLS]
        self._users = lengths[_USERS] > 0
        if lengths[_CAPTIONS] != self.count or lengths[_USERS] not in (0, self.count):
            told = ", ".join(f"{count:,} {name}" for name, count in lengths.items())
            raise DataProblem(f"{document.place}: {told}. Expected {_EXPECTED}.")

    def rows(self) -> Iterator[WebRow]:
        """The rows; the id of one is its number, from 0."""
        columns = [self._values(name) for name in (_URLS, _CAPTIONS)]
        users = self._values(_USERS) if self._users else iter(lambda: "", None)
        for number, (url, caption) in enumerate(zip(*columns, strict=True)):
            yield WebRow(str(number), caption, url, next(users))

    def _values(self, name: str) -> Iterator[str]:
        return (value or "" for value in chain.from_iterable(self._chunks(name)))

    def _chunks(self, name: str) -> Iterator[list[str | None]]:
        nullable: type[str | None] = str | None  # type: ignore[assignment]  # a runtime type
        return self._document.rows(name, nullable, required=name != _USERS, expected=_EXPECTED)


class _Lines:
    """The list as two files: the address in line N belongs to the caption in line N.

    Attributes:
        count: How many lines there are.
        broken: How many captions have bytes that are no UTF-8, each read as U+FFFD.

    Raises:
        DataProblem: One has more lines than the other.
    """

    def __init__(self, urls: Document, captions: Document) -> None:
        self._documents = (urls, captions)
        self.count = sum(1 for _ in all_lines(urls))
        others = self.broken = 0
        for _, line in all_lines(captions):
            others += 1
            self.broken += _text(line).encode() != line
        if self.count != others:
            raise DataProblem(
                f"{urls.place}: {self.count:,} lines, but {captions.place} has {others:,}. "
                "Expected as many captions as addresses."
            )

    def rows(self) -> Iterator[WebRow]:
        """The rows; the id of one is its number, from 0."""
        for (number, url), (_, caption) in zip(*map(all_lines, self._documents), strict=True):
            yield WebRow(str(number - 1), _text(caption), _text(url.strip()))


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")
