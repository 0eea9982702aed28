"""Reading samples back: in order, by key, and never past a stale or damaged index."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import pytest

from vle_bench.canonical import sha256_bytes
from vle_bench.errors import DataProblem
from vle_bench.records import Sample
from vle_bench.shards.index import (
    SampleRow,
    SkippedRow,
    iter_skipped_rows,
    read_samples,
    read_skipped,
    write_samples,
    write_skipped,
)
from vle_bench.shards.layout import SAMPLES, number_of, split_order
from vle_bench.shards.read import SplitReader, iter_samples, iter_with_pictures, open_split
from vle_bench.shards.report import Counts, read_report, total
from vle_bench.shards.writer import write_shard


def test_samples_come_in_the_order_of_the_shards(toy: Path):
    keys = [sample.key for sample in iter_samples(toy, "val", Sample)]
    assert keys == [f"toy-{number:04d}" for number in range(6)]


def test_pictures_come_with_their_own_records(toy: Path):
    for sample, picture in iter_with_pictures(toy, "val", Sample):
        assert sha256_bytes(picture) == sample.image.sha256


def test_a_sample_is_found_by_its_key(toy: Path):
    with open_split(toy, "val") as reader:
        assert len(reader) == 6
        for key in ("toy-0005", "toy-0000", "toy-0003"):
            assert reader.sample(reader.row(key), Sample).key == key
        with pytest.raises(DataProblem, match="no sample toy-9999"):
            reader.row("toy-9999")


def test_a_reader_keeps_few_shards_open_and_none_behind_its_block(toy: Path, monkeypatch):
    opened: list[int] = []

    def noting(*given: object) -> int:
        opened.append(really(*given))
        return opened[-1]

    really = os.open
    monkeypatch.setattr("vle_bench.shards.read._MOST_OPEN", 1)
    with open_split(toy, "val") as reader:
        monkeypatch.setattr(os, "open", noting)
        for row in (*reader.rows, reader.rows[0]):
            assert sha256_bytes(reader.picture(row)) == row.sha256
        monkeypatch.setattr(os, "open", really)
    # Closed before the next is opened, so that each has the same number, and closed at the end.
    assert (len(opened), len(set(opened))) == (3, 1)
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(opened[0])


def test_rows_need_not_be_held(toy: Path):
    with SplitReader(toy, "val") as held, SplitReader(toy, "val", hold=False) as reader:
        assert list(reader.each_row()) == list(held.each_row()) == list(held.rows) != []
        assert reader.rows == ()
        assert [reader.picture(row) for row in reader.each_row()] == [
            held.picture(row) for row in held.rows
        ]


def test_a_split_that_was_not_prepared_is_named_with_those_that_were(toy: Path):
    with pytest.raises(DataProblem, match="no split train, only val"):
        SplitReader(toy, "train")


def test_a_folder_without_a_report_is_no_dataset(tmp_path: Path):
    with pytest.raises(DataProblem, match="no prepared dataset"):
        list(iter_samples(tmp_path, "val", Sample))


def test_an_index_older_than_its_shard_is_noticed(toy: Path, make_item):
    write_shard(toy / "val" / "toy-val-000000.tar", [make_item(number) for number in (2, 1, 0)])
    with pytest.raises(DataProblem, match="toy-0000"):
        list(iter_samples(toy, "val", Sample))


def test_a_cut_shard_is_noticed(toy: Path):
    path = toy / "val" / "toy-val-000001.tar"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataProblem, match="vle-prep verify"):
        list(iter_samples(toy, "val", Sample))


@pytest.mark.parametrize("bit", [1, 64])
def test_a_flipped_bit_of_a_record_never_reaches_a_reader(toy: Path, bit: int):
    with open_split(toy, "val") as reader:
        row = reader.row("toy-0001")
        before = reader.record(row)
        at = before.index(b'"width"') + len(b'"width":')
        path = toy / "val" / row.shard
        data = bytearray(path.read_bytes())
        data[row.json_offset + at] ^= bit
        path.write_bytes(data)
        readers: tuple[Callable[[SampleRow], object], ...] = (
            reader.record,
            reader.picture_and_record,
            lambda one: reader.sample(one, Sample),
        )
        for read in readers:
            with pytest.raises(DataProblem, match="toy-0001: the record is not the one that was"):
                read(row)
        assert reader.record(reader.row("toy-0000"))


@pytest.mark.parametrize(
    ("own", "other"), [(b'"key":"toy-0001"', b'"key":"toy-0009"'), (b'"val"', b'"dev"')]
)
def test_the_record_of_another_sample_is_noticed_though_its_checksum_fits(
    toy: Path, own: bytes, other: bytes
):
    with open_split(toy, "val") as reader:
        row = reader.row("toy-0001")
        before = reader.record(row)
        changed = before.replace(own, other)
        assert changed != before
        path = toy / "val" / row.shard
        path.write_bytes(path.read_bytes().replace(before, changed))
        with pytest.raises(DataProblem, match="The index is older"):
            reader.sample(row._replace(json_crc32=crc32(changed)), Sample)


@pytest.mark.parametrize(
    "wrong",
    [
        {"image_offset": -1},
        {"image_size": -5},
        {"image_size": 1 << 40},
        {"json_size": -1},
        {"json_size": 1 << 40},
        {"json_offset": 1 << 50},
    ],
)
def test_places_of_a_wrong_index_are_never_read(toy: Path, wrong: dict[str, int]):
    with open_split(toy, "val") as reader:
        row = reader.row("toy-0001")
        assert reader.picture_and_record(row) == (reader.picture(row), reader.record(row))
        with pytest.raises(DataProblem, match="toy-0001: should lie at bytes"):
            reader.picture_and_record(row._replace(**wrong))


def test_a_shard_that_is_cut_while_it_is_read_is_noticed(toy: Path):
    with open_split(toy, "val") as reader:
        row = reader.row("toy-0001")
        reader.picture(row)
        os.truncate(toy / "val" / row.shard, row.image_offset + 1)
        with pytest.raises(DataProblem, match="toy-0001: should lie at bytes"):
            reader.picture_and_record(row)


def test_a_missing_shard_is_noticed(toy: Path):
    (toy / "val" / "toy-val-000001.tar").unlink()
    with pytest.raises(DataProblem, match="toy-val-000001"):
        list(iter_samples(toy, "val", Sample))


def test_an_index_that_points_out_of_the_folder_is_refused(toy: Path):
    rows = read_samples(toy / SAMPLES)
    write_samples(toy / SAMPLES, [rows[0]._replace(shard="../../secret")])
    with pytest.raises(DataProblem, match="no shard of val"):
        SplitReader(toy, "val")
    with pytest.raises(DataProblem, match="no shard of val"):
        list(iter_with_pictures(toy, "val", Sample))


def test_rows_survive_the_round_trip_and_an_equal_file_is_left_alone(toy: Path):
    rows = read_samples(toy / SAMPLES)
    assert len(rows) == 6
    os.utime(toy / SAMPLES, ns=(1, 1))
    write_samples(toy / SAMPLES, iter(rows))
    assert (toy / SAMPLES).stat().st_mtime_ns == 1
    assert [path.name for path in toy.glob(".*")] == []
    write_samples(toy / SAMPLES, rows[::-1])
    assert (toy / SAMPLES).stat().st_mtime_ns > 1
    assert read_samples(toy / SAMPLES) == rows[::-1]
    assert read_samples(toy / SAMPLES, split="test") == []


@pytest.mark.parametrize("count", [0, 1, 4096, 4097, 65_536, 65_537])
def test_an_index_is_the_file_that_arrow_writes_of_all_rows_at_once(tmp_path: Path, count: int):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [SkippedRow("val", "box", str(n), str(n // 3), "reason") for n in range(count)]
    write_skipped(tmp_path / "skipped.parquet", iter(rows))
    schema = pa.schema([pa.field(name, pa.string(), False) for name in SkippedRow._fields])
    columns = [pa.array([row[at] for row in rows], pa.string()) for at in range(len(schema))]
    whole = tmp_path / "whole.parquet"
    pq.write_table(
        pa.Table.from_arrays(columns, schema=schema),
        whole,
        row_group_size=65_536,
        compression="zstd",
        compression_level=3,
    )
    assert (tmp_path / "skipped.parquet").read_bytes() == whole.read_bytes()
    assert list(iter_skipped_rows(tmp_path / "skipped.parquet")) == rows


def test_an_index_may_be_empty(tmp_path: Path):
    path = tmp_path / "skipped.parquet"
    write_skipped(path, [])
    assert read_skipped(path) == []
    row = SkippedRow("val", "question", "1000", "1", "picture absent")
    write_skipped(path, [row])
    assert read_skipped(path) == [row]


def test_an_index_of_another_schema_or_none_is_named(tmp_path: Path, toy: Path):
    write_skipped(tmp_path / "other.parquet", [])
    with pytest.raises(DataProblem, match="columns split, kind"):
        read_samples(tmp_path / "other.parquet")
    (toy / SAMPLES).write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataProblem, match="no readable index"):
        read_samples(toy / SAMPLES)


def test_pandas_and_others_see_plain_columns(toy: Path):
    import pyarrow.parquet as pq

    schema = pq.read_schema(toy / SAMPLES)
    assert schema.names == list(SampleRow._fields)
    assert schema.metadata is None or b"pandas" not in schema.metadata


def test_totals_add_up_by_reason(toy: Path):
    first = Counts(read=5, written=3, skipped={"a": 1, "b": 1}, classes={"missing": 2})
    second = Counts(read=2, written=1, skipped={"b": 1}, classes={"missing": 1})
    both = total([first, second])
    assert both == Counts(read=7, written=4, skipped={"a": 1, "b": 2}, classes={"missing": 3})
    assert both.balances()
    assert not Counts(read=2, written=1).balances()
    assert read_report(toy).splits["val"].shards[1].name == "toy-val-000001.tar"


def test_shard_names_of_others_have_no_number():
    assert number_of("toy-val-000007.tar", dataset="toy", split="val") == 7
    for other in ("toy-train-000007.tar", "toy-val-7.tar", "toy-val-000007.tar.tmp", "x.tar"):
        assert number_of(other, dataset="toy", split="val") is None
    assert sorted(["zz", "test", "val", "train"], key=split_order) == ["train", "val", "test", "zz"]


def test_an_index_is_written_without_pandas(tmp_path: Path):
    script = (
        "import sys; from pathlib import Path; from vle_bench.shards.index import *\n"
        "path = Path(sys.argv[1])\n"
        "write_skipped(path, [SkippedRow('val', 'box', '\\u00e9', '', 'x')])\n"
        "assert read_skipped(path) == [SkippedRow('val', 'box', '\\u00e9', '', 'x')]\n"
        "assert 'pyarrow' in sys.modules\n"
        "assert 'pandas' not in sys.modules, 'pyarrow brought pandas along: 45 MB'\n"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path / "x.parquet"], check=True)
