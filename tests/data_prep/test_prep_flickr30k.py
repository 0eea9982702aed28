"""Flickr30k: whoever splits it, and phrases with their boxes out of untrusted XML."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from prep_world import picture_bytes, put, put_zip

from vle_bench.data_prep.flickr30k_entities import (
    EntityBox,
    Phrase,
    UnreadableBoxes,
    boxes_of,
    marks_lost,
    phrases_of,
)
from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.data_prep.verify import verify
from vle_bench.records import Sample
from vle_bench.shards.index import SkippedRow, read_samples, read_skipped
from vle_bench.shards.read import iter_samples
from vle_bench.shards.report import read_report

SPLITS = {101: "train", 102: "train", 103: "val", 104: "test"}
MARKED = "[/EN#7/people Two men] sit on [/EN#9/other/scene a wall] .\n[/EN#7/people They] rest .\n"


def xml(*objects: str, size: str = "<width>64</width><height>48</height>") -> bytes:
    inside = "".join(f"<object>{one}</object>" for one in objects)
    return f"<annotation><filename>x</filename><size>{size}</size>{inside}</annotation>".encode()


def box(*names: int, corners: tuple[object, ...] = (11, 6, 31, 26)) -> str:
    told = zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in told)
    return "".join(f"<name>{name}</name>" for name in names) + f"<bndbox>{inside}</bndbox>"


NO_BOX = "<name>9</name><scene>1</scene><nobndbox>0</nobndbox>"


def run(raw: Path, out: Path, *splits: str) -> Prepared:
    return prepare(Request(dataset="flickr30k", raw=raw, out=out, splits=splits))


def samples_of(out: Path, split: str) -> list[Sample]:
    return list(iter_samples(out / "flickr30k", split, Sample))


def skipped_of(out: Path) -> list[SkippedRow]:
    return read_skipped(out / "flickr30k" / "skipped.parquet")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Four pictures, Karpathy's file, the token file, and Entities' lists, which swap two."""
    folder = tmp_path / "raw" / "flickr30k"
    images: list[dict[str, Any]] = []
    for photo, split in SPLITS.items():
        put(folder / "flickr30k-images" / f"{photo}.jpg", picture_bytes())
        sentences = [{"raw": f"Number {n} of {photo}.", "sentid": photo * 5 + n} for n in (0, 1)]
        images.append({"filename": f"{photo}.jpg", "split": split, "sentences": sentences})
    put(folder / "dataset_flickr30k.json", json.dumps({"images": images}).encode())
    lines = [f"{photo}.jpg#{n}\tToken {n} of {photo} .\n" for photo in SPLITS for n in (0, 1)]
    put(folder / "results_20130124.token", "".join(lines).encode())
    for split, ids in (("train", (101, 104)), ("val", (103,)), ("test", (102,))):
        put(folder / f"{split}.txt", "\n".join(map(str, ids)).encode())
    return tmp_path / "raw"


def test_karpathys_file_splits_and_captions_where_it_is_there(raw: Path, out: Path):
    prepared = run(raw, out)
    ids = {split: [one.image.id for one in samples_of(out, split)] for split in prepared.splits}
    assert ids == {"train": ["101", "102"], "val": ["103"], "test": ["104"]}
    (sample,) = samples_of(out, "test")
    assert (sample.key, sample.image.flickr_id) == ("flickr30k-104", "104")
    assert [one.id for one in sample.captions] == ["520", "521"]
    assert prepared.report.parameters["scheme"] == "karpathy"
    expected = {one.what: one.expected for one in prepared.report.splits["val"].expectations}
    assert expected == {"images": 1014, "captions": 5070}
    assert verify(out / "flickr30k").findings == ()


def test_pictures_that_are_still_packed_are_told(raw: Path, out: Path):
    folder = raw / "flickr30k"
    put(folder / "flickr30k-images.tar.gz", b"packed")
    told = "flickr30k/flickr30k-images.tar.gz is not read where it lies: unpack it"
    assert not any(told in one for one in run(raw, out).report.splits["val"].warnings)
    shutil.rmtree(folder / "flickr30k-images")
    split = run(raw, out / "packed").report.splits["val"]
    assert split.counts["image"].skipped == {"picture absent": 1}
    assert any(told in one for one in split.warnings)


