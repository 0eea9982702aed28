"""Flickr30k-CN: Chinese captions of Flickr30k's pictures, in the files of Chinese-CLIP.

The pictures come as base64 text in a TSV and leave as the bytes they stand for.
The splits are those of Flickr30k Entities, not Karpathy's, and the files call
val `valid`. Ids are Flickr photo ids.
Official page: https://github.com/OFA-Sys/Chinese-CLIP
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import msgspec

from vle_bench.catalog.datasets import load_dataset_manifest
from vle_bench.data_prep.base64_rows import Base64Cell, Base64Table
from vle_bench.data_prep.books import ABSENT, DUPLICATE, NO_NUMBER_ID, OTHER_SPLIT, Books
from vle_bench.data_prep.caption_rules import CaptionCensus, keep_caption
from vle_bench.data_prep.datasets.base import (
    Draft,
    NothingBeside,
    Parameters,
    Reading,
    leave_out,
    unseen_picture,
)
from vle_bench.data_prep.id_set import NumberedTexts
from vle_bench.data_prep.joined import Joined
from vle_bench.data_prep.lines import json_lines
from vle_bench.data_prep.sources import SQUEEZED, Document, PictureFile, RawTree
from vle_bench.errors import DataProblem
from vle_bench.identity import Identity, number_of
from vle_bench.records import BoxAnnotation, Caption, Sample

NAME = "flickr30k-cn"
NO_PICTURE = "text that names no picture"
BAD_ROW = "row of pictures that is not understood"

_EXPECTED = '{"text_id", "text", "image_ids": [...]}'
_FILE_NAMES = {"train": "train", "val": "valid", "test": "test"}


class TextRow(msgspec.Struct, frozen=True, gc=False):
    """A line of `<split>_texts.jsonl`."""

    text_id: Identity
    text: str
    image_ids: tuple[Identity, ...]


class Flickr30kCn:
    """The dataset as the registry names it."""

    name: str = NAME
    splits: tuple[str, ...] = tuple(_FILE_NAMES)
    record: type[Sample] = Sample
    parameters: frozenset[str] = frozenset()
    items: str = ""

    def open(self, raw: RawTree, parameters: Parameters) -> OpenedFlickr30kCn:
        """Nothing is read yet."""
        del parameters
        return OpenedFlickr30kCn(raw)


DATASET = Flickr30kCn()


@dataclass(frozen=True)
class _Pictures:
    """What a TSV holds: the first row of each id, and every row that is none."""

    name: str
    path: str
    sha256: str
    cells: Mapping[int, Base64Cell]
    odd: Sequence[tuple[str, str]]
    """Id or line, and the reason why it was left out."""

    def file(self, image: int) -> PictureFile | None:
        cell = self.cells.get(image)
        name = f"{PurePosixPath(self.name).name}#{image}"
        return PictureFile(name, self.path, cell) if cell else None


@dataclass
class _Texts:
    """The captions of a split by picture."""

    images: set[int] = field(default_factory=set)
    captions: Joined[Caption] = field(default_factory=Joined)


class OpenedFlickr30kCn(NothingBeside):
    """Flickr30k-CN with its raw folder."""

    def __init__(self, raw: RawTree) -> None:
        self._raw = raw
        self._tables: dict[str, _Pictures] = {}

    def read(self, split: str, books: Books) -> Reading:
        """The pictures of a split by ascending photo id: those with texts and those without."""
        document = self._raw.document(NAME, f"{_FILE_NAMES[split]}_texts.jsonl")
        if document is None:
            raise DataProblem(
                f"{self._raw.root}: {_FILE_NAMES[split]}_texts.jsonl is nowhere in it. "
                f"Put it into {self._raw.root / NAME}."
            )
        books.sources[document.name] = document.sha256
        texts = _read_texts(document, books)
        pictures = self._pictures(split, books)
        books.read["image"] += len(pictures.odd)
        for identity, reason in pictures.odd:
            books.skip("image", identity, identity, reason)
        taken = self._earlier(split, books)
        images = sorted(texts.images | pictures.cells.keys())
        books.read["image"] += len(images)
        boxes: Joined[BoxAnnotation] = Joined()
        ready: list[tuple[int, PictureFile]] = []
        for image in images:
            file = pictures.file(image)
            if image in taken or file is None:
                reason = OTHER_SPLIT if image in taken else ABSENT
                leave_out(image, reason, books, captions=texts.captions, boxes=boxes)
            else:
                ready.append((image, file))
        return Reading([file for _, file in ready], _drafts(split, ready, texts.captions, books))

    def _earlier(self, split: str, books: Books) -> set[int]:
        """Pictures of the splits before this one, by their texts or their own rows."""
        taken: set[int] = set()
        for other in Flickr30kCn.splits[: Flickr30kCn.splits.index(split)]:
            document = self._raw.document(NAME, f"{_FILE_NAMES[other]}_texts.jsonl")
            if document is not None:
                books.sources[document.name] = document.sha256
                taken |= _read_texts(document, Books(other)).images
            if self._found(other):
                taken |= self._pictures(other, books).cells.keys()
        return taken

    def _found(self, split: str) -> str:
        manifest = load_dataset_manifest(NAME)
        path = f"{_FILE_NAMES[split]}_imgs.tsv"
        need = next(need for need in manifest.needs if need.path == path)
        return self._raw.state(manifest, need).found

    def _pictures(self, split: str, books: Books) -> _Pictures:
        """What the TSV of a split holds; it is walked through once."""
        if split not in self._tables:
            self._tables[split] = self._indexed(self._found(split))
        pictures = self._tables[split]
        books.sources[pictures.name] = pictures.sha256
        return pictures

    def _indexed(self, name: str) -> _Pictures:
        path = self._raw.root / name
        if not name or name.endswith((".zip", *SQUEEZED)):
            raise DataProblem(
                f"{path}: the pictures of Flickr30k-CN are read from *_imgs.tsv, here and there, "
                f"which a packed file does not allow. Unpack it into {self._raw.root / NAME}."
            )
        table = Base64Table(path)
        cells: dict[int, Base64Cell] = {}
        odd: list[tuple[str, str]] = []
        for row in table.rows():
            image = number_of(row.identity) if row.cell else None
            if row.cell is None:
                odd.append((f"{path.name} line {row.line}", BAD_ROW))
            elif image is None:
                odd.append((row.identity, NO_NUMBER_ID))
            elif image in cells:
                odd.append((row.identity, DUPLICATE))
            else:
                cells[image] = row.cell
        return _Pictures(name, str(path), table.sha256, cells, odd)


def _read_texts(document: Document, books: Books) -> _Texts:
    """The texts of a split; each is read once for every picture that it names.

    A text of several pictures becomes a caption of each, under the one id.

    Raises:
        DataProblem: Up to ten lines that are not of the official form.
    """
    texts = _Texts()
    met = NumberedTexts()
    for row in json_lines(document, TextRow, _EXPECTED):
        identity = str(row.text_id)
        new = met.add(identity)
        if not row.image_ids:
            books.read["caption"] += 1
            books.skip("caption", identity, "", NO_PICTURE)
        mine: set[int] = set()
        for name in row.image_ids:
            books.read["caption"] += 1
            image = number_of(name)
            if image is None:
                books.skip("caption", identity, str(name), NO_NUMBER_ID)
            elif not new or image in mine:
                books.skip("caption", identity, str(name), DUPLICATE)
            else:
                mine.add(image)
                texts.images.add(image)
                keep_caption(Caption(id=identity, text=row.text), image, books, texts.captions)
    return texts


def _drafts(
    split: str,
    ready: Sequence[tuple[int, PictureFile]],
    captions: Joined[Caption],
    books: Books,
) -> Iterator[Draft]:
    """One draft per picture that was found."""
    census = CaptionCensus("han")
    for image, file in ready:
        texts = tuple(captions.of(image))
        census.see(texts)
        sample = Sample(
            key=f"{NAME}-{image}",
            dataset=NAME,
            split=split,
            image=unseen_picture(id=str(image), file_name=file.name, flickr_id=str(image)),
            captions=texts,
        )
        yield Draft(sample, file, None)
    books.adjusted.update(census.counts())
