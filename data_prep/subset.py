"""A filtered copy of a prepared dataset: a whole dataset again, its pictures untouched.

A sample that stays keeps its key and the bytes of its picture; shards are filled
anew. The books of the copy begin where those of the original end: what the
original wrote is what the copy reads, and everything left out has its reason.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from vle_bench.atomic import make_folder
from vle_bench.canonical import sha256_bytes, sha256_file
from vle_bench.console import amount, progress
from vle_bench.data_prep.beside import Beside, write_beside
from vle_bench.data_prep.books import Books
from vle_bench.data_prep.datasets.base import Dataset, ItemField, item_fields
from vle_bench.data_prep.datasets.registry import DATASETS
from vle_bench.data_prep.gathered import written_of
from vle_bench.data_prep.journal import known_shards, only_run, remove_leftovers
from vle_bench.data_prep.leaks.guard import EXPLANATIONS
from vle_bench.data_prep.own_folder import check_own, keep_out
from vle_bench.data_prep.picture import oddities, probe
from vle_bench.data_prep.prepared import Prepared
from vle_bench.data_prep.scripts import Language, language_of
from vle_bench.data_prep.spool import NumberedRows, Reread
from vle_bench.errors import DataProblem, Problems, UsageProblem, machine_errors, refuse_circle
from vle_bench.records import Caption, Sample, sample_bytes, sample_from_bytes
from vle_bench.shards.index import SampleRow, SkippedRow, iter_sample_rows
from vle_bench.shards.layout import REPORT, SAMPLES, ShardName, number_of
from vle_bench.shards.read import SplitReader
from vle_bench.shards.report import Report, ShardReport, SplitReport, read_report
from vle_bench.shards.writer import Item, Placed, write_shard

SUBSET_OF = "subset_of"
_DEFAULT_SHARD = 1000


@dataclass(frozen=True)
class Filters:
    """What a sample must be to stay.

    Attributes:
        min_side: Least pixels of the shorter side; 0 for any.
        max_side: Most pixels of the longer side; 0 for any.
        keys: The only keys wanted; None for any.
        languages: Languages of captions, by script; () for any. A sample needs one such caption.
        excluded: Keys not wanted.
    """

    min_side: int = 0
    max_side: int = 0
    keys: frozenset[str] | None = None
    languages: tuple[Language, ...] = ()
    excluded: frozenset[str] = frozenset()

    def parameters(self) -> dict[str, str | int]:
        """The filters as they stand in the report; the same filters are the same values."""
        values: dict[str, str | int] = {}
        if self.min_side:
            values["subset_min_side"] = self.min_side
        if self.max_side:
            values["subset_max_side"] = self.max_side
        if self.keys is not None:
            values["subset_keys_sha256"] = _digest(self.keys)
        if self.excluded:
            values["subset_excluded_sha256"] = _digest(self.excluded)
        if self.languages:
            values["subset_caption_language"] = "+".join(sorted(self.languages))
        return values

    def refusal(self, row: SampleRow) -> str:
        """Why the index alone keeps a sample out, "" where it does not."""
        if self.keys is not None and row.key not in self.keys:
            return "not in the key file"
        if row.key in self.excluded:
            return "in the exclusion list"
        if self.min_side and min(row.width, row.height) < self.min_side:
            return f"shorter side below {self.min_side}"
        if self.max_side and max(row.width, row.height) > self.max_side:
            return f"longer side above {self.max_side}"
        return ""

    def wanted(self, caption: Caption) -> bool:
        """Whether a caption is in one of the languages."""
        return not self.languages or language_of(caption.text) in self.languages

    @property
    def spoken(self) -> str:
        """The languages in words."""
        return " or ".join(sorted(self.languages))


@dataclass(frozen=True)
class Subset:
    """What was made: the folder, its books, and how many samples the original had."""

    folder: Path
    report: Report
    samples: int


class _Kept(NamedTuple):
    """A sample that stays, on its way into a shard."""

    row: SampleRow
    sample: Sample
    record: bytes
    picture: bytes


def make_subset(prepared: Prepared, out: Path, filters: Filters) -> Subset:
    """Copies what passes the filters to `out/<dataset>`.

    Raises:
        UsageProblem: Something else is at `out/<dataset>`, or it is the original or lies in it.
        DataProblem: The original is damaged.
        MachineProblem: The disk refuses, or something else is writing there.
    """
    name = prepared.report.dataset
    dataset: Dataset = DATASETS.load(name)
    parameters: dict[str, str | int] = {
        **prepared.report.parameters,
        **filters.parameters(),
        SUBSET_OF: sha256_file(prepared.folder / REPORT),
        "subset_splits": "+".join(prepared.splits),
    }
    folder = out / name
    _check_place(prepared, folder, parameters)
    make_folder(out)
    with only_run(out, name):
        copy = _Copy(prepared, dataset, folder, filters)
        splits = {split: copy.split(split) for split in prepared.splits}
        content = Beside(
            dataset=dataset,
            sample=prepared.report.sample,
            parameters=parameters,
            splits=splits,
            rows=Reread(copy.each_row),
            skipped=chain.from_iterable(copy.skipped),
            fresh=tuple(splits),
            own=_own_files(prepared, Reread(copy.each_row)),
        )
        report = write_beside(folder, content)
    samples = sum(prepared.report.splits[split].counts["image"].written for split in splits)
    return Subset(folder, report, samples)


class _Copy:
    """The splits of one dataset as they are copied, with everything the index wants to know."""

    def __init__(
        self, prepared: Prepared, dataset: Dataset, folder: Path, filters: Filters
    ) -> None:
        self._prepared = prepared
        self._dataset = dataset
        self._folder = folder
        self._filters = filters
        self._fields = item_fields(dataset.items)
        self._per_shard = int(prepared.report.parameters.get("samples_per_shard", _DEFAULT_SHARD))
        self._rows: list[NumberedRows[SampleRow]] = []
        self.skipped: list[Iterable[SkippedRow]] = []

    def each_row(self) -> Iterator[SampleRow]:
        """Every sample of the copy, in the order of splits and shards."""
        return chain.from_iterable(self._rows)

    def split(self, split: str) -> SplitReport:
        """Copies a split and closes its books."""
        before = self._prepared.report.splits[split]
        books = Books(split)
        books.read.update({kind: counts.written for kind, counts in before.counts.items()})
        remove_leftovers(self._folder.parent, self._dataset.name, split)
        shards: list[ShardReport] = []
        rows: NumberedRows[SampleRow] = NumberedRows(SampleRow)
        found: Counter[str] = Counter()
        with SplitReader(self._prepared.folder, split, hold=False) as reader:
            kept = self._kept(reader, books, total=before.counts["image"].written)
            while (first := next(kept, None)) is not None:
                shard = ShardName(self._dataset.name, split, len(shards))
                report, mine = self._shard(
                    shard, chain((first,), islice(kept, self._per_shard - 1))
                )
                rows.add(len(shards), mine)
                found += written_of(mine)
                shards.append(report)
        self._remove_surplus(split, len(shards))
        self._rows.append(rows)
        self.skipped.append(books.skipped)
        whole = amount(before.counts["image"].written, "sample")
        return SplitReport(
            counts=books.closed(found),
            adjusted=dict(sorted(books.adjusted.items())),
            licences=dict(sorted(books.licences.items())),
            absent_sources=before.absent_sources,
            sources=before.sources,
            picture_endings=before.picture_endings,
            overlap=before.overlap,
            warnings=(f"a subset, {len(rows):,} of {whole}",),
            shards=tuple(shards),
        )

    def _shard(
        self, shard: ShardName, samples: Iterable[_Kept]
    ) -> tuple[ShardReport, list[SampleRow]]:
        """Writes one shard; pictures pass through one by one."""
        light: list[_Kept] = []

        def items() -> Iterator[Item]:
            for one in samples:
                light.append(one._replace(picture=b""))
                yield Item(one.row.key, one.picture, one.sample.image.format, one.record)

        written = write_shard(shard.path(self._folder), items())
        rows = [
            _row(one, place, shard, self._fields)
            for one, place in zip(light, written.placed, strict=True)
        ]
        report = ShardReport(
            name=shard.file_name, samples=len(rows), bytes=written.bytes, sha256=written.sha256
        )
        return report, rows

    def _kept(self, reader: SplitReader, books: Books, *, total: int) -> Iterator[_Kept]:
        rows = progress(reader.each_row(), total=total, what=books.split)
        for row in rows:
            record = reader.record(row)
            sample = sample_from_bytes(record, self._dataset.record)
            reason = self._filters.refusal(row)
            captions = tuple(filter(self._filters.wanted, sample.captions))
            if not reason and self._filters.languages and not captions:
                reason = f"no caption in {self._filters.spoken}"
            if reason:
                self._leave_out(sample, reason, books)
                continue
            if len(captions) < len(sample.captions):
                for caption in sample.captions:
                    if caption not in captions:
                        reason = f"caption not in {self._filters.spoken}"
                        books.skip("caption", caption.id, sample.image.id, reason)
                sample = msgspec.structs.replace(sample, captions=captions)
                record = sample_bytes(sample)
            picture = reader.picture(row)
            if sha256_bytes(picture) != row.sha256:
                raise _damaged(self._prepared.folder, row)
            books.adjusted.update(oddities(probe(picture), sample.image.file_name))
            books.licences[sample.image.licence] += 1
            yield _Kept(row, sample, record, picture)

    def _leave_out(self, sample: Sample, reason: str, books: Books) -> None:
        books.skip("image", sample.image.id, sample.image.id, reason)
        for field in self._fields:
            things: Sequence[Any] = getattr(sample, field.field)
            for thing in things:
                identity = str(getattr(thing, field.id_field))
                books.skip(field.kind, identity, sample.image.id, reason)

    def _remove_surplus(self, split: str, count: int) -> None:
        """Shards of an earlier copy to the same place that had more."""
        for path in sorted((self._folder / split).glob("*.tar")):
            number = number_of(path.name, dataset=self._dataset.name, split=split)
            if number is not None and number >= count:
                with machine_errors(path):
                    path.unlink()


def known_keys(prepared: Sequence[Prepared]) -> set[str]:
    """The keys of all samples of the datasets."""
    return {row.key for one in prepared for row in iter_sample_rows(one.folder / SAMPLES)}


def check_keys(keys: Iterable[str], prepared: Sequence[Prepared], place: Path) -> None:
    """Every key of a key file must be a sample of one of the datasets.

    Raises:
        DataProblem: Some are not; up to ten are named.
    """
    known = known_keys(prepared)
    problems = Problems(f"{place}: names samples that are not there:")
    problems.extend(sorted(set(keys) - known))
    problems.raise_if_any(advice="One key a line, e.g. vqav2-000000000042.")


def _digest(keys: Iterable[str]) -> str:
    return sha256_bytes("".join(f"{key}\n" for key in sorted(keys)).encode())


def _row(kept: _Kept, place: Placed, shard: ShardName, fields: Sequence[ItemField]) -> SampleRow:
    counts = {field.kind: len(getattr(kept.sample, field.field)) for field in fields}
    return kept.row._replace(
        shard=shard.file_name,
        offset=place.offset,
        size=place.size,
        image_offset=place.image_offset,
        json_offset=place.json_offset,
        json_size=place.json_size,
        json_crc32=zlib.crc32(kept.record),
        captions=counts["caption"],
    )


def _own_files(prepared: Prepared, rows: Iterable[SampleRow]) -> dict[str, bytes]:
    """The dataset's own files: those of ids hold the ids that stayed, others are as they were."""
    of_ids = any(name.startswith("splits/") for name in prepared.report.files)
    images = {row.image_id for row in rows} if of_ids else set()
    own: dict[str, bytes] = {}
    for name, digest in prepared.report.files.items():
        folder, _, rest = name.rpartition("/")
        explains = rest == EXPLANATIONS and folder in prepared.splits
        others = folder in ("", *prepared.report.splits) or folder.startswith(".")
        if not rest or (others and not explains):
            continue
        path = prepared.folder / name
        with machine_errors(path):
            data = path.read_bytes()
        if sha256_bytes(data) != digest:
            raise DataProblem(f"{path}: is not the file that was written. Run vle-prep repair.")
        if folder == "splits":
            lines = data.decode("utf-8").splitlines()
            data = "".join(f"{line}\n" for line in lines if line in images).encode()
        own[name] = data
    return own


