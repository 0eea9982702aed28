"""CC3M: an address finds its picture, or is named as not downloaded."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from vle_bench.data_prep import plain_pictures
from vle_bench.data_prep.found_pictures import FoundPictures
from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.data_prep.web_keys import LookUp, url_key
from vle_bench.data_prep.web_reasons import reason_of
from vle_bench.records import Sample
from vle_bench.shards.index import read_skipped
from vle_bench.shards.read import iter_samples, iter_with_pictures

URLS = [f"http://host{n}.example.org/a/{n}.jpg" for n in range(6)]


def key(url: str) -> str:
    return hashlib.sha1(url.encode()).hexdigest()[:16]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "raw"


@pytest.fixture
def pictures(picture) -> dict[str, bytes]:
    """A picture of its own for every address."""
    return {url: picture(40 + number, 30) for number, url in enumerate(URLS)}


def put(path: Path, data: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def cc3m(raw: Path, rows: list[str], split: str = "Train_GCC-training") -> None:
    name = split if split.endswith("training") else "Validation_GCC-1.1.0-Validation"
    put(raw / "cc3m" / f"{name}.tsv", "".join(f"{row}\n" for row in rows))


def run(raw: Path, out: Path) -> Prepared:
    return prepare(Request(dataset="cc3m", raw=raw, out=out))


def found(out: Path) -> dict[str, bytes]:
    """Pictures by the address that the sample names."""
    pairs = iter_with_pictures(out / "cc3m", "train", Sample)
    return {sample.image.source_url: data for sample, data in pairs}


def skipped(out: Path) -> Counter[tuple[str, str]]:
    return Counter((r.kind, r.reason) for r in read_skipped(out / "cc3m" / "skipped.parquet"))


def img2dataset(folder: Path, pictures: dict[str, bytes], *, table: bool, as_tar: bool) -> None:
    """Shard 00003 as that tool writes it; the last address of `URLS` failed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows, files = [], {}
    for number, url in enumerate([*pictures, URLS[-1]]):
        name, lost = f"00003{number:04d}", number == len(pictures)
        status = "failed_to_download" if lost else "success"
        rows.append({"url": url, "key": name, "status": status, "caption": "x"})
        if not lost:
            files[f"{name}.jpg"] = pictures[url]
            files[f"{name}.txt"] = b"x"
            files[f"{name}.json"] = json.dumps(rows[-1]).encode()
    folder.mkdir(parents=True, exist_ok=True)
    if table:
        pq.write_table(pa.Table.from_pylist(rows), folder / "00003.parquet")
    if not as_tar:
        for name, data in files.items():
            put(folder / "00003" / name, data)
        return
    with tarfile.open(folder / "00003.tar", "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


@pytest.mark.parametrize("inner", ["", "train"])
@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("as_tar", [True, False])
def test_what_img2dataset_left_is_found_by_address(raw, out, pictures, as_tar, table, inner):
    there = {url: pictures[url] for url in URLS[2:5]}
    img2dataset(raw / "cc3m" / inner, there, table=table, as_tar=as_tar)
    cc3m(raw, [f"caption {n}\t{url}" for n, url in enumerate(URLS)])
    report = run(raw, out).report
    assert found(out) == there
    assert report.counts["image"].skipped == {"picture not downloaded": 3}
    assert report.splits["train"].warnings[0] == "3 of 6 pictures were not downloaded"


@pytest.mark.parametrize("as_tar", [True, False])
def test_what_img2dataset_could_not_get_is_booked_by_the_class_of_its_sentence(
    raw, out, pictures, as_tar
):
    import pyarrow as pa
    import pyarrow.parquet as pq

    img2dataset(raw / "cc3m", {URLS[0]: pictures[URLS[0]]}, table=True, as_tar=True)
    sentences = {
        URLS[1]: "<urlopen error [Errno -2] Name or service not known>",
        URLS[2]: "HTTP Error 404: Not Found",
        URLS[3]: "Use of image disallowed by X-Robots-Tag directive",
        "http://elsewhere.example.org/": "timed out",
    }
    rows = [
        {"url": url, "key": f"{n:09d}", "status": "failed_to_download", "error_message": text}
        for n, (url, text) in enumerate(sentences.items())
    ]
    rows.append({"url": URLS[4], "key": "9", "status": "failed_to_resize", "error_message": None})
    pq.write_table(pa.Table.from_pylist(rows), raw / "cc3m" / "00007.parquet")
    if as_tar:
        (raw / "cc3m" / "00007.tar").write_bytes(bytes(1024))
    cc3m(raw, [f"caption {n}\t{url}" for n, url in enumerate(URLS)])
    report = run(raw, out).report
    assert report.counts["image"].skipped == {
        "download: 4xx": 1,
        "download: dns": 1,
        "download: opted out": 1,
        "picture not downloaded": 2,
    }
    assert report.counts["caption"].skipped == report.counts["image"].skipped
    told = "5 of 6 pictures were not downloaded: 1 4xx, 1 dns, 1 opted out"
    assert report.splits["train"].warnings[0] == told


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("HTTP Error 403: Forbidden", "download: 4xx"),
        ("HTTP Error 503: Service Unavailable", "download: 5xx"),
        ("<urlopen error [Errno -3] Temporary failure in name resolution>", "download: dns"),
        ("<urlopen error _ssl.c:990: The handshake operation timed out>", "download: timeout"),
        ("The read operation timed out", "download: timeout"),
        (
            "<urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed>",
            "download: connection",
        ),
        ("<urlopen error [Errno 111] Connection refused>", "download: connection"),
        ("Remote end closed connection without response", "download: connection"),
        ("IncompleteRead(100 bytes read, 50 more expected)", "download: truncated"),
        ("URL can't contain control characters. '/a b'", "download: bad address"),
        ("image decoding error", "download: wrong type"),
        ("image too small", "download: too small"),
        ("aspect ratio too large", "download: too large"),
        ("download: private address", "download: private address"),
        ("sqrt of -1", "download: other"),
    ],
)
def test_sentences_of_failures_have_a_class(sentence, reason):
    assert reason_of(sentence) == reason


