"""Samples straight from the shards, in order or by key, with or without their pictures.

A JSON is a few kilobytes beside a picture of a hundred, so a reader that wants
only the annotations jumps from one to the next by the index and leaves the
pictures on the disk. Every record is checked against the CRC-32 that the index
has of it, and against its key once it is decoded: a flipped bit or an index that
is older than its shards is noticed and never read past.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

from isal.isal_zlib import crc32

from vle_bench.errors import DataProblem, MachineProblem, machine_errors, needs_file
from vle_bench.inputs import decode_json
from vle_bench.records import Sample
from vle_bench.shards.index import SampleRow, iter_sample_rows, read_samples
from vle_bench.shards.layout import SAMPLES, number_of
from vle_bench.shards.report import read_report

S = TypeVar("S", bound=Sample)


_MOST_OPEN = 128
"""Shards kept open; a system allows a process 256 files at the least."""


class _Shard(NamedTuple):
    """A shard that is open."""

    handle: int
    size: int


class SplitReader:
    """Random access to one split of a prepared dataset; a context manager.

    Args:
        dataset_folder: The folder that holds `samples.parquet`.
        split: `train`, `val`, `test`, ...
        hold: Whether to hold the rows of the index, a kilobyte each. Without them there is no
            access by key, `rows` is empty, and `each_row` reads them as it goes.

    Raises:
        DataProblem: No such dataset, no such split in it, or a damaged index.
    """

    def __init__(self, dataset_folder: Path, split: str, *, hold: bool = True) -> None:
        self._folder = dataset_folder
        self._split = split
        self._hold = hold
        report = read_report(dataset_folder)
        known = report.splits
        if split not in known:
            raise DataProblem(
                f"{dataset_folder}: has no split {split}, only {', '.join(known) or 'none'}. "
                "Prepare it with vle-prep run --split."
            )
        self._dataset = report.dataset
        self.rows: tuple[SampleRow, ...] = ()
        if hold:
            self.rows = tuple(self._checked(read_samples(dataset_folder / SAMPLES, split=split)))
        self._places = {row.key: index for index, row in enumerate(self.rows)}
        self._open: OrderedDict[str, _Shard] = OrderedDict()

    def __len__(self) -> int:
        return len(self.rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the shards that are open."""
        while self._open:
            os.close(self._open.popitem()[1].handle)

    def each_row(self) -> Iterator[SampleRow]:
        """The rows of the index in the order of the shards, held or not.

        Raises:
            DataProblem: A damaged index.
        """
        if self._hold:
            return iter(self.rows)
        return self._checked(iter_sample_rows(self._folder / SAMPLES, split=self._split))

    def row(self, key: str) -> SampleRow:
        """The index row of `key`; `DataProblem` where the split has no such sample."""
        if key not in self._places:
            raise DataProblem(f"{self._folder}: no sample {key} in this split. Check the key.")
        return self.rows[self._places[key]]

    def sample(self, row: SampleRow, kind: type[S]) -> S:
        """The record of a sample.

        Args:
            row: Its row in the index.
            kind: The record's type, e.g. `VqaSample`.

        Raises:
            DataProblem: The shard is gone, damaged, or holds another sample there.
        """
        return self._decoded(row, self.record(row), kind)

    def sample_with_picture(self, row: SampleRow, kind: type[S]) -> tuple[S, bytes]:
        """Like `sample`, with the original bytes of its picture."""
        picture, record = self.picture_and_record(row)
        return self._decoded(row, record, kind), picture

    def record(self, row: SampleRow) -> bytes:
        """`KEY.json` of a sample as it was written, not looked into.

        Raises:
            DataProblem: The shard is gone, or its bytes there have not the CRC-32 of the index.
        """
        return self._proved(row, self._piece(row, row.json_offset, row.json_size))

    def picture(self, row: SampleRow) -> bytes:
        """The original bytes of a sample's picture."""
        return self._piece(row, row.image_offset, row.image_size)

    def picture_and_record(self, row: SampleRow) -> tuple[bytes, bytes]:
        """Both members of a sample, the record proved as `record` does; quicker than one by one."""
        shard = self._open.get(row.shard) or self._opened(row)
        behind, end = row.image_offset + row.image_size, row.json_offset + row.json_size
        if not 0 <= row.image_offset <= behind <= row.json_offset <= end <= shard.size:
            return self.picture(row), self.record(row)  # one of them says what is wrong
        try:
            picture = os.pread(shard.handle, row.image_size, row.image_offset)
            record = os.pread(shard.handle, row.json_size, row.json_offset)
        except OSError as error:
            raise self._unreadable(row, error) from error
        if len(picture) != row.image_size:
            raise self._outside(row, row.image_offset, row.image_size)
        return picture, self._proved(row, record)

    def _proved(self, row: SampleRow, record: bytes) -> bytes:
        if crc32(record) != row.json_crc32:
            raise DataProblem(
                f"{row.shard}: {row.key}: the record is not the one that was written: the shard is "
                "damaged, or the index is older. Run vle-prep verify."
            )
        return record

    def _decoded(self, row: SampleRow, data: bytes, kind: type[S]) -> S:
        place = f"{row.shard}: {row.key}"
        record = decode_json(data, kind, place, "the sample's record")
        if record.key != row.key or record.split != row.split:
            raise DataProblem(
                f"{place}: the shard holds {record.split}/{record.key} there. The index is older "
                "than the shard: run vle-prep run again."
            )
        return record

    def _checked(self, rows: Iterable[SampleRow]) -> Iterator[SampleRow]:
        """The rows, none of which names a file that is no shard of the split."""
        last = ""
        for row in rows:
            if row.shard != last:
                last = row.shard
                if number_of(last, dataset=self._dataset, split=self._split) is None:
                    raise DataProblem(
                        f"{self._folder / SAMPLES}: {last!r} is no shard of {self._split}."
                    )
            yield row

    def _piece(self, row: SampleRow, offset: int, size: int) -> bytes:
        shard = self._open.get(row.shard) or self._opened(row)
        if not 0 <= offset <= offset + size <= shard.size:
            raise self._outside(row, offset, size)
        try:
            data = os.pread(shard.handle, size, offset)
        except OSError as error:
            raise self._unreadable(row, error) from error
        if len(data) != size:
            raise self._outside(row, offset, size)
        return data

    def _opened(self, row: SampleRow) -> _Shard:
        """Opens a shard and keeps it open: readers in random order come back to it."""
        path = self._folder / row.split / row.shard
        if len(self._open) >= _MOST_OPEN:
            os.close(self._open.popitem(last=False)[1].handle)
        needs_file(path, "a shard")
        with machine_errors(path):
            handle = os.open(path, os.O_RDONLY)
            self._open[row.shard] = shard = _Shard(handle, os.fstat(handle).st_size)
        return shard

    def _unreadable(self, row: SampleRow, error: OSError) -> MachineProblem:
        reason = error.strerror or str(error)
        return MachineProblem(f"{row.shard}: {row.key}: {reason}. Try again.")

    def _outside(self, row: SampleRow, offset: int, size: int) -> DataProblem:
        there = os.fstat(self._open[row.shard].handle).st_size
        return DataProblem(
            f"{row.shard}: {row.key}: should lie at bytes {offset:,} to {offset + size:,}, "
            f"the shard has {there:,}. Run vle-prep verify."
        )


@contextmanager
def open_split(dataset_folder: Path, split: str) -> Iterator[SplitReader]:
    """A `SplitReader` that is closed at the end of the block."""
    with SplitReader(dataset_folder, split) as reader:
        yield reader


def iter_samples(dataset_folder: Path, split: str, kind: type[S]) -> Iterator[S]:
    """Every record of a split in the order of the shards; no picture is read.

    Args:
        dataset_folder: The folder that holds `samples.parquet`, e.g. `data/shards/vqav2`.
        split: `train`, `val` or `test`.
        kind: The record's type, e.g. `VqaSample`.

    Raises:
        DataProblem: No such dataset or split, or a shard that is damaged.
    """
    with SplitReader(dataset_folder, split, hold=False) as reader:
        for row in reader.each_row():
            yield reader.sample(row, kind)


def iter_with_pictures(
    dataset_folder: Path, split: str, kind: type[S]
) -> Iterator[tuple[S, bytes]]:
    """Like `iter_samples`, each record with the original bytes of its picture."""
    with SplitReader(dataset_folder, split, hold=False) as reader:
        for row in reader.each_row():
            yield reader.sample_with_picture(row, kind)
