"""Which samples differ between two builds of a dataset, and in what.

Two builds hold the same where they hold the same samples: in which shard a
sample lies is no difference. Shards that both reports know by the same sha256
are the same without a look, if each stands there in its full length; of all
others every record is read and compared.
Rows meet row by row where both builds have the same order; the others wait on
disk, sorted by key, and so does everything that is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, Self

from vle_bench.console import progress, typed
from vle_bench.data_prep.spool import SortedRows
from vle_bench.errors import DataProblem, Problems
from vle_bench.inputs import decode_json
from vle_bench.shards.index import SampleRow, iter_sample_rows
from vle_bench.shards.layout import SAMPLES, number_of
from vle_bench.shards.read import SplitReader
from vle_bench.shards.report import Report, read_report

_MOST_FIELDS = 20


class Found(NamedTuple):
    """A sample that differs.

    Attributes:
        number: Its place in the index of A, of B where only B has it.
        key: Its key.
        fields: Of a record that differs, the paths of the fields, `captions[0].text` and so on. A
            list of another length is one field. At most twenty are named.
    """

    number: int
    key: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """What differs between builds A and B, in the order of A's index; all empty where nothing does.

    Attributes:
        dataset: Its name.
        samples: How many samples A and B have.
        only_a: Samples of A that B does not have.
        only_b: Samples of B that A does not have, in the order of B's index.
        pictures: Samples whose picture has other bytes.
        records: Samples whose record differs.
        elsewhere: Samples that are the same but for the shard they lie in, which is no difference.
    """

    dataset: str
    samples: tuple[int, int]
    only_a: SortedRows[Found]
    only_b: SortedRows[Found]
    pictures: SortedRows[Found]
    records: SortedRows[Found]
    elsewhere: int

    @property
    def equal(self) -> bool:
        """Whether both builds hold the same samples."""
        return not any(map(len, (self.only_a, self.only_b, self.pictures, self.records)))


def difference(a: Path, b: Path) -> Difference:
    """Compares two prepared datasets sample by sample.

    Args:
        a: The folder of one.
        b: The folder of the other.

    Raises:
        DataProblem: No prepared dataset, not the same dataset, or a damaged one.
        MachineProblem: The disk refuses.
    """
    first, second = read_report(a), read_report(b)
    if first.dataset != second.dataset:
        raise DataProblem(
            f"{a} is {first.dataset}, {b} is {second.dataset}: two builds of one dataset "
            "are compared."
        )
    _needs_shards(a, first)
    _needs_shards(b, second)
    meeting = _Meeting(_digests(first), _digests(second))
    rows = zip_longest(_rows(a, first), _rows(b, second))
    total = max(_count(first), _count(second))
    for number, (one, other) in enumerate(progress(rows, total=total, what="reading indexes")):
        meeting.see(number, one, other)
    meeting.join()
    return Difference(
        dataset=first.dataset,
        samples=(meeting.samples[0], meeting.samples[1]),
        only_a=meeting.only[0],
        only_b=meeting.only[1],
        pictures=meeting.pictures,
        records=_records(meeting.unlike, a, b),
        elsewhere=meeting.elsewhere,
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


class _Row(NamedTuple):
    """A row of an index, and its place there."""

    number: int
    row: SampleRow


class _Pair(NamedTuple):
    """A sample as both builds have it, and its place in A's index."""

    number: int
    a: SampleRow
    b: SampleRow


_Digests = Mapping[tuple[str, str], str]


