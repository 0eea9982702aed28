"""Lists of addresses and captions: the same address twice is one picture with both captions.

A list may have millions of rows, so it is walked through twice: first for the
keys of the addresses, eight bytes each, from which the order of the samples
follows; then rows go to their sample's place and wait on disk.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.console import amount, verb
from vle_bench.data_prep.books import EMPTY_CAPTION, OTHER_SPLIT, Books
from vle_bench.data_prep.caption_rules import CaptionCensus
from vle_bench.data_prep.datasets.base import Draft, Reading, unseen_picture
from vle_bench.data_prep.found_pictures import ChosenPictures
from vle_bench.data_prep.joined import Joined
from vle_bench.data_prep.leaks.evidence import flickr_photo
from vle_bench.data_prep.sources import PictureFile
from vle_bench.data_prep.web_keys import Keys, Places, grouped, url_key
from vle_bench.data_prep.web_pictures import find_pictures
from vle_bench.data_prep.web_reasons import told
from vle_bench.records import Caption, Picture, Sample

NOT_DOWNLOADED = "picture not downloaded"
NO_CAPTION = "image without a usable caption"


class WebRow(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One row of a list: how it is called in the books, what it says, where the picture was."""

    id: str
    caption: str
    url: str
    user_id: str = ""


Rows = Callable[[], Iterator[WebRow]]


class Named(NamedTuple):
    """How a picture is called: the sample's key and the image's id."""

    key: str
    image: str


def address_keys(rows: Iterator[WebRow]) -> Keys:
    """`url_key` of every row."""
    return np.frombuffer(array("Q", (url_key(row.url) for row in rows)), dtype=np.uint64)


class WebSamples:
    """Puts the samples of one split together.

    Args:
        rows: Walks through the list; called several times, the same rows each time.
        books: Every row must have been counted there as a caption.
        by_key: Whether samples are in the order of their addresses' keys, else of first rows.
    """

    def __init__(self, rows: Rows, books: Books, *, by_key: bool) -> None:
        self._rows = rows
        self._books = books
        keys, first, row_places = grouped(address_keys(rows()))
        if not by_key:
            order = np.argsort(first, kind="stable").astype(np.int32)
            keys, first = keys[order], first[order]
            ranks = np.empty_like(order)
            ranks[order] = np.arange(len(order), dtype=np.int32)
            row_places = ranks[row_places]
        self.keys: Keys = keys
        self.first: Places = np.empty(0, dtype=np.int32) if by_key else first
        """The first row of each sample, from 0; kept only where that is their order."""
        self._row_places: Places = row_places
        self._joined: Joined[WebRow] = Joined(WebRow)
        books.read["image"] += len(keys)
        for place, row in zip(_one_by_one(self._row_places), rows(), strict=True):
            self._joined.add(place, row)

    def reading(
        self,
        folders: Sequence[Path],
        named: Callable[[int], Named],
        make: Callable[[Named, Picture, tuple[Caption, ...], WebRow], Sample],
        *,
        taken: npt.NDArray[np.bool_],
    ) -> Reading:
        """The samples whose pictures are there; the others are left out with their captions.

        Args:
            folders: Folders of the dataset below RAW.
            named: The name of the sample at a place.
            make: Makes the sample of a name, a picture, captions, and its first row.
            taken: For each place whether an earlier split has it.
        """
        found = find_pictures(folders, self.keys, self._urls)
        self._books.warnings += found.warnings
        self._row_places = np.empty(0, dtype=np.int32)  # done with, and large
        ready = array("i")
        lost: Counter[str] = Counter()
        for place, (there, earlier) in enumerate(
            zip(_one_by_one(found.there), _one_by_one(taken), strict=True)
        ):
            if earlier:
                self._leave_out(place, named, OTHER_SPLIT)
            elif not there:
                reason = found.reason(place) or NOT_DOWNLOADED
                lost[reason] += 1
                self._leave_out(place, named, reason)
            elif not any(row.caption.strip() for row in self._joined.of(place)):
                self._leave_out(place, named, NO_CAPTION)
            else:
                ready.append(place)
        if lost:
            self._books.warnings.append(_lost_sentence(lost, len(self.keys)))
        pictures = ChosenPictures(found, ready)
        return Reading(pictures, self._drafts(ready, pictures, named, make))

    def _urls(self) -> Iterator[tuple[int, str]]:
        """Each address once, with its place."""
        seen = np.zeros(len(self.keys), dtype=np.bool_)
        for place, row in zip(_one_by_one(self._row_places), self._rows(), strict=True):
            if not seen[place]:
                seen[place] = True
                yield place, row.url

    def _leave_out(self, place: int, named: Callable[[int], Named], reason: str) -> None:
        identity = named(place).image
        self._books.skip("image", identity, identity, reason)
        for row in self._joined.of(place):
            why = reason if row.caption.strip() else EMPTY_CAPTION
            self._books.skip("caption", row.id, identity, why)

    def _drafts(
        self,
        ready: Sequence[int],
        pictures: ChosenPictures,
        named: Callable[[int], Named],
        make: Callable[[Named, Picture, tuple[Caption, ...], WebRow], Sample],
    ) -> Iterator[Draft]:
        census = CaptionCensus("latin")
        for place, file in zip(ready, pictures, strict=True):
            rows = self._joined.of(place)
            name = named(place)
            captions = self._captions(rows, name.image)
            census.see(captions)
            yield Draft(make(name, _picture(name, file, rows[0]), captions, rows[0]), file, None)
        self._books.adjusted.update(census.counts())

    def _captions(self, rows: Sequence[WebRow], image: str) -> tuple[Caption, ...]:
        captions: list[Caption] = []
        for row in rows:
            if not row.caption.strip():
                self._books.skip("caption", row.id, image, EMPTY_CAPTION)
                continue
            captions.append(Caption(id=row.id, text=row.caption))
        return tuple(captions)


def _one_by_one(column: npt.NDArray[Any]) -> Iterator[Any]:
    """The values as Python's own; all at once they would take forty bytes each."""
    return iter(column.data)


def _lost_sentence(lost: Counter[str], of: int) -> str:
    """How many pictures are not there, and of which kinds of failure that is known."""
    were = verb(lost.total(), "was", "were")
    sentence = f"{lost.total():,} of {amount(of, 'picture')} {were} not downloaded"
    known = told((reason, count) for reason, count in lost.items() if reason != NOT_DOWNLOADED)
    return f"{sentence}: {known}" if known else sentence


def _picture(name: Named, file: PictureFile, row: WebRow) -> Picture:
    return unseen_picture(
        id=name.image, file_name=file.name, source_url=row.url, flickr_id=flickr_photo(row.url)
    )