def test_without_it_the_lists_of_entities_split_and_the_token_file_captions(raw: Path, out: Path):
    (raw / "flickr30k" / "dataset_flickr30k.json").unlink()
    prepared = run(raw, out)
    ids = {split: [one.image.id for one in samples_of(out, split)] for split in prepared.splits}
    assert ids == {"train": ["101", "104"], "val": ["103"], "test": ["102"]}
    (sample,) = samples_of(out, "test")
    assert [(one.id, one.text) for one in sample.captions] == [
        ("102#0", "Token 0 of 102 ."),
        ("102#1", "Token 1 of 102 ."),
    ]
    assert prepared.report.parameters["scheme"] == "entities"
    assert prepared.report.splits["test"].elsewhere == {"caption": 6}
    expected = {one.what: one.expected for one in prepared.report.splits["val"].expectations}
    assert expected == {"images": 1000}


def test_where_both_are_there_the_scheme_may_be_named(tmp_path: Path, prep, drawn_world, capsys):
    raw, both = drawn_world(60), {}
    for scheme in ("karpathy", "entities"):
        arguments = ("flickr30k", "--raw", raw, "--out", tmp_path / scheme, "--scheme", scheme)
        assert prep("plan", *arguments) == prep("run", *arguments) == 0
        folder = tmp_path / scheme / "flickr30k"
        report = read_report(folder)
        assert report.parameters["scheme"] == scheme
        both[scheme] = {row.key: row.split for row in read_samples(folder / "samples.parquet")}
        assert verify(folder).findings == ()
    listed = {
        f"flickr30k-{photo}": split
        for split in ("train", "val", "test")
        for photo in (raw / "flickr30k" / f"{split}.txt").read_text().split()
    }
    assert both["entities"] == listed
    assert both["karpathy"].keys() == listed.keys()
    assert prep("run", "flickr30k", "--raw", raw, "--out", tmp_path, "--scheme", "2014") == 2
    assert "flickr30k has karpathy, entities" in capsys.readouterr().err


def test_odd_lines_of_lists_and_tokens_are_named(raw: Path, out: Path):
    folder = raw / "flickr30k"
    (folder / "dataset_flickr30k.json").unlink()
    put(folder / "val.txt", b"\xef\xbb\xbf103\r\n\r\n103\r\nx\r\n101\r\n105\r\n")
    with (folder / "results_20130124.token").open("a") as stream:
        stream.write("103.jpg#0\tAgain .\n103.jpg#2\t \nno tab\n105.jpg#0\tGone .\n")
    prepared = run(raw, out, "val")
    assert skipped_of(out) == [
        SkippedRow("val", "image", "x", "x", "id is no number"),
        SkippedRow("val", "image", "101", "101", "image belongs to an earlier split"),
        SkippedRow("val", "image", "103", "103", "duplicate id"),
        SkippedRow("val", "image", "105", "105", "picture absent"),
        SkippedRow("val", "caption", "101#0", "101", "image belongs to an earlier split"),
        SkippedRow("val", "caption", "101#1", "101", "image belongs to an earlier split"),
        SkippedRow("val", "caption", "103#0", "103", "duplicate id"),
        SkippedRow("val", "caption", "103#2", "103", "caption without text"),
        SkippedRow("val", "caption", "105#0", "105", "picture absent"),
        SkippedRow("val", "caption", "line 11", "", "caption line that is not understood"),
    ]
    assert prepared.report.splits["val"].counts["caption"].written == 2


def entities(raw: Path, *, packed: bool = False) -> None:
    """Boxes of 104: one of the two men, one of nobody who is spoken of; the wall has none."""
    inside = {
        "Sentences/104.txt": MARKED.encode(),
        "Annotations/104.xml": xml(box(7), box(8), NO_BOX),
        "Annotations/103.xml": xml(box(1)),
    }
    if packed:
        put_zip(raw / "flickr30k" / "annotations.zip", inside)
        return
    for name, data in inside.items():
        put(raw / "flickr30k" / name, data)


@pytest.mark.parametrize("packed", [False, True])
def test_a_box_goes_with_every_phrase_of_its_entity(raw: Path, out: Path, packed: bool):
    entities(raw, packed=packed)
    prepared = run(raw, out)
    (sample,) = samples_of(out, "test")
    assert [(one.id, one.phrase, one.attributes) for one in sample.boxes] == [
        ("7-0-0", "Two men", ("people",)),
        ("7-0-1", "They", ("people",)),
        ("8-1-0", "", ()),
    ]
    assert {one.kind for one in sample.boxes} == {"region"}
    assert sample.boxes[0].xywh == (10.0, 5.0, 20.0, 20.0)
    test = prepared.report.splits["test"]
    assert (test.counts["box"].read, test.counts["box"].written) == (3, 3)
    assert test.adjusted["entity without a box"] == 1
    assert test.absent_sources == ()
    place = "flickr30k/annotations.zip!" if packed else "flickr30k/"
    assert {f"{place}Annotations (test)", f"{place}Sentences (test)"} <= test.sources.keys()


