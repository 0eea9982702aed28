"""Flickr30k: five captions a picture, and phrase boxes where Entities are at hand.

Two splits of the same pictures are in use. Karpathy's file decides, and has the
captions, wherever it is there; without it, or by `--scheme entities`, the id
lists of Entities (train.txt, val.txt, test.txt) do, with the captions of
results_20130124.token. The report's `scheme` says which. A picture's id is its
Flickr photo id.
Official page: https://shannon.cs.illinois.edu/DenotationGraph/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vle_bench.catalog.datasets import load_dataset_manifest
from vle_bench.data_prep.books import ABSENT, DUPLICATE, NO_NUMBER_ID, OTHER_SPLIT, Books
from vle_bench.data_prep.caption_rules import BROKEN_TEXT, CaptionCensus, keep_caption
from vle_bench.data_prep.datasets.base import (
    Draft,
    NothingBeside,
    Parameters,
    Reading,
    leave_out,
    unseen_picture,
)
from vle_bench.data_prep.flickr30k_entities import (
    UNMARKED,
    UNREADABLE,
    UnreadableBoxes,
    add_boxes,
    boxes_of,
    marks_lost,
    phrases_of,
)
from vle_bench.data_prep.id_set import NumberedTexts
from vle_bench.data_prep.joined import Joined
from vle_bench.data_prep.karpathy_file import Assigned, read_assignment, read_sentences
from vle_bench.data_prep.lines import lines_of
from vle_bench.data_prep.small_files import SmallFiles
from vle_bench.data_prep.sources import Document, PictureFile, RawTree
from vle_bench.errors import DataProblem
from vle_bench.identity import number_of
from vle_bench.records import BoxAnnotation, Caption, Sample

NAME = "flickr30k"
KARPATHY = "karpathy"
SPLIT_FILE = "dataset_flickr30k.json"
TOKENS = "results_20130124.token"
BAD_LINE = "caption line that is not understood"
BROKEN_SENTENCES = "marked sentences with bytes that are no UTF-8"
NO_BOXES = "picture without its file of phrase boxes"
NO_SENTENCES = "picture without its file of marked sentences"

_SPLITS = ("train", "val", "test")
_PICTURES = ("flickr30k-images/", "flickr30k_images/")
_PACKED = ("flickr30k-images.tar.gz", "flickr30k-images.tar", "flickr30k_images.tar.gz")
"""As the pictures come; out of such an archive single ones cannot be read."""
_NO_UTF8 = "\ufffd"
"""What bytes that are no UTF-8 are read as; one that stands in a file was made of such too."""
_TOKEN = re.compile(r"(?P<photo>[0-9]{1,18})\.jpg#(?P<number>[0-9]+)\t(?P<text>.*)", re.DOTALL)


class Flickr30k:
    """The dataset as the registry names it."""

    name: str = NAME
    splits: tuple[str, ...] = _SPLITS
    record: type[Sample] = Sample
    parameters: frozenset[str] = frozenset()
    items: str = ""

    def open(self, raw: RawTree, parameters: Parameters) -> OpenedFlickr30k:
        """Nothing is read yet."""
        return OpenedFlickr30k(raw, parameters.scheme or KARPATHY)


DATASET = Flickr30k()


class OpenedFlickr30k(NothingBeside):
    """Flickr30k with its raw folder and whoever splits it."""

    def __init__(self, raw: RawTree, scheme: str) -> None:
        self._raw = raw
        self._scheme = scheme

    def read(self, split: str, books: Books) -> Reading:
        """The pictures of a split by ascending photo id, with all that is known of them."""
        facts = _Facts(split, books)
        if self._scheme == KARPATHY:
            document = self._needed(SPLIT_FILE, books)
            assigned = read_assignment(document, split, _SPLITS, books)
            read_sentences(document, split, books, facts.captions)
        else:
            assigned = self._listed(split, books)
            self._read_tokens(frozenset(assigned.images), facts)
        self._read_entities(assigned.images, facts)
        found = self._raw.pictures(NAME, _PICTURES, assigned.images)
        if not found:
            books.warnings += self._still_packed()
        ready: list[tuple[int, PictureFile]] = []
        for image in assigned.images:
            reason = OTHER_SPLIT if image in assigned.taken else ABSENT
            if image in assigned.taken or image not in found:
                leave_out(image, reason, books, captions=facts.captions, boxes=facts.boxes)
            else:
                ready.append((image, found[image]))
        return Reading([file for _, file in ready], facts.drafts(ready))

    def _still_packed(self) -> Iterator[str]:
        """What to do about pictures that are there and cannot be got at."""
        for folder in (self._raw.root / NAME, self._raw.root):
            for name in _PACKED:
                if (folder / name).is_file():
                    place = (folder / name).relative_to(self._raw.root)
                    yield f"{place} is not read where it lies: unpack it, no picture was found"

    def _needed(self, name: str, books: Books) -> Document:
        document = self._raw.document(NAME, name)
        if document is None:
            raise DataProblem(
                f"{self._raw.root}: {name} is nowhere in it. Put it into {self._raw.root / NAME}."
            )
        books.sources[document.name] = document.sha256
        return document

    def _listed(self, split: str, books: Books) -> Assigned:
        """The pictures of Entities' list of the split."""
        mine: set[int] = set()
        for _, text in _lines(self._needed(f"{split}.txt", books)):
            books.read["image"] += 1
            image = number_of(text)
            if image is None:
                books.skip("image", text, text, NO_NUMBER_ID)
            elif image in mine:
                books.skip("image", text, text, DUPLICATE)
            else:
                mine.add(image)
        taken: set[int] = set()
        for other in _SPLITS[: _SPLITS.index(split)]:
            document = self._raw.document(NAME, f"{other}.txt")
            if document is not None:
                books.sources[document.name] = document.sha256
                taken |= {number for _, text in _lines(document) if (number := number_of(text))}
        return Assigned(sorted(mine), frozenset(taken & mine))

    def _read_tokens(self, images: frozenset[int], facts: _Facts) -> None:
        books = facts.books
        document = self._raw.document(NAME, TOKENS)
        if document is None:
            books.absent.append(TOKENS)
            return
        books.sources[document.name] = document.sha256
        met = NumberedTexts()
        for number, line in _lines(document):
            match = _TOKEN.fullmatch(line)
            image = int(match["photo"]) if match else -1
            if match is not None and image not in images:
                books.elsewhere["caption"] += 1
                continue
            books.read["caption"] += 1
            if match is None:
                books.skip("caption", f"line {number}", "", BAD_LINE)
                continue
            identity = f"{image}#{match['number']}"
            if not met.add(identity):
                books.skip("caption", identity, str(image), DUPLICATE)
            else:
                caption = Caption(id=identity, text=match["text"].strip())
                if _NO_UTF8 in caption.text:
                    books.adjusted[BROKEN_TEXT] += 1
                keep_caption(caption, image, books, facts.captions)

    def _read_entities(self, images: Sequence[int], facts: _Facts) -> None:
        """Phrase boxes, where both folders of Entities are there."""
        manifest = load_dataset_manifest(NAME)
        annotations = SmallFiles(self._raw, manifest, "Annotations/")
        sentences = SmallFiles(self._raw, manifest, "Sentences/")
        absent = [
            name
            for name, files in (("Annotations/", annotations), ("Sentences/", sentences))
            if not files.source
        ]
        facts.books.absent += absent
        if absent:
            return
        texts = dict(sentences.read(f"{image}.txt" for image in images))
        with_boxes = 0
        for name, xml in annotations.read(f"{image}.xml" for image in images):
            stem = name.removesuffix(".xml")
            marked = texts.get(f"{stem}.txt", b"").decode("utf-8", "replace")
            facts.add_regions(int(stem), xml, marked)
            with_boxes += 1
        for rule, there in ((NO_BOXES, with_boxes), (NO_SENTENCES, len(texts))):
            if there < len(images):
                facts.books.adjusted[rule] += len(images) - there
        for files in (annotations, sentences):
            facts.books.sources[f"{files.source} ({facts.split})"] = files.sha256


