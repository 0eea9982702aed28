"""kill -9 at any moment: nothing is lost, nothing is asked twice, and the end is the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import fetch_server as serve
import pytest
from fetch_server import Site, serving
from prep_world import picture_bytes
from test_fetch_pictures import cc3m, table, tree

from vle_bench.canonical import json_bytes, sha256_bytes
from vle_bench.data_prep.fetch.ledger import FOLDER, Ledger, PartFacts
from vle_bench.data_prep.fetch.shelf import Listed, Shelf
from vle_bench.data_prep.fetch.table import FAILED, Decision
from vle_bench.errors import DataProblem

MORE = ("--split", "train", "--delay", "0", "--allow-private", "--concurrency", "6")


@pytest.fixture
def site():
    with serving() as site:
        yield site


def command(raw: Path, *more: str) -> list[str]:
    start = [sys.executable, "-m", "vle_bench.data_prep.cli", "fetch", "cc3m", "--raw", str(raw)]
    return [*start, *MORE, *more]


def world(site: Site, count: int = 40) -> list[str]:
    urls = []
    for number in range(count):
        data = picture_bytes(64 + number, 50)
        answer = serve.body(data, slow=0.02) if number % 5 else serve.status(404)
        urls.append(site.put(f"/{number}", answer, f"127.0.0.{number % 4 + 1}"))
    return urls


def test_killed_in_the_middle_it_goes_on_and_asks_only_what_is_undecided(site, tmp_path):
    raw, whole = tmp_path / "raw", tmp_path / "whole"
    urls = world(site)
    cc3m(raw, urls)
    cc3m(whole, urls)
    assert subprocess.run(command(whole), capture_output=True).returncode == 0
    site.log.clear()
    kills = 0
    for number in range(3):
        before = len(site.log)
        child = subprocess.Popen(command(raw), stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while len(site.log) < before + 2 + number * 4 and child.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        child.send_signal(signal.SIGKILL)
        kills += child.wait() == -signal.SIGKILL
    assert kills >= 1
    assert subprocess.run(command(raw), capture_output=True).returncode == 0
    assert tree(raw / "cc3m") == tree(whole / "cc3m")
    # What was under way when it was killed is asked once more, and no more than that.
    assert len(site.log) <= len(urls) + kills * 6
    assert len(table(raw)) == len(urls)
    site.log.clear()
    assert subprocess.run(command(raw), capture_output=True).returncode == 0
    assert site.log == []


def test_interrupted_by_hand_it_says_so_and_goes_on(site, tmp_path):
    raw = tmp_path / "raw"
    cc3m(raw, [site.put("/a", serve.body(picture_bytes())), site.put("/b", serve.hang())])
    # One at a time: what is asked second finds the first decided.
    one_by_one = command(raw, "--concurrency", "1")
    child = subprocess.Popen(one_by_one, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while site.asked("/b") == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    said = child.communicate(timeout=60)[1]
    assert child.returncode == 130
    assert "What came is kept" in said
    assert "Traceback" not in said
    assert site.asked("/a") == 1
    site.put("/b", serve.body(picture_bytes()))
    assert subprocess.run(command(raw), capture_output=True).returncode == 0
    assert site.asked("/a") == 1
    assert {row["status"] for row in table(raw).values()} == {"success"}


class Killed(BaseException):
    """Stands for kill -9: nothing of ours runs after it."""


ROWS = [Listed(number, f"http://example.org/{number}") for number in range(4)]
PICTURES = {number: picture_bytes(50 + number, 50) for number in (0, 2)}


def decide(shelf: Shelf) -> None:
    for number, url in ROWS[:3]:
        data = PICTURES.get(number, b"")
        if data:
            facts = {"status": "success", "ending": "jpg", "sha256": sha256_bytes(data)}
            shelf.keep(Decision(number=number, url=url, bytes=len(data), final=True, **facts), data)
        else:
            why = {"status": FAILED, "error_message": "download: 4xx"}
            shelf.keep(Decision(number=number, url=url, final=True, **why))


def finished(folder: Path) -> dict[str, str]:
    shelf = Shelf(folder, "a" * 64)
    decide(shelf)
    shelf.pack(0, ROWS)
    return tree(folder)


@pytest.mark.parametrize("calls", range(48))
def test_a_kill_at_every_change_of_the_disk_leaves_what_the_next_call_needs(
    tmp_path, monkeypatch, calls
):
    expected = finished(tmp_path / "expected")
    left = calls

    def counting(name: str, place: object):
        real = getattr(place, name)

        def call(*args, **kwargs):
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return real(*args, **kwargs)

        return call

    folder = tmp_path / "shelf"
    with monkeypatch.context() as patched:
        for name in ("write", "open", "fsync"):
            patched.setattr(os, name, counting(name, os))
        for name in ("replace", "unlink", "write_bytes", "mkdir", "open"):
            patched.setattr(Path, name, counting(name, Path))
        try:
            finished(folder)
        except Killed:
            pass
        else:
            assert calls > 30  # else this trial kills nothing: fewer changes than thought
    shelf = Shelf(folder, "a" * 64)
    for shard in shelf.unpacked():
        shelf.mend(shard)
    known = shelf.decisions(0)
    for number, decision in known.items():
        if decision.status == "success":
            packed = (folder / "00000.tar").is_file() and not shelf.unpacked()
            assert packed or number in shelf.loose(0) or (folder / "00000.parquet").is_file()
    shelf = Shelf(folder, "a" * 64)
    if len(known) < 3:
        decide(shelf)
    shelf.pack(0, ROWS)
    assert {k: v for k, v in tree(folder).items() if not k.endswith(".tmp")} == expected


def test_a_journal_is_read_up_to_the_first_line_that_is_damaged(tmp_path):
    shelf = Shelf(tmp_path, "a" * 64)
    decide(shelf)
    journal = tmp_path / ".work" / "00000.jsonl"
    data = journal.read_bytes()
    for cut in range(len(data)):
        journal.write_bytes(data[:cut])
        shelf.mend(0)
        assert journal.read_bytes() == data[: data.rfind(b"\n", 0, cut) + 1]
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    journal.write_bytes(flipped)
    assert len(shelf.decisions(0)) < 3


def test_notes_that_are_no_utf8_are_told_with_their_place(tmp_path):
    shelf = Shelf(tmp_path, "a" * 64)
    decide(shelf)
    claim = next(path for path in tmp_path.iterdir() if path.suffix == ".json")
    claim.write_bytes(claim.read_bytes().replace(b"aaaa", b"aa\xffa"))
    with pytest.raises(DataProblem, match=claim.name):
        Shelf(tmp_path, "a" * 64)
    ledger = Ledger(tmp_path, "coco")
    ledger.keep_part("a.zip", PartFacts(url="u", etag="", last_modified="", total=0))
    (note,) = (tmp_path / FOLDER).rglob("*.json")
    note.write_bytes(note.read_bytes().replace(b'"u"', b'"\xff"'))
    with pytest.raises(DataProblem, match=note.name):
        ledger.part_facts("a.zip")


def test_a_journal_cannot_name_a_place_outside(tmp_path):
    import zlib

    shelf = Shelf(tmp_path, "a" * 64)
    decide(shelf)
    row = {"number": 1, "url": "u", "status": "success", "ending": "/../../x", "bytes": 1}
    text = json_bytes(row)
    journal = tmp_path / ".work" / "00000.jsonl"
    journal.write_bytes(b"%08x %b\n" % (zlib.crc32(text), text))
    with pytest.raises(DataProblem, match="one of jpg, png and webp"):
        shelf.loose(0)


def test_a_shard_whose_table_is_lost_keeps_its_pictures(site, tmp_path):
    """The advice for a broken table is to remove it; the pictures beside it must outlive that."""
    raw = tmp_path / "raw"
    cc3m(raw, world(site, 12))
    assert subprocess.run(command(raw), capture_output=True).returncode == 0
    before = tree(raw / "cc3m")
    (raw / "cc3m" / "fetched-train" / "00000.parquet").unlink()
    site.log.clear()
    assert subprocess.run(command(raw), capture_output=True).returncode == 0
    assert sorted(one.path for one in site.log) == ["/0", "/10", "/5"]  # of these, nothing is known
    assert tree(raw / "cc3m") == before


def test_pictures_of_another_list_are_noticed_without_the_folders_own_word(site, tmp_path):
    raw = tmp_path / "raw"
    urls = world(site, 12)
    cc3m(raw, urls)
    assert subprocess.run(command(raw), capture_output=True).returncode == 0
    (raw / "cc3m" / "fetched-train" / "fetch.json").unlink()
    cc3m(raw, urls[1:])
    done = subprocess.run(command(raw), capture_output=True, text=True)
    assert done.returncode == 3
    assert "is another in the list now" in done.stderr
