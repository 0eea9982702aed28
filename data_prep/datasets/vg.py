"""Visual Genome: objects with names and attributes, regions with phrases, one split of everything.

About half of the pictures are COCO's, pictures of its test splits among them:
`coco_id` and `flickr_id` are kept, so that they can be told. Relationships and
questions of Visual Genome are not taken.
Official page: https://homes.cs.washington.edu/~ranjay/visualgenome/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from vle_bench.data_prep.books import ABSENT, Books
from vle_bench.data_prep.datasets.base import (
    Draft,
    NothingBeside,
    Parameters,
    Reading,
    unseen_picture,
)
from vle_bench.data_prep.sources import Document, PictureFile, RawTree
from vle_bench.data_prep.vg_files import Image, VgFacts, read_images
from vle_bench.errors import DataProblem
from vle_bench.records import Sample, VgSample

NAME = "vg"
IMAGES = "image_data.json"
PICTURE_FOLDERS = ("VG_100K/", "VG_100K_2/")


class Vg:
    """The dataset as the registry names it."""

    name: str = NAME
    splits: tuple[str, ...] = ("train",)
    record: type[Sample] = VgSample
    parameters: frozenset[str] = frozenset()
    items: str = ""

    def open(self, raw: RawTree, parameters: Parameters) -> OpenedVg:
        """Reads nothing yet: there is one split."""
        del parameters
        return OpenedVg(raw)


VG = Vg()


class OpenedVg(NothingBeside):
    """Visual Genome with its raw folder."""

    def __init__(self, raw: RawTree) -> None:
        self._raw = raw

    def read(self, split: str, books: Books) -> Reading:
        """The pictures of image_data.json by ascending id."""
        document = self._raw.document(NAME, IMAGES)
        if document is None:
            raise DataProblem(
                f"{self._raw.root}: {IMAGES} is nowhere in it. Put it, or {IMAGES}.zip, into "
                f"{self._raw.root / NAME}."
            )
        books.sources[document.name] = document.sha256
        images = read_images(document, books)
        facts = VgFacts(images, books)
        for name, read in (
            ("objects.json", facts.read_objects),
            ("attributes.json", facts.read_attributes),
            ("region_descriptions.json", facts.read_regions),
        ):
            self._read(name, read, books)
        pictures = self._raw.pictures(NAME, PICTURE_FOLDERS, images)
        ready: list[tuple[int, PictureFile]] = []
        for image in sorted(images):
            if image in pictures:
                ready.append((image, pictures[image]))
            else:
                facts.leave_out(image, ABSENT)
        drafts = _drafts(split, ready, images, facts)
        return Reading([file for _, file in ready], drafts)

    def _read(self, name: str, read: Callable[[Document], None], books: Books) -> None:
        document = self._raw.document(NAME, name)
        if document is None:
            books.absent.append(name)
            return
        books.sources[document.name] = document.sha256
        read(document)


def _drafts(
    split: str,
    ready: Sequence[tuple[int, PictureFile]],
    images: Mapping[int, Image],
    facts: VgFacts,
) -> Iterator[Draft]:
    for image, file in ready:
        known = images[image]
        boxes, objects = facts.of(image)
        sample = VgSample(
            key=f"{NAME}-{image}",
            dataset=NAME,
            split=split,
            image=unseen_picture(
                id=str(image),
                file_name=file.name,
                source_url=known.url,
                coco_id=known.coco_id,
                flickr_id=known.flickr_id,
            ),
            boxes=boxes,
            objects=objects,
        )
        said = known.width > 0 and known.height > 0
        yield Draft(sample, file, (known.width, known.height) if said else None)
