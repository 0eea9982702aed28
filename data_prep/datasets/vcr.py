"""VCR: film stills and the questions about them, one sample per still.

File names hold an `@` and films hundreds of stills, so stills are found by
their path below `vcr1images/` and not by a number. Labels of the test split are
hidden; its items have -1.
Official page: https://visualcommonsense.com/download.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from vle_bench.catalog.datasets import load_dataset_manifest
from vle_bench.data_prep.books import ABSENT, DUPLICATE, OTHER_SPLIT, Books
from vle_bench.data_prep.datasets.base import (
    Draft,
    NothingBeside,
    Parameters,
    Reading,
    unseen_picture,
)
from vle_bench.data_prep.id_set import NumberedTexts
from vle_bench.data_prep.joined import Joined
from vle_bench.data_prep.small_files import SmallFiles
from vle_bench.data_prep.sources import Document, PictureFile, RawTree
from vle_bench.data_prep.vcr_files import (
    MOST_METADATA,
    Detected,
    Frame,
    detected,
    frame_of,
    images_asked,
    item_of,
    objects_meant,
    read_rows,
)
from vle_bench.errors import DataProblem
from vle_bench.identity import id_text
from vle_bench.records import KEY_PATTERN, NO_LABEL_ID, Sample, VcrItem, VcrSample

NAME = "vcr"
PICTURES = "vcr1images/"
NO_LABEL = "question without label"
NO_KEY = "id that cannot name a sample"
OTHER_FRAME = "question of another picture or other objects than its image's first"
NO_USABLE_QUESTION = "image without a usable question"
NO_OBJECT = "question that points at an object that is not there"

_SPLITS = ("train", "val", "test")
_HIDDEN = "test"
_KEY = re.compile(KEY_PATTERN)
_ENDING = re.compile(r"(?P<stem>.*?)(?P<number>[0-9]{0,18})", re.DOTALL)


class Vcr:
    """The dataset as the registry names it."""

    name: str = NAME
    splits: tuple[str, ...] = _SPLITS
    record: type[Sample] = VcrSample
    parameters: frozenset[str] = frozenset()
    items: str = "items"

    def open(self, raw: RawTree, parameters: Parameters) -> OpenedVcr:
        """Splits share nothing, so nothing is read yet."""
        del parameters
        return OpenedVcr(raw)


VCR = Vcr()


class OpenedVcr(NothingBeside):
    """VCR with its raw folder."""

    def __init__(self, raw: RawTree) -> None:
        self._raw = raw

    def read(self, split: str, books: Books) -> Reading:
        """The stills asked about in a split, by the number in their id."""
        document = self._raw.document(NAME, f"{split}.jsonl")
        if document is None:
            raise DataProblem(
                f"{self._raw.root}: {split}.jsonl is nowhere in it. Put it, or vcr1annots.zip, "
                f"into {self._raw.root / NAME}."
            )
        books.sources[document.name] = document.sha256
        manifest = load_dataset_manifest(NAME)
        files = SmallFiles(self._raw, manifest, PICTURES, most_bytes=MOST_METADATA)
        samples = _Samples(split, files, books)
        samples.read(document)
        return samples.reading(self._earlier(split, books))

    def _earlier(self, split: str, books: Books) -> frozenset[str]:
        """Images asked about in the splits before this one."""
        taken: set[str] = set()
        for other in _SPLITS[: _SPLITS.index(split)]:
            document = self._raw.document(NAME, f"{other}.jsonl")
            if document is not None:
                books.sources[document.name] = document.sha256
                taken |= images_asked(document)
        return frozenset(taken)


class _Samples:
    """Puts the samples of one split together, or leaves them out with their questions."""

    def __init__(self, split: str, files: SmallFiles, books: Books) -> None:
        self._split = split
        self._files = files
        self._books = books
        self._places: dict[str, int] = {}
        self._frames: list[Frame] = []
        self._items: Joined[VcrItem] = Joined()
        self._detected: Joined[Detected] = Joined(Detected)

    def read(self, document: Document) -> None:
        """Sorts the questions by image; the books name those that cannot be used."""
        met = NumberedTexts()
        for row in read_rows(document):
            annotation, image = id_text(row.annot_id), id_text(row.img_id)
            frame = frame_of(row)
            self._books.read["question"] += 1
            place = self._places.setdefault(image, len(self._frames))
            if place == len(self._frames):
                self._frames.append(frame)
            item = item_of(row)
            if not met.add(annotation):
                reason = DUPLICATE
            elif frame != self._frames[place]:
                reason = OTHER_FRAME
            elif self._split != _HIDDEN and NO_LABEL_ID in (
                item.answer_label,
                item.rationale_label,
            ):
                reason = NO_LABEL
            else:
                reason = ""
                self._items.add(place, item)
                if objects_meant(row).difference(range(len(frame.objects))):
                    self._books.adjusted[NO_OBJECT] += 1
            if reason:
                self._books.skip("question", annotation, image, reason)

    def reading(self, taken: frozenset[str]) -> Reading:
        """The samples in order; those without key, question or picture are left out."""
        self._books.read["image"] += len(self._places)
        ready: list[tuple[str, PictureFile]] = []
        for image in sorted(self._places, key=_order):
            place = self._places[image]
            file = self._files.find(self._frames[place].picture)
            if not _KEY.fullmatch(f"{NAME}-{image}"):
                self._leave_out(image, NO_KEY)
            elif image in taken:
                self._leave_out(image, OTHER_SPLIT)
            elif not self._items.of(place):
                self._leave_out(image, NO_USABLE_QUESTION)
            elif file is None:
                self._leave_out(image, ABSENT)
            else:
                ready.append((image, file))
        self._look(image for image, _ in ready)
        return Reading([file for _, file in ready], self._drafts(ready))

    def _look(self, images: Iterable[str]) -> None:
        """Reads what lies beside the stills; it waits on disk until their turn comes."""
        found = 0
        for image in images:
            place = self._places[image]
            frame = self._frames[place]
            data = next((data for _, data in self._files.read([frame.metadata])), None)
            self._detected.add(place, detected(data, frame))
            found += data is not None
        if found:
            name = f"{self._files.source} (metadata, {self._split})"
            self._books.sources[name] = self._files.sha256

    def _leave_out(self, image: str, reason: str) -> None:
        self._books.skip("image", image, image, reason)
        for item in self._items.of(self._places[image]):
            self._books.skip("question", item.annot_id, image, reason)

    def _drafts(self, ready: Sequence[tuple[str, PictureFile]]) -> Iterator[Draft]:
        for image, file in ready:
            place = self._places[image]
            frame = self._frames[place]
            (found,) = self._detected.of(place)
            self._books.read["box"] += len(found.boxes)
            if found.odd:
                self._books.adjusted[found.odd] += 1
            sample = VcrSample(
                key=f"{NAME}-{image}",
                dataset=NAME,
                split=self._split,
                image=unseen_picture(id=image, file_name=frame.picture),
                boxes=found.boxes,
                movie=frame.movie,
                metadata_file=frame.metadata,
                objects=found.objects,
                items=tuple(self._items.of(place)),
            )
            yield Draft(sample, file, found.declared)


def _order(image: str) -> tuple[str, int, str]:
    """Sorting key: `val-9` before `val-10`."""
    match = _ENDING.fullmatch(image)
    if match is None:
        return image, -1, image
    return match["stem"], int(match["number"] or -1), image
