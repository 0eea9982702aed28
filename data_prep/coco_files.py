"""What COCO's files say of a picture: sentences, boxes, size, licence, Flickr page.

COCO's pictures carry other people's annotations (VQA, Visual Genome), so this
is read by more than one dataset. The 2014 and 2017 releases hold the same
pictures, ids and annotations, shuffled between train and val; where the files
of one year are absent, those of the other do as well.
Format: https://cocodataset.org/#format-data
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeVar

import msgspec

from vle_bench.data_prep.books import (
    DUPLICATE,
    EMPTY_CAPTION,
    NOT_LISTED,
    Books,
)
from vle_bench.data_prep.id_set import IdSet
from vle_bench.data_prep.joined import Joined
from vle_bench.data_prep.leaks.evidence import coco_photo
from vle_bench.data_prep.sources import Document, RawTree
from vle_bench.identity import Identity, number_of
from vle_bench.records import NO_LABEL_ID, BoxAnnotation, Caption
from vle_bench.shards.index import SkippedKind

COCO = "coco"
BOX_SOURCE = "coco"
UNKNOWN_CATEGORY = "box of a category that its file does not list"

PICTURE_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "train2014": ("train2014/", "train2017/", "val2017/"),
    "val2014": ("val2014/", "train2017/", "val2017/"),
    "test2015": ("test2015/", "test2017/"),
    "train2017": ("train2017/", "train2014/", "val2014/"),
    "val2017": ("val2017/", "val2014/", "train2014/"),
}
"""Folders that may hold the pictures of a set, the likeliest first."""

_OTHER_YEAR = {"2014": ("train2017", "val2017"), "2017": ("train2014", "val2014")}

Row = TypeVar("Row", "CaptionRow", "InstanceRow")


class ImageRow(msgspec.Struct, frozen=True, gc=False):
    """One of `images`."""

    id: Identity
    width: int = 0
    height: int = 0
    license: int | str | None = None
    coco_url: str | None = None
    flickr_url: str | None = None


class CaptionRow(msgspec.Struct, frozen=True, gc=False):
    """One of the `annotations` of a captions file."""

    id: Identity
    image_id: Identity
    caption: str


class InstanceRow(msgspec.Struct, frozen=True, gc=False):
    """One of the `annotations` of an instances file; the outline is skipped over."""

    id: Identity
    image_id: Identity
    category_id: int
    bbox: tuple[float, float, float, float]
    iscrowd: int = 0


class _Category(msgspec.Struct, frozen=True):
    id: int
    name: str


class _Licence(msgspec.Struct, frozen=True):
    id: int | str
    name: str = ""
    url: str = ""


def images_listed(document: Document) -> tuple[set[int], Counter[str]]:
    """The pictures that a captions or instances file lists, and the ids that are no numbers."""
    listed: set[int] = set()
    odd: Counter[str] = Counter()
    for chunk in document.rows("images", ImageRow, required=False, expected="COCO annotations"):
        for row in chunk:
            image = number_of(row.id)
            if image is not None:
                listed.add(image)
            else:
                odd[str(row.id)] += 1
    return listed, odd


class CocoFacts:
    """Everything COCO's files say of the pictures of one split.

    Args:
        raw: The user's raw folder.
        part: `train2014`, `val2014`, `test2015`, `train2017` or `val2017`.
        asked: The pictures that matter; rows about others are only counted.
        books: Notes what was read, repeated or foreign.
    """

    def __init__(self, raw: RawTree, part: str, asked: AbstractSet[int], books: Books) -> None:
        self.captions: Joined[Caption] = Joined()
        self.boxes: Joined[BoxAnnotation] = Joined()
        self._images: Joined[ImageRow] = Joined()
        self._licences: dict[str, str] = {}
        self._asked = asked
        self._books = books
        if part.startswith("test"):
            self._read_image_info(raw, part)
            return
        for document in self._documents(raw, "captions", part):
            self._read_captions(document)
        for document in self._documents(raw, "instances", part):
            self._read_instances(document)

    def declared_size(self, image: int) -> tuple[int, int] | None:
        """Width and height as COCO states them; None where it does not."""
        row = self._row_of(image)
        return (row.width, row.height) if row and row.width > 0 and row.height > 0 else None

    def picture_facts(self, image: int) -> dict[str, str]:
        """`source_url`, `licence`, `coco_id` and `flickr_id` for a sample's picture."""
        row = self._row_of(image)
        facts = {"coco_id": str(image), "source_url": "", "licence": "", "flickr_id": ""}
        if row is not None:
            facts["source_url"] = row.coco_url or ""
            facts["licence"] = self._licences.get(str(row.license), "")
            facts["flickr_id"] = coco_photo(row.flickr_url or "")
        return facts

    def _documents(self, raw: RawTree, kind: str, part: str) -> Iterator[Document]:
        """The file of the part itself, or both of the other year; notes it where none is there."""
        own = raw.document(COCO, f"annotations/{kind}_{part}.json")
        if own is not None:
            self._books.sources[own.name] = own.sha256
            yield own
            return
        lacking: list[str] = []
        others = [f"annotations/{kind}_{other}.json" for other in _OTHER_YEAR[part[-4:]]]
        for name in others:
            document = raw.document(COCO, name)
            if document is None:
                lacking.append(name)
                continue
            self._books.sources[document.name] = document.sha256
            yield document
        # Of the other year, each file holds some of these pictures.
        whole = len(lacking) == len(others)
        self._books.absent += [f"annotations/{kind}_{part}.json"] if whole else lacking

    def _row_of(self, image: int) -> ImageRow | None:
        """The first row of an image; another file of the same release may repeat it."""
        rows = self._images.of(image)
        return rows[0] if rows else None

    def _read_image_info(self, raw: RawTree, part: str) -> None:
        name = f"annotations/image_info_{part}.json"
        document = raw.document(COCO, name)
        if document is None:
            self._books.absent.append(name)
            return
        self._books.sources[document.name] = document.sha256
        self._list_images(document, "COCO's image list", required=True)

    def _read_captions(self, document: Document) -> None:
        expected = "COCO captions: {images, annotations}"

        def keep(image: int, identity: str, row: CaptionRow) -> None:
            if row.caption.strip():
                self.captions.add(image, Caption(id=identity, text=row.caption))
            else:
                self._books.skip("caption", identity, str(image), EMPTY_CAPTION)

        listed = self._list_images(document, expected)
        rows = document.rows("annotations", CaptionRow, expected=expected)
        self._sort_out(rows, "caption", listed, keep)

    def _read_instances(self, document: Document) -> None:
        expected = "COCO instances: {images, annotations}"
        names = {
            category.id: category.name
            for chunk in document.rows(
                "categories", _Category, required=False, expected=expected, to_the_end=False
            )
            for category in chunk
        }

        def keep(image: int, identity: str, row: InstanceRow) -> None:
            known = row.category_id in names
            if not known:
                self._books.adjusted[UNKNOWN_CATEGORY] += 1
            box = BoxAnnotation(
                id=identity,
                xywh=row.bbox,
                label=names.get(row.category_id, ""),
                label_id=row.category_id if known else NO_LABEL_ID,
                kind="crowd" if row.iscrowd else "object",
                source=BOX_SOURCE,
            )
            self.boxes.add(image, box)

        listed = self._list_images(document, expected)
        rows = document.rows("annotations", InstanceRow, expected=expected)
        self._sort_out(rows, "box", listed, keep)

    def _list_images(
        self, document: Document, expected: str, *, required: bool = False
    ) -> set[int]:
        listed: set[int] = set()
        for chunk in document.rows(
            "images", ImageRow, required=required, expected=expected, to_the_end=False
        ):
            for row in chunk:
                self._list_image(row, listed)
        for licences in document.rows("licenses", _Licence, required=False, expected=expected):
            self._licences.update((str(one.id), one.name or one.url) for one in licences)
        return listed

    def _list_image(self, row: ImageRow, listed: set[int]) -> None:
        image = number_of(row.id)
        if image is None:
            return
        if image not in self._asked:
            self._books.elsewhere["image"] += image not in listed
        elif image in listed:
            self._books.read["image"] += 1
            self._books.skip("image", str(image), str(image), DUPLICATE)
        else:
            self._images.add(image, row)
        listed.add(image)

    def _sort_out(
        self,
        chunks: Iterator[list[Row]],
        kind: SkippedKind,
        listed: AbstractSet[int],
        keep: Callable[[int, str, Row], None],
    ) -> None:
        """Rows about asked pictures are kept; the others are counted or, if foreign, named."""
        seen = IdSet()
        for chunk in chunks:
            ours: list[tuple[int | None, Row]] = []
            for row in chunk:
                image = number_of(row.image_id)
                if image in self._asked or image not in listed:
                    ours.append((image, row))
            self._books.elsewhere[kind] += len(chunk) - len(ours)
            self._books.read[kind] += len(ours)
            for (image, row), new in zip(ours, seen.add([row.id for _, row in ours]), strict=True):
                identity = str(row.id)
                if image is None or image not in self._asked:
                    self._books.skip(kind, identity, str(row.image_id), NOT_LISTED)
                elif not new:
                    self._books.skip(kind, identity, str(image), DUPLICATE)
                else:
                    keep(image, identity, row)