def test_a_tar_that_was_cut_gives_the_pictures_that_are_whole(raw, out, pictures):
    there = {url: pictures[url] for url in URLS[:3]}
    img2dataset(raw / "cc3m", there, table=True, as_tar=True)
    path = raw / "cc3m" / "00003.tar"
    data = path.read_bytes()
    path.write_bytes(data[: data.index(pictures[URLS[2]]) + 100])
    cc3m(raw, [f"caption\t{url}" for url in URLS])
    report = run(raw, out).report
    assert sorted(found(out)) == sorted(URLS[:2])
    told = "1 picture that tables of img2dataset call downloaded is in no tar or folder"
    assert report.splits["train"].warnings[0].startswith(told)


def test_a_picture_that_another_layout_has_is_not_told_as_absent(raw, out, pictures):
    img2dataset(raw / "cc3m" / "a", {URLS[0]: pictures[URLS[0]]}, table=True, as_tar=True)
    (raw / "cc3m" / "a" / "00003.tar").write_bytes(bytes(10_240))
    img2dataset(raw / "cc3m" / "b", {URLS[0]: pictures[URLS[0]]}, table=True, as_tar=True)
    cc3m(raw, [f"caption\t{URLS[0]}"])
    assert not any("tar or folder" in one for one in run(raw, out).report.splits["train"].warnings)


def test_a_table_that_is_none_is_told(raw, out, pictures, prep, capsys):
    img2dataset(raw / "cc3m", {URLS[0]: pictures[URLS[0]]}, table=False, as_tar=True)
    put(raw / "cc3m" / "00003.parquet", b"no table")
    cc3m(raw, [f"caption\t{URLS[0]}"])
    assert prep("run", "cc3m", "--raw", raw, "--out", out) == 3
    assert "00003.parquet: not img2dataset's table" in capsys.readouterr().err


def test_a_plain_folder_is_searched_by_key_by_host_and_by_path(raw, out, pictures):
    folder = raw / "cc3m" / "pictures"
    put(folder / f"{key(URLS[0])}.jpg", pictures[URLS[0]])
    put(folder / "host1.example.org" / "a" / "1.jpg", pictures[URLS[1]])
    put(folder / "a" / "2.jpg", pictures[URLS[2]])
    put(folder / "a" / "3.jpg", pictures[URLS[3]])
    rival = "http://other.example.org/a/3.jpg"
    asked = f"{URLS[4]}?size=big"
    put(folder / "a" / "4.jpg", pictures[URLS[4]])
    cc3m(raw, [f"caption\t{url}" for url in [*URLS[:4], rival, asked]])
    run(raw, out)
    assert found(out) == {url: pictures[url] for url in URLS[:3]}
    assert skipped(out)["image", "picture not downloaded"] == 3


def test_an_address_in_capitals_is_one_and_keeps_its_own_key(raw, out, pictures):
    url = "HTTP://Host0.Example.ORG/a/0.jpg"
    put(raw / "cc3m" / "pictures" / f"{key(url)}.jpg", pictures[URLS[0]])
    put(raw / "cc3m" / "pictures" / f"{key(URLS[0])}.jpg", pictures[URLS[1]])
    cc3m(raw, [f"caption\t{url}", f"caption\t{URLS[0]}"])
    report = run(raw, out).report
    assert found(out) == {url: pictures[URLS[0]], URLS[0]: pictures[URLS[1]]}
    assert report.counts["caption"].skipped == {}


def test_one_thing_is_told_of_in_the_singular(raw, out, pictures):
    put(raw / "cc3m" / "pictures" / f"{key(URLS[0])}.jpg", pictures[URLS[0]])
    cc3m(raw, [f"caption\t{url}" for url in URLS[:2]])
    assert run(raw, out).report.splits["train"].warnings[0] == "1 of 2 pictures was not downloaded"
    cc3m(raw, [f"caption\t{URLS[1]}"])
    alone = run(raw, out / "alone").report.splits["train"]
    assert alone.warnings[0] == "1 of 1 picture was not downloaded"


