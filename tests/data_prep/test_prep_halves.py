"""A list read by two processes is the list read by one, whatever stands in its middle."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from itertools import repeat
from pathlib import Path
from typing import IO, Any

import pytest

from vle_bench.data_prep import box_tables
from vle_bench.data_prep.box_tables import write_vg_objects
from vle_bench.data_prep.halves import Half, Unsound, middle_of, second_half
from vle_bench.data_prep.sources import Document
from vle_bench.errors import DataProblem
from vle_bench.inputs.content import file_content
from vle_bench.scratch import scratch_file

NASTY = '}, {"image_id": 7, "objects": [{"names": ["]}, {"]'


def pictures(count: int, *, name: str = "dog") -> list[dict[str, Any]]:
    def thing(number: int) -> dict[str, Any]:
        return {"object_id": number, "names": [name], "x": 1, "y": 2, "w": 3.5, "h": number}

    return [
        {"image_id": count - at, "objects": [thing(9 * at + one) for one in range(at % 4)]}
        for at in range(count)
    ]


def put(tmp_path: Path, text: str) -> Document:
    (tmp_path / "f.json").write_text(text)
    return Document("f.json", file_content(tmp_path / "f.json"))


def table(document: Document, path: Path, monkeypatch, *, worth: int) -> bytes:
    monkeypatch.setattr(box_tables, "WORTH_IT", worth)
    write_vg_objects(document, path)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["dog", NASTY, '\\\u4e00"'])
@pytest.mark.parametrize("start", ["", "\ufeff", " \n"])
def test_two_processes_make_the_table_of_one(tmp_path: Path, monkeypatch, name: str, start: str):
    document = put(tmp_path, start + json.dumps(pictures(60, name=name)))
    assert middle_of(document.content) is not None
    one = table(document, tmp_path / "one.parquet", monkeypatch, worth=1 << 40)
    assert table(document, tmp_path / "two.parquet", monkeypatch, worth=0) == one


@pytest.mark.parametrize(
    "text",
    [
        '[{"image_id": 1, "objects": []}',
        '[{"image_id": 1, "objects": []}, {"image_id": 2, "objects": [}]}]',
        json.dumps(pictures(50))[:-1],
        json.dumps(pictures(50)).replace('"h": 388', '"h": "388"'),
        json.dumps(pictures(50)) + "]",
    ],
)
def test_broken_files_are_told_as_by_one_process(tmp_path: Path, monkeypatch, text: str):
    document = put(tmp_path, text)
    told: list[str] = []
    for worth in (1 << 40, 0):
        with pytest.raises(DataProblem) as caught:
            table(document, tmp_path / "x.parquet", monkeypatch, worth=worth)
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.json"]


def test_halves_are_lists_whose_rows_are_all_rows(tmp_path: Path):
    rows = pictures(40)
    content = put(tmp_path, json.dumps(rows)).content
    cut = middle_of(content)
    assert cut is not None
    halves = [Half(content, cut, second=second) for second in (False, True)]
    assert abs(halves[0].size - halves[1].size) < 600
    for half in halves:
        whole = half.read(0, half.size + 9)
        assert len(whole) == half.size
        assert b"".join(half.read(at, 7) for at in range(0, half.size, 7)) == whole
    texts = [half.read(0, half.size) for half in halves]
    assert json.loads(texts[0]) + json.loads(texts[1]) == rows


def test_a_cut_in_a_string_is_no_half(tmp_path: Path):
    text = json.dumps(pictures(3, name=NASTY))
    put(tmp_path, text)
    wrong = text.index('}, {\\"') + 1
    work = f"{box_tables.__name__}:put_objects_aside"
    with (
        scratch_file() as stream,
        second_half(tmp_path / "f.json", wrong, work, stream) as told,
        pytest.raises(Unsound),
    ):
        told()


WORK = """
import fcntl, sys, time
def work(document, stream):
    locked = open({lock!r}, "w")
    fcntl.flock(locked, fcntl.LOCK_EX)
    stream.write(b"begun")
    time.sleep(90)
"""
KILLED = """
import os, signal, sys, time
from pathlib import Path
from vle_bench.data_prep.halves import second_half
from vle_bench.scratch import scratch_file
stream = scratch_file()
with second_half(Path(sys.argv[1]), 1, "work:work", stream):
    while not os.fstat(stream.fileno()).st_size:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_second_process_ends_with_the_first(tmp_path: Path):
    put(tmp_path, "[1,2]")
    lock = tmp_path / "lock"
    (tmp_path / "work.py").write_text(WORK.format(lock=str(lock)))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path / "f.json"],
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == -signal.SIGKILL
    with lock.open() as stream:
        assert any(map(free, repeat(stream, 300)))


def free(stream: IO[str]) -> bool:
    """Whether nobody has the lock any more; otherwise after a while."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(0.1)
        return False
    return True
