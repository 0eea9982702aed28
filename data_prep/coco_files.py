"""What COCO's files say of a picture: sentences, boxes, size, licence, Flickr page.

COCO's pictures carry other people's annotations (VQA, Visual Genome), so this
is read by more than one dataset. The 2014 and 2017 releases hold the same
pictures, ids and annotations, shuffled between train and val; where the files
of one year are absent, those of the other do as well.
Format: https://cocodataset.org/#format-data
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Generic, TypeVar

import msgspec

from vle_bench.data_prep.books import (
    DUPLICATE,
    EMPTY_CAPTION,
    NO_NUMBER_ID,
    NOT_LISTED,
    Books,
)
from vle_bench.data_prep.joined import Joined as Joined
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
_FLICKR_PHOTO = re.compile(r"/(?P<id>[0-9]+)_[^/]*$")

Row = TypeVar("Row", "CaptionRow", "InstanceRow")
T = TypeVar("T")


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


class _CocoFile(msgspec.Struct, Generic[T]):
    annotations: list[T]
    images: list[ImageRow] = []  # msgspec copies the default for each object
    categories: list[_Category] = []
    licenses: list[_Licence] = []


class _ImageFile(msgspec.Struct):
    images: list[ImageRow]
    licenses: list[_Licence] = []


def images_listed(document: Document, books: Books | None) -> set[int]:
    """The pictures that a captions or instances file lists.

    Args:
        document: The file.
        books: Notes ids that are no numbers; None where they were noted before.
    """
    listed: set[int] = set()
    for chunk in document.rows("images", ImageRow, required=False, expected="COCO annotations"):
        for row in chunk:
            image = number_of(row.id)
            if image is not None:
                listed.add(image)
            elif books is not None:
                books.read["image"] += 1
                books.skip("image", str(row.id), str(row.id), NO_NUMBER_ID)
    return listed


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
        self._images: dict[int, ImageRow] = {}
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
        row = self._images.get(image)
        return (row.width, row.height) if row and row.width > 0 and row.height > 0 else None

    def picture_facts(self, image: int) -> dict[str, str]:
        """`source_url`, `licence`, `coco_id` and `flickr_id` for a sample's picture."""
        row = self._images.get(image)
        facts = {"coco_id": str(image), "source_url": "", "licence": "", "flickr_id": ""}
        if row is not None:
            facts["source_url"] = row.coco_url or ""
            facts["licence"] = self._licences.get(str(row.license), "")
            photo = _FLICKR_PHOTO.search(row.flickr_url or "")
            facts["flickr_id"] = photo["id"] if photo else ""
        return facts

    def _documents(self, raw: RawTree, kind: str, part: str) -> Iterator[Document]:
        """The file of the part itself, or both of the other year; notes it where none is there."""
        own = raw.document(COCO, f"annotations/{kind}_{part}.json")
        if own is not None:
            self._books.sources[own.name] = own.sha256
            yield own
            return
        found = False
        for other in _OTHER_YEAR[part[-4:]]:
            document = raw.document(COCO, f"annotations/{kind}_{other}.json")
            if document is not None:
                found = True
                self._books.sources[document.name] = document.sha256
                yield document
        if not found:
            self._books.absent.append(f"annotations/{kind}_{part}.json")

    def _read_image_info(self, raw: RawTree, part: str) -> None:
        document = raw.document(COCO, f"annotations/image_info_{part}.json")
        if document is None:
            return
        self._books.sources[document.name] = document.sha256
        content = document.decoded(_ImageFile, "COCO's image list")
        self._list_images(content.images, content.licenses)

    def _read_captions(self, document: Document) -> None:
        content = document.decoded(_CocoFile[CaptionRow], "COCO captions: {images, annotations}")
        listed = self._list_images(content.images, content.licenses)

        def keep(image: int, identity: str, row: CaptionRow) -> None:
            if row.caption.strip():
                self.captions.add(image, Caption(id=identity, text=row.caption))
            else:
                self._books.skip("caption", identity, str(image), EMPTY_CAPTION)

        self._sort_out(content.annotations, "caption", listed, keep)

    def _read_instances(self, document: Document) -> None:
        content = document.decoded(_CocoFile[InstanceRow], "COCO instances: {images, annotations}")
        listed = self._list_images(content.images, content.licenses)
        names = {category.id: category.name for category in content.categories}

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

        self._sort_out(content.annotations, "box", listed, keep)

    def _list_images(self, images: list[ImageRow], licences: list[_Licence]) -> set[int]:
        self._licences.update((str(one.id), one.name or one.url) for one in licences)
        listed: set[int] = set()
        for row in images:
            image = number_of(row.id)
            if image is None:
                continue
            if image not in self._asked:
                self._books.elsewhere["image"] += image not in listed
            elif image in listed:
                self._books.read["image"] += 1
                self._books.skip("image", str(image), str(image), DUPLICATE)
            else:
                self._images.setdefault(image, row)
            listed.add(image)
        return listed

    def _sort_out(
        self,
        rows: list[Row],
        kind: SkippedKind,
        listed: AbstractSet[int],
        keep: Callable[[int, str, Row], None],
    ) -> None:
        """Rows about asked pictures are kept; the others are counted or, if foreign, named."""
        seen: set[Identity] = set()
        for row in rows:
            image = number_of(row.image_id)
            if image not in self._asked and image in listed:
                self._books.elsewhere[kind] += 1
                continue
            self._books.read[kind] += 1
            identity = str(row.id)
            if image is None or image not in self._asked:
                self._books.skip(kind, identity, str(row.image_id), NOT_LISTED)
            elif row.id in seen:
                self._books.skip(kind, identity, str(image), DUPLICATE)
            else:
                keep(image, identity, row)
            seen.add(row.id)