def _check_place(prepared: Prepared, folder: Path, parameters: Mapping[str, str | int]) -> None:
    refuse_circle(folder)
    here, there = folder.resolve(), prepared.folder.resolve()
    if here == there:
        raise UsageProblem(f"{folder}: is the original. Choose another --out.")
    if there in here.parents or here in there.parents:  # verify would find extra files in one
        raise UsageProblem(f"{folder}: a copy and {prepared.folder} must lie beside each other.")
    name = prepared.report.dataset
    keep_out("--out", folder.parent)
    check_own(name, folder.parent)
    built = any(known_shards(folder.parent, name, split) for split in prepared.report.splits)
    # A copy that was killed before its report: only its own splits are written over.
    others = prepared.report.splits.keys() - set(prepared.splits)
    built = built or any(True for split in others for _ in (folder / split).glob("*.tar"))
    if built or ((folder / REPORT).is_file() and read_report(folder).parameters != parameters):
        raise UsageProblem(
            f"{folder}: holds another build of {name}. Remove it, or choose another --out."
        )


def _damaged(folder: Path, row: SampleRow) -> DataProblem:
    return DataProblem(
        f"{folder}: {row.split}/{row.shard}: {row.key}: is not as the index says. "
        "Run vle-prep verify, then repair."
    )
