"""What a dataset's file has to offer, and what it may leave to the others.

It reads annotations and says, picture by picture and in a fixed order, what is
known of each. It never opens a picture: sizes, digests, boxes that do not fit,
pictures that are none, shards, journal, index and card are the same for every
dataset and happen elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from vle_bench.data_prep.books import Books
from vle_bench.data_prep.joined import Joined
from vle_bench.data_prep.leaks.evidence import Leak
from vle_bench.data_prep.sources import PictureFile, RawTree
from vle_bench.records import BoxAnnotation, Caption, Picture, Record, Sample
from vle_bench.shards.index import SampleRow, SkippedKind

LabelRule = Literal["raw", "normalised"]


class Parameters(Record, frozen=True, kw_only=True):
    """Everything a user may choose that changes bytes. A dataset names those it reads."""

    samples_per_shard: int = 1000
    seed: int = 0
    labels: LabelRule = "raw"
    min_answer_count: int = 9
    scheme: str = ""
    """The way of splitting, one of the manifest's; "" until it is settled (`plan.settle`)."""
    rules: str = ""
    """Rules of the leak guard; "" until they are settled (`leaks.rules.settled`)."""


class Draft(NamedTuple):
    """A sample whose picture has not been looked at yet.

    Attributes:
        sample: Complete but for the facts of the picture (see `unseen_picture`).
        picture: Where its picture is.
        declared: Width and height for which the annotations were made; None where not said.
        leaks: By what it is known as an evaluation picture, which must stay out; no dataset's
            file says this, the leak guard does.
    """

    sample: Sample
    picture: PictureFile
    declared: tuple[int, int] | None
    leaks: tuple[Leak, ...] = ()


class Reading(NamedTuple):
    """One split, ready to be drafted.

    Attributes:
        pictures: The pictures in the order of the drafts; known before the first draft.
        drafts: One draft for each of them. Consuming it completes the books.
        forbidden: sha256 of every picture that must stay out, sorted, one behind the other.
    """

    pictures: Sequence[PictureFile]
    drafts: Iterator[Draft]
    forbidden: bytes = b""


class OpenedDataset(Protocol):
    """A dataset whose raw folder and parameters are known."""

    def read(self, split: str, books: Books) -> Reading:
        """The samples of a split in the order of their keys; `books` notes everything else."""
        ...

    def shared_files(self) -> Mapping[str, bytes]:
        """Files beside the shards on which every split's records depend, by relative path."""
        ...

    def split_files(self, rows: Iterable[SampleRow]) -> Mapping[str, bytes]:
        """Files beside the shards that follow from what was written, by relative path."""
        ...


class NothingBeside:
    """What an opened dataset inherits that has no files of its own beside the shards."""

    def shared_files(self) -> Mapping[str, bytes]:
        """None."""
        return {}

    def split_files(self, rows: Iterable[SampleRow]) -> Mapping[str, bytes]:
        """None."""
        del rows
        return {}


class Dataset(Protocol):
    """A dataset that can be prepared; one object per dataset, named in the registry.

    Attributes:
        name: As in the manifest and in every key.
        splits: The splits it makes, in order.
        record: The type of its samples.
        parameters: Names of the fields of `Parameters` that it reads (`samples_per_shard` apart).
        items: The field of its record that the index counts as questions (`questions` or
            `items`), "" for none.
    """

    name: str
    splits: tuple[str, ...]
    record: type[Sample]
    parameters: frozenset[str]
    items: str

    def open(self, raw: RawTree, parameters: Parameters) -> OpenedDataset:
        """Reads what all splits share."""
        ...


def unseen_picture(**known: Any) -> Picture:
    """A `Picture` that holds what the annotations know; the file's own facts come later."""
    return Picture(width=0, height=0, orientation=1, sha256="", format="", **known)


def leave_out(
    image: int,
    reason: str,
    books: Books,
    *,
    captions: Joined[Caption],
    boxes: Joined[BoxAnnotation],
) -> None:
    """Names a picture and everything about it as skipped."""
    identity = str(image)
    books.skip("image", identity, identity, reason)
    for caption in captions.of(image):
        books.skip("caption", caption.id, identity, reason)
    for box in boxes.of(image):
        books.skip("box", box.id, identity, reason)


class ItemField(NamedTuple):
    """How the books name a list in a record: its field and its kind, with ids by `id_field`."""

    field: str
    kind: SkippedKind
    id_field: str


_ITEM_IDS: Mapping[str, str] = {"questions": "question_id", "items": "annot_id"}
"""The id of each kind of question."""


def item_fields(dataset_items: str) -> tuple[ItemField, ...]:
    """The lists of a record that the books count.

    >>> [field.kind for field in item_fields("questions")]
    ['caption', 'box', 'question']
    >>> item_fields("items")[-1].id_field
    'annot_id'
    """
    known = (ItemField("captions", "caption", "id"), ItemField("boxes", "box", "id"))
    if not dataset_items:
        return known
    return (*known, ItemField(dataset_items, "question", _ITEM_IDS[dataset_items]))


def chosen(parameters: Parameters, names: frozenset[str]) -> dict[str, str | int]:
    """The parameters that matter to a dataset, for its report."""
    values: dict[str, str | int] = msgspec.to_builtins(parameters)
    return {name: value for name, value in values.items() if name in names}
