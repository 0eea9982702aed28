"""COCO: captions and boxes, under one of three ways to split the same pictures.

Karpathy's split (the default, that of retrieval and captioning papers) comes
from his own file: train is train2014, and restval, val and test share val2014.
Under `2014` and `2017` the pictures that a release's own files list are its
splits. Sentences are those of the captions files; where these are absent under
Karpathy's split, those of his file, which carry the same ids.
Official page: https://cocodataset.org/#download
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from vle_bench.data_prep.books import ABSENT, NO_NUMBER_ID, OTHER_SPLIT, Books
from vle_bench.data_prep.caption_rules import CaptionCensus
from vle_bench.data_prep.coco_files import COCO, PICTURE_FOLDERS, CocoFacts, images_listed
from vle_bench.data_prep.datasets.base import (
    Draft,
    NothingBeside,
    Parameters,
    Reading,
    leave_out,
    unseen_picture,
)
from vle_bench.data_prep.karpathy_file import Assigned, read_assignment, read_sentences
from vle_bench.data_prep.sources import Document, PictureFile, RawTree
from vle_bench.errors import DataProblem
from vle_bench.records import Sample

KARPATHY = "karpathy"
SPLIT_FILE = "dataset_coco.json"

_SPLITS = ("train", "restval", "val", "test")
_KARPATHY_PARTS = {
    "train": "train2014",
    "restval": "val2014",
    "val": "val2014",
    "test": "val2014",
}
_KINDS = ("captions", "instances")


class Coco:
    """The dataset as the registry names it."""

    name: str = COCO
    splits: tuple[str, ...] = _SPLITS
    record: type[Sample] = Sample
    parameters: frozenset[str] = frozenset({"scheme"})
    items: str = ""

    def open(self, raw: RawTree, parameters: Parameters) -> OpenedCoco:
        """Nothing is read yet."""
        return OpenedCoco(raw, parameters.scheme or KARPATHY)


DATASET = Coco()


class OpenedCoco(NothingBeside):
    """COCO with its raw folder and its scheme."""

    def __init__(self, raw: RawTree, scheme: str) -> None:
        self._raw = raw
        self._scheme = scheme

    def read(self, split: str, books: Books) -> Reading:
        """The pictures of a split by ascending id, with all that is known of them."""
        if self._scheme == KARPATHY:
            part = _KARPATHY_PARTS[split]
            assigned = read_assignment(self._split_file(books), split, _SPLITS, books)
        else:
            part = f"{split}{self._scheme}"
            assigned = self._listed(split, books)
        facts = CocoFacts(self._raw, part, frozenset(assigned.images), books)
        if self._scheme == KARPATHY and f"annotations/captions_{part}.json" in books.absent:
            read_sentences(self._split_file(books), split, books, facts.captions)
        found = self._raw.pictures(COCO, PICTURE_FOLDERS[part], assigned.images)
        ready: list[tuple[int, PictureFile]] = []
        for image in assigned.images:
            reason = OTHER_SPLIT if image in assigned.taken else ABSENT
            if image in assigned.taken or image not in found:
                leave_out(image, reason, books, captions=facts.captions, boxes=facts.boxes)
            else:
                ready.append((image, found[image]))
        return Reading([file for _, file in ready], _drafts(split, ready, facts, books))

    def _split_file(self, books: Books) -> Document:
        document = self._raw.document(COCO, SPLIT_FILE)
        if document is None:
            raise DataProblem(
                f"{self._raw.root}: {SPLIT_FILE} is nowhere in it. Put it, or caption_datasets.zip "
                f"that holds it, into {self._raw.root / COCO}; or choose --scheme 2014 or 2017."
            )
        books.sources[document.name] = document.sha256
        return document

    def _listed(self, split: str, books: Books) -> Assigned:
        """The pictures that the release's own files of the split list."""
        mine: set[int] = set()
        odd: Counter[str] = Counter()
        for document in self._lists_of(split, books):
            listed, strange = images_listed(document)
            mine |= listed
            odd |= strange  # the most of either: each picture stands in both files
        if not books.sources:
            raise DataProblem(
                f"{self._raw.root}: neither captions nor instances of {split}{self._scheme} are in "
                f"it. Put annotations_trainval{self._scheme}.zip into {self._raw.root / COCO}."
            )
        books.read["image"] += len(mine) + odd.total()
        for identity in sorted(odd.elements()):
            books.skip("image", identity, identity, NO_NUMBER_ID)
        taken: set[int] = set()
        for other in _SPLITS[: _SPLITS.index(split)]:
            for document in self._lists_of(other, books):
                taken |= mine & images_listed(document)[0]
        return Assigned(sorted(mine), frozenset(taken))

    def _lists_of(self, split: str, books: Books) -> Iterator[Document]:
        for kind in _KINDS:
            name = f"annotations/{kind}_{split}{self._scheme}.json"
            document = self._raw.document(COCO, name)
            if document is not None:
                books.sources[document.name] = document.sha256
                yield document


def _drafts(
    split: str, ready: Sequence[tuple[int, PictureFile]], facts: CocoFacts, books: Books
) -> Iterator[Draft]:
    """One draft per picture that was found."""
    census = CaptionCensus("latin")
    for image, file in ready:
        captions = tuple(facts.captions.of(image))
        census.see(captions)
        picture = unseen_picture(id=str(image), file_name=file.name, **facts.picture_facts(image))
        sample = Sample(
            key=f"{COCO}-{image:012d}",
            dataset=COCO,
            split=split,
            image=picture,
            captions=captions,
            boxes=tuple(facts.boxes.of(image)),
        )
        yield Draft(sample, file, facts.declared_size(image))
    books.adjusted.update(census.counts())
