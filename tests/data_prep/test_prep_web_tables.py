"""What img2dataset left in other output formats than tars and folders."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prep_world import picture_bytes, put

from vle_bench.data_prep import parquet_cells
from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.parquet_cells import DamagedTable, ParquetCell, read_cell
from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.data_prep.verify import verify
from vle_bench.records import Sample
from vle_bench.shards.read import iter_with_pictures

URLS = [f"http://host{n}.example.org/a/{n}.jpg" for n in range(12)]
PICTURES = {url: picture_bytes(40 + number, 30) for number, url in enumerate(URLS)}
LOST = {URLS[4]: "HTTP Error 404: Not Found", URLS[9]: "timed out"}


def table(path: Path, urls: list[str], *, pictures: str = "jpg", group: int = 3) -> None:
    """A table as the output format `parquet` writes it; without pictures, any other's."""
    rows: dict[str, list[object]] = {
        "url": list(urls),
        "key": [f"{path.stem}{number:04d}" for number in range(len(urls))],
        "status": ["failed_to_download" if url in LOST else "success" for url in urls],
        "error_message": [LOST.get(url) for url in urls],
    }
    if pictures:
        rows[pictures] = [None if url in LOST else PICTURES[url] for url in urls]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(rows), path, row_group_size=group)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    lines = "".join(f"caption {number}\t{url}\n" for number, url in enumerate(URLS))
    put(tmp_path / "raw/cc3m/Train_GCC-training.tsv", lines.encode())
    return tmp_path / "raw"


def run(raw: Path, out: Path, *, workers: int = 1) -> Prepared:
    settings = Parameters(samples_per_shard=3)
    request = Request(dataset="cc3m", raw=raw, out=out, parameters=settings, workers=workers)
    return prepare(request)


@pytest.mark.parametrize("inner", ["", "train/"])
@pytest.mark.parametrize("workers", [1, 2])
def test_pictures_in_the_tables_are_found_by_address(raw, out, inner: str, workers: int):
    table(raw / f"cc3m/{inner}00000.parquet", URLS[:7])
    table(raw / f"cc3m/{inner}00001.parquet", URLS[7:11], group=100)
    prepared = run(raw, out, workers=workers)
    samples = iter_with_pictures(out / "cc3m", "train", Sample)
    there = {one.image.source_url: (one.image.file_name, data) for one, data in samples}
    kept = [url for url in URLS[:11] if url not in LOST]
    assert there == {
        url: (f"{at // 7:05d}{at % 7:04d}.jpg", PICTURES[url])
        for at, url in enumerate(URLS[:11])
        if url in kept
    }
    assert verify(out / "cc3m").findings == ()
    assert prepared.report.counts["image"].skipped == {
        "download: 4xx": 1,
        "download: timeout": 1,
        "picture not downloaded": 1,
    }
    assert not any("img2dataset" in one for one in prepared.report.splits["train"].warnings)


def test_a_damaged_table_costs_its_pictures_and_a_changed_one_is_read_anew(raw, out):
    path = raw / "cc3m/00000.parquet"
    table(path, URLS, group=100)
    chunk = pq.read_metadata(path).row_group(0).column(4)
    assert chunk.path_in_schema == "jpg"
    data = bytearray(path.read_bytes())
    at = chunk.dictionary_page_offset or chunk.data_page_offset
    data[at : at + 32] = b"\xff" * 32
    path.write_bytes(data)
    report = run(raw, out).report
    assert report.counts["image"].skipped["picture damaged in its table"] == 10
    table(path, URLS, group=5)
    report = run(raw, out).report
    assert report.counts["image"].written == 10


LOOK = r"""
import sys
from pathlib import Path
import numpy as np
from vle_bench.data_prep.found_pictures import FoundPictures
from vle_bench.data_prep.parquet_cells import DamagedTable, read_cell
from vle_bench.data_prep.web_keys import LookUp, url_key
from vle_bench.data_prep.web_tables import read_alone
path, url = sys.argv[1:]
found = FoundPictures(1)
read_alone(Path(path), LookUp.of(np.array([url_key(url)], dtype=np.uint64)), found)
try:
    print(read_cell(path, found[0].member))
except DamagedTable:
    print("damaged")
"""


def test_a_footer_that_contradicts_itself_does_not_end_the_process(tmp_path: Path):
    path = tmp_path / "00000.parquet"
    table(path, URLS)
    optional, required = b"\x15\x0c\x25\x02\x18\x03jpg", b"\x15\x0c\x25\x00\x18\x03jpg"
    assert path.read_bytes().count(optional) == 1
    path.write_bytes(path.read_bytes().replace(optional, required))
    command = [sys.executable, "-c", LOOK, str(path), URLS[0]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "damaged\n")  # -6: Arrow ended the process


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("00000.tfrecord", "1 TFRecord file of img2dataset not read"),
        ("00000_stats.json", "1 table of img2dataset without the pictures named there"),
    ],
)
def test_what_is_not_read_is_told_with_what_to_do(raw, out, prep, capsys, name: str, told: str):
    table(raw / "cc3m/00000.parquet", URLS, pictures="")
    put(raw / "cc3m" / name, b"x")
    assert prep("run", "cc3m", "--raw", raw, "--out", out) == 0
    err = capsys.readouterr().err
    assert f"train: cc3m: {told}; download with --output_format webdataset, files or" in err


