"""Builds one shard from its drafts, or finds that it stands already.

This is what an engine runs, in any process: a task carries everything it needs
and knows nothing of the other shards. The order matters: shard first (whole
under its name or not at all), journal last.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from vle_bench.canonical import sha256_bytes
from vle_bench.data_prep.box_rules import OTHER_SIZE, fit, has_other_size
from vle_bench.data_prep.datasets.base import ItemField
from vle_bench.data_prep.engines.local import stop_if_asked
from vle_bench.data_prep.journal import (
    Excluded,
    Outside,
    ShardEntry,
)
from vle_bench.data_prep.leaks.evidence import EXCLUDED, Leak
from vle_bench.data_prep.leaks.index import holds
from vle_bench.data_prep.picture import (
    BadPicture,
    Mark,
    Probe,
    mark_of,
    oddities,
    probe,
    read_picture,
)
from vle_bench.data_prep.shelf import Shelf, shelf_of
from vle_bench.data_prep.sources import PictureFile
from vle_bench.records import Picture, Sample, sample_bytes, sample_from_bytes
from vle_bench.shards.index import SampleRow, SkippedKind, SkippedRow
from vle_bench.shards.layout import ShardName
from vle_bench.shards.ustar import check_key
from vle_bench.shards.writer import Item, Placed, write_shard

RECIPE_VERSION = b"vle-bench/recipe/1"
"""Changes when the code would make other bytes from the same drafts."""

_MUCH = 8 << 10
"""Bytes of a sample from which on it is deflated; most are far smaller."""

Why = Literal["", "missing", "damaged", "recipe changed", "raw picture changed"]


class PackedDraft(NamedTuple):
    """A draft on its way to another process: the sample as JSON, deflated where that is much."""

    key: str
    packed: bytes
    picture: PictureFile
    declared: tuple[int, int] | None
    leaks: tuple[Leak, ...] = ()

    @property
    def sample(self) -> bytes:
        """The sample as JSON."""
        return self.packed if self.packed.startswith(b"{") else zlib.decompress(self.packed)


def packed_sample(data: bytes) -> bytes:
    """A sample's JSON as drafts carry it.

    Several shards of drafts wait for their workers; where pictures have many annotations, those
    would be most of what the parent holds.
    """
    return zlib.compress(data, 1) if len(data) >= _MUCH else data


class ShardTask(NamedTuple):
    """One shard to have: where, of what record, from which drafts."""

    out: Path
    name: ShardName
    record: type[Sample]
    fields: tuple[ItemField, ...]
    drafts: tuple[PackedDraft, ...]
    must_be: str = ""
    """The sha256 the shard must have, where only that one will do; else ""."""
    forbidden: bytes = b""
    """sha256 of every picture that must stay out, sorted, one behind the other."""
    url: str = ""
    """Where a remote output lies, which takes shards out of `out`; "" where there is none."""

    @property
    def shelf(self) -> Shelf:
        """Where the finished shard belongs."""
        return shelf_of(self.out, self.url)


class Standing(NamedTuple):
    """A shard as it was found: its entry, or None and why it must be built."""

    name: ShardName
    why: Why
    detail: str
    entry: ShardEntry | None


class ShardOutcome(NamedTuple):
    """What became of a task: `why` it had to be built ("" if it stood), what changed, its entry."""

    name: ShardName
    why: Why
    detail: str
    entry: ShardEntry


def ensure_shard(task: ShardTask) -> ShardOutcome:
    """Leaves a finished shard alone and builds any other.

    Raises:
        DataProblem: The shard would not be the one it must be; what stood there still does.
        MachineProblem: The disk refuses; nothing is left under the shard's name that is not whole.
    """
    recipe = _recipe(task)
    marks = _marks(task)
    found = _find(task, recipe, marks)
    if found.entry is not None:
        return ShardOutcome(task.name, "", "", _without_looks(found.entry))
    built = _Build(task, marks)
    path = task.name.path(task.out / task.name.dataset)
    written = write_shard(path, built.items(), must_be=task.must_be)
    fresh = ShardEntry(
        recipe=recipe,
        sha256=written.sha256,
        bytes=written.bytes,
        pictures=built.pictures,
        rows=[built.row(place) for place in written.placed],
        skipped=built.skipped,
        adjusted=dict(sorted(built.adjusted.items())),
        endings=sorted(built.endings),
        licences=dict(sorted(built.licences.items())),
        excluded=built.excluded,
    )
    task.shelf.take(task.name, fresh)
    return ShardOutcome(task.name, found.why, found.detail, _without_looks(fresh))


def find_shard(task: ShardTask) -> Standing:
    """Looks whether the shard stands, and builds nothing."""
    found = _find(task, _recipe(task), _marks(task))
    return found._replace(entry=_without_looks(found.entry)) if found.entry else found


def _without_looks(entry: ShardEntry) -> ShardEntry:
    """The entry without what is known of its raw pictures: the journal alone needs that."""
    return msgspec.structs.replace(entry, pictures={})


def _marks(task: ShardTask) -> dict[str, Mark]:
    return {draft.key: mark_of(draft.picture) for draft in task.drafts if not draft.leaks}


def _find(task: ShardTask, recipe: str, marks: Mapping[str, Mark]) -> Standing:
    entry = task.shelf.entry(task.name)
    why, detail = _stale(task, recipe, entry, marks)
    if entry is None or why:
        return Standing(task.name, why, detail, None)
    # Bytes are as before; present looks are noted, so that the next run need not read them.
    looks = {key: (*mark, entry.pictures[key][2]) for key, mark in marks.items()}
    marked = msgspec.structs.replace(entry, pictures=looks)
    task.shelf.note(task.name, marked)
    return Standing(task.name, "", "", marked)


def _recipe(task: ShardTask) -> str:
    digest = hashlib.sha256(RECIPE_VERSION)
    for draft in task.drafts:
        sample = draft.sample
        digest.update(b"%d %d " % (len(sample), len(repr(draft.declared))))
        digest.update(sample)
        digest.update(repr(draft.declared).encode("ascii"))
        if draft.leaks:
            digest.update(repr(draft.leaks).encode("utf-8"))
    return digest.hexdigest()


def _stale(
    task: ShardTask, recipe: str, entry: ShardEntry | None, marks: Mapping[str, Mark]
) -> tuple[Why, str]:
    """Why a shard must be built, cheapest look first."""
    if entry is None or not task.shelf.has(task.name):
        return "missing", ""
    if task.must_be not in ("", entry.sha256):
        return "damaged", ""
    if entry.recipe != recipe:
        return "recipe changed", ""
    changed = _changed_picture(task, entry, marks)
    if changed:
        return "raw picture changed", changed
    if _judged_otherwise(task, entry):
        return "recipe changed", ""
    if not task.shelf.holds(task.name, entry):
        return "damaged", ""
    return "", ""


def _changed_picture(task: ShardTask, entry: ShardEntry, marks: Mapping[str, Mark]) -> str:
    """The first raw picture whose bytes are others than at the last run, "" if there is none."""
    for draft in task.drafts:
        if draft.leaks:
            continue
        size, stamp, digest = entry.pictures.get(draft.key, (-1, -1, ""))
        # A copied raw folder has new mtimes but the same bytes: only then they are read.
        if marks[draft.key] != (size, stamp) and _digest(draft.picture) != digest:
            return draft.picture.name
    return ""


def _judged_otherwise(task: ShardTask, entry: ShardEntry) -> bool:
    """Whether a picture that the shard left out is allowed now, or one that it holds is not."""
    allowed = any(
        not holds(task.forbidden, one.value) for one in entry.excluded if one.evidence == "bytes"
    )
    return allowed or any(holds(task.forbidden, row.sha256) for row in entry.rows)


def _digest(picture: PictureFile) -> str:
    try:
        return sha256_bytes(read_picture(picture))
    except BadPicture:
        return ""


@dataclass
class _Described:
    """What is known of a sample once its picture was seen."""

    image: Picture
    counts: Mapping[SkippedKind, int]
    crc32: int


class _Build:
    """Turns drafts into items, and keeps what the journal wants to know of them."""

    def __init__(self, task: ShardTask, marks: Mapping[str, Mark]) -> None:
        self._task = task
        self._marks = marks
        self._shard = task.name.file_name  # one text for all rows
        self._described: dict[str, _Described] = {}
        self.pictures: dict[str, Outside] = {}
        self.skipped: list[SkippedRow] = []
        self.excluded: list[Excluded] = []
        self.adjusted: Counter[str] = Counter()
        self.endings: set[str] = set()
        self.licences: Counter[str] = Counter()

    def items(self) -> Iterator[Item]:
        for draft in self._task.drafts:
            stop_if_asked()
            item = self._item(draft)
            if item is not None:
                yield item

    def row(self, place: Placed) -> SampleRow:
        known = self._described[place.key]
        image, counts = known.image, known.counts
        return SampleRow(
            key=place.key,
            split=self._task.name.split,
            shard=self._shard,
            offset=place.offset,
            size=place.size,
            image_offset=place.image_offset,
            image_size=place.image_size,
            json_offset=place.json_offset,
            json_size=place.json_size,
            json_crc32=known.crc32,
            sha256=image.sha256,
            width=image.width,
            height=image.height,
            image_id=image.id,
            coco_id=image.coco_id,
            flickr_id=image.flickr_id,
            captions=counts["caption"],
            boxes=counts["box"],
            questions=counts.get("question", 0),
        )

    def _item(self, draft: PackedDraft) -> Item | None:
        sample = sample_from_bytes(draft.sample, self._task.record)
        if draft.leaks:
            self._exclude(sample, draft.leaks)
            return None
        digest = ""
        try:
            data = read_picture(draft.picture)
            digest = sha256_bytes(data)
            facts = probe(data)
        except BadPicture as error:
            self._leave_out(sample, str(error))
            return None
        finally:
            self.pictures[draft.key] = (*self._marks[draft.key], digest)
        if holds(self._task.forbidden, digest):
            self._exclude(sample, (("bytes", digest),))
            return None
        seen = self._see(sample, facts, digest, draft.declared)
        record = sample_bytes(seen)
        counts = {field.kind: len(getattr(seen, field.field)) for field in self._task.fields}
        self._described[check_key(seen.key)] = _Described(seen.image, counts, zlib.crc32(record))
        self.endings.add(facts.format)
        self.licences[seen.image.licence] += 1
        return Item(seen.key, data, facts.format, record)

    def _see(
        self, sample: Sample, facts: Probe, digest: str, declared: tuple[int, int] | None
    ) -> Sample:
        """The sample with the facts of its picture, its boxes fitted to it."""
        fitted = fit(sample.boxes, facts, declared)
        for box, reason in fitted.skipped:
            self._skip("box", box.id, sample, reason)
        self.adjusted.update(fitted.adjusted)
        if has_other_size(facts, declared):
            self.adjusted[OTHER_SIZE] += 1
        self.adjusted.update(oddities(facts, sample.image.file_name))
        image = msgspec.structs.replace(
            sample.image,
            width=facts.width,
            height=facts.height,
            orientation=facts.orientation,
            sha256=digest,
            format=facts.format,
        )
        return msgspec.structs.replace(sample, image=image, boxes=fitted.boxes)

    def _exclude(self, sample: Sample, leaks: Sequence[Leak]) -> None:
        self._leave_out(sample, EXCLUDED)
        self.excluded += [Excluded(sample.key, sample.image.id, *leak) for leak in leaks]

    def _leave_out(self, sample: Sample, reason: str) -> None:
        self._skip("image", sample.image.id, sample, reason)
        for field in self._task.fields:
            things: Sequence[Any] = getattr(sample, field.field)
            for thing in things:
                self._skip(field.kind, str(getattr(thing, field.id_field)), sample, reason)

    def _skip(self, kind: Any, identity: str, sample: Sample, reason: str) -> None:
        self.skipped.append(
            SkippedRow(self._task.name.split, kind, identity, sample.image.id, reason)
        )
