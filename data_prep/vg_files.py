"""The files of Visual Genome, and the habits that their boxes differ in.

Objects have `w` and `h`, regions `width` and `height`; a region file names its
picture `id`, the others `image_id`, and early releases mix the two, call an object
or region by `id` too, and give an object one `name`. Attributes
stand in a file of their own, at the objects they belong to or at one that was
merged with them. Names, phrases and their lists may be null, as programs write
what is absent. Each line of a file is one picture with all that it has.
Format: https://homes.cs.washington.edu/~ranjay/visualgenome/api_readme.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec
from msgspec.structs import force_setattr

from vle_bench.data_prep.books import DUPLICATE, NO_NUMBER_ID, NOT_LISTED, Books
from vle_bench.data_prep.joined import Joined
from vle_bench.data_prep.sources import Document
from vle_bench.identity import Identity, number_of
from vle_bench.records import BoxAnnotation, VgObject

BOX_SOURCE = "vg"
NO_PHRASE = "region without phrase"
NO_NAME = "object without name"
STRAY_ATTRIBUTES = "attributes of an object that its picture does not have"


class ImageRow(msgspec.Struct, frozen=True, gc=False):
    """One picture of image_data.json."""

    image_id: Identity | None = None
    id: Identity | None = None
    width: int = 0
    height: int = 0
    url: str | None = None
    coco_id: Identity | None = None
    flickr_id: Identity | None = None


class ObjectRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One object."""

    x: float
    y: float
    w: float
    h: float
    object_id: Identity = ""
    names: list[str] | None = []
    synsets: list[str] | None = []
    merged_object_ids: list[Identity] | None = []
    id: Identity = ""
    name: str | None = ""

    def __post_init__(self) -> None:
        if self.object_id == "":
            force_setattr(self, "object_id", _early_id("object_id", self.id))
        if self.name and not self.names:
            force_setattr(self, "names", [self.name])


class RegionRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One region."""

    x: float
    y: float
    width: float
    height: float
    region_id: Identity = ""
    phrase: str | None = ""
    id: Identity = ""

    def __post_init__(self) -> None:
        if self.region_id == "":
            force_setattr(self, "region_id", _early_id("region_id", self.id))


class AttributesRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """The attributes of one object; the object itself is repeated beside them."""

    object_id: Identity = ""
    attributes: list[str] | None = None
    id: Identity = ""

    def __post_init__(self) -> None:
        if self.object_id == "":
            force_setattr(self, "object_id", _early_id("object_id", self.id))


class ObjectsOf(msgspec.Struct, frozen=True):
    """One picture of objects.json."""

    objects: list[ObjectRow]
    image_id: Identity | None = None
    id: Identity | None = None


class RegionsOf(msgspec.Struct, frozen=True):
    """One picture of region_descriptions.json."""

    regions: list[RegionRow]
    image_id: Identity | None = None
    id: Identity | None = None


class AttributesOf(msgspec.Struct, frozen=True):
    """One picture of attributes.json."""

    attributes: list[AttributesRow]
    image_id: Identity | None = None
    id: Identity | None = None


Row = TypeVar("Row", ObjectsOf, RegionsOf, AttributesOf)
Boxed = TypeVar("Boxed", ObjectRow, RegionRow)


class Image(NamedTuple):
    """What image_data.json says of a picture; "" and 0 where it says nothing."""

    width: int
    height: int
    url: str
    coco_id: str
    flickr_id: str


def read_images(document: Document, books: Books) -> dict[int, Image]:
    """The pictures by id; repeated and unusable ones go to the books."""
    found: dict[int, Image] = {}
    for rows in document.rows("", ImageRow, expected="VG's image_data: [{image_id, width, ...}]"):
        for row in rows:
            books.read["image"] += 1
            image = _number(row)
            if image is None:
                name = _name(row)
                books.skip("image", name, name, NO_NUMBER_ID)
            elif image in found:
                books.skip("image", str(image), str(image), DUPLICATE)
            else:
                found[image] = Image(
                    row.width, row.height, row.url or "", _text(row.coco_id), _text(row.flickr_id)
                )
    return found


class VgFacts:
    """Objects, attributes and regions of the pictures that are listed.

    Args:
        listed: The pictures of image_data.json.
        books: Notes what was read, repeated, or about a picture that is not listed.
    """

    def __init__(self, listed: Mapping[int, Image], books: Books) -> None:
        self._listed = listed
        self._books = books
        self._objects: Joined[ObjectsOf] = Joined(ObjectsOf)
        self._regions: Joined[RegionsOf] = Joined(RegionsOf)
        self._attributes: Joined[AttributesOf] = Joined(AttributesOf)

    def read_objects(self, document: Document) -> None:
        """Takes objects.json."""
        for row in _rows(document, ObjectsOf, "VG's objects: [{image_id, objects: [...]}]"):
            self._books.read["box"] += len(row.objects)
            image = self._listed_image(row, [one.object_id for one in row.objects])
            if image is not None:
                self._objects.add(image, row)

    def read_regions(self, document: Document) -> None:
        """Takes region_descriptions.json."""
        expected = "VG's region descriptions: [{id, regions: [...]}]"
        for row in _rows(document, RegionsOf, expected):
            self._books.read["box"] += len(row.regions)
            image = self._listed_image(row, [one.region_id for one in row.regions])
            if image is not None:
                self._regions.add(image, row)

    def read_attributes(self, document: Document) -> None:
        """Takes attributes.json; what it says of pictures that are not listed is lost on us."""
        expected = "VG's attributes: [{image_id, attributes: [...]}]"
        for row in _rows(document, AttributesOf, expected):
            image = _number(row)
            stray = sum(bool(one.attributes) for one in row.attributes)
            if image is not None and image in self._listed:
                self._attributes.add(image, row)
            elif stray:
                self._books.adjusted[STRAY_ATTRIBUTES] += stray

    def leave_out(self, image: int, reason: str) -> None:
        """Names a picture and every box of it as skipped."""
        identity = str(image)
        self._books.skip("image", identity, identity, reason)
        for entry in self._objects.of(image):
            for row in entry.objects:
                self._books.skip("box", str(row.object_id), identity, reason)
        for region in self._regions.of(image):
            for one in region.regions:
                self._books.skip("box", str(one.region_id), identity, reason)

    def of(self, image: int) -> tuple[tuple[BoxAnnotation, ...], tuple[VgObject, ...]]:
        """The boxes of a picture, objects before regions, and its objects in full."""
        attributes = self._attributes_of(image)
        rows = self._once(image, (row for one in self._objects.of(image) for row in one.objects))
        boxes = [self._object_box(row, attributes) for row in rows]
        if attributes:
            self._books.adjusted[STRAY_ATTRIBUTES] += len(attributes)
        regions = (row for one in self._regions.of(image) for row in one.regions)
        for region in self._once(image, regions):
            if (region.phrase or "").strip():
                boxes.append(_region_box(region))
            else:
                self._books.skip("box", str(region.region_id), str(image), NO_PHRASE)
        return tuple(boxes), tuple(map(_object, rows))

    def _listed_image(self, row: ObjectsOf | RegionsOf, ids: Sequence[Identity]) -> int | None:
        image = _number(row)
        if image in self._listed:
            return image
        for identity in ids:
            self._books.skip("box", str(identity), _name(row), NOT_LISTED)
        return None

    def _once(self, image: int, rows: Iterable[Boxed]) -> list[Boxed]:
        """The rows without those whose id an earlier one has."""
        found: dict[str, Boxed] = {}
        for row in rows:
            identity = str(row.object_id if isinstance(row, ObjectRow) else row.region_id)
            if identity in found:
                self._books.skip("box", identity, str(image), DUPLICATE)
            else:
                found[identity] = row
        return list(found.values())

    def _attributes_of(self, image: int) -> dict[str, list[str]]:
        """Attributes by object, each once and in order."""
        found: dict[str, list[str]] = {}
        for entry in self._attributes.of(image):
            for row in entry.attributes:
                if row.attributes:
                    found.setdefault(str(row.object_id), []).extend(row.attributes)
        return found

    def _object_box(self, row: ObjectRow, attributes: dict[str, list[str]]) -> BoxAnnotation:
        """The box of an object, which takes its attributes out of `attributes`."""
        ids = (row.object_id, *(row.merged_object_ids or ()))
        own = [text for one in ids for text in attributes.pop(str(one), ())]
        label = row.names[0].strip() if row.names else ""
        if not label:
            self._books.adjusted[NO_NAME] += 1
        return BoxAnnotation(
            id=str(row.object_id),
            xywh=(row.x, row.y, row.w, row.h),
            label=label,
            attributes=tuple(dict.fromkeys(text.strip() for text in own if text.strip())),
            source=BOX_SOURCE,
        )


def _region_box(row: RegionRow) -> BoxAnnotation:
    return BoxAnnotation(
        id=str(row.region_id),
        xywh=(row.x, row.y, row.width, row.height),
        phrase=row.phrase or "",
        kind="region",
        source=BOX_SOURCE,
    )


def _object(row: ObjectRow) -> VgObject:
    return VgObject(
        object_id=str(row.object_id),
        names=tuple(row.names or ()),
        synsets=tuple(row.synsets or ()),
        merged_object_ids=tuple(map(str, row.merged_object_ids or ())),
    )


def _early_id(field: str, identity: Identity) -> Identity:
    """The id as early releases write it; where that is missing too, the decoder says so."""
    if identity == "":
        raise ValueError(f"Object has neither `{field}` nor `id`")
    return identity


def _rows(document: Document, kind: type[Row], expected: str) -> Iterator[Row]:
    for rows in document.rows("", kind, expected=expected):
        yield from rows


def _number(row: ImageRow | ObjectsOf | RegionsOf | AttributesOf) -> int | None:
    identity = row.id if row.image_id is None else row.image_id
    return None if identity is None else number_of(identity)


def _name(row: ImageRow | ObjectsOf | RegionsOf) -> str:
    return _text(row.id if row.image_id is None else row.image_id)


def _text(identity: Identity | None) -> str:
    return "" if identity is None else str(identity)