class _Facts:
    """What is known of the pictures of one split."""

    def __init__(self, split: str, books: Books) -> None:
        self.split = split
        self.books = books
        self.captions: Joined[Caption] = Joined()
        self.boxes: Joined[BoxAnnotation] = Joined()
        self._sizes: dict[int, tuple[int, int]] = {}

    def add_regions(self, image: int, xml: bytes, marked: str) -> None:
        """The phrase boxes of one picture; a file that cannot be read is named."""
        if _NO_UTF8 in marked:
            self.books.adjusted[BROKEN_SENTENCES] += 1
        lost = marks_lost(marked)
        if lost:
            self.books.adjusted[UNMARKED] += lost
        try:
            found = boxes_of(xml)
        except UnreadableBoxes:
            self.books.read["box"] += 1
            self.books.skip("box", f"{image}.xml", str(image), UNREADABLE)
            return
        if found.size is not None:
            self._sizes[image] = found.size
        add_boxes(image, found, phrases_of(marked), books=self.books, boxes=self.boxes)

    def drafts(self, ready: Sequence[tuple[int, PictureFile]]) -> Iterator[Draft]:
        """One draft per picture that was found."""
        census = CaptionCensus("latin")
        for image, file in ready:
            captions = tuple(self.captions.of(image))
            census.see(captions)
            sample = Sample(
                key=f"{NAME}-{image}",
                dataset=NAME,
                split=self.split,
                image=unseen_picture(id=str(image), file_name=file.name, flickr_id=str(image)),
                captions=captions,
                boxes=tuple(self.boxes.of(image)),
            )
            yield Draft(sample, file, self._sizes.get(image))
        self.books.adjusted.update(census.counts())


def _lines(document: Document) -> Iterator[tuple[int, str]]:
    """Number and text of the lines that hold anything."""
    for number, line in lines_of(document):
        text = line.decode("utf-8", "replace").strip("\r ")
        if text:
            yield number, text
