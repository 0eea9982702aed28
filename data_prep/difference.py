"""Which samples differ between two builds of a dataset, and in what.

Two builds hold the same where they hold the same samples: in which shard a
sample lies is no difference. Shards that both reports know by the same sha256
are the same without a look; of all others every record is read and compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from vle_bench.console import progress
from vle_bench.errors import DataProblem
from vle_bench.inputs import decode_json
from vle_bench.records import Record
from vle_bench.shards.index import SampleRow, read_samples
from vle_bench.shards.layout import SAMPLES
from vle_bench.shards.read import SplitReader
from vle_bench.shards.report import Report, read_report

_MOST_FIELDS = 20


class ChangedRecord(Record, frozen=True, kw_only=True):
    """A sample whose record differs: the paths of the fields, `captions[0].text` and so on.

    A list of another length is one field. At most twenty are named.
    """

    key: str
    fields: tuple[str, ...]


class Difference(Record, frozen=True, kw_only=True):
    """What differs between builds A and B, by key; all empty where nothing does."""

    schema: Literal["vle-bench/difference/1"] = "vle-bench/difference/1"
    dataset: str
    samples: tuple[int, int]
    """How many samples A and B have."""
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    pictures: tuple[str, ...]
    """Samples whose picture has other bytes."""
    records: tuple[ChangedRecord, ...]
    elsewhere: int
    """Samples that are the same but for the shard they lie in, which is no difference."""

    @property
    def equal(self) -> bool:
        """Whether both builds hold the same samples."""
        return not (self.only_a or self.only_b or self.pictures or self.records)


def difference(a: Path, b: Path) -> Difference:
    """Compares two prepared datasets sample by sample.

    Args:
        a: The folder of one.
        b: The folder of the other.

    Raises:
        DataProblem: No prepared dataset, not the same dataset, or a damaged one.
    """
    reports = read_report(a), read_report(b)
    if reports[0].dataset != reports[1].dataset:
        raise DataProblem(
            f"{a} is {reports[0].dataset}, {b} is {reports[1].dataset}: two builds of one dataset "
            "are compared."
        )
    rows_a, rows_b = _rows(a), _rows(b)
    both = [key for key in rows_a if key in rows_b]
    unlike = _unlike(both, (rows_a, rows_b), reports)
    return Difference(
        dataset=reports[0].dataset,
        samples=(len(rows_a), len(rows_b)),
        only_a=tuple(key for key in rows_a if key not in rows_b),
        only_b=tuple(key for key in rows_b if key not in rows_a),
        pictures=tuple(key for key in both if rows_a[key].sha256 != rows_b[key].sha256),
        records=tuple(_records(unlike, (a, rows_a), (b, rows_b))),
        elsewhere=sum(_place(rows_a[key]) != _place(rows_b[key]) for key in both),
    )


def changed_fields(a: Any, b: Any, path: str = "") -> Iterator[str]:
    """Where two JSON values differ.

    >>> list(changed_fields({"x": [1, {"y": 2}]}, {"x": [1, {"y": 3}], "z": 0}))
    ['x[1].y', 'z']
    """
    if isinstance(a, dict) and isinstance(b, dict):
        for name in sorted({*a, *b}):
            inner = f"{path}.{name}" if path else name
            if name not in a or name not in b:
                yield inner
            else:
                yield from changed_fields(a[name], b[name], inner)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for at, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from changed_fields(one, other, f"{path}[{at}]")
    elif a != b or type(a) is not type(b):
        yield path


def _rows(folder: Path) -> dict[str, SampleRow]:
    return {row.key: row for row in read_samples(folder / SAMPLES)}


def _place(row: SampleRow) -> tuple[str, str]:
    return row.split, row.shard


def _unlike(
    keys: list[str],
    rows: tuple[Mapping[str, SampleRow], Mapping[str, SampleRow]],
    reports: tuple[Report, Report],
) -> list[str]:
    """The samples that do not lie at the same place in shards of the same sha256."""
    first, second = map(_digests, reports)

    def same(a: SampleRow, b: SampleRow) -> bool:
        digest = first.get(_place(a), "")
        return bool(digest) and digest == second.get(_place(b)) and a.offset == b.offset

    return [key for key in keys if not same(rows[0][key], rows[1][key])]


def _digests(report: Report) -> dict[tuple[str, str], str]:
    return {
        (split, shard.name): shard.sha256
        for split, books in report.splits.items()
        for shard in books.shards
    }


def _records(
    keys: list[str],
    a: tuple[Path, Mapping[str, SampleRow]],
    b: tuple[Path, Mapping[str, SampleRow]],
) -> Iterator[ChangedRecord]:
    with _Records(*a) as first, _Records(*b) as second:
        for key in progress(keys, total=len(keys), what="comparing"):
            one, other = first.read(key), second.read(key)
            if one != other:
                fields = tuple(changed_fields(_json(one, key), _json(other, key)))
                yield ChangedRecord(key=key, fields=_shown(fields))


def _shown(fields: tuple[str, ...]) -> tuple[str, ...]:
    if len(fields) <= _MOST_FIELDS:
        return fields or ("the order or form of its JSON",)
    return (*fields[:_MOST_FIELDS], f"... and {len(fields) - _MOST_FIELDS} more")


def _json(data: bytes, key: str) -> Any:
    return decode_json(data, Any, key, "the sample's record")


class _Records:
    """The JSON bytes of samples by key, of all splits of a dataset."""

    def __init__(self, folder: Path, rows: Mapping[str, SampleRow]) -> None:
        self._folder = folder
        self._rows = rows
        self._readers: dict[str, SplitReader] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for reader in self._readers.values():
            reader.close()

    def read(self, key: str) -> bytes:
        row = self._rows[key]
        if row.split not in self._readers:
            self._readers[row.split] = SplitReader(self._folder, row.split)
        return self._readers[row.split].record(row)