class _Meeting:
    """Brings the rows of two indexes together by key.

    Args:
        digests: The sha256 of the shards of A and of B, by split and name.
    """

    def __init__(self, *digests: _Digests) -> None:
        self._digests = digests
        by_key = attrgetter("row.key")
        self._waiting = (SortedRows(_Row, by_key), SortedRows(_Row, by_key))
        self.samples = [0, 0]
        self.only = (_found(), _found())
        self.pictures = _found()
        self.unlike = SortedRows(_Pair, attrgetter("number"))
        """Samples that do not lie at the same place in shards of the same sha256."""
        self.elsewhere = 0

    def see(self, number: int, one: SampleRow | None, other: SampleRow | None) -> None:
        """Takes the rows at one place of both indexes; None behind the end of the shorter."""
        if one is not None and other is not None and one.key == other.key:
            self._pair(_Pair(number, one, other))
        else:
            for waiting, row in zip(self._waiting, (one, other), strict=True):
                if row is not None:
                    waiting.add(_Row(number, row))
        self.samples[0] += one is not None
        self.samples[1] += other is not None

    def join(self) -> None:
        """Pairs the rows that did not stand at the same place."""
        left, right = map(iter, self._waiting)
        one, other = next(left, None), next(right, None)
        while one is not None or other is not None:
            if other is None or (one is not None and one.row.key < other.row.key):
                assert one is not None
                self.only[0].add(Found(one.number, one.row.key))
                one = next(left, None)
            elif one is None or other.row.key < one.row.key:
                self.only[1].add(Found(other.number, other.row.key))
                other = next(right, None)
            else:
                self._pair(_Pair(one.number, one.row, other.row))
                one, other = next(left, None), next(right, None)

    def _pair(self, pair: _Pair) -> None:
        one, other = _place(pair.a), _place(pair.b)
        self.elsewhere += one != other
        if pair.a.sha256 != pair.b.sha256:
            self.pictures.add(Found(pair.number, pair.a.key))
        digest = self._digests[0][one]
        if digest != self._digests[1][other] or pair.a.offset != pair.b.offset:
            self.unlike.add(pair)


def _found() -> SortedRows[Found]:
    return SortedRows(Found, attrgetter("number"))


def _needs_shards(folder: Path, report: Report) -> None:
    """A shard that is lost or cut short holds no samples, whatever its report says of them."""
    problems = Problems()
    for split, books in report.splits.items():
        for shard in books.shards:
            path = folder / split / shard.name
            size = path.stat().st_size if path.is_file() else None
            if size != shard.bytes:
                found = "missing" if size is None else f"{size:,} bytes"
                problems.add(f"{path}: {found}, {shard.bytes:,} bytes expected.")
    problems.raise_if_any(advice=f"Build them again: vle-prep repair {typed(folder)} --raw RAW.")


def _rows(folder: Path, report: Report) -> Iterator[SampleRow]:
    """The rows of an index, each of which names a shard of the report."""
    known = _digests(report)
    for row in iter_sample_rows(folder / SAMPLES):
        if _place(row) not in known:
            raise DataProblem(
                f"{folder / SAMPLES}: {row.key}: {row.split}/{row.shard} is no shard of the "
                "report. Run vle-prep verify."
            )
        yield row


def _count(report: Report) -> int:
    return sum(shard.samples for books in report.splits.values() for shard in books.shards)


def _place(row: SampleRow) -> tuple[str, str]:
    return row.split, row.shard


def _digests(report: Report) -> _Digests:
    return {
        (split, shard.name): shard.sha256
        for split, books in report.splits.items()
        for shard in books.shards
        if number_of(shard.name, dataset=report.dataset, split=split) is not None
    }


def _records(unlike: SortedRows[_Pair], a: Path, b: Path) -> SortedRows[Found]:
    found = _found()
    with _Records(a) as first, _Records(b) as second:
        for number, row, like in progress(unlike, total=len(unlike), what="comparing"):
            one, other = first.read(row), second.read(like)
            if one != other:
                key = row.key
                fields = tuple(changed_fields(_json(one, key), _json(other, key)))
                found.add(Found(number, key, _shown(fields)))
    return found


def _shown(fields: tuple[str, ...]) -> tuple[str, ...]:
    if len(fields) <= _MOST_FIELDS:
        return fields or ("the order or form of its JSON",)
    return (*fields[:_MOST_FIELDS], f"... and {len(fields) - _MOST_FIELDS} more")


def _json(data: bytes, key: str) -> Any:
    return decode_json(data, Any, key, "the sample's record")


class _Records:
    """The JSON bytes of samples, of all splits of a dataset."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._readers: dict[str, SplitReader] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for reader in self._readers.values():
            reader.close()

    def read(self, row: SampleRow) -> bytes:
        if row.split not in self._readers:
            self._readers[row.split] = SplitReader(self._folder, row.split, hold=False)
        return self._readers[row.split].record(row)