def test_a_changed_box_is_noticed_and_one_folder_alone_is_not_enough(raw: Path, out: Path):
    entities(raw)
    run(raw, out)
    put(raw / "flickr30k" / "Annotations" / "104.xml", xml(box(7, corners=(1, 1, 9, 9))))
    again = run(raw, out)
    assert "test: raw file flickr30k/Annotations (test) changed" in again.changes
    assert again.built == 1
    for path in (raw / "flickr30k" / "Sentences").iterdir():
        path.unlink()
    (raw / "flickr30k" / "Sentences").rmdir()
    assert run(raw, out).report.splits["test"].absent_sources == ("Sentences/",)
    assert samples_of(out, "test")[0].boxes == ()


def test_pictures_that_entities_have_no_file_of_are_counted(raw: Path, out: Path):
    entities(raw)
    splits = run(raw, out).report.splits
    no_boxes = "picture without its file of phrase boxes"
    no_sentences = "picture without its file of marked sentences"
    assert splits["train"].adjusted == {no_boxes: 2, no_sentences: 2}
    assert splits["val"].adjusted == {no_sentences: 1}
    assert f"annotations lost: {no_boxes} (2)" in splits["train"].warnings
    assert f"annotations lost: {no_sentences} (1)" in splits["val"].warnings
    assert not any("lost" in one for one in splits["test"].warnings)
    assert splits["test"].adjusted == {"entity without a box": 1}


def test_bytes_that_are_no_utf8_are_counted(raw: Path, out: Path):
    entities(raw)
    folder = raw / "flickr30k"
    (folder / "dataset_flickr30k.json").unlink()
    for name in ("results_20130124.token", "Sentences/104.txt"):
        data = (folder / name).read_bytes()
        put(folder / name, data.replace(b"Token 0 of 104", b"Caf\xe9").replace(b"Two", b"Tw\xf6"))
    train = run(raw, out).report.splits["train"]
    assert train.adjusted["caption with bytes that are no UTF-8"] == 1
    assert train.adjusted["marked sentences with bytes that are no UTF-8"] == 1
    assert samples_of(out, "train")[1].captions[0].text == "Caf\ufffd ."


def test_boxes_that_cannot_be_read_are_named_and_end_nothing(raw: Path, out: Path):
    entities(raw)
    put(raw / "flickr30k" / "Annotations" / "104.xml", b"<annotation><object>")
    test = run(raw, out).report.splits["test"]
    assert test.counts["box"].skipped == {"phrase boxes not readable": 1}
    assert test.counts["image"].written == 1


def test_phrases_are_found_once_and_odd_marks_counted():
    assert phrases_of(MARKED + MARKED) == (
        Phrase("7", ("people",), "Two men"),
        Phrase("9", ("other", "scene"), "a wall"),
        Phrase("7", ("people",), "They"),
    )
    assert marks_lost(MARKED + "[/EN#7 no type] [/EN#8/people unclosed") == 2


def test_an_object_may_have_several_names_and_several_boxes():
    found = boxes_of(xml(box(7, 8), box(7, corners=(1, 1, 3, 4)), NO_BOX))
    assert found.boxes == (
        EntityBox(("7", "8"), (10.0, 5.0, 20.0, 20.0)),
        EntityBox(("7",), (0.0, 0.0, 2.0, 3.0)),
    )
    assert (found.size, found.boxless) == ((64, 48), 1)
    assert boxes_of(xml(size="")).size is None


BOMB = (
    b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    b"<annotation><filename>&c;</filename></annotation>"
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no XML",
        b"<a><b></a>",
        b'<?xml version="1.0" encoding="nobody-knows"?><annotation/>',
        BOMB,
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>',
        xml(box(7, corners=("x", 1, 2, 3))),
        xml(box(7, corners=("", 1, 2, 3))),
        xml(box(7, corners=("-1.7e308", 1, "1.7e308", 3))),
        xml("<name>7</name><bndbox><xmin>1</xmin></bndbox>"),
        xml(box()),
        xml(size="<width>1e999</width><height>nan</height>"),
        b"<a>" + b"<b/>" * 100_001 + b"</a>",
    ],
)
def test_xml_that_is_not_of_the_official_form_is_refused(data: bytes):
    with pytest.raises(UnreadableBoxes):
        boxes_of(data)