def test_a_cell_that_is_not_there_is_damage(tmp_path: Path):
    table(tmp_path / "00000.parquet", URLS)
    path = str(tmp_path / "00000.parquet")
    assert read_cell(path, ParquetCell("jpg", 1, 2, 9)) == PICTURES[URLS[5]]
    assert read_cell(path, ParquetCell("jpg", 1, 1, 9)) == b""
    for cell in (ParquetCell("jpg", 1, 3, 9), ParquetCell("jpg", 9, 0, 9)):
        with pytest.raises(DamagedTable):
            read_cell(path, cell)


def test_small_groups_are_read_once_in_whatever_order(tmp_path: Path, monkeypatch):
    urls = [f"{URLS[0]}?{number}" for number in range(60)]
    cells = {url: random.Random(url).randbytes(2_000) for url in urls}
    path = tmp_path / "00000.parquet"
    pq.write_table(pa.table({"jpg": [cells[url] for url in urls]}), path, row_group_size=7)
    opened: list[int] = []

    def counted(table: pq.ParquetFile, what):
        opened.append(what.group)
        return columns(table, what)

    columns = parquet_cells._columns
    monkeypatch.setattr(parquet_cells, "_columns", counted)
    for row in random.Random(5).sample(range(60), 60):
        cell = ParquetCell("jpg", row // 7, row % 7, 9)
        assert read_cell(str(path), cell) == cells[urls[row]]
    assert sorted(opened) == list(range(9))


def test_of_small_groups_the_latest_are_held(tmp_path: Path, monkeypatch):
    path = tmp_path / "00000.parquet"
    cells = [bytes([number]) * 1_000 for number in range(12)]
    pq.write_table(pa.table({"jpg": cells}), path, row_group_size=1)
    monkeypatch.setattr(parquet_cells, "_MOST_HELD", 3_500)
    monkeypatch.setattr(parquet_cells, "_OPEN", parquet_cells._Open())
    for group in (0, 1, 2, 0, 3, 4):
        assert read_cell(str(path), ParquetCell("jpg", group, 0, 9)) == cells[group]
    assert [what.group for what in parquet_cells._OPEN.small] == [0, 3, 4]


READ = r"""
import re, sys
from hashlib import sha256
from pathlib import Path
from vle_bench.data_prep.parquet_cells import ParquetCell, read_cell
for row in map(int, sys.argv[2:]):
    print(sha256(read_cell(sys.argv[1], ParquetCell("jpg", 0, row, 9))).hexdigest())
print(re.search(r"VmHWM:\s+([0-9]+)", Path("/proc/self/status").read_text())[1])
"""


def read_apart(path: Path, rows: tuple[int, ...]) -> tuple[list[str], int]:
    """Digests of the first group's cells as a process of its own reads them, and its peak in KB."""
    command = [sys.executable, "-c", READ, str(path), *map(str, rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *digests, kilobytes = done.stdout.split()
    return digests, int(kilobytes)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc on this system")
def test_a_large_row_group_is_never_held(tmp_path: Path):
    cells = [random.Random(number).randbytes(100_000) for number in range(2000)]
    schema = pa.schema([("jpg", pa.binary())])
    with pq.ParquetWriter(tmp_path / "x.parquet", schema, write_batch_size=16) as writer:
        writer.write_table(pa.table({"jpg": cells}, schema), row_group_size=2000)
    rows = (1500, 3, 1999, 1999)
    digests, kilobytes = read_apart(tmp_path / "x.parquet", rows)
    assert digests == [hashlib.sha256(cells[row]).hexdigest() for row in rows]
    assert kilobytes < 150 * 1024  # the group alone takes 200 MB


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc on this system")
def test_a_row_group_that_says_less_than_it_unpacks_to_is_not_held(tmp_path: Path):
    cell = random.Random(1).randbytes(1_000_000)
    rows = pa.table({"jpg": [cell] * 300})
    pq.write_table(
        rows, tmp_path / "x.parquet", use_dictionary=True, dictionary_pagesize_limit=1 << 24
    )
    chunk = pq.read_metadata(tmp_path / "x.parquet").row_group(0).column(0)
    assert chunk.total_uncompressed_size < 1 << 24
    digests, kilobytes = read_apart(tmp_path / "x.parquet", (299, 2))
    assert digests == [hashlib.sha256(cell).hexdigest()] * 2
    assert kilobytes < 300 * 1024  # all of its rows would take 300 MB more than reading takes