def test_a_foreign_format_is_there_unless_a_usable_one_is_too(raw, out, pictures):
    folder = raw / "cc3m" / "pictures"
    put(folder / f"{key(URLS[0])}.gif", b"GIF89a")
    put(folder / f"{key(URLS[1])}.bmp", b"BM")
    put(folder / f"{key(URLS[1])}.jpg", pictures[URLS[1]])
    cc3m(raw, [f"caption\t{url}" for url in URLS[:2]])
    run(raw, out)
    assert found(out) == {URLS[1]: pictures[URLS[1]]}
    assert skipped(out)["image", "picture format gif not supported"] == 1


def test_of_several_names_of_a_picture_the_first_counts_in_whatever_order_the_disk_gives_them(
    tmp_path, monkeypatch
):
    key_of, host = key(URLS[0]), "host1.example.org/a/1.jpg"
    names = [f"{key_of}.png", f"{key_of}.gif", f"{key_of}.JPG", f"{key_of}.jpg", host, "a/1.jpg"]
    numbers = np.array([url_key(url) for url in URLS[:2]], dtype=np.uint64)
    for order in (names, names[::-1], sorted(names)):
        monkeypatch.setattr(plain_pictures, "_files_below", lambda _, order=order: iter(order))
        found = FoundPictures(2)
        plain_pictures.find_plain(tmp_path, LookUp.of(numbers), lambda: enumerate(URLS[:2]), found)
        assert [one.name for one in found] == [f"{key_of}.JPG", host]


def test_an_address_that_climbs_finds_nothing(raw, out, pictures):
    put(raw / "cc3m" / "secret.jpg", pictures[URLS[0]])
    (raw / "cc3m" / "pictures").mkdir()
    cc3m(raw, ["caption\thttp://x.example.org/../secret.jpg"])
    report = run(raw, out).report
    assert report.counts["image"].skipped == {"picture not downloaded": 1}


def test_the_same_address_twice_is_one_sample_with_both_captions(raw, out, pictures):
    put(raw / "cc3m" / "pictures" / "a" / "0.jpg", pictures[URLS[0]])
    put(raw / "cc3m" / "pictures" / "a" / "1.jpg", pictures[URLS[1]])
    cc3m(raw, [f"one\t{URLS[0]}", f"other\t{URLS[1]}", f"two\t{URLS[0]}"])
    run(raw, out)
    samples = {
        sample.image.source_url: sample for sample in iter_samples(out / "cc3m", "train", Sample)
    }
    twice = samples[URLS[0]]
    assert twice.key == f"cc3m-{key(URLS[0])}"
    assert [(caption.id, caption.text) for caption in twice.captions] == [
        ("1", "one"),
        ("3", "two"),
    ]
    assert [sample.key for sample in samples.values()] == sorted(s.key for s in samples.values())


def test_lines_and_captions_that_cannot_be_used_are_named(raw, out, pictures):
    put(raw / "cc3m" / "pictures" / "a" / "0.jpg", pictures[URLS[0]])
    put(raw / "cc3m" / "pictures" / "a" / "1.jpg", pictures[URLS[1]])
    cc3m(
        raw,
        [
            "caption\turl",
            f"fine\t{URLS[0]}",
            f" \t{URLS[0]}",
            f"fine\t{URLS[0]}",
            f"\t{URLS[1]}",
            "alone",
            "a\tftp://x.example.org/a.jpg",
            f"a\tb\t{URLS[2]}",
        ],
    )
    report = run(raw, out).report
    assert skipped(out) == {
        ("caption", "caption without text"): 2,
        ("image", "image without a usable caption"): 1,
        ("caption", "line that is no caption and address"): 3,
    }
    assert (report.counts["caption"].read, report.counts["caption"].written) == (7, 2)
    assert report.splits["train"].adjusted == {"caption repeated within its picture": 1}


def test_an_address_of_train_is_not_in_val_again(raw, out, pictures):
    for number in range(2):
        put(raw / "cc3m" / "pictures" / "a" / f"{number}.jpg", pictures[URLS[number]])
    cc3m(raw, [f"one\t{URLS[0]}"])
    cc3m(raw, [f"two\t{URLS[0]}", f"three\t{URLS[1]}"], "val")
    report = run(raw, out).report
    assert report.splits["val"].counts["image"].skipped == {"image belongs to an earlier split": 1}
    assert report.splits["val"].counts["image"].written == 1


def test_the_real_list_without_pictures_is_all_named(reference: Path, raw, out):
    source = reference / "data/imran980+M2IB/Validation_GCC-1.1.0-Validation.tsv"
    put(raw / "cc3m" / source.name, source.read_bytes())
    counts = run(raw, out).report.counts
    assert counts["caption"].read == counts["image"].read == 15_833
    assert (
        counts["image"].skipped == counts["caption"].skipped == {"picture not downloaded": 15_833}
    )
