"""SBU: columns become samples by row, and photographs keep their Flickr ids."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from vle_bench.data_prep.leaks.evidence import flickr_photo
from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.records import SbuSample
from vle_bench.shards.read import iter_samples

URLS = [f"http://static.flickr.com/27{n}/438505896{n}_b0f291553e.jpg" for n in range(3)]


@pytest.fixture
def raw(tmp_path: Path, picture) -> Path:
    """The photographs of all addresses in a plain folder, and no list yet."""
    folder = tmp_path / "raw" / "sbu" / "pictures"
    for number in range(3):
        path = folder / f"27{number}" / f"438505896{number}_b0f291553e.jpg"
        path.parent.mkdir(parents=True)
        path.write_bytes(picture(40 + number, 30))
    return tmp_path / "raw"


def run(raw: Path, out: Path) -> Prepared:
    return prepare(Request(dataset="sbu", raw=raw, out=out))


def sbu(raw: Path, **columns: Any) -> None:
    (raw / "sbu" / "sbu-captions-all.json").write_text(json.dumps(columns))


def test_columns_of_sbu_become_samples_by_row(raw, out):
    urls = [*URLS, URLS[1]]
    sbu(raw, image_urls=urls, captions=["a", "b", "c", "d"], user_ids=["u0", "u1", None, "u3"])
    run(raw, out)
    samples = list(iter_samples(out / "sbu", "train", SbuSample))
    assert [s.key for s in samples] == ["sbu-0000000", "sbu-0000001", "sbu-0000002"]
    assert [s.image.flickr_id for s in samples] == ["4385058960", "4385058961", "4385058962"]
    assert [s.user_id for s in samples] == ["u0", "u1", ""]
    assert [(c.id, c.text) for c in samples[1].captions] == [("1", "b"), ("3", "d")]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (
            {"image_urls": ["http://x.example.org/a.jpg"], "captions": []},
            "1 image_urls, 0 captions",
        ),
        ({"image_urls": []}, "captions"),
        ({"image_urls": [3], "captions": ["a"]}, "str"),
    ],
)
def test_columns_that_do_not_fit_are_told(raw, out, prep, capsys, columns, told):
    sbu(raw, **columns)
    assert prep("run", "sbu", "--raw", raw, "--out", out) == 3
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error


def test_a_packed_list_of_sbu_is_read_too(raw, out):
    content = json.dumps({"image_urls": URLS[:1], "captions": ["a"]}).encode()
    (raw / "sbu" / "sbu-captions-all.json").write_bytes(gzip.compress(content))
    assert run(raw, out).report.counts["image"].written == 1


def tar_gz(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def test_the_official_archive_is_read_where_it_lies(raw, out, tmp_path):
    content = json.dumps({"image_urls": URLS, "captions": ["a", "b", "c"]}).encode()
    archive = raw / "sbu" / "sbu-captions-all.tar.gz"
    archive.write_bytes(tar_gz(**{"other.txt": b"x" * 3000, "sbu/sbu-captions-all.json": content}))
    packed = run(raw, out)
    (name,) = packed.report.splits["train"].sources
    assert name == "sbu/sbu-captions-all.tar.gz!sbu-captions-all.json"
    archive.unlink()
    (raw / "sbu" / "sbu-captions-all.json").write_bytes(content)
    plain = run(raw, tmp_path / "plain")
    assert packed.report.splits["train"].shards == plain.report.splits["train"].shards


@pytest.mark.parametrize(
    ("archive", "told"),
    [
        (tar_gz(**{"x.json": b"{}"}), "no file sbu-captions-all.json"),
        (tar_gz(**{"sbu-captions-all.json": os.urandom(9000)})[:4000], "cannot be read"),
        (b"\x1f\x8b\x08", "no whole packed tar"),
        (gzip.compress(b"no tar at all" * 99), "no whole packed tar"),
        (b"<html>", "no whole packed tar"),
    ],
    ids=["another file", "cut short", "three bytes", "no tar", "a page"],
)
def test_an_official_archive_that_is_damaged_is_told(raw, out, prep, capsys, archive, told):
    (raw / "sbu" / "sbu-captions-all.tar.gz").write_bytes(archive)
    assert prep("run", "sbu", "--raw", raw, "--out", out) == 3
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error


def test_the_first_form_of_the_list_gives_the_same_pictures(raw, out):
    folder = raw / "sbu"
    (folder / "SBU_captioned_photo_dataset_urls.txt").write_text("\r\n".join(URLS) + "\r\n")
    (folder / "SBU_captioned_photo_dataset_captions.txt").write_text("a\n\nc\n")
    report = run(raw, out).report
    samples = list(iter_samples(out / "sbu", "train", SbuSample))
    told = [(s.key, s.user_id, [(c.id, c.text) for c in s.captions]) for s in samples]
    assert told == [("sbu-0000000", "", [("0", "a")]), ("sbu-0000002", "", [("2", "c")])]
    assert report.counts["caption"].skipped == {"caption without text": 1}


def test_bytes_of_a_caption_that_are_no_text_are_counted(raw, out):
    folder = raw / "sbu"
    (folder / "SBU_captioned_photo_dataset_urls.txt").write_text("\n".join(URLS))
    (folder / "SBU_captioned_photo_dataset_captions.txt").write_bytes(b"caf\xe9\nb\n\xc3\xa9\n")
    report = run(raw, out).report
    adjusted = report.splits["train"].adjusted
    assert adjusted["caption with bytes that are no UTF-8"] == 1
    samples = list(iter_samples(out / "sbu", "train", SbuSample))
    assert samples[0].captions[0].text == "caf\ufffd"


def test_lists_of_another_length_are_told(raw, out, prep, capsys):
    (raw / "sbu" / "SBU_captioned_photo_dataset_urls.txt").write_text("\n".join(URLS))
    assert prep("run", "sbu", "--raw", raw, "--out", out) == 3
    assert "SBU_captioned_photo_dataset_captions.txt" in capsys.readouterr().err
    (raw / "sbu" / "SBU_captioned_photo_dataset_captions.txt").write_text("a\nb\n")
    assert prep("run", "sbu", "--raw", raw, "--out", out) == 3
    assert "3 lines, but" in capsys.readouterr().err


def test_a_photo_id_is_read_from_addresses_of_that_form_only():
    assert flickr_photo("https://farm9.staticflickr.com/8/12345_0123456789_z.jpg") == "12345"
    assert flickr_photo("http://www.example.org/12345_photo.jpg") == ""
    assert flickr_photo("http://www.example.org/12345.jpg") == ""


def test_list_and_plan_know_that_either_form_will_do(raw, out, prep, capsys):
    urls = raw / "sbu" / "SBU_captioned_photo_dataset_urls.txt"
    urls.write_text("\n".join(URLS))
    assert prep("list", "--raw", raw) == 0
    listed = capsys.readouterr().out
    assert "(captions, or sbu-captions-all.json): MISSING" in listed
    assert "(captions and addresses, or SBU_captioned_photo_dataset_urls.txt): absent" in listed
    assert prep("plan", "sbu", "--raw", raw, "--out", out) == 3
    assert prep("run", "sbu", "--raw", raw, "--out", out) == 3
    lacking = "lacks SBU_captioned_photo_dataset_captions.txt (or sbu-captions-all.json)\n"
    assert lacking in capsys.readouterr().err
    urls.unlink()
    assert prep("run", "sbu", "--raw", raw, "--out", out) == 3
    lacking = "lacks sbu-captions-all.json (or SBU_captioned_photo_dataset_urls.txt)\n"
    assert lacking in capsys.readouterr().err
    urls.write_text("\n".join(URLS))
    (raw / "sbu" / "SBU_captioned_photo_dataset_captions.txt").write_text("a\nb\nc")
    assert prep("plan", "sbu", "--raw", raw, "--out", out) == 0
    assert "absent (SBU_captioned_photo_dataset_urls.txt is here)" in capsys.readouterr().out
